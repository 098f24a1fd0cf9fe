// Weights in the order in which the kernels of this family read them: by block of rows, what is summed over, tap and row of the
// block, zeros where there is no such row or nothing to sum over; behind them the bias, if it is wanted.
#import "shared/index.wgsl"

struct Launch {
    // The first word of the weight, and the words between neighbouring rows and between what is summed over.
    offset: u32,
    row_stride: u32,
    inner_stride: u32,
    // The first word of the bias.
    bias: u32,
    // How many there are of each; `inner_packed` with the zeros behind them.
    rows: u32,
    inner: u32,
    inner_packed: u32,
    taps: u32,
    block: u32,
    // All words, and those before the bias.
    words: u32,
    weights: u32,
}

var<immediate> launch: Launch;
@group(0) @binding(0) var<storage, read> parameters: array<f32>;
@group(0) @binding(1) var<storage, read_write> packed: array<f32>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let i = flat_group(group, groups) * 64u + local;
    if i >= launch.words {
        return;
    }
    var word = launch.bias + i - launch.weights;
    var exists = i - launch.weights < launch.rows;
    if i < launch.weights {
        let tap = i / launch.block % launch.taps;
        let inner = i / (launch.block * launch.taps) % launch.inner_packed;
        let block = i / (launch.block * launch.taps * launch.inner_packed);
        let row = block * launch.block + i % launch.block;
        word = launch.offset + row * launch.row_stride + inner * launch.inner_stride + tap;
        exists = row < launch.rows && inner < launch.inner;
    }
    packed[i] = select(0.0, parameters[select(0u, word, exists)], exists);
}
