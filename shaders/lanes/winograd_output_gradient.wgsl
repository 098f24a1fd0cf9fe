// A g Aᵀ of every 4×4 tile g of a convolution's output gradient (see shared/winograd.wgsl), lanes over samples: four channels of an item
// a workgroup.
#import "shared/lanes_winograd.wgsl"

#const TILES_X: u32
#const TILES_Y: u32
#const IN_CHANNELS: u32
#const IN_HEIGHT: u32
#const IN_WIDTH: u32
#const IN_Y: u32
#const IN_X: u32
// For a weight gradient: times the factor of each sample, and in the place of the weights, by position, block, item and sample and channel
// of the block, of which there are BLOCK, a multiple of four.
#const FOR_WEIGHTS: bool
// Whether channels fill no whole fours.
#const RAGGED: bool
#if FOR_WEIGHTS
#const SAMPLES: u32
#const BLOCK: u32
#const BLOCKS: u32
#endif

struct Slice {
    first_group: u32,
    items: u32,
}

var<immediate> slice: Slice;
@group(0) @binding(0) var<storage, read> output_gradient: array<f32>;
@group(0) @binding(1) var<storage, read_write> transformed: array<f32>;
#if FOR_WEIGHTS
@group(0) @binding(2) var<storage, read> factor: array<f32>;
#endif

const TILES: u32 = TILES_X * TILES_Y;
const AREA: u32 = IN_HEIGHT * IN_WIDTH;

@compute @workgroup_size(GROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    lanes_begin();
    let channel = group.x * 4u;
    let item = group.y;
    let tile = item % TILES;
    let sample_group = slice.first_group + item / TILES;
#if FOR_WEIGHTS
    let sample = sample_group * GROUP + lane;
    let scale = select(0.0, factor[min(sample, SAMPLES - 1u)], sample < SAMPLES);
#else
    let scale = 1.0;
#endif
#repeat c 4
    let corner$c = lane + lanes_place(
        sample_group, IN_CHANNELS, min(channel + $c, IN_CHANNELS - 1u),
        IN_HEIGHT, tile / TILES_X * 4u + IN_Y, IN_WIDTH, tile % TILES_X * 4u + IN_X,
    );
#end
    var columns: array<array<vec4<f32>, 5>, 4>;
#repeat j 4
    columns[$j] = winograd_output_transposed(array<vec4<f32>, 4>(
#repeat i 4
        scale * vec4<f32>(
#repeat c 4
            output_gradient[corner$c + ($i * IN_WIDTH + $j) * GROUP],
#end
        ),
#end
    ));
#end
#if FOR_WEIGHTS
    let samples = slice.items * GROUP;
    let step = BLOCKS * samples * BLOCK;
    let between = 1u;
    let start = (channel / BLOCK * samples + item * GROUP + lane) * BLOCK + channel % BLOCK;
#else
    let step = apart(IN_CHANNELS);
    let between = SPAN;
    let start = lane + item_place(item, channel, IN_CHANNELS);
#endif
#repeat i 5
    {
        let row = winograd_output_transposed(array<vec4<f32>, 4>(
#repeat j 4
            columns[$j][$i],
#end
        ));
#repeat j 5
        {
            let place = start + ($i * 5u + $j) * step;
#repeat c 4
#if RAGGED
            if channel + $c < IN_CHANNELS
#endif
            {
                transformed[place + $c * between] = row[$j][$c];
            }
#end
        }
#end
    }
#end
}
