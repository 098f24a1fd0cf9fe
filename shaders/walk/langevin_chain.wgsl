// A whole Langevin chain in one launch: a workgroup walks `steps` steps of GROUP_SAMPLES samples. States, maps and
// gradients stay in its memory; only weights are read from global memory, and states and energies written at the end.
//
// A step is a list of passes: forward through the hidden layers, then backward to the samples (shared/walk_forward.wgsl
// and shared/walk_backward.wgsl, written out for each pass with its geometry as constants). Every map has a place of
// its own in the pool, which holds in turn the activation, its derivative, and the gradient of the energy before the
// activation. The last layer is affine, so it is no pass: its gradient is the constant `head` made by
// walk/pack_weights.wgsl.
//
// A position is a pixel of a sample; neighbours in memory are the samples of a pixel, then pixels, then groups of four
// channels, so that neighbouring lanes meet neighbouring vec4s: no bank conflicts without padding.
#import "shared/index.wgsl"
#import "shared/philox.wgsl"
#import "shared/langevin_step.wgsl"
#import "shared/activation.wgsl"

#const THREADS: u32
#const STREAM: u32
// In the batch, and in a workgroup; the latter divides THREADS.
#const SAMPLES: u32
#const GROUP_SAMPLES: u32
// Values in a sample.
#const LENGTH: u32
#const BASE: bool
#const BASE_MEAN: f32
// 1 / (2 s²), and 1 / s²
#const BASE_SCALE: f32
#const BASE_PRECISION: f32
// vec4s of the pool; the last is zero, and what the padding is read from.
#const POOL: u32
// Where the pool holds what several invocations have summed of one value.
#const SCRATCH_AT: u32
// Where the weights hold the gradient of the last layer (then its bias), and the pool the map that it reads.
#const HEAD_AT: u32
#const HEAD_MAP_AT: u32
#const HEAD_LENGTH: u32
#const PASSES: u32
#repeat p PASSES
#const FORWARD_${p}: bool
// Whether the samples are read (forward) or moved (backward), and whether the last hidden map is made.
#const FIRST_${p}: bool
#const LAST_${p}: bool
// Whether a map that the pass before has finished with takes its derivative now.
#const WRITES_BACK_${p}: bool
// The map that is read: where it lies, and how many groups of four channels (of the samples: channels) it has.
#const IN_AT_${p}: u32
#const IN_UNITS_${p}: u32
#const IN_HEIGHT_${p}: u32
#const IN_WIDTH_${p}: u32
// The map that is made.
#const OUT_AT_${p}: u32
#const OUT_GROUPS_${p}: u32
#const OUT_HEIGHT_${p}: u32
#const OUT_WIDTH_${p}: u32
#const KERNEL_HEIGHT_${p}: u32
#const KERNEL_WIDTH_${p}: u32
#const STRIDE_${p}: u32
#const PADDING_${p}: u32
// Where the weights lie: ROWS a tap, one for each input channel, of PITCH groups of four output channels.
#const WEIGHT_AT_${p}: u32
#const BIAS_AT_${p}: u32
#const ROWS_${p}: u32
#const PITCH_${p}: u32
// Input channels in a group, which are fewer than four when the samples have fewer.
#const CHANNELS_${p}: u32
// Positions (forward) or cells of stride × stride positions (backward) that an invocation sums together.
#const TILE_${p}: u32
#const TILES_${p}: u32
// Invocations that share the sums of a tile; whether there are several.
#const PARTS_${p}: u32
#const SPLIT_${p}: bool
// Rounds over all invocations, and values that one of them finishes.
#const ROUNDS_${p}: u32
#const SLOTS_${p}: u32
const POSITIONS_${p}: u32 = OUT_HEIGHT_${p} * OUT_WIDTH_${p} * GROUP_SAMPLES;
const ELEMENTS_${p}: u32 = OUT_GROUPS_${p} * POSITIONS_${p};
const TASKS_${p}: u32 = TILES_${p} * OUT_GROUPS_${p} * PARTS_${p};
const IN_POSITIONS_${p}: u32 = IN_HEIGHT_${p} * IN_WIDTH_${p} * GROUP_SAMPLES;
#end

struct Walk {
    rule: Step,
    steps: u32,
}

var<immediate> walk: Walk;
@group(0) @binding(0) var<storage, read> weights: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> states: array<f32>;
@group(0) @binding(2) var<storage, read_write> energies: array<f32>;

const X_LENGTH: u32 = LENGTH * GROUP_SAMPLES;
const ZERO: u32 = POOL - 1u;

var<workgroup> pool: array<vec4<f32>, POOL>;
// The samples, and one zero.
var<workgroup> x: array<f32, X_LENGTH + 1u>;
var<workgroup> noise: array<f32, X_LENGTH>;
var<workgroup> shares: array<f32, THREADS>;

#import "shared/walk_forward.wgsl"
#import "shared/walk_backward.wgsl"

// Where value i of the workgroup's part of the batch lies in `x`.
fn place(i: u32) -> u32 {
    return i % LENGTH * GROUP_SAMPLES + i / LENGTH;
}

fn load_states(local: u32, first_sample: u32) {
    for (var i = local; i < X_LENGTH; i += THREADS) {
        // The last workgroup may have fewer samples; it walks zeros instead, and nobody reads them.
        x[place(i)] = 0.0;
        if first_sample + i / LENGTH < SAMPLES {
            x[place(i)] = states[first_sample * LENGTH + i];
        }
    }
    if local == 0u {
        x[X_LENGTH] = 0.0;
        pool[ZERO] = vec4<f32>(0.0);
    }
}

fn store_states(local: u32, first_sample: u32) {
    for (var i = local; i < X_LENGTH; i += THREADS) {
        if first_sample + i / LENGTH < SAMPLES {
            states[first_sample * LENGTH + i] = x[place(i)];
        }
    }
}

// The same numbers as in langevin.wgsl: element e of the whole batch takes number e of (seed, stream, step).
fn draw_noise(local: u32, first_sample: u32, step: u32) {
    let first_element = walk.rule.first_element + first_sample * LENGTH;
    let skipped = first_element % 4u;
    for (var block = local; block * 4u < skipped + X_LENGTH; block += THREADS) {
        let xi = normals(walk.rule.seed, STREAM, step, first_element / 4u + block);
        for (var k = 0u; k < 4u; k++) {
            let i = block * 4u + k - skipped;
            if i < X_LENGTH {
                noise[place(i)] = xi[k];
            }
        }
    }
}

// E of every sample, from the last hidden map's activation. Must be called by all invocations.
fn sum_energies(local: u32, first_sample: u32) {
    var sum = 0.0;
    for (var i = local; i < HEAD_LENGTH * GROUP_SAMPLES; i += THREADS) {
        sum += dot(weights[HEAD_AT + i / GROUP_SAMPLES], pool[HEAD_MAP_AT + i]);
    }
#if BASE
    for (var i = local; i < X_LENGTH; i += THREADS) {
        sum += BASE_SCALE * (x[i] - BASE_MEAN) * (x[i] - BASE_MEAN);
    }
#endif
    shares[local] = sum;
    workgroupBarrier();
    if local < GROUP_SAMPLES && first_sample + local < SAMPLES {
        var energy = weights[HEAD_AT + HEAD_LENGTH].x;
        for (var i = local; i < THREADS; i += GROUP_SAMPLES) {
            energy += shares[i];
        }
        energies[first_sample + local] = energy;
    }
}

@compute @workgroup_size(THREADS)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let first_sample = flat_group(group, groups) * GROUP_SAMPLES;
    if first_sample >= SAMPLES {
        return;
    }
    load_states(local, first_sample);
    workgroupBarrier();
    for (var step = 0u; step < walk.steps; step++) {
        let is_last = step + 1u == walk.steps;
        draw_noise(local, first_sample, walk.rule.step + step);
#repeat p PASSES
        pass_${p}(local, is_last);
        workgroupBarrier();
#if WRITES_BACK_${p}
        write_back_${p-1}(local);
#endif
#if LAST_${p}
        if is_last {
            sum_energies(local, first_sample);
            workgroupBarrier();
            write_back_${p}(local);
        }
        // What was written back is read next, by others.
        workgroupBarrier();
#endif
#end
    }
    store_states(local, first_sample);
}
