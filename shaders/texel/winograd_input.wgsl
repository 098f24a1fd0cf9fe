// Bᵀ d B of every 5×5 tile of the four phases of a convolution's input (see shared/winograd.wgsl).
#import "shared/plane.wgsl"
#import "shared/winograd.wgsl"
#import "shared/winograd_tiles.wgsl"

// Tiles of a sample.
#const TILES_X: u32
#const TILES_Y: u32
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
@group(0) @binding(0) var input: texture_storage_2d<$IN_FORMAT, read>;
@group(0) @binding(1) var transformed: texture_storage_2d<rgba32float, write>;

const TILES: u32 = TILES_X * TILES_Y;
const GROUPS: u32 = IN_GROUPS * 4u;
const APART: u32 = CHUNKS * GROUPS * CHUNK;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    // Phases next to one another share cache lines, so they run after one another.
    let phase = workgroup.x;
    let item = workgroup.y * 64u + local;
    if item >= slice.samples * TILES {
        return;
    }
    let tile = item % TILES;
    let corner = plane_corner(slice.first_sample + item / TILES, workgroup.z, IN_GROUPS, IN_WIDTH, IN_HEIGHT, IN_PER_ROW)
        + vec2<u32>(IN_X + tile % TILES_X * 8u + phase % 2u, IN_Y + tile / TILES_X * 8u + phase / 2u);
    var columns: array<array<vec4<f32>, 5>, 5>;
#repeat j 5
    columns[$j] = winograd_input(array<vec4<f32>, 5>(
#repeat i 5
        textureLoad(input, corner + vec2<u32>($j * 2u, $i * 2u)),
#end
    ));
#end
    let start = tile_texel(item, workgroup.z * 4u + phase, GROUPS);
#repeat i 5
    {
        let row = winograd_input(array<vec4<f32>, 5>(
#repeat j 5
            columns[$j][$i],
#end
        ));
#repeat j 5
        textureStore(transformed, linear_texel(start + ($i * 5u + $j) * APART), row[$j]);
#end
    }
#end
}
