//! The exact densities of the planar sets, with the noise that training adds to them.
//!
//! Noise of standard deviation n convolves a density with a Gaussian of variance n²; each set's file has what comes of that.
//! Quadratures are Gauss-Legendre in pieces of two standard deviations (`mixture.rs`), but for the pinwheel's;
//! tests/planar_density.rs holds them to relative errors of 1e-9 where the density is not negligible. Everything is computed
//! in logarithms, so that tails do not underflow.

use super::Planar;
use super::mixture::{Mixture, Scratch};
use crate::data::DataError;
use std::thread;

/// More noise than this leaves nothing of a planar set.
const MOST_NOISE: f64 = 10.0;
/// Within so many standard deviations lies all but 1e-11 of a normal distribution.
pub(super) const REACH: f64 = 7.0;
/// Distances that differ by no more than rounding are equal.
const EQUAL: f64 = 1e-12;

/// The exact density of a generated planar set, in f64.
pub struct PlanarDensity {
    planar: &'static Planar,
    noise: f64,
    form: Form,
}

/// What a density is computed by.
pub(super) enum Form {
    Mixture(Mixture),
    /// ln p(x) at a point.
    Formula(Box<dyn Fn([f64; 2]) -> f64 + Send + Sync>),
}

impl PlanarDensity {
    /// The density of `planar` after normal noise of standard deviation `noise` was added to both coordinates, if that is
    /// in range.
    pub(in crate::data) fn of(planar: &'static Planar, noise: f64) -> Result<Self, DataError> {
        let refused = |advice| DataError::DensityNoise { noise, advice };
        if !(0.0..=MOST_NOISE).contains(&noise) {
            return Err(refused("set data.noise to a number from 0 to 10"));
        }
        Ok(PlanarDensity {
            planar,
            noise,
            form: (planar.form)(noise).map_err(refused)?,
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
            Form::Formula(log_density) => log_density(point),
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
            Form::Formula(_) => None,
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
        (self.planar.reach)(self.noise)
    }

    /// The names of its modes: the Gaussians by their angle, the spirals, the squares by their centre, the rings by their
    /// radius, the moons, the blades.
    pub fn mode_names(&self) -> Vec<String> {
        (self.planar.mode_names)()
    }

    /// Adds `amount` to the entry of `weights`, one for each of [`Self::mode_names`], whose mode is nearest to `point`,
    /// and equal parts of it where several are equally near. Nearest is meant by distance, of the spirals from their arms
    /// and of the pinwheel's blades from their ridges along the circle around the origin through the point.
    pub fn assign(&self, point: [f64; 2], amount: f64, weights: &mut [f64]) {
        let distances = (self.planar.mode_distances)(point);
        let least = distances.iter().copied().fold(f64::INFINITY, f64::min);
        let is_nearest = |distance: f64| distance <= least + EQUAL;
        let nearest = distances.iter().filter(|d| is_nearest(**d)).count();
        for (weight, distance) in weights.iter_mut().zip(&distances) {
            if is_nearest(*distance) {
                *weight += amount / nearest as f64;
            }
        }
    }
}
