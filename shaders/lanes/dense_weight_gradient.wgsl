// Σₙ factor[n] · ∂Eₙ/∂(W, b) of a dense layer, lanes over samples. A workgroup sums BLOCK outputs × COLUMNS input values over a
// share of the groups of samples, and then over its lanes.
#import "shared/lanes_reduce.wgsl"
#import "shared/lanes_values.wgsl"

#const SAMPLES: u32
#const GROUPS: u32
// Groups of samples in a share.
#const SHARE: u32
#const BLOCK: u32
#const COLUMNS: u32
// Sums of an invocation, by GROUP at a time.
#const CHUNKS: u32
#const SUMS: u32
// Values of a sample's input, and its maps.
#const INPUTS: u32
#const IN_CHANNELS: u32
#const IN_HEIGHT: u32
#const IN_WIDTH: u32
#const IN_Y: u32
#const IN_X: u32
#const IN_MAP_HEIGHT: u32
#const IN_MAP_WIDTH: u32
// And of its output.
#const OUTPUTS: u32
#const OUT_HEIGHT: u32
#const OUT_WIDTH: u32
#const OUT_Y: u32
#const OUT_X: u32

@group(0) @binding(0) var<storage, read> input: array<f32>;
@group(0) @binding(1) var<storage, read> output_gradient: array<f32>;
@group(0) @binding(2) var<storage, read> factor: array<f32>;
@group(0) @binding(3) var<storage, read_write> partials: array<f32>;

const OF_WEIGHTS: u32 = BLOCK * COLUMNS;

@compute @workgroup_size(GROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    lanes_begin();
    let block = group.x;
    let column = group.y * COLUMNS;
    let share = group.z;
    // By output and input value, then the biases.
    var sums: array<f32, SUMS>;
#repeat i SUMS
    sums[$i] = 0.0;
#end
    for (var sample_group = share * SHARE; sample_group < min((share + 1u) * SHARE, GROUPS); sample_group++) {
        let sample = sample_group * GROUP + lane;
        let scale = select(0.0, factor[min(sample, SAMPLES - 1u)], sample < SAMPLES);
        let source = lane + sample_group * IN_CHANNELS * IN_HEIGHT * IN_WIDTH * GROUP;
        // What is beyond the last output or value is summed, and never stored.
        var values: array<f32, COLUMNS>;
#repeat c COLUMNS
        values[$c] = input[source + value_place(
            min(column + $c, INPUTS - 1u),
            vec2<u32>(IN_MAP_HEIGHT, IN_MAP_WIDTH), vec2<u32>(IN_HEIGHT, IN_WIDTH), vec2<u32>(IN_Y, IN_X),
        )];
#end
#repeat b BLOCK
        {
            let gradient = scale * output_gradient[lane + lanes_place(
                sample_group, OUTPUTS, min(block * BLOCK + $b, OUTPUTS - 1u), OUT_HEIGHT, OUT_Y, OUT_WIDTH, OUT_X,
            )];
            sums[OF_WEIGHTS + $b] += gradient;
#repeat c COLUMNS
            sums[$b * COLUMNS + $c] = fma(gradient, values[$c], sums[$b * COLUMNS + $c]);
#end
        }
#end
    }

#repeat j CHUNKS
#repeat i GROUP
    shared_sums[$i * GROUP + lane] = sums[$j * GROUP + $i];
#end
    workgroupBarrier();
    {
        let total = shared_total(lane);
        let sum = $j * GROUP + lane;
        let is_weight = sum < OF_WEIGHTS;
        let in_block = select(sum - OF_WEIGHTS, sum / COLUMNS, is_weight);
        let output = block * BLOCK + in_block;
        let value = column + sum % COLUMNS;
        let wanted = (is_weight && value < INPUTS) || (!is_weight && in_block < BLOCK && column == 0u);
        if wanted && output < OUTPUTS {
            let place = select(OUTPUTS * INPUTS + output, output * INPUTS + value, is_weight);
            partials[share * OUTPUTS * (INPUTS + 1u) + place] = total;
        }
    }
    workgroupBarrier();
#end
}
