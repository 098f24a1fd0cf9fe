// ∂/∂x = Wᵀ * g, times act′ of the layer before if given, lanes over samples.
//
// A stride s splits the input into cells of s × s pixels. All pixels (qy, qx) of cell (i, j) meet the same few outputs, around
// (i, j), each by the taps that lie a multiple of s apart. A workgroup computes CELLS neighbouring cells of TILE_ROWS rows of
// BLOCK input channels of its samples, so every tap is used once a cell, and what is loaded is shared by all its pixels.
// Otherwise as the forward pass.
#import "shared/lanes_convolution.wgsl"

#const TILE_ROWS: u32
#const CELLS: u32
// Their product, the pixels of as many cells, and those in a row.
#const TILE: u32
#const PIXELS: u32
#const TILE_WIDTH: u32
#const PADDING: u32
// The least that `reach_y` and `reach_x` are below.
#const LEAST_Y: u32
#const LEAST_X: u32
// Output channels of a turn, and the rows of each that the cells meet.
#const TURN: u32
#const CHANNEL_ROWS: u32
#const OUT_MAP_WIDTH: u32
// Whether cells or blocks reach beyond the map.
#const RAGGED: bool
#const DERIVATIVE: bool

@group(0) @binding(0) var<storage, read> output_gradient: array<f32>;
// By block, output channel, tap and channel of the block.
@group(0) @binding(1) var<storage, read> weights: array<f32>;
@group(0) @binding(2) var<storage, read_write> input_gradient: array<f32>;
#if DERIVATIVE
#const DERIVATIVE_HEIGHT: u32
#const DERIVATIVE_WIDTH: u32
#const DERIVATIVE_Y: u32
#const DERIVATIVE_X: u32
@group(0) @binding(3) var<storage, read> derivative: array<f32>;
#endif

@compute @workgroup_size(GROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    lanes_begin();
    let block = group.x % BLOCKS;
    let cell = group.x / BLOCKS * CELLS;
    let row = group.y * TILE_ROWS;
    let sample_group = group.z;

    // By channel; by pixel row and column in a cell, and by cell.
    var sums: array<array<f32, PIXELS>, BLOCK>;
#repeat b BLOCK
#repeat p PIXELS
    sums[$b][$p] = 0.0;
#end
#end

    let corner = lane + lanes_place(sample_group, IN_CHANNELS, 0u, IN_HEIGHT, row + IN_Y, IN_WIDTH, cell + IN_X);
    for (var first = 0u; first < IN_CHANNELS; first += TURN) {
        let start = corner + first * IN_AREA * GROUP;
        let weight = (block * IN_CHANNELS + first) * TAPS * BLOCK;
        var rows: array<array<f32, ROW>, ROWS>;
#repeat c TURN
#repeat j CHANNEL_ROWS
#repeat t ROW
        rows[$c * CHANNEL_ROWS + $j][$t] = output_gradient[start + ($c * IN_AREA + $j * IN_WIDTH + $t) * GROUP];
#end
#end
#end
#repeat b BLOCK
#repeat c TURN
#repeat ky KERNEL_HEIGHT
#repeat kx KERNEL_WIDTH
        {
            // The pixel of a cell that has the tap, and how far from its cell the output is, plus the kernel's size.
            const qy = ($ky + STRIDE - PADDING % STRIDE) % STRIDE;
            const qx = ($kx + STRIDE - PADDING % STRIDE) % STRIDE;
            const reach_y = (qy + PADDING + KERNEL_HEIGHT * STRIDE - $ky) / STRIDE;
            const reach_x = (qx + PADDING + KERNEL_WIDTH * STRIDE - $kx) / STRIDE;
            const to = (qy * STRIDE + qx) * TILE;
            let w = weights[weight + ($c * TAPS + $ky * KERNEL_WIDTH + $kx) * BLOCK + $b];
#repeat r TILE_ROWS
#repeat i CELLS
            sums[$b][to + $r * CELLS + $i] = fma(
                w,
                rows[$c * CHANNEL_ROWS + $r + reach_y - LEAST_Y][$i + reach_x - LEAST_X],
                sums[$b][to + $r * CELLS + $i],
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
#if RAGGED
    if block * BLOCK + $b < OUT_CHANNELS
#endif
    {
// In the order in which they lie in memory, and all that a row is multiplied by first: it comes from far.
#repeat r TILE_ROWS
#repeat qy STRIDE
        {
            let y = (row + $r) * STRIDE + $qy;
            let x = cell * STRIDE;
#if RAGGED
            if y < OUT_MAP_HEIGHT
#endif
            {
                let channel = block * BLOCK + $b;
                let to = lane + lanes_place(
                    sample_group, OUT_CHANNELS, channel, OUT_HEIGHT, y + OUT_Y, OUT_WIDTH, x + OUT_X,
                );
                var values: array<f32, TILE_WIDTH>;
#if DERIVATIVE
                let beside = lane + lanes_place(
                    sample_group, OUT_CHANNELS, channel,
                    DERIVATIVE_HEIGHT, y + DERIVATIVE_Y, DERIVATIVE_WIDTH, x + DERIVATIVE_X,
                );
#repeat i TILE_WIDTH
#if RAGGED
                values[$i] = derivative[beside + min($i, OUT_MAP_WIDTH - 1u - x) * GROUP];
#else
                values[$i] = derivative[beside + $i * GROUP];
#endif
#end
#else
#repeat i TILE_WIDTH
                values[$i] = 1.0;
#end
#endif
#repeat i CELLS
#repeat qx STRIDE
#if RAGGED
                if x + $i * STRIDE + $qx < OUT_MAP_WIDTH
#endif
                {
                    input_gradient[to + ($i * STRIDE + $qx) * GROUP] =
                        values[$i * STRIDE + $qx] * sums[$b][($qy * STRIDE + $qx) * TILE + $r * CELLS + $i];
                }
#end
#end
            }
        }
#end
#end
    }
#end
}
