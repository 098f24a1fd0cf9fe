// E(x) = Σ outputs of the last layer + |x − m|² / (2 s²): one workgroup a sample, or with ALONE one invocation.
#import "shared/index.wgsl"
#import "shared/reduce.wgsl"

#const ALONE: bool
#const SAMPLES: u32
#const OUTPUTS: u32
#const SAMPLE_LENGTH: u32
#const BASE: bool
#const BASE_MEAN: f32
// 1 / (2 s²)
#const BASE_SCALE: f32

@group(0) @binding(0) var<storage, read> head: array<f32>;
@group(0) @binding(1) var<storage, read> samples: array<f32>;
@group(0) @binding(2) var<storage, read_write> energies: array<f32>;

#if ALONE
const SHARERS: u32 = 1u;
#else
const SHARERS: u32 = 64u;
#endif

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
#if ALONE
    let sample = flat_group(group, groups) * 64u + local;
    let first = 0u;
#else
    let sample = flat_group(group, groups);
    let first = local;
#endif
    if sample >= SAMPLES {
        return;
    }
    var sum = 0.0;
    for (var i = first; i < OUTPUTS; i += SHARERS) {
        sum += head[sample * OUTPUTS + i];
    }
#if BASE
    for (var i = first; i < SAMPLE_LENGTH; i += SHARERS) {
        let distance = samples[sample * SAMPLE_LENGTH + i] - BASE_MEAN;
        sum += BASE_SCALE * distance * distance;
    }
#endif
#if ALONE
    energies[sample] = sum;
#else
    let energy = workgroup_sum(sum, local);
    if local == 0u {
        energies[sample] = energy;
    }
#endif
}
