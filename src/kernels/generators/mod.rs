//! The convex functions f that pick a Bregman divergence, one file each here and one of the same name in
//! `shaders/generators/`. [`GENERATORS`] is the only list of them: configuration, kernels, twins and tests read it.
//!
//! The loss of the ratio r = p_θ/p_φ is L_f = E_φ\[f′(r) r − f(r)\] − E_data\[f′(r)\], whose gradient for every f is
//! ∂L/∂θ = E_data\[w ∂E_θ\] − E_φ\[r·w ∂E_θ\] with w(r) = r f″(r) (Gutmann & Hirayama, *Bregman divergence as general
//! framework to estimate unnormalized statistical models*, UAI 2011). Everything is a function of u = ln r.
//!
//! # The best c
//!
//! With u = v + c, ∂L/∂c = mean of r·w over the noise − mean of w over the data. Both are positive, r·w / w = r, and the
//! sign is that of u where all u are alike, so that for finite energies there always is a root: below it the data
//! outweighs the noise, above it the noise the data. Each file says whether there is only one.
//!
//! # Clamped log-ratios
//!
//! The weights of an unbounded generator are taken at u clamped to ±clamp, and its loss goes on along its tangent beyond:
//! the gradient is then exactly that of the (continuous, once differentiable) loss that is reported, bounded, and still
//! pulls a far sample back, which the constant loss of a clamped u would not.

mod exponential;
mod itakura_saito;
mod kl;
mod least_squares;
mod logistic;
mod power;

use crate::words::table;

/// All generators.
pub const GENERATORS: &[Generator] = &[
    logistic::GENERATOR,
    kl::GENERATOR,
    least_squares::GENERATOR,
    power::GENERATOR,
    exponential::GENERATOR,
    itakura_saito::GENERATOR,
];

/// A convex function f. Its functions take the noise ratio ν, which only `logistic` looks at, and the exponent a, which
/// only `power` does.
#[derive(Clone, Copy)]
pub struct Generator {
    /// What configurations call it.
    pub name: &'static str,
    /// WGSL functions `data_weight`, `noise_weight`, `data_loss` and `noise_loss` of u, which may use the constants `NU`
    /// and `EXPONENT`.
    pub source: &'static str,
    /// The highest power of r or 1/r in a weight at (a): how fast ln of it grows in |u|. 0 where both weights are bounded, or
    /// else u is clamped.
    pub steepest: fn(f64) -> f64,
    /// f(t) at (t, ν, a), up to terms linear in t: the source of all others, and what tests hold them to.
    pub f: fn(f64, f64, f64) -> f64,
    /// f″(1) at (ν, a): the factor between this gradient and that of contrastive divergence at a fresh snapshot.
    pub curvature: fn(f64, f64) -> f64,
    /// (w, r·w) at (u, ν, a): the weights of a data and of a noise sample.
    pub weights: fn(f64, f64, f64) -> (f64, f64),
    /// (−f′(r), f′(r) r − f(r)) at (u, ν, a), up to constants: the losses of a data and of a noise sample.
    pub losses: fn(f64, f64, f64) -> (f64, f64),
}

impl Generator {
    /// Noise-contrastive estimation.
    pub const LOGISTIC: Generator = logistic::GENERATOR;

    /// Whether a weight grows without limit in u, so that u has to be clamped.
    pub fn is_unbounded(&self) -> bool {
        (self.steepest)(1.0) > 0.0
    }

    /// Whether its functions look at the exponent a.
    pub(crate) fn has_exponent(&self) -> bool {
        self.source.contains("EXPONENT")
    }
}

table!(Generator, Generator, GENERATORS);

/// A generator with the numbers that its functions need.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bregman {
    pub generator: Generator,
    /// The exponent a of `power`.
    pub exponent: f32,
    /// Where |u| is clamped if the generator is unbounded; above 0.
    pub clamp: f32,
}

impl Bregman {
    /// `u` as the weights of the generator see it.
    pub fn clamped(&self, u: f64) -> f64 {
        let clamp = f64::from(self.clamp);
        if self.generator.is_unbounded() {
            u.clamp(-clamp, clamp)
        } else {
            u
        }
    }

    /// The weights of a data and of a noise sample at the log-ratio `u` with noise ratio `nu`.
    pub fn weights(&self, u: f64, nu: f64) -> (f64, f64) {
        (self.generator.weights)(self.clamped(u), nu, self.exponent.into())
    }

    /// The losses of a data and of a noise sample, whose slopes are −w and r·w.
    pub fn losses(&self, u: f64, nu: f64) -> (f64, f64) {
        let (inside, weights) = (self.clamped(u), self.weights(u, nu));
        let (data, noise) = (self.generator.losses)(inside, nu, self.exponent.into());
        let beyond = u - inside;
        (data - weights.0 * beyond, noise + weights.1 * beyond)
    }

    /// f″(1).
    #[cfg(test)]
    pub(crate) fn curvature(&self, nu: f64) -> f64 {
        (self.generator.curvature)(nu, self.exponent.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::twins::testing::{assert_close, central_differences};

    fn every() -> impl Iterator<Item = Bregman> {
        let of = |&generator: &Generator| Bregman {
            generator,
            exponent: 0.7,
            clamp: 2.0,
        };
        GENERATORS.iter().map(of)
    }

    fn f_prime(b: &Bregman, nu: f64, t: f64) -> f64 {
        let f = |t| (b.generator.f)(t, nu, b.exponent.into());
        let step = 1e-5 * t;
        (f(t + step) - f(t - step)) / (2.0 * step)
    }

    /// Log-ratios within the clamp, and noise ratios.
    fn grid() -> impl Iterator<Item = (f64, f64)> {
        let log_ratios = [-1.9, -0.7, 0.0, 0.4, 1.8];
        [0.5, 1.0, 4.0]
            .into_iter()
            .flat_map(move |nu| log_ratios.map(|u| (u, nu)))
    }

    #[test]
    fn weights_and_curvature_are_those_of_f() {
        for b in every() {
            for (u, nu) in grid() {
                let f = |t: f64| (b.generator.f)(t, nu, b.exponent.into());
                let second = |r: f64| {
                    let step = 1e-4 * r;
                    (f(r + step) - 2.0 * f(r) + f(r - step)) / (step * step)
                };
                let r = u.exp();
                let (data, noise) = b.weights(u, nu);
                let want = [r * second(r), r * r * second(r)];
                assert_close(&[data, noise], &want, 1e-5);
                assert_close(&[b.curvature(nu)], &[second(1.0)], 1e-5);
                // To the digits of f64, since the theorem rests on it.
                let (data, noise) = b.weights(0.0, nu);
                assert_close(&[data, noise], &[b.curvature(nu); 2], 1e-15);
            }
        }
    }

    #[test]
    fn losses_are_the_bregman_loss_up_to_a_constant() {
        for b in every() {
            for (u, nu) in grid() {
                let bregman = |u: f64| {
                    let r = u.exp();
                    let slope = f_prime(&b, nu, r);
                    let f = (b.generator.f)(r, nu, b.exponent.into());
                    [-slope, slope * r - f]
                };
                let terms = |u| <[f64; 2]>::from(b.losses(u, nu));
                let change = |of: [[f64; 2]; 2]| [of[0][0] - of[1][0], of[0][1] - of[1][1]];
                assert_close(
                    &change([terms(u), terms(0.0)]),
                    &change([bregman(u), bregman(0.0)]),
                    1e-7,
                );
            }
        }
    }

    /// Also beyond the clamp of 2, where the tangent goes on.
    #[test]
    fn slopes_of_the_losses_are_the_weights() {
        for b in every() {
            for u in [-50.0, -2.5, -1.0, 0.0, 0.3, 1.9, 2.1, 40.0] {
                for nu in [0.5, 3.0] {
                    let slope = |pick: fn((f64, f64)) -> f64| {
                        central_differences(&[u], |u| pick(b.losses(u[0], nu)))[0]
                    };
                    let (data, noise) = b.weights(u, nu);
                    let slopes = [slope(|terms| terms.0), slope(|terms| terms.1)];
                    assert_close(&slopes, &[-data, noise], 1e-7);
                }
            }
        }
    }

    /// The steepest slope of the logarithms of the weights far out, where it has stopped changing.
    #[test]
    fn the_steepest_weight_is_as_steep_as_said() {
        for b in every() {
            let free = Bregman { clamp: 40.0, ..b };
            let log_weights = |u: f64| <[f64; 2]>::from(free.weights(u, 2.0)).map(f64::ln);
            let slope = |u: f64, place: usize| log_weights(1.1 * u)[place] - log_weights(u)[place];
            let steepest = [(-30.0, 0), (-30.0, 1), (30.0, 0), (30.0, 1)]
                .map(|(u, place)| slope(u, place) / 3.0)
                .into_iter()
                .fold(0.0, f64::max);
            // A bounded weight still has e⁻³⁰ of its slope.
            let said = (b.generator.steepest)(b.exponent.into());
            assert!((steepest - said).abs() < 1e-9, "{b:?}: {steepest}");
            assert_eq!(b.generator.is_unbounded(), said > 0.0, "{b:?}");
        }
    }

    #[test]
    fn the_exponent_matters_to_those_that_have_one() {
        for b in every() {
            let other = Bregman { exponent: 0.3, ..b };
            let differs = b.weights(1.0, 2.0) != other.weights(1.0, 2.0);
            assert_eq!(differs, b.generator.has_exponent(), "{b:?}");
        }
    }

    #[test]
    fn names_are_unique() {
        for (index, generator) in GENERATORS.iter().enumerate() {
            assert!(!GENERATORS[..index].contains(generator), "{generator:?}");
        }
    }
}
