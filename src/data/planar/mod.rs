//! Generated sets of points in the plane.
//!
//! The definitions are those of the density-estimation literature, which share one origin: W. Grathwohl,
//! R. T. Q. Chen, J. Bettencourt, I. Sutskever, D. Duvenaud, *FFJORD*, ICLR 2019 (its `lib/toy_data.py`).
//! Only `8gaussians` differs: there the radius is 4/√2 and the standard deviation 0.5/√2.
//!
//! Below, u and v are uniform on (0, 1), z standard normal, and choices are uniform; all independent. The densities
//! that follow from these definitions are in `density.rs`.

mod density;
mod mixture;
mod modes;
mod noisy_pinwheel;
mod pinwheel;
mod special;

pub use density::PlanarDensity;

use std::f32::consts::{PI, TAU};

use rand::RngExt;

use crate::random::Philox;

/// A generated planar set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Planar {
    /// Eight Gaussians of standard deviation 0.2, their means evenly spaced on the circle of radius 2:
    /// 2·(cos kπ/4, sin kπ/4) + 0.2·z, k ∈ {0, …, 7}.
    EightGaussians,
    /// Two interleaved spirals of one and a half turns. With t = 3π·√u:
    /// ±(−t·cos t + v₁/2, t·sin t + v₂/2)/3 + 0.1·z.
    TwoSpirals,
    /// Eight 2×2 squares of [−4, 4]², uniformly. With a = 4u − 2, b ∈ {0, 1}:
    /// 2·(a, v − 2b + (⌊a⌋ mod 2)).
    Checkerboard,
    /// Four rings, equally likely. With r ∈ {¾, 1½, 2¼, 3}: r·(cos 2πu, sin 2πu) + 0.08·z.
    Rings,
    /// Two half circles (scikit-learn's `make_moons` with noise 0.1, times 2, moved by (−1, −0.2)).
    /// With t = π·u: (cos t, sin t) or (1 − cos t, ½ − sin t), to which 0.1·z is added before scaling.
    Moons,
    /// Five curved blades (M. Johnson, D. Duvenaud, A. Wiltschko, S. Datta, R. Adams, *Composing graphical
    /// models with neural networks*, NeurIPS 2016). With r = 1 + 0.3·z₁, s = 0.1·z₂, k ∈ {0, …, 4} and
    /// the angle a = 2πk/5 + ¼·exp(r): 2·(r·cos a + s·sin a, s·cos a − r·sin a).
    Pinwheel,
}

impl Planar {
    /// Draws one point.
    pub(super) fn point(self, random: &mut Philox) -> [f32; 2] {
        match self {
            Planar::EightGaussians => {
                let (sin, cos) = (TAU / 8.0 * random.random_range(0..8u32) as f32).sin_cos();
                blurred([2.0 * cos, 2.0 * sin], 0.2, random)
            }
            Planar::TwoSpirals => {
                let t = 3.0 * PI * random.uniform().sqrt();
                let side = if random.random() { 1.0 } else { -1.0 } / 3.0;
                let x = -t * t.cos() + 0.5 * random.uniform();
                let y = t * t.sin() + 0.5 * random.uniform();
                blurred([side * x, side * y], 0.1, random)
            }
            Planar::Checkerboard => {
                let a = 4.0 * random.uniform() - 2.0;
                let half = random.random_range(0..2u32) as f32;
                let b = random.uniform() - 2.0 * half + a.floor().rem_euclid(2.0);
                [2.0 * a, 2.0 * b]
            }
            Planar::Rings => {
                let radius = 0.75 * random.random_range(1..=4u32) as f32;
                let (sin, cos) = (TAU * random.uniform()).sin_cos();
                blurred([radius * cos, radius * sin], 0.08, random)
            }
            Planar::Moons => {
                let (sin, cos) = (PI * random.uniform()).sin_cos();
                let centre = if random.random() {
                    [cos, sin]
                } else {
                    [1.0 - cos, 0.5 - sin]
                };
                let [x, y] = blurred(centre, 0.1, random);
                [2.0 * x - 1.0, 2.0 * y - 0.2]
            }
            Planar::Pinwheel => {
                let blade = random.random_range(0..5u32) as f32;
                let [r, s] = [1.0 + 0.3 * random.normal(), 0.1 * random.normal()];
                let (sin, cos) = (TAU / 5.0 * blade + 0.25 * r.exp()).sin_cos();
                [2.0 * (r * cos + s * sin), 2.0 * (s * cos - r * sin)]
            }
        }
    }
}

/// `centre` plus Gaussian noise of standard deviation `std` in both coordinates.
fn blurred(centre: [f32; 2], std: f32, random: &mut Philox) -> [f32; 2] {
    centre.map(|c| c + std * random.normal())
}
