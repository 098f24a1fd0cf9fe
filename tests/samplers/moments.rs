//! Moments of known targets.

use crate::common::executor;
use crate::target::{Target, dynamics, sample};
use afterimage::low_level::kernels::Dynamics;
use afterimage::low_level::twins::TwinNetwork;

/// Mean and standard error of values of independent chains.
fn mean_and_error(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0);
    (mean, (variance / n).sqrt())
}

/// A function of a point, by name.
type Moment = (&'static str, fn(&[f64]) -> f64);

/// Those whose means are compared.
const MOMENTS: [Moment; 6] = [
    ("x", |p| p[0]),
    ("y", |p| p[1]),
    ("x²", |p| p[0] * p[0]),
    ("y²", |p| p[1] * p[1]),
    ("x² y", |p| p[0] * p[0] * p[1]),
    ("x > 0", |p| f64::from(u8::from(p[0] > 0.0))),
];

/// The moments of exp(−E) by the midpoint rule on [−8, 8]², whose error is far below that of any sample: the integrands
/// are smooth over many cells and nothing at the border.
fn moments(model: &TwinNetwork) -> Vec<f64> {
    const SIDE: usize = 320;
    let place = |i: usize| -8.0 + (i as f64 + 0.5) * 16.0 / SIDE as f64;
    let grid: Vec<f64> = (0..SIDE * SIDE)
        .flat_map(|i| [place(i / SIDE), place(i % SIDE)])
        .collect();
    let energies = model.energies(&grid, SIDE * SIDE);
    let lowest = energies.iter().copied().fold(f64::INFINITY, f64::min);
    let weights: Vec<f64> = energies
        .iter()
        .map(|energy| (lowest - energy).exp())
        .collect();
    let total: f64 = weights.iter().sum();
    MOMENTS
        .iter()
        .map(|(_, moment)| {
            grid.chunks(2)
                .zip(&weights)
                .map(|(p, w)| w * moment(p))
                .sum::<f64>()
                / total
        })
        .collect()
}

pub fn adapted(name: &str) -> Dynamics {
    let mut dynamics = dynamics(name, 0.1);
    dynamics.target_acceptance = dynamics.kind.target_acceptance;
    dynamics
}

/// Five standard errors of 4096 independent chains. The slowest thing here is to cross between the modes of the bimodal
/// target, a barrier of 1 over steps that adapt to half a mode's width: 200 steps forget the start many times over.
#[test]
fn exact_samplers_have_the_moments_of_a_banana_and_of_two_modes() {
    let mut executor = executor(false);
    for (target_name, target) in [("bimodal", Target::bimodal()), ("banana", Target::banana())] {
        let truth = moments(&target.twin());
        for (name, steps) in [("mala", 400), ("hmc", 150)] {
            let x = sample(&mut executor, &target, adapted(name), steps);
            for ((what, moment), truth) in MOMENTS.iter().zip(&truth) {
                let values: Vec<f64> = x.chunks(2).map(moment).collect();
                let (mean, error) = mean_and_error(&values);
                assert!(
                    (mean - truth).abs() < 5.0 * error,
                    "{name} on {target_name}: {what} is {mean} ± {error}, truth {truth}"
                );
            }
        }
    }
}

/// Without a test the law is biased: by theory v/(1 − h/(2v)) for plain steps on a Gaussian of variance v.
#[test]
fn on_a_gaussian_only_plain_langevin_is_biased() {
    let mut executor = executor(false);
    let (mean, variance, h) = (0.7f64, 1.0f64, 0.7);
    let target = Target::gaussian(2, 0.7, 1.0);
    for (name, steps) in [
        ("langevin", 60),
        ("mala", 60),
        ("hmc", 30),
        ("underdamped", 80),
    ] {
        let x = sample(&mut executor, &target, dynamics(name, h as f32), steps);
        let (average, error) = mean_and_error(&x);
        assert!(
            (average - mean).abs() < 5.0 * error,
            "{name}: mean {average}"
        );
        let squares: Vec<f64> = x.iter().map(|x| (x - mean).powi(2)).collect();
        let (spread, error) = mean_and_error(&squares);
        let want = match name {
            "langevin" => variance / (1.0 - h / (2.0 * variance)),
            // BAOAB is exact on a Gaussian, too; the refreshed velocity's share in it fades as exp(−γt).
            _ => variance,
        };
        assert!(
            (spread - want).abs() < 5.0 * error,
            "{name}: variance {spread} ± {error}, theory {want}"
        );
        if name == "langevin" {
            assert!(
                spread - variance > 10.0 * error,
                "the bias is seen: {spread} ± {error}"
            );
        }
    }
}

/// Its bias is of the order of ε² = 2h: at h = 0.005 below what 4096 chains can see.
#[test]
fn underdamped_chains_have_the_moments_of_two_modes() {
    let mut executor = executor(false);
    let target = Target::bimodal();
    let x = sample(&mut executor, &target, dynamics("underdamped", 0.005), 600);
    for ((what, moment), truth) in MOMENTS.iter().zip(moments(&target.twin())) {
        let values: Vec<f64> = x.chunks(2).map(moment).collect();
        let (mean, error) = mean_and_error(&values);
        assert!(
            (mean - truth).abs() < 5.0 * error,
            "{what} is {mean} ± {error}, truth {truth}"
        );
    }
}
