// Ranking noise-contrastive estimation: datum i against its own NEGATIVES noise samples by a softmax over
// v = E_φ − E_θ. No log-normaliser, which would cancel. One workgroup; all sums in a fixed order.
#import "shared/head.wgsl"

// Weight of the squared energies.
var<immediate> energy_l2: f32;

const NEGATIVES: u32 = NOISE / DATA;

fn log_ratio(i: u32) -> f32 {
    return snapshot[i] - live[i];
}

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) local: u32) {
    var loss = 0.0;
    var right = 0.0;
    for (var i = local; i < DATA; i += 64u) {
        let datum = log_ratio(i);
        let first = DATA + i * NEGATIVES;
        var top = datum;
        for (var j = first; j < first + NEGATIVES; j++) {
            top = max(top, log_ratio(j));
        }
        var negatives = 0.0;
        for (var j = first; j < first + NEGATIVES; j++) {
            negatives += exp(log_ratio(j) - top);
            right += 0.5 + 0.5 * sign(datum - log_ratio(j));
        }
        let sum = exp(datum - top) + negatives;
        loss += (top - datum + log(sum)) / f32(DATA);
        factor[i] = negatives / sum / f32(DATA) + l2_factor(energy_l2, i);
        for (var j = first; j < first + NEGATIVES; j++) {
            factor[j] = -exp(log_ratio(j) - top) / sum / f32(DATA) + l2_factor(energy_l2, j);
        }
    }
    // Noise samples beyond the last whole set are nobody's negatives.
    for (var j = DATA + DATA * NEGATIVES + local; j < COUNT; j += 64u) {
        factor[j] = l2_factor(energy_l2, j);
    }
    let total_loss = workgroup_sum(loss, local);
    let total_right = workgroup_sum(right, local);
    shared_metrics(energy_l2, 0.0, local);
    if local == 0u {
        let pairs = f32(DATA) * f32(max(NEGATIVES, 1u));
        loss_metrics(total_loss, total_right / pairs, 0.0, 0.0, 0.0);
    }
}
