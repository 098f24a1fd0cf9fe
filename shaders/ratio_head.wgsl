// From the energies under the live and the stale parameters to the per-sample weights of the gradient, the loss and
// the metrics. u = E_φ − E_θ + c is the log-ratio, h = u − ln ν. One workgroup; all sums in a fixed order.
#import "shared/reduce.wgsl"
#import "shared/finite.wgsl"

#const DATA: u32
#const NOISE: u32
// 0: logistic (NCE)
#const GENERATOR: u32

struct Ratio {
    energy_l2: f32,
    // Learning rate of c; 0 leaves it alone.
    normaliser_rate: f32,
}

var<immediate> ratio: Ratio;
// Energies of the data samples, then of the noise samples.
@group(0) @binding(0) var<storage, read> live: array<f32>;
@group(0) @binding(1) var<storage, read> stale: array<f32>;
@group(0) @binding(2) var<storage, read_write> normaliser: array<f32>;
@group(0) @binding(3) var<storage, read_write> factor: array<f32>;
@group(0) @binding(4) var<storage, read_write> metrics: array<f32>;

const NU: f32 = f32(NOISE) / f32(DATA);
const COUNT: u32 = DATA + NOISE;

fn softplus(z: f32) -> f32 {
    return max(z, 0.0) + log(1.0 + exp(-abs(z)));
}

fn logistic(z: f32) -> f32 {
    return 1.0 / (1.0 + exp(-z));
}

// The weight w(r) of a data sample and r·w(r) of a noise sample, r = exp(u).
fn data_weight(u: f32) -> f32 {
    switch GENERATOR {
        default: { return logistic(log(NU) - u); }
    }
}

fn noise_weight(u: f32) -> f32 {
    switch GENERATOR {
        default: { return NU * logistic(u - log(NU)); }
    }
}

fn data_loss(u: f32) -> f32 {
    switch GENERATOR {
        default: { return softplus(log(NU) - u); }
    }
}

fn noise_loss(u: f32) -> f32 {
    switch GENERATOR {
        default: { return NU * softplus(u - log(NU)); }
    }
}

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) local: u32) {
    let c = normaliser[0];
    var loss = 0.0;
    var l2 = 0.0;
    var energy_data = 0.0;
    var energy_noise = 0.0;
    var right = 0.0;
    var log_ratio = 0.0;
    var c_gradient = 0.0;
    var lost = 0.0;
    for (var i = local; i < COUNT; i += 64u) {
        let energy = live[i];
        let u = stale[i] - energy + c;
        let h = u - log(NU);
        let is_data = i < DATA;
        log_ratio += u;
        // A tie is half right: at a fresh snapshot data and noise cannot be told apart.
        let side = select(sign(-h), sign(h), is_data);
        right += 0.5 + 0.5 * side;
        if !is_finite(energy) || !is_finite(stale[i]) {
            lost += 1.0;
        }
        if is_data {
            let weight = data_weight(u) / f32(DATA);
            factor[i] = weight + 2.0 * ratio.energy_l2 * energy / f32(DATA);
            c_gradient -= weight;
            loss += data_loss(u) / f32(DATA);
            energy_data += energy / f32(DATA);
            l2 += ratio.energy_l2 * energy * energy / f32(DATA);
        } else {
            let weight = noise_weight(u) / f32(NOISE);
            factor[i] = -weight + 2.0 * ratio.energy_l2 * energy / f32(NOISE);
            c_gradient += weight;
            loss += noise_loss(u) / f32(NOISE);
            energy_noise += energy / f32(NOISE);
            l2 += ratio.energy_l2 * energy * energy / f32(NOISE);
        }
    }
    let total_loss = workgroup_sum(loss, local);
    let total_l2 = workgroup_sum(l2, local);
    let total_energy_data = workgroup_sum(energy_data, local);
    let total_energy_noise = workgroup_sum(energy_noise, local);
    let total_right = workgroup_sum(right, local);
    let mean_log_ratio = workgroup_sum(log_ratio, local) / f32(COUNT);
    let total_c_gradient = workgroup_sum(c_gradient, local);
    let total_lost = workgroup_sum(lost, local);
    // Squares of differences, not difference of squares: the spread may be far smaller than the mean.
    var squares = 0.0;
    for (var i = local; i < COUNT; i += 64u) {
        let difference = stale[i] - live[i] + c - mean_log_ratio;
        squares += difference * difference;
    }
    let total_squares = workgroup_sum(squares, local);
    var largest = -1e30;
    for (var i = DATA + local; i < COUNT; i += 64u) {
        largest = max(largest, stale[i] - live[i]);
    }
    let top = workgroup_max(largest, local);
    var weights = 0.0;
    var squared_weights = 0.0;
    for (var i = DATA + local; i < COUNT; i += 64u) {
        let weight = exp(stale[i] - live[i] - top);
        weights += weight;
        squared_weights += weight * weight;
    }
    let total_weights = workgroup_sum(weights, local);
    let total_squared_weights = workgroup_sum(squared_weights, local);
    if local == 0u {
        metrics[0] = total_loss;
        metrics[1] = total_l2;
        metrics[2] = total_energy_data;
        metrics[3] = total_energy_noise;
        metrics[4] = total_right / f32(COUNT);
        metrics[5] = sqrt(total_squares / f32(COUNT));
        metrics[6] = c;
        metrics[7] = total_c_gradient;
        metrics[8] = total_lost;
        metrics[9] = total_weights * total_weights / (f32(NOISE) * total_squared_weights);
        normaliser[0] = c - ratio.normaliser_rate * total_c_gradient;
    }
}
