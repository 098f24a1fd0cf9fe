// y = act(Aᵀ m A + b) of every tile of a Winograd convolution's output, and act′ there (see shared/winograd.wgsl).
#import "shared/plane.wgsl"
#import "shared/activation.wgsl"
#import "shared/winograd.wgsl"
#import "shared/winograd_tiles.wgsl"

#const TILES_X: u32
#const TILES_Y: u32
#const OUT_MAP_WIDTH: u32
#const OUT_MAP_HEIGHT: u32
#const OUT_GROUPS: u32
#const OUT_WIDTH: u32
#const OUT_HEIGHT: u32
#const OUT_PER_ROW: u32
#const OUT_FORMAT: format
#const OUT_X: u32
#const OUT_Y: u32
// First texel of the bias, behind the transformed weights.
#const BIAS_START: u32

struct Slice {
    first_sample: u32,
    samples: u32,
}

var<immediate> slice: Slice;
@group(0) @binding(0) var products: texture_storage_2d<rgba32float, read>;
@group(0) @binding(1) var weights: texture_storage_2d<rgba32float, read>;
@group(0) @binding(2) var output: texture_storage_2d<$OUT_FORMAT, write>;
#import "shared/keep_derivative.wgsl"

const TILES: u32 = TILES_X * TILES_Y;
const APART: u32 = CHUNKS * OUT_GROUPS * CHUNK;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x >= slice.samples * TILES {
        return;
    }
    let tile = id.x % TILES;
    let x = tile % TILES_X * 4u;
    let y = tile / TILES_X * 4u;
    let corner = plane_corner(slice.first_sample + id.x / TILES, id.y, OUT_GROUPS, OUT_WIDTH, OUT_HEIGHT, OUT_PER_ROW)
        + vec2<u32>(OUT_X + x, OUT_Y + y);
    let bias = textureLoad(weights, linear_texel(BIAS_START + id.y));
    let start = tile_texel(id.x, id.y, OUT_GROUPS);
    var columns: array<array<vec4<f32>, 4>, 5>;
#repeat j 5
    columns[$j] = winograd_output(array<vec4<f32>, 5>(
#repeat i 5
        textureLoad(products, linear_texel(start + ($i * 5u + $j) * APART)),
#end
    ));
#end
#repeat i 4
    if y + $i < OUT_MAP_HEIGHT {
        let row = winograd_output(array<vec4<f32>, 5>(
#repeat j 5
            columns[$j][$i],
#end
        ));
#repeat j 4
        if x + $j < OUT_MAP_WIDTH {
            let z = row[$j] + bias;
            textureStore(output, corner + vec2<u32>($j, $i), to_$OUT_FORMAT(activation_value(z)));
#if STORE_DERIVATIVE
            keep_derivative(corner + vec2<u32>($j, $i), activation_derivative(z));
#endif
        }
#end
    }
#end
}
