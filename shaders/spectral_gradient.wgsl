// From the gradient G in W/σ to that in W, in place: (G − ⟨G, W/σ⟩ u vᵀ) / σ, u and v of length one. What ⟨G, W/σ⟩ is
// in each row is in scratch.
#import "shared/index.wgsl"
#import "shared/reduce.wgsl"

#const ROWS: u32
#const COLUMNS: u32

struct Places {
    weight: u32,
    vector: u32,
    products: u32,
    sigma: u32,
    rows: u32,
}

var<immediate> places: Places;
@group(0) @binding(0) var<storage, read> parameters: array<f32>;
@group(0) @binding(1) var<storage, read> scratch: array<f32>;
@group(0) @binding(2) var<storage, read_write> gradient: array<f32>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    var sum = 0.0;
    for (var row = local; row < ROWS; row += 64u) {
        sum += scratch[places.rows + row];
    }
    let along = workgroup_sum(sum, local);
    let i = flat_group(group, groups) * 64u + local;
    if i >= ROWS * COLUMNS {
        return;
    }
    let sigma = scratch[places.sigma];
    let slope = parameters[places.vector + i / COLUMNS] * scratch[places.products + i % COLUMNS] * scratch[places.sigma + 1u];
    gradient[places.weight + i] = (gradient[places.weight + i] - along * slope) / sigma;
}
