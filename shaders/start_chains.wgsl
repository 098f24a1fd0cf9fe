// Fresh starts for the first COUNT values of a batch of chains: Gaussian around 0, or uniform on [low, high].
#import "shared/index.wgsl"
#import "shared/philox.wgsl"

#const STREAM: u32
#const UNIFORM: bool

struct Start {
    seed: vec2<u32>,
    step: u32,
    first_element: u32,
    count: u32,
    // Mean and standard deviation, or lower and upper end.
    a: f32,
    b: f32,
}

var<immediate> start: Start;
@group(0) @binding(0) var<storage, read_write> x: array<f32>;

fn values(block: u32) -> vec4<f32> {
#if UNIFORM
    let words = philox(vec4<u32>(block, 0u, start.step, STREAM), start.seed);
    let u = vec4<f32>(uniform01(words.x), uniform01(words.y), uniform01(words.z), uniform01(words.w));
    return start.a + (start.b - start.a) * u;
#else
    return start.a + start.b * normals(start.seed, STREAM, start.step, block);
#endif
}

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let block = start.first_element / 4u + flat_group(group, groups) * 64u + local;
    let fresh = values(block);
    for (var k = 0u; k < 4u; k++) {
        let element = block * 4u + k;
        if element >= start.first_element && element - start.first_element < start.count {
            x[element - start.first_element] = fresh[k];
        }
    }
}
