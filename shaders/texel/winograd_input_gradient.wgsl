// B m Bᵀ of every tile, added up where tiles overlap: the gradient in a convolution's input, times the activation
// derivative of the layer before (see shared/winograd.wgsl). An invocation makes 4×4 pixels of one phase.
#import "shared/plane.wgsl"
#import "shared/winograd.wgsl"
#import "shared/winograd_tiles.wgsl"

// Tiles of a sample of the output gradient, and of a phase of the input gradient, which may need one more.
#const TILES_X: u32
#const TILES_Y: u32
#const MADE_X: u32
#const MADE_Y: u32
#const PADDING: u32
// Plane of the input gradient.
#const OUT_MAP_WIDTH: u32
#const OUT_MAP_HEIGHT: u32
#const OUT_GROUPS: u32
#const OUT_WIDTH: u32
#const OUT_HEIGHT: u32
#const OUT_PER_ROW: u32
#const OUT_FORMAT: format
#const OUT_X: u32
#const OUT_Y: u32

struct Slice {
    first_sample: u32,
    samples: u32,
}

var<immediate> slice: Slice;
@group(0) @binding(0) var products: texture_storage_2d<rgba32float, read>;
@group(0) @binding(1) var input_gradient: texture_storage_2d<$OUT_FORMAT, write>;
#import "shared/kept_derivative.wgsl"

const GROUPS: u32 = OUT_GROUPS * 4u;
const APART: u32 = CHUNKS * GROUPS * CHUNK;

struct Tile {
    start: u32,
    exists: bool,
}

fn tile_at(sample: u32, x: u32, y: u32, group: u32) -> Tile {
    let exists = x < TILES_X && y < TILES_Y;
    let tile = select(0u, (sample * TILES_Y + y) * TILES_X + x, exists);
    return Tile(tile_texel(tile, group, GROUPS), exists);
}

// What lies over the edge counts for nothing, whatever was read there.
fn product(tile: Tile, position: u32) -> vec4<f32> {
    return select(
        vec4<f32>(0.0), textureLoad(products, linear_texel(tile.start + position * APART)), tile.exists,
    );
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    // Phases next to one another share cache lines, so they run after one another.
    let phase = workgroup.x;
    let item = workgroup.y * 64u + local;
    if item >= slice.samples * MADE_X * MADE_Y {
        return;
    }
    let sample = item / (MADE_X * MADE_Y);
    let tile_y = item / MADE_X % MADE_Y;
    let tile_x = item % MADE_X;
    let group = workgroup.z * 4u + phase;
    // Element 0 of the first tile is input pixel phase − PADDING: outside the map unless this is not below zero.
    let late_x = PADDING > phase % 2u;
    let late_y = PADDING > phase / 2u;
    let beside_x = select(tile_x - 1u, tile_x + 1u, late_x);
    let beside_y = select(tile_y - 1u, tile_y + 1u, late_y);
    // The position of a neighbour that reaches over.
    let reaching_x = select(4u, 0u, late_x);
    let reaching_y = select(4u, 0u, late_y);
    let own = tile_at(sample, tile_x, tile_y, group);
    let vertical = tile_at(sample, tile_x, beside_y, group);
    let horizontal = tile_at(sample, beside_x, tile_y, group);
    let diagonal = tile_at(sample, beside_x, beside_y, group);

    var columns: array<array<vec4<f32>, 4>, 5>;
#repeat j 5
    columns[$j] = winograd_input_transposed(
        array<vec4<f32>, 5>(
#repeat i 5
            product(own, $i * 5u + $j),
#end
        ),
        product(vertical, reaching_y * 5u + $j),
        late_y,
    );
#end
    let beside = winograd_input_transposed(
        array<vec4<f32>, 5>(
#repeat i 5
            product(horizontal, $i * 5u + reaching_x),
#end
        ),
        product(diagonal, reaching_y * 5u + reaching_x),
        late_y,
    );

    // Pixels before the map wrap around to large numbers, which are not inside it either.
    let x = (tile_x * 4u + u32(late_x)) * 2u + phase % 2u - PADDING;
    let y = (tile_y * 4u + u32(late_y)) * 2u + phase / 2u - PADDING;
    let corner = plane_corner(slice.first_sample + sample, workgroup.z, OUT_GROUPS, OUT_WIDTH, OUT_HEIGHT, OUT_PER_ROW)
        + vec2<u32>(OUT_X + x, OUT_Y + y);
#if DERIVATIVE
    let kept_corner = derivative_corner(slice.first_sample + sample, workgroup.z, OUT_GROUPS) + vec2<u32>(x, y);
#endif
#repeat i 4
    if y + $i * 2u < OUT_MAP_HEIGHT {
        let row = winograd_input_transposed(
            array<vec4<f32>, 5>(
#repeat j 5
                columns[$j][$i],
#end
            ),
            beside[$i],
            late_x,
        );
#repeat j 4
        if x + $j * 2u < OUT_MAP_WIDTH {
            var value = row[$j];
#if DERIVATIVE
            value *= kept_derivative(kept_corner + vec2<u32>($j * 2u, $i * 2u));
#endif
            textureStore(input_gradient, corner + vec2<u32>($j * 2u, $i * 2u), to_$OUT_FORMAT(value));
        }
#end
    }
#end
}
