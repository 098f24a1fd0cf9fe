//! Whole networks on the GPU against finite differences of their f64 twin, in x and in θ.

mod common;

use afterimage::gpu::Recording;
use afterimage::kernels::{Activation, QuadraticBase};
use afterimage::network::{Architecture, Initialisation, LayerSpec, Network, initial_parameters};
use afterimage::shape::Shape;
use common::{assert_close, executor, filled, normals, poisoned, twin, variants, widen};

const PLAIN: Initialisation = Initialisation {
    zero_head: false,
    first_weight_scale: 1.0,
    first_bias_scale: 1.0,
};

fn conv(channels: usize, kernel: usize, stride: usize, padding: usize) -> LayerSpec {
    LayerSpec::Conv {
        channels,
        kernel,
        stride,
        padding,
    }
}

fn dense(features: usize) -> LayerSpec {
    LayerSpec::Dense { features }
}

/// Small nets of every kind: convolutions into dense layers, a convolutional head with several outputs, an MLP.
fn architectures() -> Vec<Architecture> {
    let base = Some(QuadraticBase {
        mean: 0.3,
        std: 1.5,
    });
    let build = |shape, specs: &[LayerSpec], activation, base| {
        Architecture::new(shape, specs, activation, base).expect("fits")
    };
    vec![
        build(
            Shape::new(1, 9, 7),
            &[conv(6, 3, 1, 1), conv(9, 3, 2, 1), dense(5), dense(1)],
            Activation::Silu,
            base,
        ),
        build(
            Shape::new(3, 8, 8),
            &[conv(8, 4, 2, 1), conv(2, 3, 1, 0)],
            Activation::Tanh,
            None,
        ),
        build(
            Shape::new(2, 1, 1),
            &[dense(17), dense(9), dense(1)],
            Activation::Softplus,
            base,
        ),
    ]
}

/// Central differences of Σₙ factorₙ·E(xₙ) have an error of about h²·E‴ + ε·E/h: 1e-7 at h = 1e-4 here.
const DIFFERENCE_STEP: f64 = 1e-4;
/// f32 through four layers; see the layers' own tests.
const TOLERANCE: f64 = 2e-5;

#[test]
fn energies_and_gradients_agree_with_finite_differences() {
    let mut executor = executor(false);
    for architecture in architectures() {
        for (name, variant) in variants(&executor) {
            let samples = 3;
            let x = normals(1, samples * architecture.input().len());
            let factor = normals(2, samples);
            let parameters = initial_parameters(&architecture, &PLAIN, 5);
            let network = Network::new(&architecture, samples, variant).expect("fits");
            let mut r = Recording::new();
            network.setup(&mut r);
            let parameter_buffer = filled(&mut r, "parameters", &parameters);
            let x_buffer = filled(&mut r, "x", &x);
            let factor_buffer = filled(&mut r, "factor", &factor);
            let energies = poisoned(&mut r, "energies", samples);
            let x_gradient = poisoned(&mut r, "x gradient", x.len());
            let gradient = poisoned(&mut r, "gradient", parameters.len());
            network.prepare(&mut r, parameter_buffer);
            let (p, x_) = (parameter_buffer, x_buffer);
            network.energy_gradient(&mut r, p, x_, Some(energies), x_gradient);
            network.energies(&mut r, p, x_, energies, true);
            network.weight_gradient(&mut r, p, x_, factor_buffer, gradient, false);
            executor.run(&r).expect("runs");

            let (x, factor, parameters) = (widen(&x), widen(&factor), widen(&parameters));
            let model = twin(&architecture, &parameters);
            let what = |part: &str| format!("{name}, {part}, {:?}", architecture.input());
            let got = executor.read(energies).expect("reads");
            assert_close(
                &what("energies"),
                &got,
                &model.energies(&x, samples),
                TOLERANCE,
            );

            let length = architecture.input().len();
            let differences: Vec<f64> = (0..x.len())
                .map(|i| {
                    let energy = |shift: f64| {
                        let mut x = x.clone();
                        x[i] += shift;
                        model.energies(&x, samples)[i / length]
                    };
                    (energy(DIFFERENCE_STEP) - energy(-DIFFERENCE_STEP)) / (2.0 * DIFFERENCE_STEP)
                })
                .collect();
            let got = executor.read(x_gradient).expect("reads");
            assert_close(&what("gradient in x"), &got, &differences, TOLERANCE);

            let objective = |i: usize, shift: f64| -> f64 {
                let mut parameters = parameters.clone();
                parameters[i] += shift;
                let energies = twin(&architecture, &parameters).energies(&x, samples);
                energies.iter().zip(&factor).map(|(e, f)| e * f).sum()
            };
            let differences: Vec<f64> = (0..parameters.len())
                .map(|i| {
                    (objective(i, DIFFERENCE_STEP) - objective(i, -DIFFERENCE_STEP))
                        / (2.0 * DIFFERENCE_STEP)
                })
                .collect();
            let got = executor.read(gradient).expect("reads");
            assert_close(
                &what("gradient in the parameters"),
                &got,
                &differences,
                TOLERANCE,
            );
        }
    }
}

/// A chain that is lost must show in its energy, whatever the activation does to NaN, and only there.
#[test]
fn a_sample_that_is_not_finite_has_an_energy_that_is_not_finite() {
    let mut executor = executor(false);
    for activation in common::ACTIVATIONS {
        let specs = [conv(5, 3, 1, 1), dense(4), dense(1)];
        let architecture =
            Architecture::new(Shape::new(1, 4, 4), &specs, activation, None).expect("fits");
        for (name, variant) in variants(&executor) {
            let mut x = normals(1, 3 * 16);
            x[16 + 5] = f32::NAN;
            let parameters = initial_parameters(&architecture, &PLAIN, 5);
            let network = Network::new(&architecture, 3, variant).expect("fits");
            let mut r = Recording::new();
            network.setup(&mut r);
            let parameters = filled(&mut r, "parameters", &parameters);
            let x = filled(&mut r, "x", &x);
            let energies = poisoned(&mut r, "energies", 3);
            network.prepare(&mut r, parameters);
            network.energies(&mut r, parameters, x, energies, false);
            executor.run(&r).expect("runs");
            let finite: Vec<bool> = executor
                .read(energies)
                .expect("reads")
                .iter()
                .map(|e| e.is_finite())
                .collect();
            assert_eq!(finite, [true, false, true], "{name}, {activation:?}");
        }
    }
}
