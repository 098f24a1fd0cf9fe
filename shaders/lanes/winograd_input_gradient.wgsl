// B m Bᵀ of every tile, added up where tiles overlap: the gradient in a convolution's input, times the activation derivative of the layer
// before (see shared/winograd.wgsl), lanes over samples. A workgroup makes 4×4 pixels of one phase of four channels.
#import "shared/lanes_winograd.wgsl"

// Tiles of a sample of the output gradient, and of a phase of the input gradient, which may need one more.
#const TILES_X: u32
#const TILES_Y: u32
#const MADE_X: u32
#const MADE_Y: u32
#const PADDING: u32
#const OUT_CHANNELS: u32
#const OUT_HEIGHT: u32
#const OUT_WIDTH: u32
#const OUT_Y: u32
#const OUT_X: u32
#const OUT_MAP_HEIGHT: u32
#const OUT_MAP_WIDTH: u32
// Whether tiles reach beyond the map, or channels fill no whole fours.
#const RAGGED: bool
#const DERIVATIVE: bool

struct Slice {
    first_group: u32,
    items: u32,
}

var<immediate> slice: Slice;
@group(0) @binding(0) var<storage, read> products: array<f32>;
@group(0) @binding(1) var<storage, read_write> input_gradient: array<f32>;
#if DERIVATIVE
@group(0) @binding(2) var<storage, read> derivative: array<f32>;
#const DERIVATIVE_HEIGHT: u32
#const DERIVATIVE_WIDTH: u32
#const DERIVATIVE_Y: u32
#const DERIVATIVE_X: u32
#endif

const CHANNELS: u32 = OUT_CHANNELS * 4u;

struct Tile {
    // Of the four channels.
    start: vec4<u32>,
    exists: bool,
}

fn tile_at(sample_group: u32, x: u32, y: u32, channels: vec4<u32>, lane: u32) -> Tile {
    let exists = x < TILES_X && y < TILES_Y;
    let item = select(0u, (sample_group * TILES_Y + y) * TILES_X + x, exists);
    var tile: Tile;
    tile.exists = exists;
#repeat c 4
    tile.start[$c] = lane + item_place(item, channels[$c], CHANNELS);
#end
    return tile;
}

// What lies over the edge counts for nothing, whatever was read there.
fn product(tile: Tile, position: u32) -> vec4<f32> {
    let there = vec4<f32>(
#repeat c 4
        products[tile.start[$c] + position * apart(CHANNELS)],
#end
    );
    return select(vec4<f32>(0.0), there, tile.exists);
}

@compute @workgroup_size(GROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    lanes_begin();
    let phase = group.x % 4u;
    let channel = group.x / 4u * 4u;
    let item = group.y;
    let sample_group = item / (MADE_X * MADE_Y);
    let tile_y = item / MADE_X % MADE_Y;
    let tile_x = item % MADE_X;
    // Element 0 of the first tile is input pixel phase − PADDING: outside the map unless this is not below zero.
    let late_x = PADDING > phase % 2u;
    let late_y = PADDING > phase / 2u;
    let beside_x = select(tile_x - 1u, tile_x + 1u, late_x);
    let beside_y = select(tile_y - 1u, tile_y + 1u, late_y);
    // The position of a neighbour that reaches over.
    let reaching_x = select(4u, 0u, late_x);
    let reaching_y = select(4u, 0u, late_y);
    var channels: vec4<u32>;
#repeat c 4
    channels[$c] = min(channel + $c, OUT_CHANNELS - 1u) * 4u + phase;
#end
    let own = tile_at(sample_group, tile_x, tile_y, channels, lane);
    let vertical = tile_at(sample_group, tile_x, beside_y, channels, lane);
    let horizontal = tile_at(sample_group, beside_x, tile_y, channels, lane);
    let diagonal = tile_at(sample_group, beside_x, beside_y, channels, lane);

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
    let corner = lane + lanes_place(
        slice.first_group + sample_group, OUT_CHANNELS, channel, OUT_HEIGHT, y + OUT_Y, OUT_WIDTH, x + OUT_X,
    );
#if DERIVATIVE
    let beside_corner = lane + lanes_place(
        slice.first_group + sample_group, OUT_CHANNELS, channel,
        DERIVATIVE_HEIGHT, y + DERIVATIVE_Y, DERIVATIVE_WIDTH, x + DERIVATIVE_X,
    );
#endif
#repeat i 4
#if RAGGED
    if y + $i * 2u < OUT_MAP_HEIGHT
#endif
    {
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
#if RAGGED
        if x + $j * 2u < OUT_MAP_WIDTH
#endif
        {
#repeat c 4
#if RAGGED
            if channel + $c < OUT_CHANNELS
#endif
            {
                let to = corner + ($c * OUT_HEIGHT * OUT_WIDTH + $i * 2u * OUT_WIDTH + $j * 2u) * GROUP;
#if DERIVATIVE
                let slope = beside_corner
                    + ($c * DERIVATIVE_HEIGHT * DERIVATIVE_WIDTH + $i * 2u * DERIVATIVE_WIDTH + $j * 2u) * GROUP;
                input_gradient[to] = row[$j][$c] * derivative[slope];
#else
                input_gradient[to] = row[$j][$c];
#endif
            }
#end
        }
#end
    }
#end
}
