// −ln of a Gaussian density: E(x) = |M (x − mean)|² / 2 + constant, with M the inverse of the lower triangular factor of
// the covariance. One workgroup a sample; sums in a fixed order.
#import "shared/index.wgsl"
#import "shared/reduce.wgsl"

#const LENGTH: u32
#const SAMPLES: u32
// ln det(2π covariance) / 2
#const CONSTANT: f32

@group(0) @binding(0) var<storage, read> mean: array<f32>;
// (row, column), with zeros above the diagonal.
@group(0) @binding(1) var<storage, read> whitener: array<f32>;
@group(0) @binding(2) var<storage, read> samples: array<f32>;
@group(0) @binding(3) var<storage, read_write> energies: array<f32>;

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
    for (var row = local; row < LENGTH; row += 64u) {
        var z = 0.0;
        for (var j = 0u; j <= row; j++) {
            z += whitener[row * LENGTH + j] * (samples[sample * LENGTH + j] - mean[j]);
        }
        sum += 0.5 * z * z;
    }
    let energy = workgroup_sum(sum, local);
    if local == 0u {
        energies[sample] = energy + CONSTANT;
    }
}
