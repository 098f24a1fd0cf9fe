//! Whole networks against finite differences of their f64 twin.

use crate::common::{
    F16_ROUNDING, assert_close, executor, extended, filled, network_variants, normals, poisoned,
    twin, widen,
};
use crate::examples::{PLAIN, architectures};
use afterimage::gpu::{Executor, Recording};
use afterimage::low_level::network::{Network, initial_parameters};

/// Central differences of Σₙ factorₙ·E(xₙ) have an error of about h²·E‴ + ε·E/h: 1e-7 at h = 1e-4 here.
const DIFFERENCE_STEP: f64 = 1e-4;
/// f32 through up to seven layers of at most 54 terms each; see tests/networks.rs.
pub const TOLERANCE: f64 = 4e-5;
/// In mixed precision three maps a layer are rounded on the way forth and back, and those inside a block besides.
const MIXED_TOLERANCE: f64 = 3.0 * 8.0 * F16_ROUNDING;

/// E, ∇ₓE and Σ factor · ∂E/∂θ of a whole batch.
struct Passes {
    energies: Vec<f32>,
    in_x: Vec<f32>,
    in_parameters: Vec<f32>,
}

fn passes(
    executor: &mut Executor,
    network: &Network,
    parameters: &[f32],
    x: &[f32],
    factor: &[f32],
) -> Passes {
    let mut r = Recording::new();
    network.setup(&mut r);
    let p = filled(&mut r, "parameters", parameters);
    let x_buffer = filled(&mut r, "x", x);
    let factors = filled(&mut r, "factor", factor);
    let energies = poisoned(&mut r, "energies", factor.len());
    let in_x = poisoned(&mut r, "x gradient", x.len());
    let gradient = poisoned(&mut r, "gradient", parameters.len());
    let prepared = network.prepare(&mut r, p);
    prepared.energy_gradient(&mut r, x_buffer, Some(energies), in_x);
    prepared.derivatives(&mut r, x_buffer);
    prepared.weight_gradient(&mut r, x_buffer, factors, gradient, false);
    prepared.finish_gradient(&mut r, gradient);
    executor.run(&r).expect("runs");
    let mut read = |buffer| executor.read(buffer).expect("reads");
    Passes {
        energies: read(energies),
        in_x: read(in_x),
        in_parameters: read(gradient),
    }
}

#[test]
fn energies_and_gradients_agree_with_finite_differences() {
    let mut executor = executor(false);
    let samples = 3;
    for (turn, architecture) in architectures().into_iter().enumerate() {
        // Turns go on where those of tests/networks.rs end.
        let runs = network_variants(&executor, turn + 3, [TOLERANCE, MIXED_TOLERANCE]);
        let length = architecture.input().len();
        let (x32, factor32) = (normals(1, samples * length), normals(2, samples));
        let parameters32 = initial_parameters(&architecture, &PLAIN, 5);
        let (x, factor, parameters) = (widen(&x32), widen(&factor32), widen(&parameters32));
        let model = twin(&architecture, &parameters);
        let differences = |count: usize, objective: &dyn Fn(usize, f64) -> f64| -> Vec<f64> {
            let difference = |i| objective(i, DIFFERENCE_STEP) - objective(i, -DIFFERENCE_STEP);
            (0..count)
                .map(|i| difference(i) / (2.0 * DIFFERENCE_STEP))
                .collect()
        };
        let in_x = differences(x.len(), &|i, shift| {
            let sample = i / length;
            let mut x = x[sample * length..(sample + 1) * length].to_vec();
            x[i % length] += shift;
            model.energies(&x, 1)[0]
        });
        // The vectors of spectral normalisation are held.
        let learned = architecture.parameter_offset(architecture.layers().len());
        let in_parameters = differences(learned, &|i, shift| {
            let mut parameters = parameters.clone();
            parameters[i] += shift;
            let energies = twin(&architecture, &parameters).energies(&x, samples);
            energies.iter().zip(&factor).map(|(e, f)| e * f).sum()
        });
        let energies = model.energies(&x, samples);
        for (index, (name, variant, tolerance)) in runs.into_iter().enumerate() {
            let network = Network::new(&architecture, samples, variant).expect("fits");
            let got = passes(&mut executor, &network, &parameters32, &x32, &factor32);
            let check = |part: &str, got: &[f32], want: &[f64]| {
                let what = format!("{name}, {part}, {:?}", architecture.input());
                assert_close(&what, got, want, tolerance);
            };
            check("energies", &got.energies, &energies);
            check("gradient in x", &got.in_x, &in_x);
            check(
                "gradient in the parameters",
                &got.in_parameters[..learned],
                &in_parameters,
            );

            assert!(got.in_parameters[learned..].iter().all(|v| v.is_nan()));

            // A workspace for more samples gives the same bits, for the best of either family.
            if index >= 2 || (index != turn % 2 && !extended()) {
                continue;
            }
            let larger = Network::new(&architecture, samples + 2, variant).expect("fits");
            let mut r = Recording::new();
            larger.setup(&mut r);
            let p = filled(&mut r, "parameters", &parameters32);
            let x_buffer = filled(&mut r, "x", &x32);
            let energies = poisoned(&mut r, "energies", samples);
            let gradient = poisoned(&mut r, "x gradient", x32.len());
            let network = larger.for_samples(samples);
            let prepared = network.prepare(&mut r, p);
            prepared.energy_gradient(&mut r, x_buffer, Some(energies), gradient);
            executor.run(&r).expect("runs");
            assert!(
                executor.read(energies).expect("reads") == got.energies,
                "{name}"
            );
            assert!(
                executor.read(gradient).expect("reads") == got.in_x,
                "{name}"
            );
        }
    }
}
