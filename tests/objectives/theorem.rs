//! The theorem: at a fresh snapshot every objective is maximum likelihood, whatever the network.

use crate::batch::{EXPONENT, LOG_ERROR};
use crate::common::{ROUNDING, assert_within, best_variants, executor, normals, one_of, widen};
use crate::drawn::{Drawn, blocks, convolutions, drawn, perceptrons};
use crate::networks::{PLAIN, Setting, gradient, settings};
use afterimage::config::{Criterion, Word};
use afterimage::gpu::Executor;
use afterimage::low_level::network::{initial_parameters, twin};
use afterimage::low_level::twins;
use afterimage::model::Architecture;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config as ProptestConfig, TestRunner};
use std::cell::RefCell;

/// By how much the gradient at a fresh snapshot is that of contrastive divergence.
fn curvature(criterion: Criterion, nu: f64) -> f64 {
    match criterion {
        Criterion::Bregman(generator) => (generator.curvature)(nu, EXPONENT.into()),
        Criterion::Ranking => nu / (1.0 + nu),
        Criterion::ContrastiveDivergence => 1.0,
    }
}

/// The contrastive-divergence gradient of a batch in f64, and for each parameter the sum of the sizes of the terms that
/// make it up, which is what rounding goes with.
struct Divergence {
    gradient: Vec<f64>,
    sizes: Vec<f64>,
}

/// Without the vectors of spectral normalisation, which no gradient moves.
fn divergence_in_f64(
    architecture: &Architecture,
    parameters: &[f64],
    x: &[f64],
    data: usize,
    noise: usize,
) -> Divergence {
    let model = twin(architecture, parameters);
    let learned = architecture.parameter_offset(architecture.layers().len());
    let mut gradient = vec![0.0; learned];
    let mut sizes = vec![0.0; learned];
    for (n, sample) in x.chunks(architecture.input().len()).enumerate() {
        let factor = if n < data {
            1.0 / data as f64
        } else {
            -1.0 / noise as f64
        };
        let layers = model.weight_gradient(sample, 1, &[factor]).into_iter();
        let of_sample: Vec<f64> = layers.flat_map(|g| [g.weight, g.bias].concat()).collect();
        for (p, g) in of_sample.iter().enumerate() {
            gradient[p] += g;
            sizes[p] += g.abs();
        }
    }
    if architecture.spectral_norm() {
        for (index, layer) in architecture.layers().iter().enumerate() {
            let start = architecture.parameter_offset(index);
            let w = start..start + layer.weight_len();
            let vector = architecture.vector_offset(index);
            let u = &parameters[vector..vector + layer.outputs()];
            let weight = &parameters[w.clone()];
            let raw = twins::spectral_gradient(weight, u, &gradient[w.clone()]);
            gradient[w.clone()].copy_from_slice(&raw);
            // (g − (Σ g·ŵ) l·r) / σ with unit vectors l and r, and ŵ = W/σ.
            let normalised = twins::spectral_weights(weight, u);
            let norm = |values: &[f64]| values.iter().map(|v| v * v).sum::<f64>().sqrt();
            let sigma = norm(weight) / norm(&normalised);
            let terms = sizes[w.clone()].iter().zip(&normalised);
            let along: f64 = terms.map(|(size, w)| size * w.abs()).sum();
            for size in &mut sizes[w] {
                *size = (*size + along) / sigma;
            }
        }
    }
    Divergence { gradient, sizes }
}

/// Checks the theorem for one network and batch with one kind of kernels or the other and every objective.
fn check_the_theorem(executor: &mut Executor, drawn: &Drawn, turn: usize) {
    let architecture = drawn.architecture();
    let parameters = initial_parameters(&architecture, &PLAIN, drawn.seed.into());
    let (data, noise) = (drawn.data, drawn.data * drawn.ratio);
    let nu = drawn.ratio as f64;
    let x = normals(drawn.seed, (data + noise) * drawn.input.len());
    let in_f64 = divergence_in_f64(&architecture, &widen(&parameters), &widen(&x), data, noise);
    let learned = in_f64.gradient.len();
    // At most 25 samples of 81 places, where errors that do not conspire grow with the root of their number, from layer to
    // layer; a factor is right to a few units.
    let largest = in_f64.sizes.iter().fold(0.0f64, |m, &size| m.max(size));
    let depth = architecture.layers().len().max(4) as f64;
    let tolerance = depth * (25.0f64 * 81.0).sqrt() * ROUNDING * largest + 1e-30;
    for (name, variant) in one_of(best_variants(executor), turn) {
        let setting = Setting {
            architecture: architecture.clone(),
            variant,
            x: x.clone(),
            data,
            noise,
        };
        let mut of = |criterion| {
            gradient(
                executor,
                &setting,
                settings(criterion),
                &parameters,
                &parameters,
            )
        };
        // LeakyReLU's derivative jumps at 0, of which f32 and f64 may be on different sides.
        let want = match drawn.activation.kind.has_slope() {
            true => {
                let (divergence, _) = of(Criterion::ContrastiveDivergence);
                widen(&divergence[..learned])
            }
            false => in_f64.gradient.clone(),
        };
        for criterion in Criterion::ALL {
            let (got, metrics) = of(criterion);
            let (got, vectors) = got.split_at(learned);
            let factor = curvature(criterion, nu);
            let what = format!("{name}, {}, {drawn:?}", criterion.name());
            let scaled: Vec<f64> = want.iter().map(|g| factor * g).collect();
            assert_within(&what, got, &scaled, |_| factor * tolerance);
            assert!(vectors.iter().all(|v| v.is_nan()), "{what}: written");
            // Two means of equal weights: sums and divisions round, and logistic takes the logarithm of ν.
            let slope = f64::from(metrics.normaliser_gradient).abs();
            let allowed = (32.0 * ROUNDING + LOG_ERROR) * (1.0 + nu);
            assert!(slope <= allowed, "{what}: ∂L/∂c = {slope}");
            assert_eq!(metrics.log_ratio_spread, 0.0, "{what}");
        }
    }
}

/// The theorem: whatever the generator, K = 1 is maximum likelihood. On the GPU, for the whole parameter gradient.
#[test]
fn at_a_fresh_snapshot_every_objective_is_contrastive_divergence_up_to_a_factor() {
    let executor = RefCell::new(executor(false));
    // Every network is a dozen programs and more to compile, also those on the way to a smaller counterexample.
    let config = ProptestConfig {
        cases: 1,
        max_shrink_iters: 20,
        failure_persistence: None,
        ..Default::default()
    };
    // A runner is for `cases` networks in all.
    let runner = || TestRunner::new(config.clone());
    for spectral_norm in [false, true] {
        // Heads are compiled for each number of samples.
        let counts = (1..6usize, 1..5usize).new_tree(&mut runner());
        let counts = counts.expect("draws").current();
        for (turn, layers) in [perceptrons(), convolutions(), blocks()]
            .into_iter()
            .enumerate()
        {
            // Every kind of network meets either kind of kernels.
            let turn = turn + usize::from(spectral_norm);
            let outcome = runner().run(&drawn(layers, spectral_norm, counts), |drawn| {
                check_the_theorem(&mut executor.borrow_mut(), &drawn, turn);
                Ok(())
            });
            outcome.expect("the theorem holds");
        }
    }
}
