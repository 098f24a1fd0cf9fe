// The effective sample size of the weights exp(E_φ − E_θ) over the noise, as a share of its number, among the metrics.
#import "shared/reduce.wgsl"
#import METRICS

#const COUNT: u32
// Where the noise begins among the energies under the snapshot.
#const FIRST: u32

@group(0) @binding(0) var<storage, read> live: array<f32>;
@group(0) @binding(1) var<storage, read> snapshot: array<f32>;
@group(0) @binding(2) var<storage, read_write> metrics: Metrics;

fn log_weight(i: u32) -> f32 {
    return snapshot[FIRST + i] - live[i];
}

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) local: u32) {
    // Relative to the largest, so that neither sum overflows.
    var largest = -3.0e38;
    for (var i = local; i < COUNT; i += 64u) {
        largest = max(largest, log_weight(i));
    }
    largest = workgroup_max(largest, local);
    var weights = 0.0;
    var squares = 0.0;
    for (var i = local; i < COUNT; i += 64u) {
        let weight = exp(log_weight(i) - largest);
        weights += weight;
        squares += weight * weight;
    }
    weights = workgroup_sum(weights, local);
    squares = workgroup_sum(squares, local);
    if local == 0u {
        metrics.ess_after = (weights / f32(COUNT)) * (weights / squares);
    }
}
