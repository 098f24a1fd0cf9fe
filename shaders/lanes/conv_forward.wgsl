// y = act(W * x + b), lanes over samples. A workgroup computes PIXELS neighbouring pixels of TILE_ROWS rows of BLOCK output
// channels of its samples. Channels, TURN at a time, are the only loop; what a turn reads of the input is loaded first,
// and each sum takes all its products of a turn one after the other, so that only the sums of one channel need registers
// at a time.
#import "shared/activation.wgsl"
#import "shared/lanes_convolution.wgsl"

#const TILE_ROWS: u32
#const PIXELS: u32
// Their product.
#const TILE: u32
// Input channels of a turn, and the rows of each that are read.
#const TURN: u32
#const CHANNEL_ROWS: u32
#const OUT_MAP_WIDTH: u32
// Whether tiles or blocks reach beyond the map.
#const RAGGED: bool
#const STORE_DERIVATIVE: bool

@group(0) @binding(0) var<storage, read> input: array<f32>;
// By block, input channel, tap and channel of the block; then the bias.
@group(0) @binding(1) var<storage, read> weights: array<f32>;
@group(0) @binding(2) var<storage, read_write> output: array<f32>;
#if STORE_DERIVATIVE
@group(0) @binding(3) var<storage, read_write> derivative: array<f32>;
#endif

@compute @workgroup_size(GROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    lanes_begin();
    let block = group.x % BLOCKS;
    let x = group.x / BLOCKS * PIXELS;
    let y = group.y * TILE_ROWS;
    let sample_group = group.z;

    var sums: array<array<f32, TILE>, BLOCK>;
#repeat b BLOCK
    let bias$b = weights[BLOCKS * IN_CHANNELS * TAPS * BLOCK + block * BLOCK + $b];
#repeat i TILE
    sums[$b][$i] = bias$b;
#end
#end

    let corner = lane + lanes_place(
        sample_group, IN_CHANNELS, 0u, IN_HEIGHT, y * STRIDE + IN_Y, IN_WIDTH, x * STRIDE + IN_X,
    );
    for (var first = 0u; first < IN_CHANNELS; first += TURN) {
        let start = corner + first * IN_AREA * GROUP;
        let weight = (block * IN_CHANNELS + first) * TAPS * BLOCK;
        var rows: array<array<f32, ROW>, ROWS>;
#repeat c TURN
#repeat j CHANNEL_ROWS
#repeat t ROW
        rows[$c * CHANNEL_ROWS + $j][$t] = input[start + ($c * IN_AREA + $j * IN_WIDTH + $t) * GROUP];
#end
#end
#end
#repeat b BLOCK
#repeat c TURN
#repeat ky KERNEL_HEIGHT
#repeat kx KERNEL_WIDTH
        {
            let w = weights[weight + ($c * TAPS + $ky * KERNEL_WIDTH + $kx) * BLOCK + $b];
#repeat r TILE_ROWS
#repeat p PIXELS
            sums[$b][$r * PIXELS + $p] = fma(
                w, rows[$c * CHANNEL_ROWS + $r * STRIDE + $ky][$p * STRIDE + $kx], sums[$b][$r * PIXELS + $p],
            );
#end
#end
        }
#end
#end
#end
#end
    }

#repeat b BLOCK
#repeat r TILE_ROWS
#if RAGGED
    if block * BLOCK + $b < OUT_CHANNELS && y + $r < OUT_MAP_HEIGHT
#endif
    {
        let place = lane + lanes_place(
            sample_group, OUT_CHANNELS, block * BLOCK + $b, OUT_HEIGHT, y + $r + OUT_Y, OUT_WIDTH, x + OUT_X,
        );
#repeat p PIXELS
#if RAGGED
        if x + $p < OUT_MAP_WIDTH
#endif
        {
            let z$p = vec4<f32>(sums[$b][$r * PIXELS + $p]);
            output[place + $p * GROUP] = activation_value(z$p).x;
#if STORE_DERIVATIVE
            derivative[place + $p * GROUP] = activation_derivative(z$p).x;
#endif
        }
#end
    }
#end
#end
}
