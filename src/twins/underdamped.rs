//! Twin of `samplers/underdamped.wgsl`: kinetic Langevin dynamics in BAOAB steps.

use super::check_len;
use crate::random::{Stream, box_muller, philox4x32_10, uniform01};

/// The constants of a step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Underdamped {
    /// h = ε²/2.
    pub step_size: f64,
    /// γ
    pub friction: f64,
    pub temperature: f64,
}

/// The velocities that a pass begins with, drawn from N(0, T) with the numbers of the counters (block, 2, step, stream).
pub fn underdamped_begin(
    settings: &Underdamped,
    (seed, stream, step): (u64, Stream, u32),
    first_element: usize,
    count: usize,
) -> Vec<f64> {
    let key = [seed as u32, (seed >> 32) as u32];
    (first_element as u32..(first_element + count) as u32)
        .map(|element| {
            let words = philox4x32_10([element / 4, 2, step, stream as u32], key);
            let [a, b, c, d] = words.map(|word| f64::from(uniform01(word)));
            let pairs = [box_muller(a, b), box_muller(c, d)].concat();
            settings.temperature.sqrt() * pairs[(element % 4) as usize]
        })
        .collect()
}

/// One step of every value, with the standard normal numbers `xi`: half a kick, half a drift, friction and noise, half a
/// drift, half a kick. `gradient` is that at `x` and is left so.
pub fn underdamped_step(
    settings: &Underdamped,
    x: &mut [f64],
    velocity: &mut [f64],
    gradient: &mut Vec<f64>,
    xi: &[f64],
    field: &dyn Fn(&[f64]) -> Vec<f64>,
) {
    check_len("velocity", velocity, x.len());
    check_len("gradient", gradient, x.len());
    check_len("xi", xi, x.len());
    let time = (2.0 * settings.step_size).sqrt();
    let decay = (-settings.friction * time).exp();
    let spread = (settings.temperature * (1.0 - decay * decay)).sqrt();
    for i in 0..x.len() {
        velocity[i] -= 0.5 * time * gradient[i];
        x[i] += 0.5 * time * velocity[i];
        velocity[i] = decay * velocity[i] + spread * xi[i];
        x[i] += 0.5 * time * velocity[i];
    }
    *gradient = field(x);
    for i in 0..x.len() {
        velocity[i] -= 0.5 * time * gradient[i];
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::twins::normal;

    /// Where forces are linear, BAOAB samples positions without bias (Leimkuhler & Matthews 2013): variance T/k for any
    /// stable step.
    #[test]
    fn on_a_gaussian_positions_have_no_bias_however_long_the_step() {
        let (stiffness, chains) = (2.0, 4096);
        let settings = Underdamped {
            step_size: 0.3,
            friction: 1.5,
            temperature: 0.7,
        };
        let field = |x: &[f64]| x.iter().map(|x| stiffness * x).collect::<Vec<_>>();
        let mut x = vec![0.0; chains];
        let random = (3, Stream::Langevin, 0);
        let mut velocity = underdamped_begin(&settings, random, 0, chains);
        let mut gradient = field(&x);
        for step in 0..60 {
            let xi: Vec<f64> = (0..chains as u32)
                .map(|e| normal(3, Stream::Langevin, step, e))
                .collect();
            underdamped_step(&settings, &mut x, &mut velocity, &mut gradient, &xi, &field);
        }
        let variance = x.iter().map(|x| x * x).sum::<f64>() / chains as f64;
        let want = settings.temperature / stiffness;
        // Standard error of a variance of independent chains.
        let error = want * (2.0 / chains as f64).sqrt();
        assert!(
            (variance - want).abs() < 5.0 * error,
            "{variance}, theory {want}"
        );
    }

    #[test]
    fn without_friction_energy_is_kept_to_the_order_of_the_step() {
        let settings = Underdamped {
            step_size: 1e-4,
            friction: 0.0,
            temperature: 1.0,
        };
        let field = |x: &[f64]| x.iter().map(|x| x.powi(3)).collect::<Vec<_>>();
        let (mut x, mut velocity) = (vec![0.8], vec![-0.5]);
        let energy = |x: &[f64], v: &[f64]| x[0].powi(4) / 4.0 + v[0] * v[0] / 2.0;
        let before = energy(&x, &velocity);
        let mut gradient = field(&x);
        for _ in 0..500 {
            underdamped_step(
                &settings,
                &mut x,
                &mut velocity,
                &mut gradient,
                &[9.0],
                &field,
            );
        }
        assert!((energy(&x, &velocity) / before - 1.0).abs() < 1e-3);
    }
}
