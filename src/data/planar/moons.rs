use super::density::{Form, REACH};
use super::mixture::{Blur, Curve, Mixture};
use super::{Planar, blurred};
use rand::RngExt;
use std::f64::consts::PI;

/// Two half circles (scikit-learn's `make_moons` with noise 0.1, times 2, moved by (−1, −0.2)).
/// With t = π·u: (cos t, sin t) or (1 − cos t, ½ − sin t), to which 0.1·z is added before scaling.
///
/// The density is the mean over t ∈ (0, π) of N(x; 2·c(t) + offset, (2·0.1)² + n²), by quadrature over t.
pub(super) static MOONS: Planar = Planar {
    name: "moons",
    point: |random| {
        let (sin, cos) = (std::f32::consts::PI * random.uniform()).sin_cos();
        let centre = if random.random() {
            [cos, sin]
        } else {
            [1.0 - cos, 0.5 - sin]
        };
        let [x, y] = blurred(centre, 0.1, random);
        [2.0 * x - 1.0, 2.0 * y - 0.2]
    },
    form: |noise| Ok(Form::Mixture(arcs(Blur::new(0.0, 0.2, noise)))),
    reach: |noise| 3.0 + REACH * 0.2_f64.hypot(noise),
    mode_names: || vec!["upper moon".into(), "lower moon".into()],
    mode_distances: |point| {
        let distance = |lower: bool| {
            let [x, y] = arc_frame(point, lower);
            match y >= 0.0 {
                true => (x.hypot(y) - 1.0).abs(),
                false => (x.abs() - 1.0).hypot(y),
            }
        };
        [false, true].map(distance).into()
    },
};

/// `point` in the frame in which its half circle is the upper half of the unit circle around 0.
fn arc_frame([x, y]: [f64; 2], lower: bool) -> [f64; 2] {
    let [x, y] = [0.5 * (x + 1.0), 0.5 * (y + 0.2)];
    if lower { [1.0 - x, 0.5 - y] } else { [x, y] }
}

fn arcs(blur: Blur) -> Mixture {
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
