// y = act(W x + b) over the flattened input map, lanes over samples.
#import "shared/activation.wgsl"
#import "shared/lanes_product.wgsl"

// Values of a sample's output.
#const OUTPUTS: u32
// Words of the bordered output maps of a sample, and the place of the first value; each is a map of one pixel.
#const OUT_HEIGHT: u32
#const OUT_WIDTH: u32
#const OUT_Y: u32
#const OUT_X: u32
#const BIAS: u32
#const STORE_DERIVATIVE: bool

@group(0) @binding(2) var<storage, read_write> output: array<f32>;
#if STORE_DERIVATIVE
@group(0) @binding(3) var<storage, read_write> derivative: array<f32>;
#endif

@compute @workgroup_size(GROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    lanes_begin();
    let block = group.x;
    let first = group.y * TOGETHER;
    var sums: array<f32, SUMS>;
#repeat b BLOCK
    let bias$b = weights[BIAS + block * BLOCK + $b];
#repeat g TOGETHER
    sums[$b * TOGETHER + $g] = bias$b;
#end
#end
    lanes_product(block, first, lane, &sums);
#repeat b BLOCK
#repeat g TOGETHER
    if block * BLOCK + $b < OUTPUTS && first + $g < GROUPS {
        let place = lane + lanes_place(
            first + $g, OUTPUTS, block * BLOCK + $b, OUT_HEIGHT, OUT_Y, OUT_WIDTH, OUT_X,
        );
        let z = vec4<f32>(sums[$b * TOGETHER + $g]);
        output[place] = activation_value(z).x;
#if STORE_DERIVATIVE
        derivative[place] = activation_derivative(z).x;
#endif
    }
#end
#end
}
