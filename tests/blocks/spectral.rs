//! Spectral normalisation: its kernels, its estimate, and its vectors in training.

use crate::common::{
    ROUNDING, assert_close, best_variants, executor, filled, normals, poisoned, widen,
};
use crate::examples::{DIGITS, PLAIN, digits};
use afterimage::gpu::Recording;
use afterimage::low_level::kernels::{
    SpectralWeight, spectral_gradient, spectral_turn, spectral_weights,
};
use afterimage::low_level::network::initial_parameters;
use afterimage::low_level::train::TrainingPlan;
use afterimage::low_level::twins;

/// One weight, one row, one column, and sizes around those of a workgroup.
#[test]
fn spectral_normalisation_agrees_with_its_twin() {
    let mut executor = executor(true);
    for (rows, columns) in [(1, 1), (5, 7), (1, 130), (70, 1), (64, 65), (65, 200)] {
        let before = 3;
        let weight = SpectralWeight {
            rows,
            columns,
            weight: before,
            vector: before + rows * columns + rows + 2,
            scratch: 5,
        };
        let values = normals(1, weight.vector + rows);
        let gradient = normals(2, values.len());
        let mut r = Recording::new();
        let parameters = filled(&mut r, "parameters", &values);
        let scratch = poisoned(&mut r, "scratch", 5 + weight.scratch_words());
        let normalised = poisoned(&mut r, "normalised", values.len());
        let gradient_buffer = filled(&mut r, "gradient", &gradient);
        spectral_weights(&mut r, &weight, parameters, scratch, normalised);
        spectral_gradient(
            &mut r,
            &weight,
            parameters,
            scratch,
            normalised,
            gradient_buffer,
        );
        spectral_turn(&mut r, &weight, parameters, scratch);
        executor.run(&r).expect("runs");

        let (w, u) = (before..before + rows * columns, weight.vector..values.len());
        let what = |part| format!("{part} of {rows}×{columns}");
        let (wide, wide_gradient) = (widen(&values), widen(&gradient));
        let (twin_w, twin_u) = (&wide[w.clone()], &wide[u.clone()]);
        // Sums of `rows` products, and of the squares of `columns` such sums.
        let tolerance = 4.0 * (rows + columns) as f64 * ROUNDING;
        let got = executor.read(normalised).expect("reads");
        let want = twins::spectral_weights(twin_w, twin_u);
        assert_close(&what("weight"), &got[w.clone()], &want, tolerance);
        assert_eq!(
            got[w.end..w.end + rows],
            values[w.end..w.end + rows],
            "the bias"
        );
        let mut rest = got[..before].iter().chain(&got[w.end + rows..]);
        assert!(rest.all(|value| value.is_nan()));
        let got = executor.read(gradient_buffer).expect("reads");
        let want = twins::spectral_gradient(twin_w, twin_u, &wide_gradient[w.clone()]);
        assert_close(&what("gradient"), &got[w.clone()], &want, tolerance);
        assert_eq!(got[..before], gradient[..before]);
        assert_eq!(got[w.end..], gradient[w.end..]);
        let got = executor.read(parameters).expect("reads");
        assert_close(
            &what("vector"),
            &got[u.clone()],
            &twins::spectral_turn(twin_w, twin_u),
            tolerance,
        );
        assert_eq!(got[..u.start], values[..u.start]);
    }
}

/// The singular values of a 2×2 matrix are the roots of s⁴ − |W|² s² + det² = 0.
#[test]
fn the_estimate_reaches_the_largest_singular_value() {
    let mut executor = executor(false);
    for tag in 0..5 {
        let values = normals(10 + tag, 8);
        let weight = SpectralWeight {
            rows: 2,
            columns: 2,
            weight: 0,
            vector: 6,
            scratch: 0,
        };
        let mut r = Recording::new();
        let parameters = filled(&mut r, "parameters", &values);
        let scratch = poisoned(&mut r, "scratch", weight.scratch_words());
        let normalised = poisoned(&mut r, "normalised", values.len());
        for _ in 0..200 {
            spectral_turn(&mut r, &weight, parameters, scratch);
        }
        spectral_weights(&mut r, &weight, parameters, scratch, normalised);
        executor.run(&r).expect("runs");
        let w = widen(&values[..4]);
        let squares: f64 = w.iter().map(|value| value * value).sum();
        let determinant = w[0] * w[3] - w[1] * w[2];
        let root = (squares * squares - 4.0 * determinant * determinant).sqrt();
        let sigma = ((squares + root) / 2.0).sqrt();
        let want: Vec<f64> = w.iter().map(|value| value / sigma).collect();
        let got = executor.read(normalised).expect("reads");
        assert_close("normalised", &got[..4], &want, 8.0 * ROUNDING);
    }
}

/// Initial vectors are near the singular vectors, and a step of training moves them on by one iteration.
#[test]
fn training_turns_the_vectors_once_a_step() {
    let config = digits(&["network.zero_head=false", "network.spectral_norm=true"]);
    for (name, variant) in best_variants(&executor(false)) {
        let mut executor = executor(false);
        let plan = TrainingPlan::new(&config, DIGITS, variant).expect("fits");
        let architecture = plan.architecture();
        let initial = initial_parameters(architecture, &PLAIN, 1);
        executor.run(&plan.setup(&initial)).expect("runs");
        let data = normals(3, 8 * DIGITS.len());
        for step in 0..2 {
            let before = executor.read(plan.live_parameters()).expect("reads");
            executor.run(&plan.step(step, &data)).expect("runs");
            let after = executor.read(plan.live_parameters()).expect("reads");
            for (index, layer) in architecture.layers().iter().enumerate() {
                let w = architecture.parameter_offset(index);
                let u = architecture.vector_offset(index);
                let (w, u) = (w..w + layer.weight_len(), u..u + layer.outputs());
                assert!(
                    after[w.clone()] != before[w.clone()],
                    "{name}: layer {index} learns"
                );
                let want =
                    twins::spectral_turn(&widen(&after[w.clone()]), &widen(&before[u.clone()]));
                let terms = layer.weight_len() / layer.outputs() + layer.outputs();
                let tolerance = 4.0 * terms as f64 * ROUNDING;
                assert_close(name, &after[u.clone()], &want, tolerance);
                // 30 iterations leave little to turn.
                let along: f64 = want
                    .iter()
                    .zip(&before[u])
                    .map(|(a, b)| a * f64::from(*b))
                    .sum();
                assert!(along > 0.99, "{name}: layer {index}: {along}");
            }
        }
    }
}
