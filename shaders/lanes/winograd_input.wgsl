// Bᵀ d B of every 5×5 tile of the four phases of a convolution's input (see shared/winograd.wgsl), lanes over samples: a workgroup
// transforms one channel of one item, whose phases are channels 4·channel + phase from then on.
#import "shared/lanes_winograd.wgsl"

// Tiles of a sample.
#const TILES_X: u32
#const TILES_Y: u32
#const IN_CHANNELS: u32
#const IN_HEIGHT: u32
#const IN_WIDTH: u32
#const IN_Y: u32
#const IN_X: u32
// For a weight gradient, which sums over items and samples: lanes of the product run over channels, SPAN of them together, and what lies
// between two positions of these are all items' samples.
#const OVER_CHANNELS: bool

struct Slice {
    first_group: u32,
    items: u32,
}

var<immediate> slice: Slice;
@group(0) @binding(0) var<storage, read> input: array<f32>;
@group(0) @binding(1) var<storage, read_write> transformed: array<f32>;

const TILES: u32 = TILES_X * TILES_Y;

@compute @workgroup_size(GROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    lanes_begin();
    let channel = group.x;
    let item = group.y;
    let tile = item % TILES;
    let corner = lane + lanes_place(
        slice.first_group + item / TILES, IN_CHANNELS, channel,
        IN_HEIGHT, tile / TILES_X * 8u + IN_Y, IN_WIDTH, tile % TILES_X * 8u + IN_X,
    );
    var columns: array<array<vec4<f32>, 5>, 5>;
#repeat j 5
    columns[$j] = winograd_input(array<vec4<f32>, 5>(
#repeat i 5
        vec4<f32>(
            input[corner + ($i * 2u * IN_WIDTH + $j * 2u) * GROUP],
            input[corner + ($i * 2u * IN_WIDTH + $j * 2u + 1u) * GROUP],
            input[corner + (($i * 2u + 1u) * IN_WIDTH + $j * 2u) * GROUP],
            input[corner + (($i * 2u + 1u) * IN_WIDTH + $j * 2u + 1u) * GROUP],
        ),
#end
    ));
#end
#if OVER_CHANNELS
    let samples = slice.items * GROUP;
    let step = apart(samples);
    let between = 1u;
    let start = channel * 4u / SPAN * POSITIONS * step + (item * GROUP + lane) * SPAN + channel * 4u % SPAN;
#else
    let step = apart(IN_CHANNELS * 4u);
    let between = SPAN;
    let start = lane + item_place(item, channel * 4u, IN_CHANNELS * 4u);
#endif
#repeat i 5
    {
        let row = winograd_input(array<vec4<f32>, 5>(
#repeat j 5
            columns[$j][$i],
#end
        ));
#repeat j 5
        {
            let place = start + ($i * 5u + $j) * step;
#repeat c 4
            transformed[place + $c * between] = row[$j][$c];
#end
        }
#end
    }
#end
}
