//! Twin of `ratio_head.wgsl`: from both energies to the objective and its gradient in each live energy.
//!
//! Source of the formulas: the Bregman loss of the ratio r = p_θ/p_φ for a convex generator f,
//! L_f = E_φ\[f′(r) r − f(r)\] − E_data\[f′(r)\], whose gradient is, with w(r) = r f″(r),
//! ∂L/∂θ = E_data\[w ∂E_θ\] − E_φ\[r·w ∂E_θ\] (Gutmann & Hirayama, *Bregman divergence as general framework
//! to estimate unnormalized statistical models*, UAI 2011).

use super::check_len;
use crate::kernels::Bregman;

/// The energies of one batch under both parameter sets.
#[derive(Clone, Copy, Debug)]
pub struct RatioInput<'a> {
    /// E_θ of each sample, data first, then noise.
    pub live: &'a [f64],
    /// E_φ of the same samples in the same order.
    pub snapshot: &'a [f64],
    /// Number of data samples, at least 1.
    pub data_count: usize,
    /// Number of noise samples, at least 1. The noise ratio ν is `noise_count / data_count`.
    pub noise_count: usize,
    /// The log-normaliser difference, an estimate of log Z_φ − log Z_θ.
    pub c: f64,
    /// Weight α of the squared live energies in the objective.
    pub energy_l2: f64,
}

impl RatioInput<'_> {
    /// ν.
    pub(crate) fn nu(&self) -> f64 {
        self.noise_count as f64 / self.data_count as f64
    }

    /// E_φ − E_θ of each sample.
    fn differences(&self) -> Vec<f64> {
        let pairs = self.live.iter().zip(self.snapshot);
        pairs.map(|(live, snapshot)| snapshot - live).collect()
    }
}

/// The objective of one batch, its gradients, and what is worth watching.
#[derive(Clone, Debug, PartialEq)]
pub struct RatioOutput {
    /// u = E_φ − E_θ + c of each sample.
    pub log_ratio: Vec<f64>,
    /// ∂(loss + l2)/∂E_θ of each sample: the factor of the weight gradient.
    pub factor: Vec<f64>,
    /// The generator's loss, without the penalty.
    pub loss: f64,
    /// Mean of E_θ over the data samples.
    pub mean_energy_data: f64,
    /// Mean of E_θ over the noise samples.
    pub mean_energy_noise: f64,
    /// Share of all samples on their own side of u = ln ν; a sample on the line counts half.
    pub accuracy: f64,
    /// Population standard deviation of u over all samples.
    pub spread: f64,
    /// ∂loss/∂c.
    pub c_gradient: f64,
    /// The penalty α (mean E_θ² over data + mean E_θ² over noise).
    pub l2: f64,
    /// Samples whose log-ratio was clamped.
    pub clamped: f64,
    /// Effective sample size of exp(E_φ − E_θ) over the noise, as a share of it.
    pub ess: f64,
}

/// What no loss has a part in: `factor` holds the penalty's part, and what depends on the loss is 0.
pub(super) fn without_loss(input: &RatioInput) -> RatioOutput {
    let &RatioInput {
        live,
        snapshot,
        data_count,
        noise_count,
        c,
        energy_l2,
    } = input;
    let samples = data_count + noise_count;
    check_len("live", live, samples);
    check_len("snapshot", snapshot, samples);

    let log_ratio: Vec<f64> = input.differences().iter().map(|v| v + c).collect();
    let mean_u = mean(&log_ratio);
    let squares: Vec<f64> = log_ratio.iter().map(|u| (u - mean_u).powi(2)).collect();
    let count = |i: usize| if i < data_count { data_count } else { noise_count } as f64;
    let squared = |energies: &[f64]| mean(&energies.iter().map(|e| e * e).collect::<Vec<_>>());
    RatioOutput {
        factor: (0..samples)
            .map(|i| 2.0 * energy_l2 * live[i] / count(i))
            .collect(),
        mean_energy_data: mean(&live[..data_count]),
        mean_energy_noise: mean(&live[data_count..]),
        spread: mean(&squares).sqrt(),
        l2: energy_l2 * (squared(&live[..data_count]) + squared(&live[data_count..])),
        ess: effective_share(&log_ratio[data_count..]),
        log_ratio,
        loss: 0.0,
        accuracy: 0.0,
        c_gradient: 0.0,
        clamped: 0.0,
    }
}

/// Computes the objective of a batch for a generator.
pub fn ratio_head(bregman: &Bregman, input: &RatioInput) -> RatioOutput {
    let nu = input.nu();
    let mut output = without_loss(input);
    let samples = output.log_ratio.len();
    for i in 0..samples {
        let u = output.log_ratio[i];
        let is_data = i < input.data_count;
        let count = if is_data {
            input.data_count
        } else {
            input.noise_count
        } as f64;
        let (data_weight, noise_weight) = bregman.weights(u, nu);
        let (data_loss, noise_loss) = bregman.losses(u, nu);
        // The loss falls with u on data and rises with u on noise; u falls with the live energy.
        let (loss, slope) = if is_data {
            (data_loss, -data_weight)
        } else {
            (noise_loss, noise_weight)
        };
        output.loss += loss / count;
        output.c_gradient += slope / count;
        output.factor[i] -= slope / count;
        output.accuracy += correctness(u - nu.ln(), is_data) / samples as f64;
        output.clamped += f64::from(u8::from(bregman.clamped(u) != u));
    }
    output
}

/// The c at which ∂loss/∂c = 0, whatever `input.c`, by bisection. See [`crate::kernels::generators`] for why there is one.
pub fn profiled_normaliser(bregman: &Bregman, input: &RatioInput) -> f64 {
    let differences = input.differences();
    let (smallest, largest) = extremes(&differences);
    let reach = if bregman.generator.is_unbounded() {
        f64::from(bregman.clamp)
    } else {
        0.0
    };
    let (mut low, mut high) = (-reach - largest, reach - smallest);
    for _ in 0..200 {
        let c = 0.5 * (low + high);
        let slope = ratio_head(bregman, &RatioInput { c, ..*input }).c_gradient;
        if slope < 0.0 {
            low = c;
        } else {
            high = c;
        }
    }
    0.5 * (low + high)
}

/// The importance estimate of c from a batch whose predecessors since the refresh had the estimate `state.0` of total
/// weight `state.1`, and the state after it. The first state is (0, 0).
pub fn importance_normaliser(input: &RatioInput, decay: f64, state: (f64, f64)) -> (f64, f64) {
    let noise = &input.differences()[input.data_count..];
    let (_, largest) = extremes(noise);
    let shifted: Vec<f64> = noise.iter().map(|v| (v - largest).exp()).collect();
    let now = largest + mean(&shifted).ln();
    let weight = decay * state.1 + (1.0 - decay);
    let share = (1.0 - decay) / weight;
    // ln((1 − share)·e^old + share·e^now), shifted by the larger.
    let old = -state.0;
    let top = old.max(now);
    let mean = (1.0 - share) * (old - top).exp() + share * (now - top).exp();
    (-(top + mean.ln()), weight)
}

/// (Σω)² / (n Σω²) of the weights exp(v).
fn effective_share(v: &[f64]) -> f64 {
    let (_, largest) = extremes(v);
    let weights: Vec<f64> = v.iter().map(|v| (v - largest).exp()).collect();
    let squares: Vec<f64> = weights.iter().map(|w| w * w).collect();
    mean(&weights).powi(2) / mean(&squares)
}

fn extremes(values: &[f64]) -> (f64, f64) {
    values
        .iter()
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &v| {
            (low.min(v), high.max(v))
        })
}

/// 1 if the classifier's logit `h` puts the sample on its own side, ½ if on neither, else 0.
fn correctness(h: f64, is_data: bool) -> f64 {
    if h == 0.0 {
        0.5
    } else if (h > 0.0) == is_data {
        1.0
    } else {
        0.0
    }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::{GENERATORS, Generator};
    use crate::twins::testing::{assert_close, batch, central_differences, random};

    /// Every generator, clamped where few samples of the tests are.
    fn every() -> impl Iterator<Item = Bregman> {
        let of = |&generator: &Generator| Bregman {
            generator,
            exponent: 0.7,
            clamp: 1.5,
        };
        GENERATORS.iter().map(of)
    }

    const LOGISTIC: Bregman = Bregman {
        generator: Generator::LOGISTIC,
        exponent: 0.5,
        clamp: 10.0,
    };

    /// Counts of data and noise samples, so that ν is 1, above and below.
    const COUNTS: [(usize, usize); 4] = [(4, 4), (3, 6), (5, 2), (1, 1)];

    #[test]
    fn factor_and_c_gradient_agree_with_finite_differences() {
        for bregman in every() {
            for (data_count, noise_count) in COUNTS {
                let live = random(data_count + noise_count, 1);
                let snapshot = random(data_count + noise_count, 2);
                let input = RatioInput {
                    c: 0.3,
                    energy_l2: 0.1,
                    ..batch(&live, &snapshot, (data_count, noise_count))
                };
                let output = ratio_head(&bregman, &input);
                let in_live = central_differences(&live, |live| {
                    let moved = ratio_head(&bregman, &RatioInput { live, ..input });
                    moved.loss + moved.l2
                });
                assert_close(&output.factor, &in_live, 1e-8);
                let in_c = central_differences(&[input.c], |c| {
                    ratio_head(&bregman, &RatioInput { c: c[0], ..input }).loss
                });
                assert_close(&[output.c_gradient], &in_c, 1e-8);
            }
        }
    }

    /// At r = 1 the gradient is f″(1) times the maximum-likelihood one, and c is at its best value.
    #[test]
    fn a_fresh_snapshot_gives_the_contrastive_divergence_gradient() {
        for (bregman, (data_count, noise_count)) in
            every().flat_map(|bregman| COUNTS.map(|counts| (bregman, counts)))
        {
            let energies = random(data_count + noise_count, 1);
            let input = batch(&energies, &energies, (data_count, noise_count));
            let output = ratio_head(&bregman, &input);
            let nu = noise_count as f64 / data_count as f64;
            let share = bregman.curvature(nu);
            let mut expected = vec![share / data_count as f64; data_count];
            expected.resize(data_count + noise_count, -share / noise_count as f64);
            assert_close(&output.factor, &expected, 1e-15);
            assert_close(&[output.c_gradient, output.spread], &[0.0, 0.0], 1e-14);
            assert_close(&[output.ess], &[1.0], 1e-14);
        }
    }

    #[test]
    fn every_metric_by_hand() {
        // u = [1, 0 | −1, 2] and ν = 1, so h = u: data right, tie | noise right, noise wrong.
        let (live, snapshot) = ([1.0, 3.0, 2.0, -2.0], [1.5, 2.5, 0.5, -0.5]);
        let input = RatioInput {
            c: 0.5,
            energy_l2: 0.1,
            ..batch(&live, &snapshot, (2, 2))
        };
        let output = ratio_head(&LOGISTIC, &input);
        assert_eq!(output.log_ratio, [1.0, 0.0, -1.0, 2.0]);
        assert_eq!(
            [output.mean_energy_data, output.mean_energy_noise],
            [2.0, 0.0]
        );
        assert_close(&[output.accuracy], &[2.5 / 4.0], 1e-15);
        // Mean ½, squared deviations ¼, ¼, 9/4, 9/4.
        assert_close(&[output.spread], &[1.25f64.sqrt()], 1e-15);
        // 0.1 · ((1 + 9)/2 + (4 + 4)/2).
        assert_close(&[output.l2], &[0.9], 1e-15);
        // ½ [ln(1 + e⁻¹) + ln 2 + ln(1 + e⁻¹) + ln(1 + e²)].
        let e = std::f64::consts::E;
        let loss = 0.5 * (2.0 * (1.0 + 1.0 / e).ln() + 2f64.ln() + (1.0 + e * e).ln());
        assert_close(&[output.loss], &[loss], 1e-15);
    }

    /// With four noise samples per datum the line between the classes is at u = ln 4, not at 0.
    #[test]
    fn the_decision_line_moves_with_the_noise_ratio() {
        let output = ratio_head(&LOGISTIC, &batch(&[0.0; 5], &[1.0; 5], (1, 4)));
        assert_close(&[output.accuracy], &[0.8], 1e-15);
    }

    #[test]
    fn huge_log_ratios_stay_finite() {
        for u in [-1e4, 1e4] {
            let (data, noise) = LOGISTIC.weights(u, 2.0);
            let (data_loss, noise_loss) = LOGISTIC.losses(u, 2.0);
            let r_is_large = u > 0.0;
            assert_eq!(
                (data, noise),
                if r_is_large { (0.0, 2.0) } else { (1.0, 0.0) }
            );
            assert_eq!(data_loss, if r_is_large { 0.0 } else { 1e4 + 2f64.ln() });
            assert_eq!(
                noise_loss,
                if r_is_large {
                    2.0 * (1e4 - 2f64.ln())
                } else {
                    0.0
                }
            );
        }
    }

    /// Beside the mean, the closed forms that hold without clamps.
    #[test]
    fn the_profiled_normaliser_has_the_closed_forms() {
        let (live, snapshot) = (random(19, 1), random(19, 2));
        let input = batch(&live, &snapshot, (7, 12));
        let v = input.differences();
        let log_mean = |of: &[f64], power: f64| {
            let terms: Vec<f64> = of.iter().map(|v| (power * v).exp()).collect();
            mean(&terms).ln()
        };
        let (data, noise) = v.split_at(input.data_count);
        for bregman in every() {
            let free = Bregman {
                clamp: 25.0,
                ..bregman
            };
            let c = profiled_normaliser(&free, &input);
            let a = f64::from(free.exponent);
            let closed = match free.generator.name {
                "kl" => -log_mean(noise, 1.0),
                "least-squares" => log_mean(data, 1.0) - log_mean(noise, 2.0),
                "power" => log_mean(data, a) - log_mean(noise, 1.0 + a),
                "exponential" => log_mean(data, -0.5) - log_mean(noise, 0.5),
                "itakura-saito" => log_mean(data, -1.0),
                _ => {
                    let slope = ratio_head(&free, &RatioInput { c, ..input }).c_gradient;
                    assert_close(&[slope], &[0.0], 1e-14);
                    continue;
                }
            };
            assert_close(&[c], &[closed], 1e-12);
        }
    }

    #[test]
    fn the_importance_normaliser_averages_the_means_since_the_refresh() {
        let (live, snapshot) = (random(19, 1), random(19, 2));
        let estimate = |step: usize, decay, state| {
            let moved: Vec<f64> = live.iter().map(|e| e + 0.3 * step as f64).collect();
            importance_normaliser(&batch(&moved, &snapshot, (7, 12)), decay, state)
        };
        let mean = |step| (-estimate(step, 0.0, (0.0, 0.0)).0).exp();
        let decay: f64 = 0.6;
        let mut state = (0.0, 0.0);
        for step in 0..4 {
            state = estimate(step, decay, state);
            let weight = |t: usize| decay.powi((step - t) as i32);
            let total: f64 = (0..=step).map(weight).sum();
            let average: f64 = (0..=step).map(|t| weight(t) * mean(t)).sum::<f64>() / total;
            assert_close(&[state.0], &[-average.ln()], 1e-14);
        }
    }

    #[test]
    fn effective_share_by_hand() {
        // Weights 1, 1 and 2: 16 / (3 · 6).
        let shifted = [300.0, 300.0, 300.0 + 2f64.ln()];
        assert_close(&[effective_share(&shifted)], &[16.0 / 18.0], 1e-12);
        assert_eq!(effective_share(&[0.0, -1e4]), 0.5);
    }
}
