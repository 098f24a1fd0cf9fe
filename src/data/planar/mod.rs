//! Generated sets of points in the plane, one file each: how points are drawn, their density, and the modes it has.
//! [`SETS`] is the only list of them.
//!
//! The definitions are those of the density-estimation literature, which share one origin: W. Grathwohl,
//! R. T. Q. Chen, J. Bettencourt, I. Sutskever, D. Duvenaud, *FFJORD*, ICLR 2019 (its `lib/toy_data.py`).
//! Only `8gaussians` differs: there the radius is 4/√2 and the standard deviation 0.5/√2.
//!
//! In the definitions, u and v are uniform on (0, 1), z standard normal, and choices are uniform; all independent. Where one
//! ends in + σ·z, the noise n of training only replaces σ² by σ² + n², written σ² in the densities; these are per unit of
//! area.

mod checkerboard;
mod density;
mod eight_gaussians;
mod mixture;
mod moons;
mod pinwheel;
mod rings;
mod special;
mod two_spirals;

pub use density::PlanarDensity;

use crate::random::Philox;
use density::Form;
use std::f64::consts::TAU;

/// Every generated planar set.
pub(super) static SETS: [&Planar; 6] = [
    &eight_gaussians::EIGHT_GAUSSIANS,
    &two_spirals::TWO_SPIRALS,
    &checkerboard::CHECKERBOARD,
    &rings::RINGS,
    &moons::MOONS,
    &pinwheel::PINWHEEL,
];

/// A generated planar set: a line of [`SETS`].
pub(super) struct Planar {
    /// What configurations call it.
    pub(super) name: &'static str,
    /// Draws one point.
    pub(super) point: fn(&mut Philox) -> [f32; 2],
    /// What its density with noise of this standard deviation is computed by, or what to do where it cannot be.
    form: fn(f64) -> Result<Form, &'static str>,
    /// Half the side of a square around the origin outside of which lies less than 1e-8 of the mass with such noise.
    reach: fn(f64) -> f64,
    mode_names: fn() -> Vec<String>,
    /// How far a point is from each mode. Curves that wind around the origin are compared at the point's own distance
    /// from it, by the angle.
    mode_distances: fn([f64; 2]) -> Vec<f64>,
}

/// `centre` plus Gaussian noise of standard deviation `std` in both coordinates.
fn blurred(centre: [f32; 2], std: f32, random: &mut Philox) -> [f32; 2] {
    centre.map(|c| c + std * random.normal())
}

/// The names of `count` modes that have nothing but a number.
fn numbered(what: &str, count: usize) -> Vec<String> {
    (1..=count).map(|k| format!("{what} {k}")).collect()
}

/// The angle between two directions, 0 to π.
fn angle_between(a: f64, b: f64) -> f64 {
    let difference = (a - b).rem_euclid(TAU);
    difference.min(TAU - difference)
}
