// u ← WWᵀu / |WWᵀu|: an iteration of the power method, from the products in scratch. One workgroup. A product without a
// direction changes nothing.
#import "shared/finite.wgsl"
#import "shared/reduce.wgsl"

#const ROWS: u32

struct Places {
    vector: u32,
    rows: u32,
}

var<immediate> places: Places;
@group(0) @binding(0) var<storage, read> scratch: array<f32>;
@group(0) @binding(1) var<storage, read_write> parameters: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) local: u32) {
    var sum = 0.0;
    for (var row = local; row < ROWS; row += 64u) {
        sum += scratch[places.rows + row] * scratch[places.rows + row];
    }
    let norm = sqrt(workgroup_sum(sum, local));
    if norm == 0.0 || !is_finite(norm) {
        return;
    }
    for (var row = local; row < ROWS; row += 64u) {
        parameters[places.vector + row] = scratch[places.rows + row] / norm;
    }
}
