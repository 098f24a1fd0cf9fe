// Σ over each row of left × right: of a weight with t = Wᵀu (VECTOR), or of a gradient with the weight. One workgroup a
// row.
#import "shared/index.wgsl"
#import "shared/reduce.wgsl"

#const ROWS: u32
#const COLUMNS: u32
#const VECTOR: bool

struct Places {
    weight: u32,
    products: u32,
    rows: u32,
}

var<immediate> places: Places;
@group(0) @binding(0) var<storage, read> left: array<f32>;
@group(0) @binding(1) var<storage, read> right: array<f32>;
@group(0) @binding(2) var<storage, read_write> scratch: array<f32>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let row = flat_group(group, groups);
    if row >= ROWS {
        return;
    }
    var sum = 0.0;
    for (var column = local; column < COLUMNS; column += 64u) {
        let place = places.weight + row * COLUMNS + column;
#if VECTOR
        sum += left[place] * scratch[places.products + column];
#else
        sum += left[place] * right[place];
#endif
    }
    let total = workgroup_sum(sum, local);
    if local == 0u {
        scratch[places.rows + row] = total;
    }
}
