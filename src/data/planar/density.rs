//! The exact densities of the planar sets, with the noise that training adds to them.
//!
//! Noise of standard deviation n convolves a density with a Gaussian of variance n². Where the definition ends in
//! + σ·z, that only replaces σ² by σ² + n², written σ² below; densities are per unit of area.
//!
//! - `8gaussians`: ⅛ Σ_k N(x; c_k, σ²), in closed form.
//! - `rings`: a uniform angle makes N(x; r·(cos α, sin α), σ²) into exp(−(|x| − r)²/2σ²)/(2πσ²)·exp(−z)I₀(z) with
//!   z = |x|·r/σ², in closed form; the density is the mean over the four radii.
//! - `moons`: the mean over t ∈ (0, π) of N(x; 2·c(t) + offset, (2·0.1)² + n²), by quadrature over t.
//! - `2spirals`: t = 3π√u has the density 2t/(3π)². Given t and the side, a coordinate is ± a uniform number on an
//!   interval of width ½/3 plus a normal one, whose density is a difference of two Φ. The integral over t is by
//!   quadrature.
//! - `checkerboard`: 1/32 inside the eight squares; with noise, products of differences of Φ, in closed form.
//! - `pinwheel`: by a change of variables (`pinwheel.rs`). With noise: given r and the blade, a point is normal, and the
//!   integral over r is by quadrature (`noisy_pinwheel.rs`). Far out, where the blades are wound too tightly to be told
//!   apart, both are the mean over all angles.
//!
//! The other quadratures are Gauss-Legendre in pieces of two standard deviations (`mixture.rs`); tests/planar_density.rs holds them to
//! relative errors of 1e-9 where the density is not negligible. Everything is computed in logarithms, so that tails do not underflow.

use super::Planar;
use super::mixture::{Blur, Curve, Mixture, Scratch};
use super::noisy_pinwheel::NoisyPinwheel;
use super::pinwheel::{self, RADIUS_MEAN, RADIUS_STD, SCALE};
use super::special::{log_normal, log_scaled_bessel};
use crate::data::{DataError, planar_source};
use std::f64::consts::{PI, TAU};
use std::thread;

pub(super) const RING_RADII: [f64; 4] = [0.75, 1.5, 2.25, 3.0];
/// Where the uniform jitter of a spiral has its mean, in each coordinate.
pub(super) const BOX_CENTRE: f64 = 0.25 / 3.0;

/// Less noise than this on the pinwheel would need more nodes than a grid can be summed over in time.
const LEAST_PINWHEEL_NOISE: f64 = 2e-3;
/// More noise than this leaves nothing of a planar set.
const MOST_NOISE: f64 = 10.0;
/// Within so many standard deviations lies all but 1e-11 of a normal distribution.
const REACH: f64 = 7.0;

/// The exact density of a generated planar set, in f64.
pub struct PlanarDensity {
    planar: Planar,
    noise: f64,
    form: Form,
}

enum Form {
    Mixture(Mixture),
    Rings { std: f64 },
    Squares,
    Pinwheel,
    NoisyPinwheel(NoisyPinwheel),
}

impl PlanarDensity {
    /// The density of `source`, one of [`SOURCES`](crate::data::SOURCES), after normal noise of standard deviation
    /// `noise` was added to both coordinates.
    ///
    /// # Errors
    /// When the source is not a generated planar set, or the noise is out of range.
    pub fn new(source: &str, noise: f64) -> Result<Self, DataError> {
        let planar = planar_source(source)?;
        if !(0.0..=MOST_NOISE).contains(&noise) {
            return Err(DataError::DensityNoise {
                noise,
                advice: "set data.noise to a number from 0 to 10",
            });
        }
        if planar == Planar::Pinwheel && noise > 0.0 && noise < LEAST_PINWHEEL_NOISE {
            return Err(DataError::DensityNoise {
                noise,
                advice: "on the pinwheel set data.noise to 0 or to at least 0.002",
            });
        }
        Ok(PlanarDensity {
            planar,
            noise,
            form: form(planar, noise),
        })
    }

    /// ln p(x) at a point; −∞ where the density is 0, which is only outside the squares of a checkerboard without
    /// noise.
    pub fn log_density(&self, point: [f64; 2]) -> f64 {
        self.log_density_with(point, &mut Scratch::default())
    }

    fn log_density_with(&self, point: [f64; 2], scratch: &mut Scratch) -> f64 {
        match &self.form {
            Form::Mixture(mixture) => mixture.log_density(point, scratch),
            Form::Rings { std } => rings(point, *std),
            Form::Squares => squares(point),
            Form::Pinwheel => pinwheel::log_density(point),
            Form::NoisyPinwheel(pinwheel) => pinwheel.log_density(point),
        }
    }

    /// ln p(x) at every (x, y) of `places` × `places`: the row of places\[0\] as y first, and within it x in order. Uses
    /// all processors; the values do not depend on how many there are.
    pub fn log_density_on_grid(&self, places: &[f64]) -> Vec<f64> {
        let side = places.len();
        let mut values = vec![0.0; side * side];
        if side == 0 {
            return values;
        }
        let factors = match &self.form {
            Form::Mixture(mixture) => {
                Some((mixture.factors(0, places), mixture.factors(1, places)))
            }
            _ => None,
        };
        let threads = thread::available_parallelism().map_or(1, usize::from);
        let rows_each = side.div_ceil(threads);
        thread::scope(|scope| {
            for (part, rows) in values.chunks_mut(rows_each * side).enumerate() {
                let factors = &factors;
                scope.spawn(move || {
                    let mut scratch = Scratch::default();
                    for (index, value) in rows.iter_mut().enumerate() {
                        let (x, y) = (index % side, part * rows_each + index / side);
                        let point = [places[x], places[y]];
                        *value = match (&self.form, factors) {
                            (Form::Mixture(mixture), Some((columns, rows))) => mixture
                                .log_density_of_factors(
                                    point,
                                    [x, y],
                                    [columns, rows],
                                    &mut scratch,
                                ),
                            _ => self.log_density_with(point, &mut scratch),
                        };
                    }
                });
            }
        });
        values
    }

    /// Half the side of a square around the origin outside of which lies less than 1e-8 of the mass.
    pub fn reach(&self) -> f64 {
        let std = |own: f64| own.hypot(self.noise);
        match self.planar {
            Planar::EightGaussians => 2.0 + REACH * std(0.2),
            Planar::TwoSpirals => PI + 2.0 * BOX_CENTRE + REACH * std(0.1),
            Planar::Checkerboard => 4.0 + REACH * self.noise,
            Planar::Rings => 3.0 + REACH * std(0.08),
            Planar::Moons => 3.0 + REACH * std(0.2),
            Planar::Pinwheel => SCALE * (RADIUS_MEAN + 6.0 * RADIUS_STD) + REACH * self.noise,
        }
    }

    /// The names of its modes: the Gaussians by their angle, the spirals, the squares by their centre, the rings by their
    /// radius, the moons, the blades.
    pub fn mode_names(&self) -> Vec<String> {
        self.planar.mode_names()
    }

    /// Adds `amount` to the entry of `weights`, one for each of [`Self::mode_names`], whose mode is nearest to `point`,
    /// and equal parts of it where several are equally near. Nearest is meant by distance, of the spirals from their arms
    /// and of the pinwheel's blades from their ridges along the circle around the origin through the point.
    pub fn assign(&self, point: [f64; 2], amount: f64, weights: &mut [f64]) {
        self.planar.assign(point, amount, weights);
    }
}

fn form(planar: Planar, noise: f64) -> Form {
    let square = |width: f64, own: f64| Blur {
        width,
        std: own.hypot(noise),
    };
    match planar {
        Planar::EightGaussians => {
            Form::Mixture(Mixture::of_points(&gaussian_centres(), square(0.0, 0.2)))
        }
        Planar::TwoSpirals => Form::Mixture(spirals(square(0.5 / 3.0, 0.1))),
        Planar::Checkerboard if noise == 0.0 => Form::Squares,
        Planar::Checkerboard => {
            Form::Mixture(Mixture::of_points(&square_centres(), square(2.0, 0.0)))
        }
        Planar::Rings => Form::Rings {
            std: 0.08_f64.hypot(noise),
        },
        Planar::Moons => Form::Mixture(moons(square(0.0, 0.2))),
        Planar::Pinwheel if noise == 0.0 => Form::Pinwheel,
        Planar::Pinwheel => Form::NoisyPinwheel(NoisyPinwheel::new(noise)),
    }
}

pub(super) fn gaussian_centres() -> [[f64; 2]; 8] {
    std::array::from_fn(|k| {
        let (sin, cos) = (TAU / 8.0 * k as f64).sin_cos();
        [2.0 * cos, 2.0 * sin]
    })
}

pub(super) fn square_centres() -> [[f64; 2]; 8] {
    std::array::from_fn(|index| {
        let (column, upper) = (index / 2, index % 2);
        let row = (column + 1) % 2 + 2 * upper;
        [2.0 * column as f64 - 3.0, 2.0 * (3 - row) as f64 - 3.0]
    })
}

/// `point` in the frame in which its half circle is the upper half of the unit circle around 0.
pub(super) fn arc_frame([x, y]: [f64; 2], lower: bool) -> [f64; 2] {
    let [x, y] = [0.5 * (x + 1.0), 0.5 * (y + 0.2)];
    if lower { [1.0 - x, 0.5 - y] } else { [x, y] }
}

fn rings([x, y]: [f64; 2], std: f64) -> f64 {
    let radius = x.hypot(y);
    let logs = RING_RADII.map(|ring| {
        let ridge = log_normal(radius - ring, std) - (std * TAU.sqrt()).ln();
        ridge + log_scaled_bessel(radius * ring / (std * std))
    });
    let most = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let sum: f64 = logs.iter().map(|log| (log - most).exp()).sum();
    most + (sum / logs.len() as f64).ln()
}

fn squares([x, y]: [f64; 2]) -> f64 {
    let is_inside = |c: &[f64; 2]| (x - c[0]).abs() <= 1.0 && (y - c[1]).abs() <= 1.0;
    match square_centres().iter().any(is_inside) {
        true => -32.0_f64.ln(),
        false => f64::NEG_INFINITY,
    }
}

fn spirals(blur: Blur) -> Mixture {
    let arm = |side: f64| {
        move |t: f64| {
            [
                side * (BOX_CENTRE - t * t.cos() / 3.0),
                side * (BOX_CENTRE + t * t.sin() / 3.0),
            ]
        }
    };
    let (there, back) = (arm(1.0), arm(-1.0));
    let sides: [&dyn Fn(f64) -> [f64; 2]; 2] = [&there, &back];
    let curves = sides.map(|at| Curve {
        parameter: 0.0..3.0 * PI,
        at,
        speed: &|t| 1.0_f64.hypot(t) / 3.0,
        weight: &|t| t / (9.0 * PI * PI),
        stretch: 0.5,
    });
    Mixture::of_curves(&curves, blur)
}

fn moons(blur: Blur) -> Mixture {
    let upper = |t: f64| [2.0 * t.cos() - 1.0, 2.0 * t.sin() - 0.2];
    let lower = |t: f64| [1.0 - 2.0 * t.cos(), 0.8 - 2.0 * t.sin()];
    let arcs: [&dyn Fn(f64) -> [f64; 2]; 2] = [&upper, &lower];
    let curves = arcs.map(|at| Curve {
        parameter: 0.0..PI,
        at,
        speed: &|_| 2.0,
        weight: &|_| 0.5 / PI,
        stretch: PI,
    });
    Mixture::of_curves(&curves, blur)
}
