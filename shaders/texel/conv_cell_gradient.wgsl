// The gradient of the energy in a strided convolution's input, times the activation derivative of the layer before, the shape for
// lavapipe (see conv_forward.wgsl), in one launch: an invocation computes PIXELS neighbouring cells of STRIDE × STRIDE pixels of BLOCK
// channel groups. All pixels of a cell meet the same few outputs, and every tap leads from one of these to one pixel, so that no texel is
// loaded twice. The taps are written out, output groups are the loop.
#import "shared/plane.wgsl"
#import "shared/spread.wgsl"

#const SAMPLES: u32
#const KERNEL_HEIGHT: u32
#const KERNEL_WIDTH: u32
#const STRIDE: u32
#const PADDING: u32
#const PIXELS: u32
#const BLOCK: u32
// Output channels that are not padding, of each group.
#const CHANNELS: u32
// Pixels of a cell; the outputs that neighbouring cells meet, rows and texels of each; how far before the first cell's own they begin.
#const CELL: u32
#const WINDOW_ROWS: u32
#const ROW_TEXELS: u32
#const BEFORE_Y: u32
#const BEFORE_X: u32
// The length of `held`, which the preprocessor cannot reckon.
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
const TAPS: u32 = KERNEL_HEIGHT * KERNEL_WIDTH;
const CELLS_X: u32 = (OUT_MAP_WIDTH + STRIDE - 1u) / STRIDE;
const CELLS_Y: u32 = (OUT_MAP_HEIGHT + STRIDE - 1u) / STRIDE;
const TILES_X: u32 = (CELLS_X + PIXELS - 1u) / PIXELS;
const TILES: u32 = TILES_X * CELLS_Y;
#import "shared/cell_tap.wgsl"

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

    var sums: array<array<array<vec4<f32>, CELL>, PIXELS>, BLOCK>;
#repeat b BLOCK
#repeat p PIXELS
#repeat o CELL
    sums[$b][$p][$o] = vec4<f32>(0.0);
#end
#end
#end

    // The border before the map is at least BEFORE wide.
    let corner = plane_corner(sample, 0u, IN_GROUPS, IN_WIDTH, IN_HEIGHT, IN_PER_ROW)
        + vec2<u32>(x + IN_X - BEFORE_X, y + IN_Y - BEFORE_Y);
    for (var i = 0u; i < IN_GROUPS; i++) {
        let start = corner + vec2<u32>(i * IN_WIDTH, 0u);
        let weight_start = (block * IN_GROUPS + i) * TAPS * COLUMNS + lane;
        var values: array<array<vec4<f32>, ROW_TEXELS>, WINDOW_ROWS>;
#repeat r WINDOW_ROWS
#repeat t ROW_TEXELS
        values[$r][$t] = textureLoad(input, start + vec2<u32>($t, $r));
#end
#end
        var held: array<vec4<f32>, LOADS>;
#repeat l LOADS
        held[$l] = weight(weight_start + $l * LANES);
#end
#repeat ky KERNEL_HEIGHT
#repeat kx KERNEL_WIDTH
#repeat b BLOCK
#repeat c CHANNELS
        {
            const column = ($ky * KERNEL_WIDTH + $kx) * COLUMNS + $b * 4u + $c;
            let w = spread(held[column / LANES], column % LANES);
#repeat p PIXELS
            sums[$b][$p][PIXEL_${ky}_${kx}] += w * values[FROM_Y_${ky}][$p + FROM_X_${kx}][$c];
#end
        }
#end
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
            + vec2<u32>(OUT_X, OUT_Y);
#if DERIVATIVE
        let kept_corner = derivative_corner(sample, block * BLOCK + $b, OUT_GROUPS);
#endif
#repeat p PIXELS
#repeat o CELL
        {
            let place = vec2<u32>((x + $p) * STRIDE + $o % STRIDE, y * STRIDE + $o / STRIDE);
            if place.x < OUT_MAP_WIDTH && place.y < OUT_MAP_HEIGHT {
                var value = sums[$b][$p][$o];
#if DERIVATIVE
                value *= kept_derivative(kept_corner + place);
#endif
                textureStore(output, target_corner + place, to_$OUT_FORMAT(value));
            }
        }
#end
#end
    }
#end
}
