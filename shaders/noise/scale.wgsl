// The root mean square of the noise's values over that of the data's, among the metrics.
#import "shared/finite.wgsl"
#import "shared/reduce.wgsl"
#import METRICS

// Where the noise begins.
#const FIRST: u32
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
    let noise = squares(FIRST, NOISE, local) / f32(NOISE);
    if local == 0u {
        let scale = sqrt(noise / data);
        // Whatever overflows is far outside: a line of JSON has no infinity.
        metrics.noise_scale = select(0.0, select(3.0e38, scale, is_finite(scale)), data > 0.0);
    }
}
