//! The laws of initial weights.

use crate::common::ROUNDING;
use crate::examples::{PLAIN, conv, dense};
use afterimage::config::InitialWeights;
use afterimage::low_level::kernels::Activation;
use afterimage::low_level::network::{Initialisation, initial_parameters};
use afterimage::model::Architecture;
use afterimage::shape::Shape;

/// Mean and variance of `values`.
fn moments(values: &[f32]) -> (f64, f64) {
    let count = values.len() as f64;
    let mean = values.iter().map(|&v| f64::from(v)).sum::<f64>() / count;
    let square = values.iter().map(|&v| (f64::from(v) - mean).powi(2));
    (mean, square.sum::<f64>() / count)
}

#[test]
fn initial_weights_follow_their_laws() {
    let specs = [conv(48, 3, 1, 1), conv(40, 3, 1, 1), dense(1)];
    let shape = Shape::new(16, 5, 5);
    let architecture = Architecture::new(shape, &specs, Activation::SILU, None).expect("fits");
    let (fan_in, fan_out, count) = (48 * 9, 40 * 9, 40 * 48 * 9);
    let start = architecture.parameter_offset(1);
    let drawn = |weights| {
        let how = Initialisation { weights, ..PLAIN };
        initial_parameters(&architecture, &how, 3)
    };
    let default = drawn(InitialWeights::Default);
    for (weights, variance, uniform) in [
        (InitialWeights::Default, 1.0 / (3.0 * fan_in as f64), true),
        (InitialWeights::He, 2.0 / fan_in as f64, false),
        (
            InitialWeights::Xavier,
            2.0 / (fan_in + fan_out) as f64,
            true,
        ),
        (InitialWeights::Orthogonal, 1.0 / fan_in as f64, false),
    ] {
        let parameters = drawn(weights);
        let weight = &parameters[start..start + count];
        let (mean, got) = moments(weight);
        // Four standard errors of the mean, and of the variance: 2σ⁴/n for a normal law, which has the most.
        let error = (2.0 / count as f64).sqrt();
        assert!(
            mean.abs() < 4.0 * (variance / count as f64).sqrt(),
            "{weights:?}: {mean}"
        );
        assert!(
            (got / variance - 1.0).abs() < 4.0 * error,
            "{weights:?}: {got}"
        );
        let most = weight
            .iter()
            .fold(0.0f64, |m, &v| m.max(f64::from(v).abs()));
        let bound = (3.0 * variance).sqrt();
        assert_eq!(
            most <= bound * 1.000_001,
            uniform,
            "{weights:?}: {most} of {bound}"
        );
        // Biases are uniform on ±1/√fan_in in all.
        let biases = &parameters[start + count..start + count + 40];
        let bound = 1.0 / (fan_in as f32).sqrt();
        assert!(
            biases.iter().all(|b| b.abs() <= bound) && biases.iter().any(|b| b.abs() > bound / 2.0)
        );
        assert_eq!(parameters == default, weights == InitialWeights::Default);
    }
    // Rows of (40, 432), and the columns of a (48, 16) matrix among those that have fewer.
    let gram = |values: &[f32], rows: usize, columns: usize, by_rows: bool| {
        let at = |r: usize, c: usize| f64::from(values[r * columns + c]);
        let (count, length) = if by_rows {
            (rows, columns)
        } else {
            (columns, rows)
        };
        for a in 0..count {
            for b in 0..=a {
                let dot: f64 = (0..length)
                    .map(|i| {
                        if by_rows {
                            at(a, i) * at(b, i)
                        } else {
                            at(i, a) * at(i, b)
                        }
                    })
                    .sum();
                let want = f64::from(u8::from(a == b));
                // Sums of f32s that are each rounded once.
                assert!(
                    (dot - want).abs() < 2.0 * ROUNDING * length as f64,
                    "{a}, {b}: {dot}"
                );
            }
        }
    };
    gram(
        &drawn(InitialWeights::Orthogonal)[start..],
        40,
        fan_in,
        true,
    );
    let tall = Architecture::new(
        Shape::new(16, 1, 1),
        &[dense(48), dense(1)],
        Activation::SILU,
        None,
    );
    let how = Initialisation {
        weights: InitialWeights::Orthogonal,
        ..PLAIN
    };
    gram(
        &initial_parameters(&tall.expect("fits"), &how, 3),
        48,
        16,
        false,
    );
}
