//! Twin of a Hamiltonian step: `samplers/leap.wgsl`, `samplers/metropolis.wgsl`, `samplers/accept.wgsl` and
//! `samplers/adapt.wgsl`. With one leapfrog step it is the Metropolis-adjusted Langevin algorithm.

use super::philox_normal::normal;
use crate::kernels::Integrator;
use crate::random::{Stream, philox4x32_10, uniform01};

/// Energies and gradient at some states.
pub(super) type Field<'a> = &'a dyn Fn(&[f64]) -> (Vec<f64>, Vec<f64>);

/// Chains with what they carry from step to step.
#[derive(Clone, Debug, PartialEq)]
pub struct HmcState {
    /// (chain, value)
    pub x: Vec<f64>,
    /// One a chain.
    pub energies: Vec<f64>,
    /// Like `x`.
    pub gradient: Vec<f64>,
}

/// One step of every chain: velocities from N(0, T), trajectories of `leaps` gradients, each the end of
/// a time ε = √(2 · `step_size`) but for `jitter`, by `integrator`, and the Metropolis test of each. Returns the change of H = E + |v|²/2 and whether it was accepted, chain by chain.
///
/// Chain c takes the normal numbers of its elements c · length, … of (`seed`, `stream`, `step`), counted from
/// `first_chain`, and the uniform number of the counter (c, 1, step, stream); ε takes that of (0, 4, step, stream). `field` gives energies and gradient.
#[allow(clippy::too_many_arguments)]
pub fn hmc_step(
    state: &mut HmcState,
    step_size: f64,
    (integrator, leaps, jitter): (&Integrator, usize, f64),
    temperature: f64,
    (seed, stream, step): (u64, Stream, u32),
    first_chain: usize,
    field: Field<'_>,
) -> Vec<(f64, bool)> {
    let chains = state.energies.len();
    let length = state.x.len() / chains;
    let uniform = |place: u32, purpose: u32| {
        let counter = [place, purpose, step, stream as u32];
        let word = philox4x32_10(counter, [seed as u32, (seed >> 32) as u32])[0];
        f64::from(uniform01(word))
    };
    let time = (2.0 * step_size).sqrt() * (1.0 + jitter * (2.0 * uniform(0, 4) - 1.0));
    let drawn: Vec<f64> = (0..state.x.len())
        .map(|i| {
            let element = (first_chain * length + i) as u32;
            temperature.sqrt() * normal(seed, stream, step, element)
        })
        .collect();
    let mut v = drawn.clone();
    let mut y = state.x.clone();
    let (mut energies, mut gradient) = (state.energies.clone(), state.gradient.clone());
    for [kick, step] in (0..leaps).map(|leap| integrator.leap(leap)) {
        for i in 0..y.len() {
            v[i] -= kick * time * gradient[i];
            y[i] += step * time * v[i];
        }
        (energies, gradient) = field(&y);
    }
    for i in 0..y.len() {
        v[i] -= integrator.last_kick() * time * gradient[i];
    }
    (0..chains)
        .map(|chain| {
            let own = chain * length..(chain + 1) * length;
            let kinetic = |v: &[f64]| v.iter().map(|v| v * v / 2.0).sum::<f64>();
            let change = energies[chain] - state.energies[chain] + kinetic(&v[own.clone()])
                - kinetic(&drawn[own.clone()]);
            let probability = if change.is_finite() {
                (-change / temperature).exp().min(1.0)
            } else {
                0.0
            };
            let accepted = uniform((first_chain + chain) as u32, 1) < probability;
            if accepted {
                state.x[own.clone()].copy_from_slice(&y[own.clone()]);
                state.gradient[own.clone()].copy_from_slice(&gradient[own]);
                state.energies[chain] = energies[chain];
            }
            (change, accepted)
        })
        .collect()
}

/// The step size after one step with this mean acceptance, the `k`-th from 0 that adapts: ln h moves by
/// max(gain / (1 + k / half), least) · (acceptance − target).
pub fn adapted(
    step_size: f64,
    acceptance: f64,
    target: f64,
    k: usize,
    [gain, half, least]: [f64; 3],
) -> f64 {
    let gain = (gain / (1.0 + k as f64 / half)).max(least);
    step_size * (gain * (acceptance - target)).exp()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::{INTEGRATORS, LEAPFROG};

    const RANDOM: (u64, Stream, u32) = (9, Stream::Langevin, 4);

    /// E = x⁴/4, coordinate by coordinate, chains of two.
    fn quartic(x: &[f64]) -> (Vec<f64>, Vec<f64>) {
        let energies = x.chunks(2).map(|x| x.iter().map(|x| x.powi(4) / 4.0).sum());
        (energies.collect(), x.iter().map(|x| x.powi(3)).collect())
    }

    fn state() -> HmcState {
        let x = vec![0.4, -1.2, 0.9, 0.3, -0.1, 1.5];
        let (energies, gradient) = quartic(&x);
        HmcState {
            x,
            energies,
            gradient,
        }
    }

    /// ln q(x | y) + ln p(y) − ln q(y | x) − ln p(x) with the densities of MALA's proposal, y from N(x − h∇E(x), 2hT).
    #[test]
    fn one_leapfrog_step_is_the_metropolis_adjusted_langevin_algorithm() {
        let (h, temperature) = (0.07, 0.6);
        let before = state();
        let mut after = before.clone();
        let outcome = hmc_step(
            &mut after,
            h,
            (&LEAPFROG, 1, 0.0),
            temperature,
            RANDOM,
            0,
            &quartic,
        );
        let y: Vec<f64> = (0..6)
            .map(|i| {
                let xi = normal(RANDOM.0, RANDOM.1, RANDOM.2, i as u32);
                before.x[i] - h * before.gradient[i] + (2.0 * h * temperature).sqrt() * xi
            })
            .collect();
        let (energies, gradient) = quartic(&y);
        for (chain, (change, accepted)) in outcome.into_iter().enumerate() {
            let own = 2 * chain..2 * chain + 2;
            let log_q = |to: &[f64], from: &[f64], gradient: &[f64]| -> f64 {
                own.clone()
                    .map(|i| -(to[i] - from[i] + h * gradient[i]).powi(2) / (4.0 * h * temperature))
                    .sum()
            };
            let log_ratio = log_q(&before.x, &y, &gradient)
                - log_q(&y, &before.x, &before.gradient)
                - (energies[chain] - before.energies[chain]) / temperature;
            assert!((log_ratio + change / temperature).abs() < 1e-12, "{chain}");
            let end = if accepted { &y } else { &before.x };
            for i in own {
                assert!((after.x[i] - end[i]).abs() < 1e-12);
            }
        }
    }

    /// All are of second order.
    #[test]
    fn the_error_in_h_falls_with_the_square_of_the_time_step() {
        let change = |integrator, h: f64, leaps| {
            let mut state = state();
            let how = (integrator, leaps, 0.2);
            let outcome = hmc_step(&mut state, h, how, 1.0, RANDOM, 0, &quartic);
            outcome
                .iter()
                .map(|(change, _)| change.abs())
                .fold(0.0, f64::max)
        };
        for integrator in INTEGRATORS {
            // The same time in steps of half the length, a quarter of the step size.
            let coarse = change(integrator, 0.005, 6);
            let fine = change(integrator, 0.00125, 12);
            let fall = coarse / fine;
            assert!(
                (fall - 4.0).abs() < 0.4,
                "{integrator:?}: {coarse} to {fine}"
            );
        }
    }

    /// On a Gaussian whose values differ in spread as much as eight to one, at the gradients and the time of six leapfrog
    /// steps: what they are for.
    #[test]
    fn more_stages_lose_less_energy_in_the_same_time() {
        let field = |x: &[f64]| {
            let stiff = |i: usize| 1.0 + 9.0 * i as f64;
            let energy = |x: &[f64]| {
                x.iter()
                    .enumerate()
                    .map(|(i, x)| stiff(i) * x * x / 2.0)
                    .sum()
            };
            let gradient = |x: &[f64]| -> Vec<f64> {
                x.iter().enumerate().map(|(i, x)| stiff(i) * x).collect()
            };
            (
                x.chunks(8).map(energy).collect(),
                x.chunks(8).flat_map(gradient).collect(),
            )
        };
        let x: Vec<f64> = (0..64 * 8)
            .map(|i| {
                let spread = 1.0 / (1.0 + 9.0 * f64::from(i % 8)).sqrt();
                spread * normal(5, Stream::Langevin, 0, i)
            })
            .collect();
        let lost: Vec<f64> = INTEGRATORS
            .map(|integrator| {
                let (energies, gradient) = field(&x);
                let mut state = HmcState {
                    x: x.clone(),
                    energies,
                    gradient,
                };
                let how = (integrator, 6, 0.0);
                let outcome = hmc_step(&mut state, 0.01, how, 1.0, RANDOM, 0, &field);
                outcome
                    .iter()
                    .map(|(change, _)| change.powi(2))
                    .sum::<f64>()
            })
            .to_vec();
        assert!(lost[1] < lost[0] / 4.0 && lost[2] < lost[1], "{lost:?}");
    }

    #[test]
    fn what_is_not_finite_is_rejected() {
        let mut lost = state();
        let wall = |x: &[f64]| (vec![f64::NAN; 3], vec![0.0; x.len()]);
        let outcome = hmc_step(&mut lost, 0.1, (&LEAPFROG, 2, 0.0), 1.0, RANDOM, 0, &wall);
        assert!(outcome.iter().all(|(_, accepted)| !accepted));
        assert_eq!(lost, state());
    }
}
