// W / σ, with the bias behind it as it is.
#import "shared/index.wgsl"

#const ROWS: u32
#const COLUMNS: u32

struct Places {
    weight: u32,
    sigma: u32,
}

var<immediate> places: Places;
@group(0) @binding(0) var<storage, read> parameters: array<f32>;
@group(0) @binding(1) var<storage, read> scratch: array<f32>;
@group(0) @binding(2) var<storage, read_write> normalised: array<f32>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let i = flat_group(group, groups) * 64u + local;
    if i >= ROWS * COLUMNS + ROWS {
        return;
    }
    let value = parameters[places.weight + i];
    let sigma = scratch[places.sigma];
    normalised[places.weight + i] = select(value, value / sigma, i < ROWS * COLUMNS);
}
