// y = act(W * x + b), the shape for lavapipe. Lanes run over output pixels; each invocation keeps PIXELS
// neighbouring pixels of BLOCK channel groups in registers, and a row of input pixels is loaded once for all the
// taps over it. The taps of a row are written out. Input groups and rows are one loop and not two: every value that
// a loop carries is copied under a mask at its end, once a loop (docs/kernels.md).
#import "shared/plane.wgsl"
#import "shared/activation.wgsl"
#import "shared/spread.wgsl"

#const SAMPLES: u32
#const KERNEL_HEIGHT: u32
#const KERNEL_WIDTH: u32
#const STRIDE: u32
#const PIXELS: u32
#const BLOCK: u32
#const BLOCKS: u32
// Input channels that are not padding, of each group.
#const CHANNELS: u32
// The lengths of `row` and of `held`, which the preprocessor cannot reckon.
#const ROW_TEXELS: u32
#const LOADS: u32
// Input plane: channel groups, bordered size, samples to a row, and where the window of output pixel (0, 0) starts.
#const IN_FORMAT: format
#const IN_GROUPS: u32
#const IN_WIDTH: u32
#const IN_HEIGHT: u32
#const IN_PER_ROW: u32
#const IN_X: u32
#const IN_Y: u32
// Output plane: the map without its border, then as above, with the first texel inside the border.
#const OUT_MAP_WIDTH: u32
#const OUT_MAP_HEIGHT: u32
#const OUT_FORMAT: format
#const OUT_GROUPS: u32
#const OUT_WIDTH: u32
#const OUT_HEIGHT: u32
#const OUT_PER_ROW: u32
#const OUT_X: u32
#const OUT_Y: u32

@group(0) @binding(0) var input: texture_storage_2d<$IN_FORMAT, read>;
@group(0) @binding(1) var weights: texture_storage_2d<rgba32float, read>;
@group(0) @binding(2) var output: texture_storage_2d<$OUT_FORMAT, write>;
#import "shared/keep_derivative.wgsl"

const TILES_X: u32 = (OUT_MAP_WIDTH + PIXELS - 1u) / PIXELS;
const TILES: u32 = TILES_X * OUT_MAP_HEIGHT;
const TAPS: u32 = KERNEL_HEIGHT * KERNEL_WIDTH;
const COLUMNS: u32 = BLOCK * 4u;
const BIAS_START: u32 = BLOCKS * IN_GROUPS * TAPS * COLUMNS;

fn weight(index: u32) -> vec4<f32> {
    return textureLoad(weights, vec2<u32>(index % WEIGHT_ROW, index / WEIGHT_ROW));
}

@compute @workgroup_size(64)
fn main(
    @builtin(global_invocation_id) id: vec3<u32>,
#if SPREAD
    @builtin(subgroup_invocation_id) lane: u32,
#endif
) {
#if SPREAD
#else
    let lane = 0u;
#endif
    // No early return: every lane must take part in the shuffles.
    let tile = min(id.x, SAMPLES * TILES - 1u);
    let block = id.y;
    let sample = tile / TILES;
    let y = (tile % TILES) / TILES_X;
    let x = (tile % TILES_X) * PIXELS;

    var sums: array<array<vec4<f32>, PIXELS>, BLOCK>;
#repeat b BLOCK
    let bias$b = weight(BIAS_START + block * BLOCK + $b);
#repeat p PIXELS
    sums[$b][$p] = bias$b;
#end
#end

    let corner = plane_corner(sample, 0u, IN_GROUPS, IN_WIDTH, IN_HEIGHT, IN_PER_ROW)
        + vec2<u32>(x * STRIDE + IN_X, y * STRIDE + IN_Y);
    for (var i = 0u; i < IN_GROUPS * KERNEL_HEIGHT; i++) {
        let start = corner + vec2<u32>(i / KERNEL_HEIGHT * IN_WIDTH, i % KERNEL_HEIGHT);
        let weight_start = (block * IN_GROUPS * KERNEL_HEIGHT + i) * KERNEL_WIDTH * COLUMNS + lane;
        var row: array<vec4<f32>, ROW_TEXELS>;
#repeat t ROW_TEXELS
        row[$t] = textureLoad(input, start + vec2<u32>($t, 0u));
#end
        var held: array<vec4<f32>, LOADS>;
#repeat l LOADS
        held[$l] = weight(weight_start + $l * LANES);
#end
#repeat b BLOCK
#repeat kx KERNEL_WIDTH
#repeat c CHANNELS
        {
            const column = $kx * COLUMNS + $b * 4u + $c;
            let w = spread(held[column / LANES], column % LANES);
#repeat p PIXELS
            sums[$b][$p] += w * row[$p * STRIDE + $kx][$c];
#end
        }
#end
#end
#end
    }

    if id.x >= SAMPLES * TILES {
        return;
    }
#repeat b BLOCK
    if block * BLOCK + $b < OUT_GROUPS {
        let target_corner =
            plane_corner(sample, block * BLOCK + $b, OUT_GROUPS, OUT_WIDTH, OUT_HEIGHT, OUT_PER_ROW)
            + vec2<u32>(x + OUT_X, y + OUT_Y);
#repeat p PIXELS
        if x + $p < OUT_MAP_WIDTH {
            textureStore(output, target_corner + vec2<u32>($p, 0u), to_$OUT_FORMAT(activation_value(sums[$b][$p])));
#if STORE_DERIVATIVE
            keep_derivative(target_corner + vec2<u32>($p, 0u), activation_derivative(sums[$b][$p]));
#endif
        }
#end
    }
#end
}
