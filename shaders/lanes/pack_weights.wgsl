// Weights in the order in which the kernels of this family read them: by block of rows, what is summed over, tap and row of the
// block, zeros where there is no such row or nothing to sum over; behind them the bias, if it is wanted. A workgroup packs PART of
// what is summed over of block group.y; one more of each block packs its part of the bias.
#const TAPS: u32
#const BLOCK: u32
// What is summed over, with the zeros behind it, how much of it a workgroup takes, and how many workgroups do.
#const INNER_PACKED: u32
#const PART: u32
#const PARTS: u32

struct Launch {
    // The first word of the weight, and the words between neighbouring rows and between what is summed over.
    offset: u32,
    row_stride: u32,
    inner_stride: u32,
    // The first word of the bias.
    bias: u32,
    // How many there are of each.
    rows: u32,
    inner: u32,
    blocks: u32,
}

var<immediate> launch: Launch;
@group(0) @binding(0) var<storage, read> parameters: array<f32>;
@group(0) @binding(1) var<storage, read_write> packed: array<f32>;

fn parameter(exists: bool, word: u32) -> f32 {
    return select(0.0, parameters[select(0u, word, exists)], exists);
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let first_row = group.y * BLOCK;
    if group.x == PARTS {
        for (var i = local; i < BLOCK; i += 64u) {
            let row = first_row + i;
            packed[launch.blocks * INNER_PACKED * TAPS * BLOCK + row] = parameter(row < launch.rows, launch.bias + row);
        }
        return;
    }
    let first = group.x * PART;
    let to = (group.y * INNER_PACKED + first) * TAPS * BLOCK;
    for (var i = local; i < min(PART, INNER_PACKED - first) * TAPS * BLOCK; i += 64u) {
        let row = first_row + i % BLOCK;
        let inner = first + i / (TAPS * BLOCK);
        packed[to + i] = parameter(
            row < launch.rows && inner < launch.inner,
            launch.offset + row * launch.row_stride + inner * launch.inner_stride + i / BLOCK % TAPS,
        );
    }
}
