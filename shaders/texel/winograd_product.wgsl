// The multiplications of a Winograd convolution: at each of the 25 positions a matrix product, channels made from
// channels summed, over all tiles. Lanes run over tiles, and each invocation keeps PER_LANE tiles of BLOCK channel groups in
// registers (the shape of conv_forward.wgsl, with 512 multiply-adds in the loop's body).
#import "shared/winograd.wgsl"
#import "shared/spread.wgsl"

#const BLOCK: u32
#const PER_LANE: u32
// See shared/winograd_tiles.wgsl.
#const CHUNK: u32

// Not constants, so that all layers of a network can use one program: it takes half a second to compile.
struct Sizes {
    // Channel groups summed over and made, and blocks of those made.
    summed: u32,
    made: u32,
    blocks: u32,
    chunks: u32,
}

var<immediate> sizes: Sizes;

@group(0) @binding(0) var transformed: texture_storage_2d<rgba32float, read>;
@group(0) @binding(1) var weights: texture_storage_2d<rgba32float, read>;
@group(0) @binding(2) var products: texture_storage_2d<rgba32float, write>;

// One subgroup, so that all lanes share a block and neighbouring workgroups can share a chunk of tiles.
const WIDTH: u32 = CHUNK / PER_LANE;
const COLUMNS: u32 = BLOCK * 4u;
const LOADS: u32 = (COLUMNS + LANES - 1u) / LANES;

@compute @workgroup_size(WIDTH)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
#if SPREAD
    @builtin(subgroup_invocation_id) lane: u32,
#endif
) {
#if SPREAD
#else
    let lane = 0u;
#endif
    let block = group.x;
    let chunk = group.z * sizes.chunks + group.y;
    var sums: array<array<vec4<f32>, PER_LANE>, BLOCK>;
#repeat b BLOCK
#repeat t PER_LANE
    sums[$b][$t] = vec4<f32>(0.0);
#end
#end
    let tile_start = chunk * sizes.summed * CHUNK + local;
    let weight_start = (group.z * sizes.blocks + block) * sizes.summed * COLUMNS + lane;
    for (var g = 0u; g < sizes.summed; g++) {
        var tiles: array<vec4<f32>, PER_LANE>;
        for (var t = 0u; t < PER_LANE; t++) {
            tiles[t] = textureLoad(transformed, linear_texel(tile_start + g * CHUNK + t * WIDTH));
        }
        var held: array<vec4<f32>, LOADS>;
        for (var l = 0u; l < LOADS; l++) {
            held[l] = textureLoad(weights, linear_texel(weight_start + g * COLUMNS + l * LANES));
        }
#repeat b BLOCK
#repeat c 4
        {
            let w = spread(held[($b * 4u + $c) / LANES], ($b * 4u + $c) % LANES);
#repeat t PER_LANE
            sums[$b][$t] += w * tiles[$t][$c];
#end
        }
#end
#end
    }
#repeat b BLOCK
    if block * BLOCK + $b < sizes.made {
        let start = (chunk * sizes.made + block * BLOCK + $b) * CHUNK + local;
#repeat t PER_LANE
        textureStore(products, linear_texel(start + $t * WIDTH), sums[$b][$t]);
#end
    }
#end
}
