// The gradient of the energy in a dense layer's input map, times the activation derivative of the layer before, the
// shape for lavapipe. The inputs of the product are the output gradients; its outputs the texels of the input map.
#import "shared/plane.wgsl"
#import "shared/spread.wgsl"

#const SAMPLES: u32
#const PIXELS: u32
#const BLOCK: u32
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
#const OUT_MAP_WIDTH: u32
#const OUT_MAP_HEIGHT: u32
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
#import "shared/kept_derivative.wgsl"

#import "shared/dense_product.wgsl"

const OUT_AREA: u32 = OUT_MAP_WIDTH * OUT_MAP_HEIGHT;

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
#repeat p PIXELS
    sums[$b][$p] = vec4<f32>(0.0);
#end
#end
    dense_product(tile, block, lane, &sums);
    if id.x >= TILES {
        return;
    }
#repeat b BLOCK
    if block * BLOCK + $b < OUT_GROUPS * OUT_AREA {
        let group = (block * BLOCK + $b) / OUT_AREA;
        let place = (block * BLOCK + $b) % OUT_AREA;
        let offset = vec2<u32>(place % OUT_MAP_WIDTH, place / OUT_MAP_WIDTH);
#repeat p PIXELS
        if tile * PIXELS + $p < SAMPLES {
            let sample = tile * PIXELS + $p;
            var value = sums[$b][$p];
#if DERIVATIVE
            value *= kept_derivative(derivative_corner(sample, group, OUT_GROUPS) + offset);
#endif
            let corner = plane_corner(sample, group, OUT_GROUPS, OUT_WIDTH, OUT_HEIGHT, OUT_PER_ROW);
            textureStore(output, corner + vec2<u32>(OUT_X, OUT_Y) + offset, to_$OUT_FORMAT(value));
        }
#end
    }
#end
}
