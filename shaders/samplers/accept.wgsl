// Moves the chains whose proposal was accepted, and their gradients with them.
#import "shared/index.wgsl"

#const COUNT: u32
#const SAMPLE_LENGTH: u32

@group(0) @binding(0) var<storage, read> tests: array<vec2<f32>>;
@group(0) @binding(1) var<storage, read> proposal: array<f32>;
@group(0) @binding(2) var<storage, read> proposal_gradient: array<f32>;
@group(0) @binding(3) var<storage, read_write> x: array<f32>;
@group(0) @binding(4) var<storage, read_write> gradient: array<f32>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let i = flat_group(group, groups) * 64u + local;
    if i < COUNT && tests[i / SAMPLE_LENGTH].y > 0.0 {
        x[i] = proposal[i];
        gradient[i] = proposal_gradient[i];
    }
}
