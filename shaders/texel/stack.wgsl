// The output of a whole network of dense layers for a sample, in one launch, for lavapipe; with GRADIENT its gradient in the sample, with
// KEEP what weight gradients are made of: the values of every layer but the last, and the gradient in them before their activation. An
// invocation has a sample of its own and keeps all that becomes of it in registers, so that weights are all that is loaded on the
// way, and nothing else is stored: drivers that compile for a processor spill registers into its first cache, whole vectors at a time,
// while every load and store of a map goes lane by lane.
//
// Product L_0 is that of layer L, and L_1 that of its transpose, going back.
#import "shared/activation.wgsl"
#import "shared/index.wgsl"
#import "shared/spread.wgsl"

#const LAYERS: u32
#const HIDDEN: u32
// 1: forward; 2: and back.
#const WAYS: u32
// Values of a sample.
#const INPUTS: u32
#repeat l LAYERS
#repeat w WAYS
// First texel, groups of four inputs (with those that fill up the last load), and how the product is cut.
#const FIRST_${l}_${w}: u32
#const FROM_${l}_${w}: u32
#const BLOCK_${l}_${w}: u32
#const BLOCKS_${l}_${w}: u32
#const LOADS_${l}_${w}: u32
#const PER_LOAD_${l}_${w}: u32
#end
#const LAST_${l}: bool
#const READS_SAMPLES_${l}: bool
// Groups of four outputs, and where their biases are.
#const GROUPS_${l}: u32
#const BIAS_${l}: u32
#const BIAS_LOADS_${l}: u32
// How many samples of its values stand in a row where they are kept.
#const PER_ROW_${l}: u32
#end
// Where the weights of the last layer are as what it gives back.
#const TURN: u32
#const TURN_LOADS: u32
#const GRADIENT: bool
#const KEEP: bool
// Either of them.
#const BACK: bool

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var weights: texture_storage_2d<rgba32float, read>;
@group(0) @binding(2) var<storage, read_write> output: array<f32>;
#if GRADIENT
@group(0) @binding(3) var<storage, read_write> gradient: array<f32>;
#endif
#if KEEP
@group(0) @binding(3) var kept: texture_storage_2d<rgba32float, write>;
#endif

struct Batch {
    samples: u32,
#if KEEP
    // Of a map in the image of those that are kept: values and gradients of one layer after the other.
    rows: u32,
#endif
}

var<immediate> batch: Batch;

fn weight(texel: u32) -> vec4<f32> {
    return textureLoad(weights, vec2<u32>(texel % WEIGHT_ROW, texel / WEIGHT_ROW));
}

#repeat l LAYERS
#repeat w WAYS
fn product_${l}_${w}(
    input: array<vec4<f32>, FROM_${l}_${w}>, lane: u32,
) -> array<vec4<f32>, BLOCKS_${l}_${w} * BLOCK_${l}_${w}> {
    var sums: array<vec4<f32>, BLOCKS_${l}_${w} * BLOCK_${l}_${w}>;
    for (var block = 0u; block < BLOCKS_${l}_${w}; block++) {
        let first = FIRST_${l}_${w} + block * LOADS_${l}_${w} * LANES + lane;
#repeat g BLOCK_${l}_${w}
        var sum_${g} = vec4<f32>();
#end
#repeat i LOADS_${l}_${w}
        {
            let held = weight(first + $i * LANES);
#repeat k PER_LOAD_${l}_${w}
#repeat g BLOCK_${l}_${w}
            sum_${g} += spread(held, $k * BLOCK_${l}_${w} + $g)
                * input[($i * PER_LOAD_${l}_${w} + $k) / 4u][($i * PER_LOAD_${l}_${w} + $k) % 4u];
#end
#end
        }
#end
        // A place that is known only here would put the sums into memory.
#repeat b BLOCKS_${l}_${w}
        if block == $b {
#repeat g BLOCK_${l}_${w}
            sums[$b * BLOCK_${l}_${w} + $g] = sum_${g};
#end
        }
#end
    }
    return sums;
}

#end
#end
@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
#if SPREAD
    @builtin(subgroup_invocation_id) lane: u32,
#endif
) {
#if SPREAD
#else
    let lane = 0u;
#endif
    let place = flat_group(group, groups) * 64u + local;
    let sample = min(place, batch.samples - 1u);
    let is_own = place < batch.samples;
    var values_0: array<vec4<f32>, FROM_0_0>;
#repeat c INPUTS
    values_0[$c / 4u][$c % 4u] = x[sample * INPUTS + $c];
#end
#repeat l LAYERS
    let sums_${l} = product_${l}_0(values_${l}, lane);
    var biases_${l}: array<vec4<f32>, BIAS_LOADS_${l}>;
#repeat i BIAS_LOADS_${l}
    biases_${l}[$i] = weight(BIAS_${l} + $i * LANES + lane);
#end
#if LAST_${l}
    let result = sums_${l}[0].x + spread(biases_${l}[0], 0u).x;
#if BACK
    var turn: array<vec4<f32>, TURN_LOADS>;
#repeat i TURN_LOADS
    turn[$i] = weight(TURN + $i * LANES + lane);
#end
    var back_${l-1}: array<vec4<f32>, FROM_${l-1}_1>;
#repeat g GROUPS_${l-1}
    back_${l-1}[$g] = spread(turn[$g / LANES], $g % LANES) * slopes_${l-1}[$g];
#end
#endif
#else
    var values_${l+1}: array<vec4<f32>, FROM_${l+1}_0>;
#if BACK
    var slopes_${l}: array<vec4<f32>, GROUPS_${l}>;
#endif
#repeat g GROUPS_${l}
    {
        let z = sums_${l}[$g] + spread(biases_${l}[$g / LANES], $g % LANES);
        values_${l+1}[$g] = activation_value(z);
#if BACK
        slopes_${l}[$g] = activation_derivative(z);
#endif
    }
#end
#if KEEP
    // Lanes past the last sample repeat it, and what they store: lanes that went apart at a store need not come together again.
    let place_${l} = vec2<u32>(sample % PER_ROW_${l} * GROUPS_${l}, sample / PER_ROW_${l});
#repeat g GROUPS_${l}
    textureStore(kept, place_${l} + vec2<u32>($g, 2u * $l * batch.rows), values_${l+1}[$g]);
#end
#endif
#endif
#end
#if BACK
#repeat l down HIDDEN
#if KEEP
#repeat g GROUPS_${l}
    textureStore(kept, place_${l} + vec2<u32>($g, (2u * $l + 1u) * batch.rows), back_${l}[$g]);
#end
#endif
#if READS_SAMPLES_${l}
#if GRADIENT
    let gone_back_${l} = product_${l}_1(back_${l}, lane);
    // No store of some lanes alone stands before a shuffle.
    if is_own {
#repeat c INPUTS
        gradient[sample * INPUTS + $c] = gone_back_${l}[$c / 4u][$c % 4u];
#end
    }
#endif
#else
    let gone_back_${l} = product_${l}_1(back_${l}, lane);
    var back_${l-1}: array<vec4<f32>, FROM_${l-1}_1>;
#repeat g GROUPS_${l-1}
    back_${l-1}[$g] = gone_back_${l}[$g] * slopes_${l-1}[$g];
#end
#endif
#end
#endif
    if is_own {
        output[sample] = result;
    }
}
