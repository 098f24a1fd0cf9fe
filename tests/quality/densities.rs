//! What models are compared with, against SciPy and scikit-learn, whose figures densities.py wrote down.

use crate::{assert_near, by_formula};
use afterimage::low_level::evaluation::{FittedGaussian, KernelDensity};
use afterimage::low_level::quality::Points;
use serde_json::Value;

const NOISE: f32 = 0.125;

fn reference() -> Value {
    serde_json::from_str(include_str!("densities.json")).expect("is JSON")
}

fn singles(points: &Points) -> Vec<f32> {
    points.iter().flatten().map(|value| *value as f32).collect()
}

/// Training samples, and points to score.
fn sets() -> (Vec<f32>, Vec<f32>) {
    let (training, test) = (by_formula(50, 3, 1, 0.0), by_formula(7, 3, 2, 0.25));
    (singles(&training), singles(&test))
}

#[track_caller]
fn assert_all_near(found: &[f64], wanted: &Value, tolerance: f64) {
    let wanted = wanted.as_array().expect("a list");
    assert_eq!(found.len(), wanted.len());
    for (found, wanted) in found.iter().zip(wanted) {
        let wanted = wanted.as_f64().expect("a number");
        assert_near("a log-density", *found, wanted, tolerance);
    }
}

#[test]
fn the_gaussian_is_scipys() {
    let (training, test) = sets();
    let found = FittedGaussian::fit(&training, 3, NOISE).expect("is fitted");
    assert_all_near(&found.log_densities(&test), &reference()["gaussian"], 1e-12);
}

/// Both look for the bandwidth, to a part of 1e-6 and 1e-7. A log-density moves by at most D + d²/h² ≈ 30 of that.
#[test]
fn the_kernel_density_is_scikit_learns() {
    let (training, test) = sets();
    let mut k = 0_u32;
    let mut noise = || {
        k += 1;
        (37 * (k - 1) % 19) as f32 / 8.0 - 1.125
    };
    let found = KernelDensity::fit(&training, 3, NOISE, &mut noise).expect("is fitted");
    let reference = &reference()["kernels"];
    let wanted = reference["bandwidth"].as_f64().expect("a number");
    assert_near("the bandwidth", found.bandwidth(), wanted, 1e-6);
    assert_eq!(found.count(), 50);
    assert_all_near(
        &found.log_densities(&test),
        &reference["log_densities"],
        5e-5,
    );
}

/// 300 points of a standard normal law: its own entropy is what any density scores at best, less what fitting costs, about half a
/// nat for each of (D + 3)·D/2 parameters over n.
#[test]
fn both_come_near_the_law_of_their_samples() {
    let (training, test) = (
        crate::normal(300, 2, 0.0, 1),
        crate::normal(2000, 2, 0.0, 2),
    );
    let (training, test) = (singles(&training), singles(&test));
    let entropy = (2.0 * std::f64::consts::PI).ln() + 1.0;
    let mean = |densities: Vec<f64>| densities.iter().sum::<f64>() / densities.len() as f64;
    let gaussian = FittedGaussian::fit(&training, 2, 0.0).expect("is fitted");
    let kernels = KernelDensity::fit(&training, 2, 0.0, &mut || 0.0).expect("is fitted");
    // The mean over 2,000 points of |x|²/2 has an error of √(2/2)/√2000 = 0.022.
    let found = mean(gaussian.log_densities(&test));
    assert_near("the Gaussian", found, -entropy, 5.0 * 0.022);
    let found = mean(kernels.log_densities(&test));
    assert!(
        found < -entropy + 5.0 * 0.022 && found > -entropy - 0.25,
        "{found}"
    );
}
