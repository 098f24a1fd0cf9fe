// Σₙ factor[n] · ∂Eₙ/∂(W, b), lanes over samples. A workgroup sums BLOCK output channels × TAP_ROWS rows of taps of IN_BLOCK input
// channels over a share of the groups of samples, PIXELS output pixels a turn, and then over its lanes.
#import "shared/lanes_convolution.wgsl"
#import "shared/lanes_reduce.wgsl"

#const SAMPLES: u32
#const GROUPS: u32
// Groups of samples in a share.
#const SHARE: u32
#const PIXELS: u32
#const TILES_X: u32
#const IN_BLOCK: u32
#const TAP_ROWS: u32
// Sums of an invocation, by GROUP at a time.
#const CHUNKS: u32
#const SUMS: u32

@group(0) @binding(0) var<storage, read> input: array<f32>;
@group(0) @binding(1) var<storage, read> output_gradient: array<f32>;
@group(0) @binding(2) var<storage, read> factor: array<f32>;
@group(0) @binding(3) var<storage, read_write> partials: array<f32>;

const OUT_AREA: u32 = OUT_HEIGHT * OUT_WIDTH;
const PARAMETERS: u32 = OUT_CHANNELS * (IN_CHANNELS * TAPS + 1u);
// Sums of an output channel, and of all.
const OF_CHANNEL: u32 = IN_BLOCK * TAP_ROWS * KERNEL_WIDTH;
const OF_WEIGHTS: u32 = BLOCK * OF_CHANNEL;

@compute @workgroup_size(GROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    lanes_begin();
    let block = group.x % BLOCKS;
    let tap_row = group.x / BLOCKS * TAP_ROWS;
    let channel = group.y * IN_BLOCK;
    let share = group.z;

    // By output channel, input channel and tap, then the biases. A channel beyond the last is summed, and never stored.
    var sums: array<f32, SUMS>;
#repeat i SUMS
    sums[$i] = 0.0;
#end
    let end = min((share + 1u) * SHARE, GROUPS) * OUT_MAP_HEIGHT * TILES_X;
    for (var turn = share * SHARE * OUT_MAP_HEIGHT * TILES_X; turn < end; turn++) {
        let x = turn % TILES_X * PIXELS;
        let y = turn / TILES_X % OUT_MAP_HEIGHT;
        let sample_group = turn / (TILES_X * OUT_MAP_HEIGHT);
        let sample = sample_group * GROUP + lane;
        let scale = select(0.0, factor[min(sample, SAMPLES - 1u)], sample < SAMPLES);
        let source = lane + lanes_place(
            sample_group, IN_CHANNELS, 0u,
            IN_HEIGHT, y * STRIDE + tap_row + IN_Y, IN_WIDTH, x * STRIDE + IN_X,
        );
        var rows: array<array<f32, ROW>, ROWS>;
#repeat c IN_BLOCK
        let from$c = source + min(channel + $c, IN_CHANNELS - 1u) * IN_AREA * GROUP;
#repeat ky TAP_ROWS
#repeat t ROW
        rows[$c * TAP_ROWS + $ky][$t] = input[from$c + ($ky * IN_WIDTH + $t) * GROUP];
#end
#end
#end
        let gradient_from = lane + lanes_place(
            sample_group, OUT_CHANNELS, 0u, OUT_HEIGHT, y + OUT_Y, OUT_WIDTH, x + OUT_X,
        );
#repeat b BLOCK
        {
            let row = gradient_from + min(block * BLOCK + $b, OUT_CHANNELS - 1u) * OUT_AREA * GROUP;
            var gradient: array<f32, PIXELS>;
#repeat p PIXELS
            gradient[$p] = scale * output_gradient[row + $p * GROUP];
            sums[OF_WEIGHTS + $b] += gradient[$p];
#end
#repeat j ROWS
#repeat kx KERNEL_WIDTH
            {
                const to = $b * OF_CHANNEL + $j * KERNEL_WIDTH + $kx;
#repeat p PIXELS
                sums[to] = fma(gradient[$p], rows[$j][$p * STRIDE + $kx], sums[to]);
#end
            }
#end
#end
        }
#end
    }

#repeat j CHUNKS
#repeat i GROUP
    shared_sums[$i * GROUP + lane] = sums[$j * GROUP + $i];
#end
    workgroupBarrier();
    {
        let total = shared_total(lane);
        let sum = $j * GROUP + lane;
        let is_weight = sum < OF_WEIGHTS;
        let in_block = select(sum - OF_WEIGHTS, sum / OF_CHANNEL, is_weight);
        let out_channel = block * BLOCK + in_block;
        let in_channel = channel + sum / (TAP_ROWS * KERNEL_WIDTH) % IN_BLOCK;
        let weight = (out_channel * IN_CHANNELS + in_channel) * TAPS
            + tap_row * KERNEL_WIDTH + sum % (TAP_ROWS * KERNEL_WIDTH);
        let bias = OUT_CHANNELS * IN_CHANNELS * TAPS + out_channel;
        let wanted = (is_weight && in_channel < IN_CHANNELS)
            || (!is_weight && in_block < BLOCK && channel == 0u && tap_row == 0u);
        if wanted && out_channel < OUT_CHANNELS {
            partials[share * PARAMETERS + select(bias, weight, is_weight)] = total;
        }
    }
    workgroupBarrier();
#end
}
