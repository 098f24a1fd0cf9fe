// The multiplications of a Winograd convolution, lanes over samples: at each of the 25 positions a matrix product, BLOCK channels of
// TOGETHER items made from all that are summed, TURN at a time, the only loop (the shape of conv_forward.wgsl). In a weight gradient
// items are channels, and what is summed over are samples.
#import "shared/lanes_winograd.wgsl"

#const BLOCK: u32
#const TURN: u32
// TOGETHER · BLOCK.
#const SUMS: u32

// Not constants, so that all layers of a network can use one program.
struct Sizes {
    summed: u32,
    made: u32,
    blocks: u32,
}

var<immediate> sizes: Sizes;
@group(0) @binding(0) var<storage, read> transformed: array<f32>;
// By position, block, what is summed over and channel of the block.
@group(0) @binding(1) var<storage, read> weights: array<f32>;
@group(0) @binding(2) var<storage, read_write> products: array<f32>;

@compute @workgroup_size(GROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    lanes_begin();
    let block = group.x;
    let position = group.y;
    let chunk = group.z;
    var sums: array<f32, SUMS>;
#repeat i SUMS
    sums[$i] = 0.0;
#end
    let values_start = (chunk * POSITIONS + position) * apart(sizes.summed) + lane;
    let weight_from = (position * sizes.blocks + block) * sizes.summed * BLOCK;
    for (var first = 0u; first < sizes.summed; first += TURN) {
        let start = values_start + first * SPAN;
        let weight = weight_from + first * BLOCK;
        var values: array<array<f32, TOGETHER>, TURN>;
#repeat c TURN
#repeat t TOGETHER
        values[$c][$t] = transformed[start + $c * SPAN + $t * GROUP];
#end
#end
#repeat b BLOCK
#repeat c TURN
        {
            let w = weights[weight + $c * BLOCK + $b];
#repeat t TOGETHER
            sums[$b * TOGETHER + $t] = fma(w, values[$c][$t], sums[$b * TOGETHER + $t]);
#end
        }
#end
#end
    }
    let to = (chunk * POSITIONS + position) * apart(sizes.made) + lane;
#repeat b BLOCK
    if block * BLOCK + $b < sizes.made {
        let place = to + (block * BLOCK + $b) * SPAN;
#repeat t TOGETHER
        products[place + $t * GROUP] = sums[$b * TOGETHER + $t];
#end
    }
#end
}
