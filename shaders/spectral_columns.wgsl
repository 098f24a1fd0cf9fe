// Wᵀu of a weight W (ROWS × COLUMNS) and its vector u, which both lie among the parameters. One invocation a column.
#import "shared/index.wgsl"

#const ROWS: u32
#const COLUMNS: u32

struct Places {
    weight: u32,
    vector: u32,
    products: u32,
}

var<immediate> places: Places;
@group(0) @binding(0) var<storage, read> parameters: array<f32>;
@group(0) @binding(1) var<storage, read_write> scratch: array<f32>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let column = flat_group(group, groups) * 64u + local;
    if column >= COLUMNS {
        return;
    }
    var sum = 0.0;
    for (var row = 0u; row < ROWS; row++) {
        sum += parameters[places.weight + row * COLUMNS + column] * parameters[places.vector + row];
    }
    scratch[places.products + column] = sum;
}
