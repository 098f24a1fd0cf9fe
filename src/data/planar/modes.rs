//! The parts that a planar set consists of, and which of them a point belongs to.

use super::Planar;
use super::density::{BOX_CENTRE, RING_RADII, arc_frame, gaussian_centres, square_centres};
use super::pinwheel::{BLADES, SCALE, twist};
use std::f64::consts::{PI, TAU};

/// Distances that differ by no more than rounding are equal.
const EQUAL: f64 = 1e-12;

impl Planar {
    /// The names of its modes.
    pub(super) fn mode_names(self) -> Vec<String> {
        let numbered =
            |what: &str, count: usize| (1..=count).map(|k| format!("{what} {k}")).collect();
        match self {
            Planar::EightGaussians => (0..8).map(|k| format!("{}°", 45 * k)).collect(),
            Planar::TwoSpirals => numbered("spiral", 2),
            Planar::Checkerboard => square_centres()
                .iter()
                .map(|[x, y]| format!("square ({x}, {y})"))
                .collect(),
            Planar::Rings => RING_RADII.iter().map(|r| format!("radius {r}")).collect(),
            Planar::Moons => vec!["upper moon".into(), "lower moon".into()],
            Planar::Pinwheel => numbered("blade", BLADES),
        }
    }

    /// How far `point` is from each mode. Curves that wind around the origin are compared at the point's own distance
    /// from it, by the angle.
    fn mode_distances(self, point: [f64; 2]) -> Vec<f64> {
        let [x, y] = point;
        match self {
            Planar::EightGaussians => gaussian_centres()
                .iter()
                .map(|c| (x - c[0]).hypot(y - c[1]))
                .collect(),
            Planar::TwoSpirals => [1.0, -1.0]
                .map(|side| {
                    // In the frame of one arm, the curve is (t/3)·(cos(π − t), sin(π − t)).
                    let [x, y] = [side * x - BOX_CENTRE, side * y - BOX_CENTRE];
                    let radius = x.hypot(y);
                    radius * angle_between(y.atan2(x), PI - 3.0 * radius)
                })
                .into(),
            Planar::Checkerboard => square_centres()
                .iter()
                .map(|c| {
                    let outside = |a: f64, b: f64| ((a - b).abs() - 1.0).max(0.0);
                    outside(x, c[0]).hypot(outside(y, c[1]))
                })
                .collect(),
            Planar::Rings => RING_RADII.iter().map(|r| (x.hypot(y) - r).abs()).collect(),
            Planar::Moons => [false, true]
                .map(|lower| {
                    let [x, y] = arc_frame(point, lower);
                    match y >= 0.0 {
                        true => (x.hypot(y) - 1.0).abs(),
                        false => (x.abs() - 1.0).hypot(y),
                    }
                })
                .into(),
            Planar::Pinwheel => {
                let untwisted = y.atan2(x) + twist(x.hypot(y) / SCALE);
                (0..BLADES)
                    .map(|k| angle_between(untwisted, -TAU / BLADES as f64 * k as f64))
                    .collect()
            }
        }
    }

    /// Adds `amount` to the weight of the mode that is nearest to `point`, in equal parts where several are.
    pub(super) fn assign(self, point: [f64; 2], amount: f64, weights: &mut [f64]) {
        let distances = self.mode_distances(point);
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

/// The angle between two directions, 0 to π.
fn angle_between(a: f64, b: f64) -> f64 {
    let difference = (a - b).rem_euclid(TAU);
    difference.min(TAU - difference)
}
