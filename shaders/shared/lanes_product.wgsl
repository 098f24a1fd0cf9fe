// The product of a matrix with the flattened maps of each sample, lanes over samples: BLOCK rows and TOGETHER groups of samples at
// a time, so that a weight that is loaded serves several. Values, TURN at a time, are the loop.
#import "shared/lanes_values.wgsl"

#const BLOCK: u32
#const TOGETHER: u32
// Their product, and all groups of samples.
#const SUMS: u32
#const GROUPS: u32
#const TURN: u32
// Values that are summed over, and turns over them: behind the last there are weights of zero.
#const INNER: u32
#const TURNS: u32
#const IN_CHANNELS: u32
#const IN_HEIGHT: u32
#const IN_WIDTH: u32
#const IN_Y: u32
#const IN_X: u32
#const IN_MAP_HEIGHT: u32
#const IN_MAP_WIDTH: u32
// By block, value and row of the block.
@group(0) @binding(0) var<storage, read> weights: array<f32>;
@group(0) @binding(1) var<storage, read> input: array<f32>;

// Adds to the sums, which are by row and group of samples, of which the first is number `first`; beyond the last, the last
// is summed once more.
fn lanes_product(block: u32, first: u32, lane: u32, sums: ptr<function, array<f32, SUMS>>) {
#repeat g TOGETHER
    let start$g = lane + min(first + $g, GROUPS - 1u) * IN_CHANNELS * IN_HEIGHT * IN_WIDTH * GROUP;
#end
    for (var turn = 0u; turn < TURNS; turn++) {
        let weight = (block * TURNS + turn) * TURN * BLOCK;
        var values: array<array<f32, TOGETHER>, TURN>;
#repeat i TURN
        let place$i = value_place(
            min(turn * TURN + $i, INNER - 1u),
            vec2<u32>(IN_MAP_HEIGHT, IN_MAP_WIDTH), vec2<u32>(IN_HEIGHT, IN_WIDTH), vec2<u32>(IN_Y, IN_X),
        );
#repeat g TOGETHER
        values[$i][$g] = input[start$g + place$i];
#end
#end
#repeat b BLOCK
#repeat i TURN
        {
            let w = weights[weight + $i * BLOCK + $b];
#repeat g TOGETHER
            (*sums)[$b * TOGETHER + $g] = fma(w, values[$i][$g], (*sums)[$b * TOGETHER + $g]);
#end
        }
#end
#end
    }
}
