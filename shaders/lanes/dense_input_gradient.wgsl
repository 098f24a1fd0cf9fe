// ∂/∂x = Wᵀ g over the flattened input map, times act′ of the layer before if given, lanes over samples.
#import "shared/lanes_product.wgsl"

// Values of a sample's input, and its maps.
#const OUTPUTS: u32
#const OUT_CHANNELS: u32
#const OUT_HEIGHT: u32
#const OUT_WIDTH: u32
#const OUT_Y: u32
#const OUT_X: u32
#const OUT_MAP_HEIGHT: u32
#const OUT_MAP_WIDTH: u32
#const DERIVATIVE: bool

@group(0) @binding(2) var<storage, read_write> input_gradient: array<f32>;
#if DERIVATIVE
#const DERIVATIVE_HEIGHT: u32
#const DERIVATIVE_WIDTH: u32
#const DERIVATIVE_Y: u32
#const DERIVATIVE_X: u32
@group(0) @binding(3) var<storage, read> derivative: array<f32>;
#endif

@compute @workgroup_size(GROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    lanes_begin();
    let block = group.x;
    let first = group.y * TOGETHER;
    var sums: array<f32, SUMS>;
#repeat i SUMS
    sums[$i] = 0.0;
#end
    lanes_product(block, first, lane, &sums);
    let map = vec2<u32>(OUT_MAP_HEIGHT, OUT_MAP_WIDTH);
#repeat b BLOCK
    {
        let value = block * BLOCK + $b;
        if value < OUTPUTS {
            let place = lane + value_place(value, map, vec2<u32>(OUT_HEIGHT, OUT_WIDTH), vec2<u32>(OUT_Y, OUT_X));
#if DERIVATIVE
            let beside = lane + value_place(
                value, map, vec2<u32>(DERIVATIVE_HEIGHT, DERIVATIVE_WIDTH), vec2<u32>(DERIVATIVE_Y, DERIVATIVE_X),
            );
#endif
#repeat g TOGETHER
            if first + $g < GROUPS {
                var gradient = sums[$b * TOGETHER + $g];
#if DERIVATIVE
                gradient *= derivative[
                    beside + (first + $g) * OUT_CHANNELS * DERIVATIVE_HEIGHT * DERIVATIVE_WIDTH * GROUP
                ];
#endif
                input_gradient[place + (first + $g) * OUT_CHANNELS * OUT_HEIGHT * OUT_WIDTH * GROUP] = gradient;
            }
#end
        }
    }
#end
}
