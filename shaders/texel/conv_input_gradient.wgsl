// The gradient of the energy in a convolution's input, times the activation derivative of the layer before, the
// shape for lavapipe (see conv_forward.wgsl). With stride s the input pixels fall into s² phases; those of one phase
// meet the same taps, so each phase is a plain convolution of the output gradient with TAPS_Y × TAPS_X taps:
// input pixel s·t + offset takes tap j from output pixel t + reach − j.
#import "shared/plane.wgsl"
#import "shared/spread.wgsl"

#const SAMPLES: u32
#const TAPS_Y: u32
#const TAPS_X: u32
#const STRIDE: u32
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

struct Phase {
    offset_x: u32,
    offset_y: u32,
    reach_x: u32,
    reach_y: u32,
    // First texel of this phase's weights.
    weights: u32,
}

var<immediate> phase: Phase;
@group(0) @binding(0) var input: texture_storage_2d<$IN_FORMAT, read>;
@group(0) @binding(1) var weights: texture_storage_2d<rgba32float, read>;
@group(0) @binding(2) var output: texture_storage_2d<$OUT_FORMAT, write>;
#import "shared/kept_derivative.wgsl"

const COLUMNS: u32 = BLOCK * 4u;

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
    let phase_width = (OUT_MAP_WIDTH - phase.offset_x + STRIDE - 1u) / STRIDE;
    let phase_height = (OUT_MAP_HEIGHT - phase.offset_y + STRIDE - 1u) / STRIDE;
    let tiles_x = (phase_width + PIXELS - 1u) / PIXELS;
    let tiles = tiles_x * phase_height;
    let tile = min(id.x, SAMPLES * tiles - 1u);
    let block = id.y;
    let sample = tile / tiles;
    let y = (tile % tiles) / tiles_x;
    let x = (tile % tiles_x) * PIXELS;

    var sums: array<array<vec4<f32>, PIXELS>, BLOCK>;
#repeat b BLOCK
#repeat p PIXELS
    sums[$b][$p] = vec4<f32>(0.0);
#end
#end

    // The border before the map is at least TAPS − 1 − reach wide, so this does not go below zero.
    let corner = plane_corner(sample, 0u, IN_GROUPS, IN_WIDTH, IN_HEIGHT, IN_PER_ROW)
        + vec2<u32>(x + IN_X + phase.reach_x + 1u - TAPS_X, y + IN_Y + phase.reach_y + 1u - TAPS_Y);
    for (var i = 0u; i < IN_GROUPS * TAPS_Y; i++) {
        let start = corner + vec2<u32>(i / TAPS_Y * IN_WIDTH, TAPS_Y - 1u - i % TAPS_Y);
        let weight_start = phase.weights + (block * IN_GROUPS * TAPS_Y + i) * TAPS_X * COLUMNS + lane;
        var row: array<vec4<f32>, ROW_TEXELS>;
#repeat t ROW_TEXELS
        row[$t] = textureLoad(input, start + vec2<u32>($t, 0u));
#end
        var held: array<vec4<f32>, LOADS>;
#repeat l LOADS
        held[$l] = weight(weight_start + $l * LANES);
#end
#repeat b BLOCK
#repeat jx TAPS_X
#repeat c CHANNELS
        {
            const column = $jx * COLUMNS + $b * 4u + $c;
            let w = spread(held[column / LANES], column % LANES);
#repeat p PIXELS
            sums[$b][$p] += w * row[$p + TAPS_X - 1u - $jx][$c];
#end
        }
#end
#end
#end
    }

    if id.x >= SAMPLES * tiles {
        return;
    }
    let map_y = y * STRIDE + phase.offset_y;
#repeat b BLOCK
    if block * BLOCK + $b < OUT_GROUPS {
        let target_corner =
            plane_corner(sample, block * BLOCK + $b, OUT_GROUPS, OUT_WIDTH, OUT_HEIGHT, OUT_PER_ROW)
            + vec2<u32>(OUT_X, OUT_Y + map_y);
#if DERIVATIVE
        let kept_corner = derivative_corner(sample, block * BLOCK + $b, OUT_GROUPS) + vec2<u32>(0u, map_y);
#endif
#repeat p PIXELS
        if x + $p < phase_width {
            let map_x = (x + $p) * STRIDE + phase.offset_x;
            var value = sums[$b][$p];
#if DERIVATIVE
            value *= kept_derivative(kept_corner + vec2<u32>(map_x, 0u));
#endif
            textureStore(output, target_corner + vec2<u32>(map_x, 0u), to_$OUT_FORMAT(value));
        }
#end
    }
#end
}
