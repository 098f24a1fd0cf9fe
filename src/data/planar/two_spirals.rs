use super::density::{Form, REACH};
use super::mixture::{Blur, Curve, Mixture};
use super::{Planar, angle_between, blurred, numbered};
use rand::RngExt;
use std::f64::consts::PI;

/// Two interleaved spirals of one and a half turns. With t = 3π·√u:
/// ±(−t·cos t + v₁/2, t·sin t + v₂/2)/3 + 0.1·z.
///
/// t has the density 2t/(3π)². Given t and the side, a coordinate is ± a uniform number on an interval of width ½/3 plus a
/// normal one, whose density is a difference of two Φ. The integral over t is by quadrature. The modes are the arms.
pub(super) static TWO_SPIRALS: Planar = Planar {
    name: "2spirals",
    point: |random| {
        let t = 3.0 * std::f32::consts::PI * random.uniform().sqrt();
        let side = if random.random() { 1.0 } else { -1.0 } / 3.0;
        let x = -t * t.cos() + 0.5 * random.uniform();
        let y = t * t.sin() + 0.5 * random.uniform();
        blurred([side * x, side * y], 0.1, random)
    },
    form: |noise| Ok(Form::Mixture(arms(Blur::new(0.5 / 3.0, 0.1, noise)))),
    reach: |noise| PI + 2.0 * BOX_CENTRE + REACH * 0.1_f64.hypot(noise),
    mode_names: || numbered("spiral", 2),
    mode_distances: |[x, y]| {
        let distance = |side: f64| {
            // In the frame of one arm, the curve is (t/3)·(cos(π − t), sin(π − t)).
            let [x, y] = [side * x - BOX_CENTRE, side * y - BOX_CENTRE];
            let radius = x.hypot(y);
            radius * angle_between(y.atan2(x), PI - 3.0 * radius)
        };
        [1.0, -1.0].map(distance).into()
    },
};

/// Where the uniform jitter of a spiral has its mean, in each coordinate.
const BOX_CENTRE: f64 = 0.25 / 3.0;

fn arms(blur: Blur) -> Mixture {
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
