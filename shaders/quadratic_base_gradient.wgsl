// Adds the gradient (x − m) / s² of the quadratic base to the energy gradient.
#import "shared/index.wgsl"

#const COUNT: u32
#const BASE_MEAN: f32
// 1 / s²
#const BASE_PRECISION: f32

@group(0) @binding(0) var<storage, read> samples: array<f32>;
@group(0) @binding(1) var<storage, read_write> gradient: array<f32>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let i = flat_group(group, groups) * 64u + local;
    if i < COUNT {
        gradient[i] += BASE_PRECISION * (samples[i] - BASE_MEAN);
    }
}
