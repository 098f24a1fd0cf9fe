// The gradient of the energy in the samples, through a first convolution whose input has fewer than four channels, the
// shape for lavapipe. Phases and taps are those of conv_input_gradient.wgsl; but a texel of weights leads from four
// channels of the output gradient to one channel of the samples, so that no padding is computed, and the results go
// straight into the flat (sample, channel, row, column) buffer: a plane would hold mostly padding.
#import "shared/plane.wgsl"
#import "shared/spread.wgsl"

#const SAMPLES: u32
#const TAPS_Y: u32
#const TAPS_X: u32
#const STRIDE: u32
#const PIXELS: u32
#const CHANNELS: u32
// The lengths of `row` and of `held`, which the preprocessor cannot reckon.
#const ROW_TEXELS: u32
#const LOADS: u32
// Plane of the output gradient: groups, bordered size, samples to a row, border.
#const IN_FORMAT: format
#const IN_GROUPS: u32
#const IN_WIDTH: u32
#const IN_HEIGHT: u32
#const IN_PER_ROW: u32
#const IN_X: u32
#const IN_Y: u32
#const MAP_WIDTH: u32
#const MAP_HEIGHT: u32

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
@group(0) @binding(2) var<storage, read_write> gradient: array<f32>;

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
    let phase_width = (MAP_WIDTH - phase.offset_x + STRIDE - 1u) / STRIDE;
    let phase_height = (MAP_HEIGHT - phase.offset_y + STRIDE - 1u) / STRIDE;
    let tiles_x = (phase_width + PIXELS - 1u) / PIXELS;
    let tiles = tiles_x * phase_height;
    // No early return: every lane must take part in the shuffles.
    let tile = min(id.x, SAMPLES * tiles - 1u);
    let sample = tile / tiles;
    let y = (tile % tiles) / tiles_x;
    let x = (tile % tiles_x) * PIXELS;

    var sums: array<array<f32, PIXELS>, CHANNELS>;
#repeat c CHANNELS
#repeat p PIXELS
    sums[$c][$p] = 0.0;
#end
#end

    // The border before the map is at least TAPS − 1 − reach wide, so this does not go below zero.
    let corner = plane_corner(sample, 0u, IN_GROUPS, IN_WIDTH, IN_HEIGHT, IN_PER_ROW)
        + vec2<u32>(x + IN_X + phase.reach_x + 1u - TAPS_X, y + IN_Y + phase.reach_y + 1u - TAPS_Y);
    for (var i = 0u; i < IN_GROUPS * TAPS_Y; i++) {
        let start = corner + vec2<u32>(i / TAPS_Y * IN_WIDTH, TAPS_Y - 1u - i % TAPS_Y);
        var row: array<vec4<f32>, ROW_TEXELS>;
#repeat t ROW_TEXELS
        row[$t] = textureLoad(input, start + vec2<u32>($t, 0u));
#end
        var held: array<vec4<f32>, LOADS>;
#repeat l LOADS
        {
            let index = phase.weights + i * TAPS_X * CHANNELS + $l * LANES + lane;
            held[$l] = textureLoad(weights, vec2<u32>(index % WEIGHT_ROW, index / WEIGHT_ROW));
        }
#end
#repeat jx TAPS_X
#repeat c CHANNELS
        {
            const column = $jx * CHANNELS + $c;
            let w = spread(held[column / LANES], column % LANES);
#repeat p PIXELS
            sums[$c][$p] += dot(w, row[$p + TAPS_X - 1u - $jx]);
#end
        }
#end
#end
    }

    if id.x >= SAMPLES * tiles {
        return;
    }
    let map_y = y * STRIDE + phase.offset_y;
#repeat c CHANNELS
    {
        let start = ((sample * CHANNELS + $c) * MAP_HEIGHT + map_y) * MAP_WIDTH + phase.offset_x;
#repeat p PIXELS
        if x + $p < phase_width {
            gradient[start + (x + $p) * STRIDE] = sums[$c][$p];
        }
#end
    }
#end
}
