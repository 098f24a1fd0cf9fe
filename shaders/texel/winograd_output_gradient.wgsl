// A g Aᵀ of every 4×4 tile g of a convolution's output gradient (see shared/winograd.wgsl).
#import "shared/plane.wgsl"
#import "shared/winograd.wgsl"
#import "shared/winograd_tiles.wgsl"

#const TILES_X: u32
#const TILES_Y: u32
// Plane of the output gradient.
#const IN_GROUPS: u32
#const IN_WIDTH: u32
#const IN_HEIGHT: u32
#const IN_PER_ROW: u32
#const IN_FORMAT: format
#const IN_X: u32
#const IN_Y: u32

struct Slice {
    first_sample: u32,
    samples: u32,
}

var<immediate> slice: Slice;
@group(0) @binding(0) var output_gradient: texture_storage_2d<$IN_FORMAT, read>;
@group(0) @binding(1) var transformed: texture_storage_2d<rgba32float, write>;

const TILES: u32 = TILES_X * TILES_Y;
const APART: u32 = CHUNKS * IN_GROUPS * CHUNK;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x >= slice.samples * TILES {
        return;
    }
    let tile = id.x % TILES;
    let corner = plane_corner(slice.first_sample + id.x / TILES, id.y, IN_GROUPS, IN_WIDTH, IN_HEIGHT, IN_PER_ROW)
        + vec2<u32>(IN_X + tile % TILES_X * 4u, IN_Y + tile / TILES_X * 4u);
    var columns: array<array<vec4<f32>, 5>, 4>;
#repeat j 4
    columns[$j] = winograd_output_transposed(array<vec4<f32>, 4>(
#repeat i 4
        textureLoad(output_gradient, corner + vec2<u32>($j, $i)),
#end
    ));
#end
    let start = tile_texel(id.x, id.y, IN_GROUPS);
#repeat i 5
    {
        let row = winograd_output_transposed(array<vec4<f32>, 4>(
#repeat j 4
            columns[$j][$i],
#end
        ));
#repeat j 5
        textureStore(transformed, linear_texel(start + ($i * 5u + $j) * APART), row[$j]);
#end
    }
#end
}
