// y = act(Aᵀ m A + b) of every tile of a Winograd convolution's output, and act′ there (see shared/winograd.wgsl), lanes over samples:
// four channels of an item a workgroup.
#import "shared/activation.wgsl"
#import "shared/lanes_winograd.wgsl"

#const TILES_X: u32
#const TILES_Y: u32
#const OUT_CHANNELS: u32
#const OUT_HEIGHT: u32
#const OUT_WIDTH: u32
#const OUT_Y: u32
#const OUT_X: u32
#const OUT_MAP_HEIGHT: u32
#const OUT_MAP_WIDTH: u32
// The first word of the bias, behind the transformed weights.
#const BIAS_START: u32
// Whether tiles reach beyond the map, or channels fill no whole fours.
#const RAGGED: bool
#const STORE_DERIVATIVE: bool

struct Slice {
    first_group: u32,
    items: u32,
}

var<immediate> slice: Slice;
@group(0) @binding(0) var<storage, read> products: array<f32>;
@group(0) @binding(1) var<storage, read> weights: array<f32>;
@group(0) @binding(2) var<storage, read_write> output: array<f32>;
#if STORE_DERIVATIVE
@group(0) @binding(3) var<storage, read_write> derivative: array<f32>;
#endif

const TILES: u32 = TILES_X * TILES_Y;

@compute @workgroup_size(GROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    lanes_begin();
    let channel = group.x * 4u;
    let item = group.y;
    let tile = item % TILES;
    let y = tile / TILES_X * 4u;
    let x = tile % TILES_X * 4u;
    var bias: vec4<f32>;
#repeat c 4
    // Beyond the last channel the last is computed once more, and not stored.
    let start$c = lane + item_place(item, min(channel + $c, OUT_CHANNELS - 1u), OUT_CHANNELS);
    bias[$c] = weights[BIAS_START + min(channel + $c, OUT_CHANNELS - 1u)];
#end
    let step = apart(OUT_CHANNELS);
    var columns: array<array<vec4<f32>, 4>, 5>;
#repeat j 5
    columns[$j] = winograd_output(array<vec4<f32>, 5>(
#repeat i 5
        vec4<f32>(
#repeat c 4
            products[start$c + ($i * 5u + $j) * step],
#end
        ),
#end
    ));
#end
    let corner = lane + lanes_place(
        slice.first_group + item / TILES, OUT_CHANNELS, channel, OUT_HEIGHT, y + OUT_Y, OUT_WIDTH, x + OUT_X,
    );
#repeat i 4
#if RAGGED
    if y + $i < OUT_MAP_HEIGHT
#endif
    {
        let row = winograd_output(array<vec4<f32>, 5>(
#repeat j 5
            columns[$j][$i],
#end
        ));
#repeat j 4
#if RAGGED
        if x + $j < OUT_MAP_WIDTH
#endif
        {
            let z = row[$j] + bias;
            let value = activation_value(z);
#if STORE_DERIVATIVE
            let slope = activation_derivative(z);
#endif
#repeat c 4
#if RAGGED
            if channel + $c < OUT_CHANNELS
#endif
            {
                let place = corner + ($c * OUT_HEIGHT * OUT_WIDTH + $i * OUT_WIDTH + $j) * GROUP;
                output[place] = value[$c];
#if STORE_DERIVATIVE
                derivative[place] = slope[$c];
#endif
            }
#end
        }
#end
    }
#end
}
