//! Twin of `langevin.wgsl`: one step of unadjusted Langevin dynamics.

use super::check_len;
use super::philox_normal::normal;
use crate::random::Stream;

/// Where a chain may go. `low` is below `high`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Bounds {
    /// Anywhere.
    None,
    /// Values outside are set to the nearest bound.
    Clamp { low: f64, high: f64 },
    /// Values outside are folded back as by mirrors at both bounds.
    Reflect { low: f64, high: f64 },
}

impl Bounds {
    /// `x` brought inside; values already inside are not touched.
    pub(crate) fn apply(self, x: f64) -> f64 {
        match self {
            Bounds::None => x,
            Bounds::Clamp { low, high } => x.clamp(low, high),
            Bounds::Reflect { low, high } if (low..=high).contains(&x) => x,
            Bounds::Reflect { low, high } => {
                // A triangle wave of period 2·width, so that any overshoot lands inside.
                let width = high - low;
                let phase = (x - low).rem_euclid(2.0 * width);
                // Clamped because the sum may round past a bound.
                (low + phase.min(2.0 * width - phase)).clamp(low, high)
            }
        }
    }
}

/// The constants of the Langevin update.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LangevinSettings {
    /// What the gradient is multiplied by.
    pub step_size: f64,
    /// Standard deviation of the noise added per step; √(2 · step_size) samples exp(−E) at temperature 1.
    pub noise: f64,
    /// Gradient values are clamped to ±clip; 0 leaves them as they are.
    pub clip: f64,
    /// Where the chains may go.
    pub bounds: Bounds,
}

/// Moves every value once: x ← bounds(x − step_size · clip(gradient) + noise · ξ), ξ standard normal.
///
/// Value i takes ξ from element `first_element + i` of the Langevin stream at `step`, so a batch may be
/// moved in parts and in any order.
pub fn langevin(
    settings: &LangevinSettings,
    seed: u64,
    step: u32,
    first_element: u32,
    x: &mut [f64],
    gradient: &[f64],
) {
    check_len("gradient", gradient, x.len());
    for (i, (x, &gradient)) in (0u32..).zip(x.iter_mut().zip(gradient)) {
        let clipped = if settings.clip > 0.0 {
            gradient.clamp(-settings.clip, settings.clip)
        } else {
            gradient
        };
        let xi = normal(seed, Stream::Langevin, step, first_element.wrapping_add(i));
        *x = settings
            .bounds
            .apply(*x - settings.step_size * clipped + settings.noise * xi);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::twins::testing::{assert_close, random};

    const PLAIN: LangevinSettings = LangevinSettings {
        step_size: 0.5,
        noise: 0.0,
        clip: 0.0,
        bounds: Bounds::None,
    };

    #[test]
    fn without_noise_it_is_clipped_gradient_descent() {
        let gradient = [0.5, -2.0, 3.0, -0.25];
        let mut x = [1.0; 4];
        langevin(&PLAIN, 1, 2, 0, &mut x, &gradient);
        assert_eq!(x, [0.75, 2.0, -0.5, 1.125]);

        let mut x = [1.0; 4];
        langevin(
            &LangevinSettings { clip: 1.0, ..PLAIN },
            1,
            2,
            0,
            &mut x,
            &gradient,
        );
        assert_eq!(x, [0.75, 1.5, 0.5, 1.125]);
    }

    #[test]
    fn noise_is_scaled_and_keyed_by_element() {
        let settings = LangevinSettings {
            noise: 0.1,
            ..PLAIN
        };
        let mut x = [0.0; 3];
        langevin(&settings, 9, 4, 6, &mut x, &[0.0; 3]);
        let expected: Vec<f64> = (6..9)
            .map(|e| 0.1 * normal(9, Stream::Langevin, 4, e))
            .collect();
        assert_eq!(x.to_vec(), expected);
    }

    #[test]
    fn a_batch_may_be_moved_in_parts() {
        let settings = LangevinSettings {
            noise: 0.3,
            bounds: Bounds::Clamp {
                low: -1.0,
                high: 1.0,
            },
            ..PLAIN
        };
        let gradient = random(11, 1);
        let mut whole = random(11, 2);
        let mut parts = whole.clone();
        langevin(&settings, 3, 8, 5, &mut whole, &gradient);
        let (head, tail) = parts.split_at_mut(6);
        langevin(&settings, 3, 8, 11, tail, &gradient[6..]);
        langevin(&settings, 3, 8, 5, head, &gradient[..6]);
        assert_eq!(whole, parts);
    }

    #[test]
    fn reflection_folds_back() {
        let bounds = Bounds::Reflect {
            low: -1.0,
            high: 3.0,
        };
        let folded = [-1.0, 3.0, 0.5, 3.5, -1.25, 7.5, -5.5, 8.0].map(|x| bounds.apply(x));
        assert_close(
            &folded,
            &[-1.0, 3.0, 0.5, 2.5, -0.75, -0.5, 2.5, 0.0],
            1e-12,
        );
    }

    #[test]
    fn bounded_chains_stay_inside_however_large_the_overshoot() {
        let (low, high) = (-0.3, 0.7);
        for bounds in [Bounds::Reflect { low, high }, Bounds::Clamp { low, high }] {
            for scale in [0.1, 1.0, 10.0, 1e6, 1e300] {
                let settings = LangevinSettings {
                    step_size: scale,
                    noise: scale,
                    clip: 0.0,
                    bounds,
                };
                let mut x = vec![0.2; 200];
                langevin(&settings, 1, 1, 0, &mut x, &random(200, 3));
                assert!(
                    x.iter().all(|x| (low..=high).contains(x)),
                    "{bounds:?}, scale {scale}"
                );
            }
        }
    }

    #[test]
    fn a_lost_chain_is_not_hidden_by_the_bounds() {
        for bounds in [
            Bounds::Clamp {
                low: 0.0,
                high: 1.0,
            },
            Bounds::Reflect {
                low: 0.0,
                high: 1.0,
            },
        ] {
            assert!(bounds.apply(f64::NAN).is_nan());
        }
    }

    /// On E = x²/2 the update is x ← (1 − s)x + √(2s) ξ, whose stationary variance is 1 / (1 − s/2).
    #[test]
    fn the_stationary_variance_on_a_gaussian_has_the_known_bias() {
        let step_size = 0.5;
        let settings = LangevinSettings {
            step_size,
            noise: (2.0 * step_size).sqrt(),
            ..PLAIN
        };
        let chains = 4096;
        let mut x = vec![0.0; chains];
        for step in 0..30 {
            let gradient = x.clone();
            langevin(&settings, 5, step, 0, &mut x, &gradient);
        }
        let mean = x.iter().sum::<f64>() / chains as f64;
        let variance = x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / chains as f64;
        let expected = 1.0 / (1.0 - step_size / 2.0);
        // Five standard errors; the bias itself is more than twice as large.
        assert!(
            mean.abs() < 5.0 * (expected / chains as f64).sqrt(),
            "mean {mean}"
        );
        let bound = 5.0 * expected * (2.0 / chains as f64).sqrt();
        assert!((variance - expected).abs() < bound, "variance {variance}");
    }
}
