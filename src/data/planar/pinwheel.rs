//! The pinwheel. With noise, a point is normal given r and the blade, and the integral over r is by quadrature
//! (`pinwheel/noisy.rs`). Without, its density is by a change of variables, as follows. Far out, where the blades are wound
//! too tightly to be told apart, both are the mean over all angles.
//!
//! A point is x = 2y with y = R(−a)·(r, s), where R(−a) turns by −a and a = 2πk/5 + ¼·exp(r). Write y = ρ·(cos φ, sin φ)
//! and let θ be the angle of (r, s): r = ρ·cos θ, s = ρ·sin θ. Turning adds a, so θ = φ + a, and (r, s) of every blade k
//! that lead to x are the solutions θ ∈ [−π, π) of
//!
//! g(θ) = φ + ¼·exp(ρ·cos θ) − θ ≡ 0  (mod 2π/5).
//!
//! ∂y/∂(r, s) = R(−a)·[(1 + a's, −a'r), (0, 1)] as columns, with a' = ¼·exp(r), so its determinant is 1 + a's = −g'(θ), and
//!
//! p(x) = ¼·⅕·Σ_θ N(r; 1, 0.3²)·N(s; 0, 0.1²) / |g'(θ)|.
//!
//! g falls wherever a's > −1. It rises only where s is far out on one side; ρ·|sin θ|·exp(ρ·cos θ) has one maximum in
//! −π < θ < 0, at ρ·sin²θ = cos θ, so there is at most one such interval, and between its ends each solution is
//! bracketed. At the ends, where p has integrable singularities, lies less than 1e-9 of the mass.

mod noisy;

use super::density::{Form, REACH};
use super::special::log_normal;
use super::{Planar, angle_between, numbered};
use noisy::NoisyPinwheel;
use rand::RngExt;
use std::f64::consts::{PI, TAU};

/// Five curved blades (M. Johnson, D. Duvenaud, A. Wiltschko, S. Datta, R. Adams, *Composing graphical
/// models with neural networks*, NeurIPS 2016). With r = 1 + 0.3·z₁, s = 0.1·z₂, k ∈ {0, …, 4} and
/// the angle a = 2πk/5 + ¼·exp(r): 2·(r·cos a + s·sin a, s·cos a − r·sin a). The modes are the blades.
pub(super) static PINWHEEL: Planar = Planar {
    name: "pinwheel",
    point: |random| {
        let blade = random.random_range(0..5u32) as f32;
        let [r, s] = [1.0 + 0.3 * random.normal(), 0.1 * random.normal()];
        let angle = std::f32::consts::TAU / 5.0 * blade + 0.25 * r.exp();
        let (sin, cos) = angle.sin_cos();
        [2.0 * (r * cos + s * sin), 2.0 * (s * cos - r * sin)]
    },
    form: |noise| {
        if noise == 0.0 {
            return Ok(Form::Formula(Box::new(log_density)));
        }
        if noise < LEAST_NOISE {
            return Err("on the pinwheel set data.noise to 0 or to at least 0.002");
        }
        let noisy = NoisyPinwheel::new(noise);
        Ok(Form::Formula(Box::new(move |point| {
            noisy.log_density(point)
        })))
    },
    reach: |noise| SCALE * (RADIUS_MEAN + 6.0 * RADIUS_STD) + REACH * noise,
    mode_names: || numbered("blade", BLADES),
    mode_distances: |[x, y]| {
        let untwisted = y.atan2(x) + twist(x.hypot(y) / SCALE);
        (0..BLADES)
            .map(|k| angle_between(untwisted, -TAU / BLADES as f64 * k as f64))
            .collect()
    },
};

const BLADES: usize = 5;
const RADIUS_MEAN: f64 = 1.0;
const RADIUS_STD: f64 = 0.3;
const WIDTH_STD: f64 = 0.1;
/// A point is this many times (r, s), turned.
const SCALE: f64 = 2.0;
/// Less noise than this would need more nodes than a grid can be summed over in time.
const LEAST_NOISE: f64 = 2e-3;

/// How far the blades are turned at r; also its own derivative by r.
fn twist(r: f64) -> f64 {
    0.25 * r.exp()
}

/// Beyond this ρ only r close to ρ is looked at: solutions with smaller r are more than 100 nats less likely.
const FAR: f64 = 5.0;

/// ln p(x).
fn log_density([x, y]: [f64; 2]) -> f64 {
    let (rho, phi) = (x.hypot(y) / SCALE, y.atan2(x));
    if rho > WOUND {
        return log_mean_over_angles(SCALE * rho, SCALE * RADIUS_STD, SCALE * WIDTH_STD);
    }
    let map = Map { rho, phi };
    let widest = match rho > FAR {
        // r ≥ ρ − 1.5/ρ; each unit of r less costs some 89·r nats.
        true => (1.0 - 1.5 / (rho * rho)).acos(),
        false => PI,
    };
    let mut edges = vec![-widest];
    edges.extend(
        map.rising()
            .into_iter()
            .flatten()
            .filter(|edge| *edge > -widest),
    );
    edges.push(widest);

    let mut logs = Vec::new();
    for pair in edges.windows(2) {
        map.solutions(pair[0], pair[1], &mut |theta| {
            let (r, s) = (rho * theta.cos(), rho * theta.sin());
            let log = log_normal(r - RADIUS_MEAN, RADIUS_STD) + log_normal(s, WIDTH_STD);
            logs.push(log - map.slope(theta).abs().ln());
        });
    }
    let most = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let sum: f64 = logs.iter().map(|log| (log - most).exp()).sum();
    most + sum.ln() - (SCALE * SCALE * BLADES as f64).ln()
}

/// From here on the blades are wound so tightly, four turns and more on the width of one, that only their mean over all
/// angles is of use.
const WOUND: f64 = 10.0;

/// ln of the mean over all angles at a distance from the origin, with noise or without: given the angle θ from the
/// direction of its blade, a point is normal along that direction, about 2, and across, with these standard deviations,
/// and r is integrated out. By the trapezoidal rule over θ, from 0, where the integrand is largest.
fn log_mean_over_angles(radius: f64, along: f64, across: f64) -> f64 {
    let log = |theta: f64| {
        let (sin, cos) = theta.sin_cos();
        log_normal(radius * cos - SCALE * RADIUS_MEAN, along) + log_normal(radius * sin, across)
    };
    let (top, step) = (log(0.0), 0.5 * (across / radius).min(1.0));
    let mut sum = 0.5;
    for index in 1.. {
        let theta = step * f64::from(index);
        let term = (log(theta) - top).exp();
        sum += term;
        if term < 1e-17 || theta > PI {
            break;
        }
    }
    top + (sum * step / PI).ln()
}

struct Map {
    rho: f64,
    phi: f64,
}

impl Map {
    /// g(θ).
    fn value(&self, theta: f64) -> f64 {
        self.phi + twist(self.rho * theta.cos()) - theta
    }

    /// g'(θ).
    fn slope(&self, theta: f64) -> f64 {
        -1.0 - twist(self.rho * theta.cos()) * self.rho * theta.sin()
    }

    /// The ends of the interval in which g rises, if it does anywhere.
    fn rising(&self) -> Option<[f64; 2]> {
        let steepest = -(2.0 * self.rho / (1.0 + (1.0 + 4.0 * self.rho * self.rho).sqrt())).acos();
        if self.slope(steepest) <= 0.0 {
            return None;
        }
        // g' is below 0 at −π and at 0.
        let zero = |outside: f64| {
            let (mut falling, mut rising) = (outside, steepest);
            for _ in 0..60 {
                let middle = 0.5 * (falling + rising);
                match self.slope(middle) > 0.0 {
                    true => rising = middle,
                    false => falling = middle,
                }
            }
            falling
        };
        Some([zero(-PI), zero(0.0)])
    }

    /// Tells `found` every θ in `low` .. `high`, where g is monotone, at which g is a multiple of 2π/5.
    fn solutions(&self, low: f64, high: f64, found: &mut dyn FnMut(f64)) {
        const PERIOD: f64 = TAU / BLADES as f64;
        let (at_low, at_high) = (self.value(low), self.value(high));
        let (least, most) = (at_low.min(at_high), at_low.max(at_high));
        let mut multiple = (least / PERIOD).floor() + 1.0;
        while multiple * PERIOD <= most {
            let target = multiple * PERIOD;
            let sign = if at_low < at_high { 1.0 } else { -1.0 };
            let (mut below, mut above) = (low, high);
            let mut theta = 0.5 * (low + high);
            // Newton's method, or halving where it leaves the bracket.
            for _ in 0..80 {
                let off = self.value(theta) - target;
                match sign * off < 0.0 {
                    true => below = theta,
                    false => above = theta,
                }
                let next = theta - off / self.slope(theta);
                let next = match next > below && next < above {
                    true => next,
                    false => 0.5 * (below + above),
                };
                let moved = (next - theta).abs();
                theta = next;
                if moved < 1e-14 {
                    break;
                }
            }
            found(theta);
            multiple += 1.0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn far_out_the_density_is_its_mean_over_angles() {
        let rho = 0.99 * WOUND;
        let wound = log_mean_over_angles(SCALE * rho, SCALE * RADIUS_STD, SCALE * WIDTH_STD);
        let count = 400;
        let ratio = |i: usize| {
            let angle = TAU * i as f64 / f64::from(count);
            let point = [rho * SCALE * angle.cos(), rho * SCALE * angle.sin()];
            (log_density(point) - wound).exp()
        };
        let mean = (0..count as usize).map(ratio).sum::<f64>() / f64::from(count);
        assert!((mean - 1.0).abs() < 0.05, "{mean}");
        for far in [30.0, 100.0, 1e6] {
            assert!(log_density([far, -far]).is_finite());
        }
        assert!(log_density([30.0, 0.0]) < log_density([25.0, 0.0]));
    }
}
