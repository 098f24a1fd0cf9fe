// The four words of each counter, for the known-answer test on the GPU.
#import "shared/philox.wgsl"

#const COUNT: u32

@group(0) @binding(0) var<storage, read> counters: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> keys: array<vec2<u32>>;
@group(0) @binding(2) var<storage, read_write> words: array<vec4<u32>>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x < COUNT {
        words[id.x] = philox(counters[id.x], keys[id.x]);
    }
}
