// What the heads share: the energies that they read, what they write, and the metrics that do not depend on the loss.
#import "shared/reduce.wgsl"
#import "shared/finite.wgsl"
#import METRICS

#const DATA: u32
#const NOISE: u32

// Energies of the data samples, then of the noise samples, under the live and the snapshot parameters.
@group(0) @binding(0) var<storage, read> live: array<f32>;
@group(0) @binding(1) var<storage, read> snapshot: array<f32>;
@group(0) @binding(2) var<storage, read_write> factor: array<f32>;
@group(0) @binding(3) var<storage, read_write> metrics: Metrics;

const COUNT: u32 = DATA + NOISE;
const LARGEST: f32 = 3.4028234e38;

// The samples of the same kind as sample i.
fn peers(i: u32) -> f32 {
    return select(f32(NOISE), f32(DATA), i < DATA);
}

// What the penalty on the squared energies adds to the factor of sample i.
fn l2_factor(energy_l2: f32, i: u32) -> f32 {
    return 2.0 * energy_l2 * live[i] / peers(i);
}

// Fills in what every head reports; returns the mean energies of data and noise.
fn shared_metrics(energy_l2: f32, c: f32, local: u32) -> vec2<f32> {
    var l2 = 0.0;
    var energy_data = 0.0;
    var energy_noise = 0.0;
    var log_ratio = 0.0;
    var lost = 0.0;
    var top = -LARGEST;
    for (var i = local; i < COUNT; i += 64u) {
        let energy = live[i];
        log_ratio += snapshot[i] - energy + c;
        if !is_finite(energy) || !is_finite(snapshot[i]) {
            lost += 1.0;
        }
        if i < DATA {
            energy_data += energy / f32(DATA);
            l2 += energy_l2 * energy * energy / f32(DATA);
        } else {
            energy_noise += energy / f32(NOISE);
            l2 += energy_l2 * energy * energy / f32(NOISE);
            top = max(top, snapshot[i] - energy);
        }
    }
    let total_l2 = workgroup_sum(l2, local);
    let total_energy_data = workgroup_sum(energy_data, local);
    let total_energy_noise = workgroup_sum(energy_noise, local);
    let mean_log_ratio = workgroup_sum(log_ratio, local) / f32(COUNT);
    let total_lost = workgroup_sum(lost, local);
    let largest = workgroup_max(top, local);
    // Squares of differences, not difference of squares: the spread may be far smaller than the mean.
    var squares = 0.0;
    // Of the importance weights exp(E_φ − E_θ) of the noise, in units of the largest.
    var weights = 0.0;
    var squared_weights = 0.0;
    for (var i = local; i < COUNT; i += 64u) {
        let difference = snapshot[i] - live[i] + c - mean_log_ratio;
        squares += difference * difference;
        if i >= DATA {
            let weight = exp(snapshot[i] - live[i] - largest);
            weights += weight;
            squared_weights += weight * weight;
        }
    }
    let total_squares = workgroup_sum(squares, local);
    let total_weights = workgroup_sum(weights, local);
    let total_squared_weights = workgroup_sum(squared_weights, local);
    if local == 0u {
        metrics.energy_l2 = total_l2;
        metrics.energy_data = total_energy_data;
        metrics.energy_noise = total_energy_noise;
        metrics.log_ratio_spread = sqrt(total_squares / f32(COUNT));
        metrics.lost = total_lost;
        metrics.ess = (total_weights / f32(NOISE)) * (total_weights / total_squared_weights);
    }
    return vec2(total_energy_data, total_energy_noise);
}

// Fills in the metrics of the loss: the loss, the share of right decisions, c, ∂loss/∂c and the clamped samples.
fn loss_metrics(loss: f32, accuracy: f32, c: f32, c_gradient: f32, clamped: f32) {
    metrics.loss = loss;
    metrics.nce_accuracy = accuracy;
    metrics.normaliser = c;
    metrics.normaliser_gradient = c_gradient;
    metrics.clamped = clamped;
}
