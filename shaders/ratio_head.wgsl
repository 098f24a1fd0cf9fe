// From the energies under the live and the snapshot parameters to the per-sample weights of the gradient, the loss and
// the metrics. u = E_φ − E_θ + c is the log-ratio, h = u − ln ν. One workgroup; all sums in a fixed order.
#import "shared/head.wgsl"

// What GENERATOR may use beside ν.
#const EXPONENT: f32
// Whether u is clamped to ±CLAMP.
#const CLAMPED: bool
#const CLAMP: f32
// How c is found; if neither, it is what its buffer holds.
#const PROFILED: bool
#const IMPORTANCE: bool
// Samples that a turn takes in each step towards a profiled c, since drivers may bound the turns (`gpu::MOST_TURNS`).
#const STEPS: u32
#const SEVERAL: bool

struct Ratio {
    energy_l2: f32,
    // Learning rate of c; 0 leaves it alone.
    normaliser_rate: f32,
    // Of the moving average behind c, with IMPORTANCE.
    normaliser_decay: f32,
}

var<immediate> ratio: Ratio;
// c, and with IMPORTANCE the total weight of the batches in its average, which is 0 after a refresh.
@group(0) @binding(4) var<storage, read_write> normaliser: array<f32>;

const NU: f32 = f32(NOISE) / f32(DATA);

// The weight w(r) of a data sample and r·w(r) of a noise sample, r = exp(u), and their losses: functions of u.
#import GENERATOR

fn within(u: f32) -> f32 {
#if CLAMPED
    return clamp(u, -CLAMP, CLAMP);
#else
    return u;
#endif
}

#if PROFILED
// Secant steps before the bracket is only halved, and all steps.
const SECANT_STEPS: u32 = 20u;
const ROOT_STEPS: u32 = 48u;
// A log-ratio beyond which the weights are constant.
#if CLAMPED
const REACH: f32 = CLAMP;
#else
const REACH: f32 = 0.0;
#endif

// The mean weights of data and noise at c, whose difference is −∂L/∂c.
fn mean_weights(c: f32, local: u32) -> vec2<f32> {
    var of_data = 0.0;
    var of_noise = 0.0;
    for (var first = local; first < COUNT; first += STEPS * 64u) {
#repeat s STEPS
#if SEVERAL
        if first + $s * 64u < COUNT
#endif
        {
            let i = first + $s * 64u;
            let u = within(snapshot[i] - live[i] + c);
            if i < DATA {
                of_data += data_weight(u) / f32(DATA);
            } else {
                of_noise += noise_weight(u) / f32(NOISE);
            }
        }
#end
    }
    return vec2(workgroup_sum(of_data, local), workgroup_sum(of_noise, local));
}

// The c at which the mean weights are equal, that is, ∂L/∂c = 0. Since r·w / w = r, the logarithm of their quotient has
// a slope in c near 1, and exactly 1 for powers of r: a first step with that slope, then the secant's, within a bracket.
fn profiled(local: u32) -> f32 {
    var top = -LARGEST;
    var bottom = LARGEST;
    for (var i = local; i < COUNT; i += 64u) {
        top = max(top, snapshot[i] - live[i]);
        bottom = min(bottom, snapshot[i] - live[i]);
    }
    top = workgroup_max(top, local);
    bottom = -workgroup_max(-bottom, local);
    if top == bottom {
        // All ratios are 1 there, whatever the generator: as at a fresh snapshot, where this is 0 to the last bit.
        return 0.0 - top;
    }
    var low = -REACH - top;
    var high = REACH - bottom;
    var c = clamp(0.0, low, high);
    var before = vec2(0.0);
    var slope = 1.0;
    for (var step = 0u; step < ROOT_STEPS; step++) {
        let weights = mean_weights(c, local);
        if weights.x == weights.y {
            break;
        }
        if weights.x > weights.y {
            low = c;
        } else {
            high = c;
        }
        var next = 0.5 * (low + high);
        if step < SECANT_STEPS && weights.x > 0.0 && weights.y > 0.0 {
            let imbalance = log(weights.y) - log(weights.x);
            if step > 0u {
                slope = (imbalance - before.y) / (c - before.x);
            }
            before = vec2(c, imbalance);
            let there = c - imbalance / slope;
            if there > low && there < high {
                next = there;
            }
        }
        let moved = abs(next - c);
        c = next;
        // Four units in the last place of a number of about 1.
        if moved <= 4.8e-7 * max(1.0, abs(c)) {
            break;
        }
    }
    return c;
}
#endif

#if IMPORTANCE
// −ln of the mean of exp(E_φ − E_θ) over the noise of this batch and those since the refresh. The mean is averaged, not
// its logarithm, since the logarithm of a noisy mean is biased.
fn importance(local: u32) -> f32 {
    var top = -LARGEST;
    var bottom = LARGEST;
    for (var i = DATA + local; i < COUNT; i += 64u) {
        top = max(top, snapshot[i] - live[i]);
        bottom = min(bottom, snapshot[i] - live[i]);
    }
    top = workgroup_max(top, local);
    bottom = -workgroup_max(-bottom, local);
    var sum = 0.0;
    for (var i = DATA + local; i < COUNT; i += 64u) {
        sum += exp(snapshot[i] - live[i] - top);
    }
    sum = workgroup_sum(sum, local);
    var log_mean = top;
    if top > bottom {
        log_mean = top + log(sum / f32(NOISE));
    }
    let share = (1.0 - ratio.normaliser_decay) / average_weight();
    if normaliser[1] > 0.0 && share < 1.0 {
        let old = log(1.0 - share) - normaliser[0];
        let new_one = log(share) + log_mean;
        log_mean = max(old, new_one) + log(1.0 + exp(-abs(old - new_one)));
    }
    return 0.0 - log_mean;
}

// The total weight of the batches in the average, this one included.
fn average_weight() -> f32 {
    return ratio.normaliser_decay * normaliser[1] + (1.0 - ratio.normaliser_decay);
}
#endif

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) local: u32) {
#if PROFILED
    let c = profiled(local);
#else
#if IMPORTANCE
    let c = importance(local);
#else
    let c = normaliser[0];
#endif
#endif
    var loss = 0.0;
    var right = 0.0;
    var c_gradient = 0.0;
    var clamped = 0.0;
    for (var i = local; i < COUNT; i += 64u) {
        let energy = live[i];
        let u = snapshot[i] - energy + c;
        let h = u - log(NU);
        let is_data = i < DATA;
        // A tie is half right: at a fresh snapshot data and noise cannot be told apart.
        let side = select(sign(-h), sign(h), is_data);
        right += 0.5 + 0.5 * side;
        let inside = within(u);
        if is_data {
            let weight = data_weight(inside) / f32(DATA);
            factor[i] = weight + 2.0 * ratio.energy_l2 * energy / f32(DATA);
            c_gradient -= weight;
            loss += data_loss(inside) / f32(DATA);
        } else {
            let weight = noise_weight(inside) / f32(NOISE);
            factor[i] = -weight + 2.0 * ratio.energy_l2 * energy / f32(NOISE);
            c_gradient += weight;
            loss += noise_loss(inside) / f32(NOISE);
        }
#if CLAMPED
        // Beyond the clamp the loss goes on along its tangent, whose slope is the weight.
        if u != inside {
            clamped += 1.0;
            if is_data {
                loss -= data_weight(inside) * (u - inside) / f32(DATA);
            } else {
                loss += noise_weight(inside) * (u - inside) / f32(NOISE);
            }
        }
#endif
    }
    let total_loss = workgroup_sum(loss, local);
    let total_right = workgroup_sum(right, local);
    let total_c_gradient = workgroup_sum(c_gradient, local);
    let total_clamped = workgroup_sum(clamped, local);
    shared_metrics(ratio.energy_l2, c, local);
    if local == 0u {
        loss_metrics(total_loss, total_right / f32(COUNT), c, total_c_gradient, total_clamped);
        normaliser[0] = c - ratio.normaliser_rate * total_c_gradient;
#if IMPORTANCE
        normaliser[1] = average_weight();
#endif
    }
}
