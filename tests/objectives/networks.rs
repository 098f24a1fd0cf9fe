//! Objectives of whole networks.

use crate::batch::EXPONENT;
use crate::checkpoint::POINT_LAYERS;
use crate::common::{executor, filled, normals, poisoned, variants};
use afterimage::config::{self, Criterion, LayerSpec, Word};
use afterimage::gpu::{Executor, Recording};
use afterimage::low_level::kernels::{Activation, METRIC_WORDS, Normaliser, RatioMetrics, Variant};
use afterimage::low_level::method::{Objective, ObjectiveSettings};
use afterimage::low_level::network::{Initialisation, Network, initial_parameters};
use afterimage::low_level::train::TrainingPlan;
use afterimage::model::Architecture;
use afterimage::shape::Shape;

pub const PLAIN: Initialisation = Initialisation {
    weights: afterimage::config::InitialWeights::Default,
    zero_head: false,
    first_weight_scale: 1.0,
    first_bias_scale: 1.0,
};

/// A network with samples for it.
pub struct Setting {
    pub architecture: Architecture,
    pub variant: Variant,
    pub x: Vec<f32>,
    pub data: usize,
    pub noise: usize,
}

/// The parameter gradient and the metrics of an objective on the GPU.
pub fn gradient(
    executor: &mut Executor,
    setting: &Setting,
    objective: ObjectiveSettings,
    live: &[f32],
    snapshot: &[f32],
) -> (Vec<f32>, RatioMetrics) {
    let count = setting.data + setting.noise;
    let network = Network::new(&setting.architecture, count, setting.variant).expect("fits");
    let objective = Objective::new(objective, setting.data, setting.noise);
    let mut r = Recording::new();
    network.setup(&mut r);
    objective.reset(&mut r);
    let live = filled(&mut r, "live", live);
    let snapshot = filled(&mut r, "snapshot", snapshot);
    let x = filled(&mut r, "x", &setting.x);
    let snapshot_energies = poisoned(&mut r, "snapshot energies", count);
    let live_energies = poisoned(&mut r, "live energies", count);
    let gradient = poisoned(&mut r, "gradient", live.words());
    let prepared = network.prepare(&mut r, snapshot);
    prepared.energies(&mut r, x, snapshot_energies, false);
    let prepared = network.prepare(&mut r, live);
    prepared.energies(&mut r, x, live_energies, true);
    objective.weigh(&mut r, live_energies, snapshot_energies);
    prepared.weight_gradient(&mut r, x, objective.factor(), gradient, false);
    prepared.finish_gradient(&mut r, gradient);
    executor.run(&r).expect("runs");
    let words = executor.read_words(objective.metrics(), 0, METRIC_WORDS);
    let metrics = RatioMetrics::from_words(&words.expect("reads"));
    (executor.read(gradient).expect("reads"), metrics)
}

pub fn settings(criterion: Criterion) -> ObjectiveSettings {
    ObjectiveSettings {
        criterion,
        exponent: EXPONENT,
        ..Default::default()
    }
}

/// Far from a snapshot, too, the gradient is that of the loss which is reported: a small step along it lowers the loss by
/// what the gradient promises. With the best c for every batch, that is the loss with its own best c.
#[test]
fn every_loss_falls_along_its_own_gradient() {
    let conv = LayerSpec::Conv {
        channels: 4,
        kernel: 3,
        stride: 2,
        padding: 1,
    };
    let layers = [conv, LayerSpec::Dense { features: 2 }];
    let input = Shape::new(1, 6, 5);
    let architecture = Architecture::new(input, &layers, Activation::SILU, None).expect("fits");
    let live = initial_parameters(&architecture, &PLAIN, 3);
    let snapshot: Vec<f32> = live
        .iter()
        .zip(normals(4, live.len()))
        .map(|(parameter, n)| parameter + 0.2 * n)
        .collect();
    let mut executor = executor(false);
    let (data, noise) = (6, 18);
    let (_, variant) = variants(&executor)[0];
    let setting = Setting {
        architecture,
        variant,
        x: normals(7, (data + noise) * input.len()),
        data,
        noise,
    };
    for criterion in Criterion::ALL {
        for normaliser in [Normaliser::Zero, Normaliser::Profiled] {
            // The others have no log-normaliser difference to handle.
            if normaliser != Normaliser::Zero && !matches!(criterion, Criterion::Bregman(_)) {
                continue;
            }
            let objective = ObjectiveSettings {
                normaliser,
                energy_l2: 0.01,
                ..settings(criterion)
            };
            let (slope, before) = gradient(&mut executor, &setting, objective, &live, &snapshot);
            let fresh = before.log_ratio_spread < 0.1;
            assert_eq!(fresh, criterion == Criterion::ContrastiveDivergence);
            let square: f64 = slope.iter().map(|&g| f64::from(g).powi(2)).sum();
            // Far above the rounding of a loss, 1e-6 of it, and far below the loss.
            let promised = 1e-3 * f64::from(before.loss.abs()).max(0.1);
            let rate = (promised / square) as f32;
            let moved: Vec<f32> = live.iter().zip(&slope).map(|(p, g)| p - rate * g).collect();
            let (_, after) = gradient(&mut executor, &setting, objective, &moved, &snapshot);
            let total = |m: &RatioMetrics| f64::from(m.loss) + f64::from(m.energy_l2);
            let fell = total(&before) - total(&after);
            let what = format!("{}, {normaliser:?}: {before:?}", criterion.name());
            // The second order takes some of it.
            assert!(
                (fell / promised - 1.0).abs() < 0.1,
                "{what}: fell by {fell} of {promised}"
            );
        }
    }
}

/// Contrastive divergence makes no snapshot energies; an importance normaliser holds a word more.
#[test]
fn a_step_holds_and_computes_what_its_objective_needs() {
    let points = Shape::new(2, 1, 1);
    let bytes = |generator: &str, normaliser: &str| {
        let sets = [
            POINT_LAYERS,
            "snapshot.interval=1",
            "sampler.reuse=1",
            "sampler.steps=2",
            "sampler.buffer=16",
            "run.batch=8",
            "objective.noise_ratio=2",
        ];
        let mut sets: Vec<String> = sets.map(String::from).to_vec();
        sets.push(format!("objective.generator={generator}"));
        sets.push(format!("objective.normaliser={normaliser}"));
        let config = config::load("8gaussians", &sets).expect("is valid");
        let mut executor = executor(false);
        let (_, variant) = variants(&executor)[0];
        let plan = TrainingPlan::new(&config, points, variant).expect("fits");
        let initial = initial_parameters(plan.architecture(), &PLAIN, 1);
        executor.run(&plan.setup(&initial)).expect("runs");
        for step in 0..2 {
            let data = normals(1, 8 * points.len());
            executor.run(&plan.step(step, &data)).expect("runs");
        }
        executor.finish().expect("finishes");
        let memory = plan.memory().training();
        assert_eq!(
            executor.allocated_bytes(),
            memory,
            "{generator}, {normaliser}"
        );
        memory
    };
    let logistic = bytes("logistic", "zero");
    assert_eq!(bytes("kl", "profiled"), logistic);
    assert_eq!(bytes("kl", "importance"), logistic + 4);
    assert_eq!(bytes("ranking", "zero"), logistic);
    assert_eq!(bytes("contrastive-divergence", "zero"), logistic - 4 * 24);
}
