use super::density::{Form, REACH};
use super::mixture::{Blur, Mixture};
use super::{Planar, blurred};
use rand::RngExt;
use std::f64::consts::TAU;

/// Eight Gaussians of standard deviation 0.2, their means evenly spaced on the circle of radius 2:
/// 2·(cos kπ/4, sin kπ/4) + 0.2·z, k ∈ {0, …, 7}.
///
/// The density is ⅛ Σ_k N(x; c_k, σ²), in closed form. The modes are the Gaussians, by their angle.
pub(super) static EIGHT_GAUSSIANS: Planar = Planar {
    name: "8gaussians",
    point: |random| {
        let angle = std::f32::consts::TAU / 8.0 * random.random_range(0..8u32) as f32;
        let (sin, cos) = angle.sin_cos();
        blurred([2.0 * cos, 2.0 * sin], 0.2, random)
    },
    form: |noise| {
        let blur = Blur::new(0.0, 0.2, noise);
        Ok(Form::Mixture(Mixture::of_points(&centres(), blur)))
    },
    reach: |noise| 2.0 + REACH * 0.2_f64.hypot(noise),
    mode_names: || (0..8).map(|k| format!("{}°", 45 * k)).collect(),
    mode_distances: |[x, y]| {
        let distance = |c: &[f64; 2]| (x - c[0]).hypot(y - c[1]);
        centres().iter().map(distance).collect()
    },
};

fn centres() -> [[f64; 2]; 8] {
    std::array::from_fn(|k| {
        let (sin, cos) = (TAU / 8.0 * k as f64).sin_cos();
        [2.0 * cos, 2.0 * sin]
    })
}
