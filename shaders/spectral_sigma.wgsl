// From t = Wᵀu to σ = |t| / |u|, the estimate of W's largest singular value, and 1 / (|u| · |t|). One workgroup.
#import "shared/reduce.wgsl"

#const ROWS: u32
#const COLUMNS: u32

struct Places {
    vector: u32,
    products: u32,
    sigma: u32,
}

// Against division by the zero of a weight that is zero.
const LEAST: f32 = 1e-12;

var<immediate> places: Places;
@group(0) @binding(0) var<storage, read> parameters: array<f32>;
@group(0) @binding(1) var<storage, read_write> scratch: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) local: u32) {
    var of_products = 0.0;
    for (var i = local; i < COLUMNS; i += 64u) {
        of_products += scratch[places.products + i] * scratch[places.products + i];
    }
    var of_vector = 0.0;
    for (var i = local; i < ROWS; i += 64u) {
        of_vector += parameters[places.vector + i] * parameters[places.vector + i];
    }
    let products = max(sqrt(workgroup_sum(of_products, local)), LEAST);
    let vector = max(sqrt(workgroup_sum(of_vector, local)), LEAST);
    if local == 0u {
        scratch[places.sigma] = products / vector;
        scratch[places.sigma + 1u] = 1.0 / (vector * products);
    }
}
