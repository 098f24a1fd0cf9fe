// y = act(W x + b) over the flattened input map, the shape for lavapipe.
#import "shared/plane.wgsl"
#import "shared/activation.wgsl"
#import "shared/spread.wgsl"

#const SAMPLES: u32
#const PIXELS: u32
#const BLOCK: u32
#const BLOCKS: u32
// Input channels that are not padding, of each group, and the length of `held`.
#const CHANNELS: u32
#const LOADS: u32
#const IN_MAP_WIDTH: u32
#const IN_MAP_HEIGHT: u32
#const IN_FORMAT: format
#const IN_GROUPS: u32
#const IN_WIDTH: u32
#const IN_HEIGHT: u32
#const IN_PER_ROW: u32
#const IN_X: u32
#const IN_Y: u32
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
#import "shared/keep_derivative.wgsl"

#import "shared/dense_product.wgsl"

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
    let tile = min(id.x, TILES - 1u);
    let block = id.y;
    var sums: array<array<vec4<f32>, PIXELS>, BLOCK>;
#repeat b BLOCK
    let bias$b = weight(BLOCKS * IN_TEXELS * COLUMNS + block * BLOCK + $b);
#repeat p PIXELS
    sums[$b][$p] = bias$b;
#end
#end
    dense_product(tile, block, lane, &sums);
    if id.x >= TILES {
        return;
    }
#repeat b BLOCK
    if block * BLOCK + $b < OUT_GROUPS {
#repeat p PIXELS
        if tile * PIXELS + $p < SAMPLES {
            let place = vec2<u32>(OUT_X, OUT_Y) + plane_corner(
                tile * PIXELS + $p, block * BLOCK + $b, OUT_GROUPS, OUT_WIDTH, OUT_HEIGHT, OUT_PER_ROW,
            );
            textureStore(output, place, to_$OUT_FORMAT(activation_value(sums[$b][$p])));
#if STORE_DERIVATIVE
            keep_derivative(place, activation_derivative(sums[$b][$p]));
#endif
        }
#end
    }
#end
}
