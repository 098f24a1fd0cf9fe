// E(x) = Σ outputs of the last layer + |x − m|² / (2 s²): one workgroup a sample.
#import "shared/index.wgsl"
#import "shared/reduce.wgsl"

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

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let sample = flat_group(group, groups);
    if sample >= SAMPLES {
        return;
    }
    var sum = 0.0;
    for (var i = local; i < OUTPUTS; i += 64u) {
        sum += head[sample * OUTPUTS + i];
    }
#if BASE
    for (var i = local; i < SAMPLE_LENGTH; i += 64u) {
        let distance = samples[sample * SAMPLE_LENGTH + i] - BASE_MEAN;
        sum += BASE_SCALE * distance * distance;
    }
#endif
    let energy = workgroup_sum(sum, local);
    if local == 0u {
        energies[sample] = energy;
    }
}
