// The root mean square of the noise's values over that of the data's, among the metrics.
#import "shared/reduce.wgsl"
#import METRICS

#const DATA: u32
#const NOISE: u32

@group(0) @binding(0) var<storage, read> samples: array<f32>;
@group(0) @binding(1) var<storage, read_write> metrics: Metrics;

// The sum of the squares of `count` values from word `first` on.
fn squares(first: u32, count: u32, local: u32) -> f32 {
    var sum = 0.0;
    for (var i = local; i < count; i += 64u) {
        let value = samples[first + i];
        sum += value * value;
    }
    return workgroup_sum(sum, local);
}

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) local: u32) {
    let data = squares(0u, DATA, local) / f32(DATA);
    let noise = squares(DATA, NOISE, local) / f32(NOISE);
    if local == 0u {
        metrics.noise_scale = select(0.0, sqrt(noise / data), data > 0.0);
    }
}
