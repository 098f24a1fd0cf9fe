// Draws from a Gaussian: x = mean + L ξ with the lower triangular factor L of the covariance. One invocation a value.
#import "shared/index.wgsl"

#const LENGTH: u32
#const COUNT: u32

struct Gaussian {
    // Where the first sample goes, in words.
    first: u32,
}

var<immediate> gaussian: Gaussian;
@group(0) @binding(0) var<storage, read> mean: array<f32>;
// (row, column), with zeros above the diagonal.
@group(0) @binding(1) var<storage, read> factor: array<f32>;
// Standard normals, (sample, value).
@group(0) @binding(2) var<storage, read> xi: array<f32>;
@group(0) @binding(3) var<storage, read_write> samples: array<f32>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let element = flat_group(group, groups) * 64u + local;
    if element >= COUNT {
        return;
    }
    let row = element % LENGTH;
    let start = element - row;
    var sum = mean[row];
    for (var j = 0u; j <= row; j++) {
        sum += factor[row * LENGTH + j] * xi[start + j];
    }
    samples[gaussian.first + element] = sum;
}
