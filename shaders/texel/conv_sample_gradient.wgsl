// The gradient of the energy in the samples, through a first convolution whose input has fewer than four channels, the
// shape for lavapipe. Cells and taps are those of conv_cell_gradient.wgsl, also where the stride is 1; but a texel of weights leads from
// four channels of the output gradient to one channel of the samples, so that no padding is computed, and the results go
// straight into the flat (sample, channel, row, column) buffer: a plane would hold mostly padding.
#import "shared/plane.wgsl"
#import "shared/spread.wgsl"

#const SAMPLES: u32
#const KERNEL_HEIGHT: u32
#const KERNEL_WIDTH: u32
#const STRIDE: u32
#const PADDING: u32
#const PIXELS: u32
#const CHANNELS: u32
// Pixels of a cell; the outputs that neighbouring cells meet, rows and texels of each; how far before the first cell's own they begin.
#const CELL: u32
#const WINDOW_ROWS: u32
#const ROW_TEXELS: u32
#const BEFORE_Y: u32
#const BEFORE_X: u32
// The length of `held`, which the preprocessor cannot reckon.
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

@group(0) @binding(0) var input: texture_storage_2d<$IN_FORMAT, read>;
@group(0) @binding(1) var weights: texture_storage_2d<rgba32float, read>;
@group(0) @binding(2) var<storage, read_write> gradient: array<f32>;

const TAPS: u32 = KERNEL_HEIGHT * KERNEL_WIDTH;
const TILES_X: u32 = ((MAP_WIDTH + STRIDE - 1u) / STRIDE + PIXELS - 1u) / PIXELS;
const TILES: u32 = TILES_X * ((MAP_HEIGHT + STRIDE - 1u) / STRIDE);
#import "shared/cell_tap.wgsl"

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
    let sample = tile / TILES;
    let y = (tile % TILES) / TILES_X;
    let x = (tile % TILES_X) * PIXELS;

    var sums: array<array<array<f32, CELL>, PIXELS>, CHANNELS>;
#repeat c CHANNELS
#repeat p PIXELS
#repeat o CELL
    sums[$c][$p][$o] = 0.0;
#end
#end
#end

    // The border before the map is at least BEFORE wide.
    let corner = plane_corner(sample, 0u, IN_GROUPS, IN_WIDTH, IN_HEIGHT, IN_PER_ROW)
        + vec2<u32>(x + IN_X - BEFORE_X, y + IN_Y - BEFORE_Y);
    for (var i = 0u; i < IN_GROUPS; i++) {
        let start = corner + vec2<u32>(i * IN_WIDTH, 0u);
        var values: array<array<vec4<f32>, ROW_TEXELS>, WINDOW_ROWS>;
#repeat r WINDOW_ROWS
#repeat t ROW_TEXELS
        values[$r][$t] = textureLoad(input, start + vec2<u32>($t, $r));
#end
#end
        var held: array<vec4<f32>, LOADS>;
#repeat l LOADS
        {
            let index = i * TAPS * CHANNELS + $l * LANES + lane;
            held[$l] = textureLoad(weights, vec2<u32>(index % WEIGHT_ROW, index / WEIGHT_ROW));
        }
#end
#repeat ky KERNEL_HEIGHT
#repeat kx KERNEL_WIDTH
#repeat c CHANNELS
        {
            const column = ($ky * KERNEL_WIDTH + $kx) * CHANNELS + $c;
            let w = spread(held[column / LANES], column % LANES);
#repeat p PIXELS
            sums[$c][$p][PIXEL_${ky}_${kx}] += dot(w, values[FROM_Y_${ky}][$p + FROM_X_${kx}]);
#end
        }
#end
#end
#end
    }

    if id.x >= SAMPLES * TILES {
        return;
    }
#repeat c CHANNELS
#repeat p PIXELS
#repeat o CELL
    {
        let place = vec2<u32>((x + $p) * STRIDE + $o % STRIDE, y * STRIDE + $o / STRIDE);
        if place.x < MAP_WIDTH && place.y < MAP_HEIGHT {
            gradient[((sample * CHANNELS + $c) * MAP_HEIGHT + place.y) * MAP_WIDTH + place.x] = sums[$c][$p][$o];
        }
    }
#end
#end
#end
}
