use super::density::{Form, REACH};
use super::special::{log_normal, log_scaled_bessel};
use super::{Planar, blurred};
use rand::RngExt;
use std::f64::consts::TAU;

/// Four rings, equally likely. With r ∈ {¾, 1½, 2¼, 3}: r·(cos 2πu, sin 2πu) + 0.08·z.
///
/// A uniform angle makes N(x; r·(cos α, sin α), σ²) into exp(−(|x| − r)²/2σ²)/(2πσ²)·exp(−z)I₀(z) with z = |x|·r/σ², in
/// closed form; the density is the mean over the four radii. The modes are the rings, by their radius.
pub(super) static RINGS: Planar = Planar {
    name: "rings",
    point: |random| {
        let radius = 0.75 * random.random_range(1..=4u32) as f32;
        let (sin, cos) = (std::f32::consts::TAU * random.uniform()).sin_cos();
        blurred([radius * cos, radius * sin], 0.08, random)
    },
    form: |noise| {
        let std = 0.08_f64.hypot(noise);
        Ok(Form::Formula(Box::new(move |point| {
            log_density(point, std)
        })))
    },
    reach: |noise| 3.0 + REACH * 0.08_f64.hypot(noise),
    mode_names: || RADII.iter().map(|r| format!("radius {r}")).collect(),
    mode_distances: |[x, y]| RADII.iter().map(|r| (x.hypot(y) - r).abs()).collect(),
};

const RADII: [f64; 4] = [0.75, 1.5, 2.25, 3.0];

fn log_density([x, y]: [f64; 2], std: f64) -> f64 {
    let radius = x.hypot(y);
    let logs = RADII.map(|ring| {
        let ridge = log_normal(radius - ring, std) - (std * TAU.sqrt()).ln();
        ridge + log_scaled_bessel(radius * ring / (std * std))
    });
    let most = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let sum: f64 = logs.iter().map(|log| (log - most).exp()).sum();
    most + (sum / logs.len() as f64).ln()
}
