// texel/conv_forward with the taps of a row in the loop: short bodies, but every tap loads its pixels again.
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
#const STORE_DERIVATIVE: bool

@group(0) @binding(0) var input: texture_storage_2d<$IN_FORMAT, read>;
@group(0) @binding(1) var weights: texture_storage_2d<rgba32float, read>;
@group(0) @binding(2) var output: texture_storage_2d<$OUT_FORMAT, write>;
#if STORE_DERIVATIVE
@group(0) @binding(3) var derivative: texture_storage_2d<$OUT_FORMAT, write>;
#endif

const TILES_X: u32 = (OUT_MAP_WIDTH + PIXELS - 1u) / PIXELS;
const TILES: u32 = TILES_X * OUT_MAP_HEIGHT;
const TAPS: u32 = KERNEL_HEIGHT * KERNEL_WIDTH;
const COLUMNS: u32 = BLOCK * 4u;
const TAP_LOADS: u32 = (COLUMNS + LANES - 1u) / LANES;
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
    for (var i = 0u; i < IN_GROUPS * TAPS; i++) {
        let tap = i % TAPS;
        let start = corner + vec2<u32>(i / TAPS * IN_WIDTH + tap % KERNEL_WIDTH, tap / KERNEL_WIDTH);
        let weight_start = (block * IN_GROUPS * TAPS + i) * COLUMNS + lane;
        var pixel: array<vec4<f32>, PIXELS>;
#repeat p PIXELS
        pixel[$p] = textureLoad(input, start + vec2<u32>($p * STRIDE, 0u));
#end
        var held: array<vec4<f32>, TAP_LOADS>;
        for (var l = 0u; l < TAP_LOADS; l++) {
            held[l] = weight(weight_start + l * LANES);
        }
#repeat b BLOCK
#repeat c CHANNELS
        {
            const column = $b * 4u + $c;
            let w = spread(held[column / LANES], column % LANES);
#repeat p PIXELS
            sums[$b][$p] += w * pixel[$p][$c];
#end
        }
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
            textureStore(derivative, target_corner + vec2<u32>($p, 0u), to_$OUT_FORMAT(activation_derivative(sums[$b][$p])));
#endif
        }
#end
    }
#end
}
