// The product of a matrix with the flattened maps of each sample, lanes over samples: BLOCK rows at a time. Values, TURN at
// a time, are the loop.
#import "shared/lanes_values.wgsl"

#const BLOCK: u32
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

fn lanes_product(block: u32, sample_group: u32, lane: u32, sums: ptr<function, array<f32, BLOCK>>) {
    let start = lane + sample_group * IN_CHANNELS * IN_HEIGHT * IN_WIDTH * GROUP;
    for (var turn = 0u; turn < TURNS; turn++) {
        let weight = (block * TURNS + turn) * TURN * BLOCK;
        var values: array<f32, TURN>;
#repeat i TURN
        values[$i] = input[start + value_place(
            min(turn * TURN + $i, INNER - 1u),
            vec2<u32>(IN_MAP_HEIGHT, IN_MAP_WIDTH), vec2<u32>(IN_HEIGHT, IN_WIDTH), vec2<u32>(IN_Y, IN_X),
        )];
#end
#repeat b BLOCK
#repeat i TURN
        (*sums)[$b] = fma(weights[weight + $i * BLOCK + $b], values[$i], (*sums)[$b]);
#end
#end
    }
}
