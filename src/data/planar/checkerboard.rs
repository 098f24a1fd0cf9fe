use super::Planar;
use super::density::{Form, REACH};
use super::mixture::{Blur, Mixture};
use rand::RngExt;

/// Eight 2×2 squares of [−4, 4]², uniformly. With a = 4u − 2, b ∈ {0, 1}:
/// 2·(a, v − 2b + (⌊a⌋ mod 2)).
///
/// The density is 1/32 inside the squares; with noise, products of differences of Φ, in closed form. The modes are the
/// squares, by their centre.
pub(super) static CHECKERBOARD: Planar = Planar {
    name: "checkerboard",
    point: |random| {
        let a = 4.0 * random.uniform() - 2.0;
        let half = random.random_range(0..2u32) as f32;
        let b = random.uniform() - 2.0 * half + a.floor().rem_euclid(2.0);
        [2.0 * a, 2.0 * b]
    },
    form: |noise| {
        let blur = Blur::new(2.0, 0.0, noise);
        Ok(match noise == 0.0 {
            true => Form::Formula(Box::new(log_density)),
            false => Form::Mixture(Mixture::of_points(&centres(), blur)),
        })
    },
    reach: |noise| 4.0 + REACH * noise,
    mode_names: || {
        let name = |[x, y]: &[f64; 2]| format!("square ({x}, {y})");
        centres().iter().map(name).collect()
    },
    mode_distances: |[x, y]| {
        let outside = |a: f64, b: f64| ((a - b).abs() - 1.0).max(0.0);
        let distance = |c: &[f64; 2]| outside(x, c[0]).hypot(outside(y, c[1]));
        centres().iter().map(distance).collect()
    },
};

fn centres() -> [[f64; 2]; 8] {
    std::array::from_fn(|index| {
        let (column, upper) = (index / 2, index % 2);
        let row = (column + 1) % 2 + 2 * upper;
        [2.0 * column as f64 - 3.0, 2.0 * (3 - row) as f64 - 3.0]
    })
}

/// Without noise.
fn log_density([x, y]: [f64; 2]) -> f64 {
    let is_inside = |c: &[f64; 2]| (x - c[0]).abs() <= 1.0 && (y - c[1]).abs() <= 1.0;
    match centres().iter().any(is_inside) {
        true => -32.0_f64.ln(),
        false => f64::NEG_INFINITY,
    }
}
