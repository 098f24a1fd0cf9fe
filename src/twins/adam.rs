//! Twin of `adam.wgsl`: one step of the optimiser.
//!
//! Sources: Kingma & Ba, *Adam*, 2015 (moments and bias correction); Loshchilov & Hutter, *Decoupled weight
//! decay regularization*, 2019.

use super::check_len;
use super::gradient_norm::gradient_norm;

/// The constants of the optimiser.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdamSettings {
    /// Learning rate of this step.
    pub rate: f64,
    /// Decay of the gradient's moving average, in \[0, 1).
    pub beta1: f64,
    /// Decay of the squared gradient's moving average, in \[0, 1).
    pub beta2: f64,
    /// Added to the root of the second moment.
    pub epsilon: f64,
    /// Decoupled weight decay: each step takes `rate · weight_decay` of every parameter away.
    pub weight_decay: f64,
    /// Longest gradient norm; longer gradients are scaled down to it. 0 leaves them as they are.
    pub gradient_clip: f64,
    /// Decay of the parameters' moving average, in \[0, 1); 0 makes the average a copy.
    pub average: f64,
    /// Whether the gradient is divided by its norm before it is clipped.
    pub normalise_gradient: bool,
}

/// Moves `parameters` by one step and returns the norm of `gradient` before clipping.
///
/// `step` counts from 1. The slices are of one length: all parameters of the network, with their moments
/// and their moving average. The average's decay at step t is min(average, (1 + t) / (10 + t)), so that the
/// initial parameters are forgotten quickly.
pub fn adam(
    settings: &AdamSettings,
    step: u32,
    parameters: &mut [f64],
    first_moment: &mut [f64],
    second_moment: &mut [f64],
    average: &mut [f64],
    gradient: &[f64],
) -> f64 {
    check_len("parameters", parameters, gradient.len());
    check_len("first_moment", first_moment, gradient.len());
    check_len("second_moment", second_moment, gradient.len());
    check_len("average", average, gradient.len());

    let t = f64::from(step);
    let norm = gradient_norm(gradient);
    let mut length = if settings.normalise_gradient {
        1.0
    } else {
        norm
    };
    if settings.gradient_clip > 0.0 {
        length = length.min(settings.gradient_clip);
    }
    let scale = if norm > 0.0 { length / norm } else { 1.0 };
    let correction1 = 1.0 - settings.beta1.powf(t);
    let correction2 = 1.0 - settings.beta2.powf(t);
    let decay = settings.average.min((1.0 + t) / (10.0 + t));
    for i in 0..gradient.len() {
        let g = scale * gradient[i];
        first_moment[i] = settings.beta1 * first_moment[i] + (1.0 - settings.beta1) * g;
        second_moment[i] = settings.beta2 * second_moment[i] + (1.0 - settings.beta2) * g * g;
        let mean = first_moment[i] / correction1;
        let root = (second_moment[i] / correction2).sqrt();
        parameters[i] -= settings.rate * settings.weight_decay * parameters[i];
        parameters[i] -= settings.rate * mean / (root + settings.epsilon);
        average[i] = decay * average[i] + (1.0 - decay) * parameters[i];
    }
    norm
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::twins::testing::{assert_close, dot, random};

    const SETTINGS: AdamSettings = AdamSettings {
        rate: 0.1,
        beta1: 0.9,
        beta2: 0.999,
        epsilon: 0.0,
        weight_decay: 0.0,
        gradient_clip: 0.0,
        average: 0.0,
        normalise_gradient: false,
    };

    #[test]
    fn two_steps_by_hand() {
        let (mut p, mut m, mut v, mut a) = ([1.0], [0.0], [0.0], [0.0]);
        let settings = AdamSettings {
            weight_decay: 0.5,
            ..SETTINGS
        };
        // Bias correction makes the first step rate · sign(g), after the decay by 5 %.
        assert_eq!(
            adam(&settings, 1, &mut p, &mut m, &mut v, &mut a, &[2.0]),
            2.0
        );
        assert_close(&[p[0], m[0], v[0], a[0]], &[0.85, 0.2, 0.004, 0.85], 1e-14);
        // m = 0.18 − 0.1, v = 0.003996 + 0.001; corrected 0.08/0.19 and 0.004996/0.001999.
        assert_eq!(
            adam(&settings, 2, &mut p, &mut m, &mut v, &mut a, &[-1.0]),
            1.0
        );
        assert_close(&[m[0], v[0]], &[0.08, 0.004996], 1e-14);
        let expected = 0.8075 - 0.1 * (0.08 / 0.19) / f64::sqrt(0.004996 / 0.001999);
        assert_close(&[p[0], a[0]], &[expected, expected], 1e-12);
    }

    #[test]
    fn long_gradients_are_scaled_to_the_clip_and_short_ones_are_not() {
        let settings = AdamSettings {
            gradient_clip: 1.0,
            ..SETTINGS
        };
        let first_moment = |gradient: &[f64; 2]| {
            let (mut p, mut m, mut v, mut a) = ([0.0; 2], [0.0; 2], [0.0; 2], [0.0; 2]);
            let norm = adam(&settings, 1, &mut p, &mut m, &mut v, &mut a, gradient);
            (norm, m)
        };
        let (norm, m) = first_moment(&[3.0, -4.0]);
        assert_close(&[norm, m[0], m[1]], &[5.0, 0.06, -0.08], 1e-14);
        let (norm, m) = first_moment(&[0.3, -0.4]);
        assert_close(&[norm, m[0], m[1]], &[0.5, 0.03, -0.04], 1e-14);
        let (norm, m) = first_moment(&[0.0, 0.0]);
        assert_eq!((norm, m), (0.0, [0.0; 2]));
    }

    /// Against the moments as explicit sums, mₜ = (1 − β₁) Σᵢ β₁^{t−i} gᵢ and likewise vₜ, with everything on.
    #[test]
    fn many_steps_agree_with_the_moments_written_as_sums() {
        let settings = AdamSettings {
            rate: 0.01,
            beta1: 0.8,
            beta2: 0.95,
            epsilon: 1e-3,
            weight_decay: 0.2,
            gradient_clip: 1.5,
            average: 0.4,
            normalise_gradient: false,
        };
        let (len, steps) = (3, 12u32);
        let gradients: Vec<Vec<f64>> = (0..steps).map(|t| random(len, u64::from(t))).collect();
        let clipped: Vec<Vec<f64>> = gradients
            .iter()
            .map(|g| {
                let scale = (settings.gradient_clip / dot(g, g).sqrt()).min(1.0);
                g.iter().map(|g| scale * g).collect()
            })
            .collect();
        assert_ne!(
            clipped, gradients,
            "no gradient was long enough to be clipped"
        );

        let start = random(len, 100);
        let (mut p, mut m, mut v, mut a) =
            (start.clone(), vec![0.0; len], vec![0.0; len], start.clone());
        let (mut expected, mut expected_average) = (start.clone(), start);
        for t in 1..=steps {
            adam(
                &settings,
                t,
                &mut p,
                &mut m,
                &mut v,
                &mut a,
                &gradients[t as usize - 1],
            );
            // 1 − βᵗ equals (1 − β) Σᵢ β^{t−i}, so the corrected moments are weighted means.
            let weighted_mean = |beta: f64, value: &dyn Fn(usize) -> f64| {
                let weight = |i: u32| beta.powi((t - i) as i32);
                let total: f64 = (1..=t).map(weight).sum();
                (1..=t)
                    .map(|i| weight(i) * value(i as usize - 1))
                    .sum::<f64>()
                    / total
            };
            let decay = f64::min(0.4, f64::from(1 + t) / f64::from(10 + t));
            for k in 0..len {
                let mean = weighted_mean(settings.beta1, &|i| clipped[i][k]);
                let square = weighted_mean(settings.beta2, &|i| clipped[i][k].powi(2));
                expected[k] =
                    expected[k] * (1.0 - 0.01 * 0.2) - 0.01 * mean / (square.sqrt() + 1e-3);
                expected_average[k] += (1.0 - decay) * (expected[k] - expected_average[k]);
            }
            assert_close(&p, &expected, 1e-12);
            assert_close(&a, &expected_average, 1e-12);
        }
    }
}
