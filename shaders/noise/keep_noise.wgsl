// Puts some chains of a pass into the place of the pass in the pool, over those of the oldest.
#import "shared/index.wgsl"
#import "shared/pool.wgsl"

#const COUNT: u32
#const PASSES: u32
#const PASS_VALUES: u32

// The first of these values in a pass.
var<immediate> first: u32;
@group(0) @binding(0) var<storage, read> pool: Pool;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> kept: array<f32>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let i = flat_group(group, groups) * 64u + local;
    if i < COUNT {
        kept[(pool.passes % PASSES) * PASS_VALUES + first + i] = x[i];
    }
}
