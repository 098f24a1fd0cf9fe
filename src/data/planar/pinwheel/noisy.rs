//! The density of the pinwheel with noise, by quadrature over r.
//!
//! With the noise n, a point of blade k is normal given r (`../pinwheel.rs`): with standard deviation n along the direction
//! of the blade's ridge, about 2r, and w = √((2·0.1)² + n²) across. At distance R and angle φ from the origin, therefore,
//!
//! p(x) = ⅕·Σ_k ∫ N(r; 1, 0.3²)·N(R·cos δ − 2r; n²)·N(R·sin δ; w²) dr,   δ = φ + ¼·exp(r) + 2πk/5.
//!
//! The integrand is analytic and falls off on both sides like a normal density, so the trapezoidal rule converges
//! exponentially (L. Trefethen, J. Weideman, SIAM Review 56, 2014): with nodes h of its narrowest standard deviations
//! apart it errs by 2·exp(−2π²/h²). How narrow it gets grows with the blades' twist, and so does the density of nodes.

use super::{BLADES, RADIUS_MEAN, RADIUS_STD, SCALE, WIDTH_STD, log_mean_over_angles, twist};
use std::f64::consts::TAU;
use std::ops::Range;

/// Nodes are this many standard deviations apart: an error of 1e-15.
const STEP: f64 = 0.75;
/// Terms this many nats below the largest are left out.
const NEGLIGIBLE: f64 = 40.0;
/// A largest term so far below what was hoped for asks for a second look.
const SURPRISE: f64 = 5.0;
/// Where the spread of r turns the blades by so many radians of their period, the density differs by less than a
/// millionth from its mean over all angles: by exp(−6.5²/2) = 7e-10, and by more where the spread of r is not small, for
/// which the twist is taken three standard deviations below the likeliest r.
const WOUND: f64 = 6.5;
const BELOW: f64 = 3.0;

pub(super) struct NoisyPinwheel {
    noise: f64,
    /// Standard deviations of all points of a blade's direction, all r together, along it and across.
    along: f64,
    across: f64,
    /// Standard deviation of r at a given place along its blade.
    spread: f64,
    /// Sine and cosine of the blades' angles.
    blades: [(f64, f64); BLADES],
}

/// Where the density is wanted.
struct Place<'a> {
    pinwheel: &'a NoisyPinwheel,
    radius: f64,
    angle: f64,
    /// The likeliest r.
    top: f64,
    /// Where its blades bend: for r below this in size, some δ other than 0 is the likeliest.
    bend: f64,
}

impl NoisyPinwheel {
    pub(super) fn new(noise: f64) -> Self {
        let along = (SCALE * RADIUS_STD).hypot(noise);
        NoisyPinwheel {
            noise,
            along,
            across: (SCALE * WIDTH_STD).hypot(noise),
            spread: RADIUS_STD * noise / along,
            blades: std::array::from_fn(|k| (TAU / BLADES as f64 * k as f64).sin_cos()),
        }
    }

    /// ln p(x).
    pub(super) fn log_density(&self, [x, y]: [f64; 2]) -> f64 {
        let radius = x.hypot(y);
        let top = self.likeliest(radius);
        let blurred = twist(top - BELOW * self.spread) * self.spread;
        if BLADES as f64 * blurred > WOUND {
            return log_mean_over_angles(radius, self.along, self.across);
        }
        let place = Place {
            pinwheel: self,
            radius,
            angle: y.atan2(x),
            top,
            bend: radius / SCALE * (SCALE * WIDTH_STD / self.across).powi(2),
        };
        let hoped = place.bound(top);
        let (best, sum) = place.sum(hoped);
        let log = match best < hoped - SURPRISE {
            // Between blades the largest term may be beyond the windows of the first look.
            true => best + place.sum(best).1.ln(),
            false => hoped + sum.ln(),
        };
        log - (BLADES as f64 * TAU.powf(1.5) * RADIUS_STD * self.noise * self.across).ln()
    }

    /// The r that is likeliest at `distance` from the origin in the direction of its blade.
    fn likeliest(&self, distance: f64) -> f64 {
        let pull = SCALE * RADIUS_STD * RADIUS_STD * distance;
        (RADIUS_MEAN * self.noise * self.noise + pull) / (self.along * self.along)
    }
}

impl Place<'_> {
    /// The logarithm of the largest that the integrand can be at `r`, whatever the blade's angle, without the normal
    /// densities' factors: at the best δ, which has cos δ = 2r·w²/(R·(w² − n²)) or, where that is above 1, is 0.
    fn bound(&self, r: f64) -> f64 {
        let misfit = match r.abs() < self.bend {
            true => (self.radius / self.pinwheel.across).powi(2) - (r / WIDTH_STD).powi(2),
            false => ((self.radius - SCALE * r.abs()) / self.pinwheel.noise).powi(2),
        };
        -0.5 * (((r - RADIUS_MEAN) / RADIUS_STD).powi(2) + misfit)
    }

    /// The largest term near enough to `reference`, and the sum of all of them as a multiple of exp(`reference`).
    fn sum(&self, reference: f64) -> (f64, f64) {
        let least = reference - NEGLIGIBLE;
        let (mut best, mut sum) = (f64::NEG_INFINITY, 0.0);
        for window in self.windows(least) {
            self.nodes(window, least, |r, turned, weight| {
                self.exponents(r, turned, |log| {
                    best = best.max(log);
                    if log > least {
                        sum += weight * (log - reference).exp();
                    }
                });
            });
        }
        (best, sum)
    }

    /// The logarithm of every blade's term at `r`, where the blades are turned by `turned`.
    fn exponents(&self, r: f64, turned: f64, mut tell: impl FnMut(f64)) {
        let prior = ((r - RADIUS_MEAN) / RADIUS_STD).powi(2);
        let (sin, cos) = (self.angle + turned).sin_cos();
        for (blade_sin, blade_cos) in &self.pinwheel.blades {
            let along = self.radius * (cos * blade_cos - sin * blade_sin) - SCALE * r;
            let across = self.radius * (sin * blade_cos + cos * blade_sin);
            let along = along / self.pinwheel.noise;
            let across = across / self.pinwheel.across;
            tell(-0.5 * (prior + along * along + across * across));
        }
    }

    /// Tells the nodes of the rule in `window`, their twists and their weights. With τ = a·r + b·¼·exp(r) they lie evenly
    /// in τ.
    fn nodes(&self, window: Range<f64>, least: f64, mut tell: impl FnMut(f64, f64, f64)) {
        let NoisyPinwheel {
            noise,
            along,
            across,
            spread,
            ..
        } = *self.pinwheel;
        // The best r for a deviation v across costs v²/across² − v²/along² or more.
        let cost = 2.0 * (self.bound(self.top) - least);
        let deviation = (cost / (across.powi(-2) - along.powi(-2))).sqrt();
        // The square root of the exponents' second derivative is at most 1/spread + twist·√((v/n)² + (R/across)²).
        let steep = (deviation.min(self.radius) / noise).hypot(self.radius / across);
        let (a, b) = (1.0 / spread, steep);
        let mut r = window.start;
        let mut turned = twist(r);
        let mut place = a * r + b * turned;
        while r < window.end {
            let apart = STEP / (a + b * turned);
            tell(r, turned, apart);
            place += STEP;
            r += apart;
            turned = twist(r);
            // By Newton's method, twice: nodes off by a millionth of their distances are as good.
            for _ in 0..2 {
                r -= (a * r + b * turned - place) / (a + b * turned);
                turned = twist(r);
            }
        }
    }

    /// Where [`Self::bound`] is above `least`. It has one maximum, or one on each side of the origin.
    fn windows(&self, least: f64) -> impl Iterator<Item = Range<f64>> {
        const VALLEY: f64 = -RADIUS_MEAN * WIDTH_STD * WIDTH_STD
            / (RADIUS_STD * RADIUS_STD - WIDTH_STD * WIDTH_STD);
        let far = RADIUS_STD * (-2.0 * least).sqrt();
        let (low, high) = (RADIUS_MEAN - far, RADIUS_MEAN + far);
        let top = self.top;
        let opposite = self.pinwheel.likeliest(-self.radius);
        let edge = |outside, inside| self.edge(least, outside, inside);
        let end = edge(high, top);
        let has_valley = self.bend > -VALLEY;
        let windows = if has_valley && self.bound(VALLEY) < least {
            let other =
                (self.bound(opposite) > least).then(|| edge(low, opposite)..edge(VALLEY, opposite));
            [other, Some(edge(VALLEY, top)..end)]
        } else {
            let start = edge(low, if has_valley { opposite } else { top });
            [None, Some(start..end)]
        };
        windows.into_iter().flatten()
    }

    /// Where the bound, monotone between the two, comes to `least`.
    fn edge(&self, least: f64, mut outside: f64, mut inside: f64) -> f64 {
        for _ in 0..40 {
            let middle = 0.5 * (outside + inside);
            match self.bound(middle) < least {
                true => outside = middle,
                false => inside = middle,
            }
        }
        outside
    }
}
