// The gradient of the energy in a convolution's input, times the activation derivative of the layer before, the
// shape for lavapipe (see conv_forward.wgsl), of stride 1: input pixel t takes tap j from output pixel t + PADDING − j. Those that
// stride are computed by cells (conv_cell_gradient.wgsl).
#import "shared/plane.wgsl"
#import "shared/spread.wgsl"

#const SAMPLES: u32
#const KERNEL_HEIGHT: u32
#const KERNEL_WIDTH: u32
#const PADDING: u32
#const PIXELS: u32
#const BLOCK: u32
// Output channels that are not padding, of each group.
#const CHANNELS: u32
// The lengths of `row` and of `held`, which the preprocessor cannot reckon.
#const ROW_TEXELS: u32
#const LOADS: u32
// Plane of the output gradient (this kernel's input): groups, bordered size, samples to a row, border.
#const IN_FORMAT: format
#const IN_GROUPS: u32
#const IN_WIDTH: u32
#const IN_HEIGHT: u32
#const IN_PER_ROW: u32
#const IN_X: u32
#const IN_Y: u32
// Plane of the input gradient (this kernel's output).
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
#import "shared/kept_derivative.wgsl"

const COLUMNS: u32 = BLOCK * 4u;
const TILES_X: u32 = (OUT_MAP_WIDTH + PIXELS - 1u) / PIXELS;
const TILES: u32 = TILES_X * OUT_MAP_HEIGHT;

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
    let tile = min(id.x, SAMPLES * TILES - 1u);
    let block = id.y;
    let sample = tile / TILES;
    let y = (tile % TILES) / TILES_X;
    let x = (tile % TILES_X) * PIXELS;

    var sums: array<array<vec4<f32>, PIXELS>, BLOCK>;
#repeat b BLOCK
#repeat p PIXELS
    sums[$b][$p] = vec4<f32>(0.0);
#end
#end

    // The border before the map is at least KERNEL − 1 − PADDING wide, so this does not go below zero.
    let corner = plane_corner(sample, 0u, IN_GROUPS, IN_WIDTH, IN_HEIGHT, IN_PER_ROW)
        + vec2<u32>(x + IN_X + PADDING + 1u - KERNEL_WIDTH, y + IN_Y + PADDING + 1u - KERNEL_HEIGHT);
    for (var i = 0u; i < IN_GROUPS * KERNEL_HEIGHT; i++) {
        let start = corner + vec2<u32>(i / KERNEL_HEIGHT * IN_WIDTH, KERNEL_HEIGHT - 1u - i % KERNEL_HEIGHT);
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
#repeat jx KERNEL_WIDTH
#repeat c CHANNELS
        {
            const column = $jx * COLUMNS + $b * 4u + $c;
            let w = spread(held[column / LANES], column % LANES);
#repeat p PIXELS
            sums[$b][$p] += w * row[$p + KERNEL_WIDTH - 1u - $jx][$c];
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
            + vec2<u32>(OUT_X, OUT_Y + y);
#if DERIVATIVE
        let kept_corner = derivative_corner(sample, block * BLOCK + $b, OUT_GROUPS) + vec2<u32>(0u, y);
#endif
#repeat p PIXELS
        if x + $p < OUT_MAP_WIDTH {
            var value = sums[$b][$p];
#if DERIVATIVE
            value *= kept_derivative(kept_corner + vec2<u32>(x + $p, 0u));
#endif
            textureStore(output, target_corner + vec2<u32>(x + $p, 0u), to_$OUT_FORMAT(value));
        }
#end
    }
#end
}
