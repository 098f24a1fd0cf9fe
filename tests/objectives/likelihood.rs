//! KL with its best log-normaliser difference is the likelihood.

use crate::batch::{Batch, every, run_ratio_head};
use crate::common::assert_within;
use crate::common::device::device;
use afterimage::low_level::kernels::Normaliser;

/// Energies and a data density on the line, all smooth, none normalised.
fn live_energy(x: f64) -> f64 {
    0.5 * x * x + 0.3 * (2.0 * x).sin()
}

fn snapshot_energy(x: f64) -> f64 {
    0.45 * (x - 0.2).powi(2) + 0.2 * x.cos()
}

fn data_density(x: f64) -> f64 {
    (-0.6 * (x + 0.3).powi(2)).exp() * (1.2 + x.sin())
}

/// Midpoints of the cells of [−9, 9], outside of which no density has a part in 1e-14.
const CELLS: usize = 36_000;

fn midpoint(cell: usize) -> f64 {
    -9.0 + 18.0 * (cell as f64 + 0.5) / CELLS as f64
}

/// The cells' shares of a density.
fn normalised(density: impl Fn(f64) -> f64) -> Vec<f64> {
    let values: Vec<f64> = (0..CELLS).map(|cell| density(midpoint(cell))).collect();
    let total: f64 = values.iter().sum();
    values.iter().map(|v| v / total).collect()
}

/// `count` points that halve the count-th parts of a law.
fn quantiles(shares: &[f64], count: usize) -> Vec<f64> {
    let mut points = Vec::with_capacity(count);
    let mut sum = 0.0;
    for (cell, share) in shares.iter().enumerate() {
        let wanted = |points: &Vec<f64>| (points.len() as f64 + 0.5) / count as f64;
        while points.len() < count && wanted(&points) <= sum + share {
            let inside = (wanted(&points) - sum) / share - 0.5;
            points.push(midpoint(cell) + inside * 18.0 / CELLS as f64);
        }
        sum += share;
    }
    assert_eq!(points.len(), count);
    points
}

#[test]
fn kl_with_the_best_normaliser_is_the_difference_of_log_likelihoods() {
    let kl = every(30.0)
        .find(|bregman| bregman.generator.name == "kl")
        .expect("is registered");
    let (live, snapshot) = (
        normalised(|x| (-live_energy(x)).exp()),
        normalised(|x| (-snapshot_energy(x)).exp()),
    );
    let data = normalised(data_density);
    let mean = |law: &[f64], of: &dyn Fn(usize) -> f64| -> f64 {
        law.iter().enumerate().map(|(cell, p)| p * of(cell)).sum()
    };
    let nll = |law: &[f64]| -mean(&data, &|cell| law[cell].ln());
    // NLL per cell; the cells' size cancels in the difference.
    let want = 1.0 + nll(&live) - nll(&snapshot);

    // By quadrature, with the losses that the twin uses. The best c is log Z_φ − log Z_θ, that is, u the true log-ratio.
    let v = |x: f64| snapshot_energy(x) - live_energy(x);
    let c = -mean(&snapshot, &|cell| v(midpoint(cell)).exp()).ln();
    let u = |cell| v(midpoint(cell)) + c;
    for cell in (0..CELLS).step_by(1000) {
        let true_ratio = live[cell].ln() - snapshot[cell].ln();
        assert!((u(cell) - true_ratio).abs() < 1e-9, "{}", midpoint(cell));
    }
    let loss = mean(&data, &|cell| kl.losses(u(cell), 1.0).0)
        + mean(&snapshot, &|cell| kl.losses(u(cell), 1.0).1);
    assert!((loss - want).abs() < 1e-10, "{loss} instead of {want}");

    // By the head on the GPU, over points that divide both laws evenly.
    let count = 8192;
    let points = [quantiles(&data, count), quantiles(&snapshot, count)].concat();
    let energies = |energy: fn(f64) -> f64| points.iter().map(|&x| energy(x) as f32).collect();
    let batch = Batch {
        data: count,
        noise: count,
        live: energies(live_energy),
        snapshot: energies(snapshot_energy),
    };
    let mut device = device(false);
    let (got, ..) = run_ratio_head(&mut device, kl, Normaliser::Profiled, 0.0, &batch, &[0.0]);
    // A part of 1/8192 of a tail is taken as one point, where the integrands vary by about 1: 1e-4 of each mean.
    assert_within(
        "loss and c",
        &[got.loss, got.normaliser],
        &[want, c],
        |_| 3e-4,
    );
    assert_eq!(got.clamped, 0.0);
}
