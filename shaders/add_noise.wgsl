// Adds Gaussian noise of one standard deviation to the first COUNT values.
#import "shared/index.wgsl"
#import "shared/philox.wgsl"

#const COUNT: u32
#const STREAM: u32

struct Noise {
    seed: vec2<u32>,
    step: u32,
    deviation: f32,
}

var<immediate> noise: Noise;
@group(0) @binding(0) var<storage, read_write> x: array<f32>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let block = flat_group(group, groups) * 64u + local;
    let xi = normals(noise.seed, STREAM, noise.step, block);
    for (var k = 0u; k < 4u; k++) {
        if block * 4u + k < COUNT {
            x[block * 4u + k] += noise.deviation * xi[k];
        }
    }
}
