//! The objectives: every head against its twin, the theorem that at a fresh snapshot all of them are maximum likelihood,
//! what the log-normaliser does, and runs from the command line.

#[path = "common/checkpoint.rs"]
#[allow(dead_code)]
mod checkpoint;
mod common;

use afterimage::config;
use afterimage::gpu::{Buffer, Executor, Recording};
use afterimage::kernels::{
    Activation, Bregman, GENERATORS, HeadArguments, METRIC_WORDS, Normaliser, QuadraticBase,
    RatioMetrics, RatioSettings, Variant, divergence_head, ranking_head, ratio_head,
};
use afterimage::method::{Criterion, Objective, ObjectiveSettings};
use afterimage::network::{
    Architecture, Initialisation, LayerSpec, Network, initial_parameters, twin,
};
use afterimage::shape::Shape;
use afterimage::train::TrainingPlan;
use afterimage::twins::{self, RatioInput, RatioOutput};
use checkpoint::{IMAGE_LAYERS, POINT_LAYERS, metrics};
use common::command::{afterimage, stderr};
use common::{
    ACTIVATIONS, ROUNDING, assert_within, executor, filled, normals, poisoned, variants, widen,
};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config as ProptestConfig, TestRunner};
use std::cell::RefCell;
use std::path::Path;
use std::process::Output;

/// Absolute error that WGSL grants ln between ½ and 2; elsewhere it is 3 units in the last place.
const LOG_ERROR: f64 = 1.0 / (1 << 21) as f64;

const EXPONENT: f32 = 0.7;
const ENERGY_L2: f32 = 0.01;

fn every(clamp: f32) -> impl Iterator<Item = Bregman> {
    let of = move |&generator: &_| Bregman {
        generator,
        exponent: EXPONENT,
        clamp,
    };
    GENERATORS.iter().map(of)
}

/// Energies of a batch, in the numbers that the GPU sees.
#[derive(Clone)]
struct Batch {
    data: usize,
    noise: usize,
    live: Vec<f32>,
    stale: Vec<f32>,
}

impl Batch {
    fn random(data: usize, noise: usize, spread: f32) -> Self {
        let count = data + noise;
        let live: Vec<f32> = normals(1, count).iter().map(|n| 3.0 * n + 5.0).collect();
        let stale = live.iter().zip(normals(2, count));
        let stale = stale.map(|(e, n)| e + spread * n).collect();
        Batch {
            data,
            noise,
            live,
            stale,
        }
    }

    /// The same with log-ratios in between that no weight survives unclamped.
    fn extreme(data: usize, noise: usize) -> Self {
        let mut batch = Self::random(data, noise, 1.0);
        for (i, v) in [50.0, -200.0, 200.0, -50.0].into_iter().enumerate() {
            for at in (i..data + noise).step_by(5) {
                batch.stale[at] = batch.live[at] + v;
            }
        }
        batch
    }

    fn nu(&self) -> f64 {
        self.noise as f64 / self.data as f64
    }

    /// What `compute` makes of this batch in f64.
    fn twin<T>(&self, c: f64, energy_l2: f64, compute: impl Fn(&RatioInput) -> T) -> T {
        compute(&RatioInput {
            live: &widen(&self.live),
            snapshot: &widen(&self.stale),
            data_count: self.data,
            noise_count: self.noise,
            c,
            energy_l2,
        })
    }

    /// How far E_φ − E_θ + c of sample i may be off on the GPU: three sums round.
    fn u_error(&self, i: usize, c: f64) -> f64 {
        let sizes = f64::from(self.live[i].abs()) + f64::from(self.stale[i].abs());
        2.0 * ROUNDING * (sizes + c.abs())
    }

    fn kind_share(&self, i: usize) -> f64 {
        1.0 / if i < self.data { self.data } else { self.noise } as f64
    }

    /// Relative error of a sum over all samples: 64 invocations add their shares, then a tree of 6; a division rounds by
    /// up to 2.5 units.
    fn summing(&self) -> f64 {
        ((self.data + self.noise).div_ceil(64) + 6 + 5) as f64 * ROUNDING
    }
}

/// Launches a head on buffers of `batch`; the normaliser holds `state`. Returns metrics, factors, and the state after it.
fn launched(
    executor: &mut Executor,
    batch: &Batch,
    state: &[f32],
    head: impl FnOnce(&mut Recording, Buffer, &HeadArguments),
) -> (RatioMetrics, Vec<f32>, Vec<f32>) {
    let mut r = Recording::new();
    let arguments = HeadArguments {
        live: filled(&mut r, "live", &batch.live),
        stale: filled(&mut r, "stale", &batch.stale),
        factor: poisoned(&mut r, "factor", batch.live.len()),
        metrics: poisoned(&mut r, "metrics", METRIC_WORDS),
    };
    let normaliser = filled(&mut r, "c", state);
    head(&mut r, normaliser, &arguments);
    executor.run(&r).expect("runs");
    let words = executor.read_words(arguments.metrics, 0, METRIC_WORDS);
    let metrics = RatioMetrics::from_words(&words.expect("reads"));
    let mut read = |buffer| executor.read(buffer).expect("reads");
    (metrics, read(arguments.factor), read(normaliser))
}

fn run_ratio_head(
    executor: &mut Executor,
    bregman: Bregman,
    normaliser: Normaliser,
    energy_l2: f32,
    batch: &Batch,
    state: &[f32],
) -> (RatioMetrics, Vec<f32>, Vec<f32>) {
    let settings = RatioSettings {
        bregman,
        normaliser,
        energy_l2,
    };
    launched(executor, batch, state, |r, c, arguments| {
        ratio_head(r, &settings, batch.data, batch.noise, c, arguments);
    })
}

/// Checks what does not depend on the loss.
fn check_shared(what: &str, batch: &Batch, c: f64, got: &RatioMetrics, want: &RatioOutput) {
    let count = batch.data + batch.noise;
    let summing = batch.summing();
    let largest = |of: &dyn Fn(usize) -> f64| (0..count).map(of).fold(0.0, f64::max);
    let energies = largest(&|i| f64::from(batch.live[i].abs()));
    let u_error = largest(&|i| batch.u_error(i, c));
    let largest_u = largest(&|i| want.log_ratio[i].abs());
    // A weight is off by its exponent's error and by the 3 + 2|x| units in the last place that WGSL grants exp(x). Those
    // 20 below the largest have no weight.
    let weight_error = 2.0 * u_error + (3.0 + 2.0 * 20.0) * 2.0 * ROUNDING;
    let wanted = [
        want.l2,
        want.mean_energy_data,
        want.mean_energy_noise,
        want.spread,
        want.ess,
        0.0,
    ];
    let allowed = [
        (summing + 4.0 * ROUNDING) * want.l2,
        summing * energies,
        summing * energies,
        // By the triangle inequality no more than the worst term is off.
        2.0 * u_error + 2.0 * (summing + ROUNDING) * largest_u,
        want.ess * (4.0 * weight_error + 3.0 * summing) + 1e-8,
        0.0,
    ];
    let values = [
        got.l2,
        got.energy_data,
        got.energy_noise,
        got.spread,
        got.ess,
        got.lost,
    ];
    assert_within(&format!("shared metrics, {what}"), &values, &wanted, |i| {
        allowed[i]
    });
}

/// Checks a launch with a penalty of [`ENERGY_L2`] against the twin at the c that the launch used.
fn check_ratio_head(
    what: &str,
    bregman: &Bregman,
    batch: &Batch,
    normaliser: Normaliser,
    (got, factor): (&RatioMetrics, &[f32]),
) {
    let (count, nu) = (batch.data + batch.noise, batch.nu());
    let c = f64::from(got.normaliser);
    let want = batch.twin(c, ENERGY_L2.into(), |input| {
        twins::ratio_head(bregman, input)
    });
    check_shared(what, batch, c, got, &want);

    // The largest exponent of r in a weight; ln ν adds to what `logistic` computes.
    let power = 1.0 + f64::from(bregman.exponent).max(1.0);
    let u_error = |i: usize| batch.u_error(i, c) + LOG_ERROR + 6.0 * ROUNDING * nu.ln().abs();
    // exp(x) may be off by 3 + 2|x| units in the last place; its argument rounds, and so do a few products and sums.
    let relative = |i: usize| {
        let exponent = power * (bregman.clamped(want.log_ratio[i]).abs() + nu.ln().abs());
        (3.0 + 2.0 * exponent) * 2.0 * ROUNDING + exponent * 2.0 * ROUNDING + 12.0 * ROUNDING
    };
    let pick = |i: usize, pair: (f64, f64)| if i < batch.data { pair.0 } else { pair.1 };
    let weight = |i: usize, u: f64| pick(i, bregman.weights(u, nu));
    let loss = |i: usize, u: f64| pick(i, bregman.losses(u, nu));
    let moved = |i: usize, of: &dyn Fn(usize, f64) -> f64| {
        let (u, error) = (want.log_ratio[i], u_error(i));
        let at = of(i, u);
        (of(i, u + error) - at)
            .abs()
            .max((of(i, u - error) - at).abs())
    };
    // f32 has no numbers below 1e-38, where saturated logistic weights are.
    let weight_error =
        |i: usize| moved(i, &weight) + relative(i) * weight(i, want.log_ratio[i]) + 1e-36;
    let l2 = |i: usize| 2.0 * f64::from(ENERGY_L2) * f64::from(batch.live[i].abs());
    let factor_error = |i: usize| {
        let size = weight(i, want.log_ratio[i]) + l2(i);
        batch.kind_share(i) * (weight_error(i) + 12.0 * ROUNDING * size)
    };
    assert_within(
        &format!("factor, {what}"),
        factor,
        &want.factor,
        factor_error,
    );

    // The terms that a loss is put together from: 1/a and (1 + a)/a·rᵃ of `power` are the largest, and the tangent's.
    let terms = |i: usize| {
        let (u, w) = (want.log_ratio[i], weight(i, want.log_ratio[i]));
        (1.0 + nu + loss(i, u).abs() + w) * (1.0 + 1.0 / f64::from(bregman.exponent)) + w * u.abs()
    };
    let loss_error = |i: usize| {
        moved(i, &loss) + (relative(i) + 12.0 * ROUNDING) * terms(i) + LOG_ERROR * (1.0 + nu)
    };
    let sum = |of: &dyn Fn(usize) -> f64| -> f64 {
        (0..count).map(|i| batch.kind_share(i) * of(i)).sum()
    };
    let near = |line: f64| {
        let near = |&i: &usize| (want.log_ratio[i].abs() - line).abs() <= u_error(i);
        (0..count).filter(near).count() as f64
    };
    let undecided = (0..count)
        .filter(|&i| (want.log_ratio[i] - nu.ln()).abs() <= u_error(i))
        .count() as f64;
    let wanted = [want.loss, want.accuracy, want.c_gradient, want.clamped];
    let allowed = [
        sum(&loss_error) + batch.summing() * sum(&terms),
        undecided / count as f64 + 4.0 * ROUNDING,
        sum(&weight_error) + batch.summing() * sum(&|i| weight(i, want.log_ratio[i])),
        if bregman.generator.is_unbounded {
            near(bregman.clamp.into())
        } else {
            0.0
        },
    ];
    let values = [got.loss, got.accuracy, got.normaliser_gradient, got.clamped];
    assert_within(&format!("metrics, {what}"), &values, &wanted, |i| {
        allowed[i]
    });

    // Of a profiled c: the slope that is left, by what its weights are off, by ln's error, and by the last step, which is
    // at most 4.8e-7 of c before it is taken.
    if normaliser == Normaliser::Profiled {
        let weights = [0..batch.data, batch.data..count]
            .map(|range| range.map(|i| batch.kind_share(i) * weight(i, want.log_ratio[i])))
            .map(|terms| terms.sum::<f64>());
        let step = 2.0 * LOG_ERROR + 2.0 * 4.8e-7 * c.abs().max(1.0);
        let left = allowed[2] + power * step * weights[0].max(weights[1]);
        assert!(
            want.c_gradient.abs() <= left,
            "{what}: ∂L/∂c = {:e} of {left:e} at c = {c}",
            want.c_gradient
        );
    }
}

const NORMALISERS: [Normaliser; 3] = [
    Normaliser::Learned { rate: 0.05 },
    Normaliser::Profiled,
    Normaliser::Importance { decay: 0.8 },
];

#[test]
fn every_generator_agrees_with_its_twin_on_awkward_batches() {
    // Every pair of counts is a program of its own, and programs with checks take long to compile.
    let counts = [(1, 1), (1, 3), (63, 65), (70, 7), (130, 333)];
    for (runtime_checks, counts) in [(false, &counts[..]), (true, &[(5, 20)])] {
        let mut executor = executor(runtime_checks);
        for &(data, noise) in counts {
            for batch in [
                Batch::random(data, noise, 0.3),
                Batch::random(data, noise, 4.0),
                Batch::extreme(data, noise),
            ] {
                for (bregman, normaliser) in
                    every(6.0).flat_map(|bregman| NORMALISERS.map(|n| (bregman, n)))
                {
                    let what = format!("{bregman:?} {normaliser:?}, {data} data, {noise} noise");
                    let mut state = vec![0.0; normaliser.words()];
                    if let Normaliser::Learned { .. } = normaliser {
                        state[0] = 0.4;
                    }
                    let (got, factor, after) = run_ratio_head(
                        &mut executor,
                        bregman,
                        normaliser,
                        ENERGY_L2,
                        &batch,
                        &state,
                    );
                    check_ratio_head(&what, &bregman, &batch, normaliser, (&got, &factor));
                    if let Normaliser::Learned { rate } = normaliser {
                        assert_eq!(got.normaliser, 0.4);
                        let want = 0.4 - rate * got.normaliser_gradient;
                        let error = 4.0 * ROUNDING * f64::from(0.4 + want.abs());
                        assert_within(&what, &after, &[want.into()], |_| error);
                    }
                }
            }
        }
    }
}

/// Where the slope ∂L/∂c is not small, c itself is right, too.
#[test]
fn the_profiled_normaliser_is_the_twin_s_root() {
    let mut executor = executor(false);
    for (data, noise) in [(1, 1), (64, 64), (50, 150), (200, 20)] {
        let batch = Batch::random(data, noise, 1.0);
        for bregman in every(12.0) {
            let root = batch.twin(0.0, 0.0, |input| {
                twins::profiled_normaliser(&bregman, input)
            });
            let (got, ..) = run_ratio_head(
                &mut executor,
                bregman,
                Normaliser::Profiled,
                0.0,
                &batch,
                &[0.0],
            );
            // ln of the quotient of the mean weights has a slope of 1 in c, or for `logistic` at a spread of 1 one near it.
            // Errors: of u, of exp, of sums, of two logarithms, and of the last step.
            let slope = 0.25;
            let error = 1e-6 * f64::from(2 * 12) + 4.0 * LOG_ERROR + 4.0 * batch.summing();
            let what = format!("{bregman:?}, {data} data, {noise} noise");
            assert_within(&what, &[got.normaliser], &[root], |_| error / slope);
        }
    }
}

#[test]
fn the_importance_normaliser_agrees_with_its_twin_over_several_batches() {
    let mut executor = executor(false);
    let bregman = every(10.0).next().expect("there is one");
    for decay in [0.0f32, 0.5, 0.9] {
        let normaliser = Normaliser::Importance { decay };
        let (mut state, mut want) = (vec![0.0, 0.0], (0.0, 0.0));
        for step in 0..6 {
            let mut batch = Batch::random(20, 70, 0.3 * step as f32);
            for energy in &mut batch.live {
                *energy += 0.5 * step as f32;
            }
            let (got, _, after) =
                run_ratio_head(&mut executor, bregman, normaliser, 0.0, &batch, &state);
            want = batch.twin(0.0, 0.0, |input| {
                twins::importance_normaliser(input, f64::from(decay), want)
            });
            // Each batch adds the errors of energies of at most 30, of exp, of sums and of three logarithms of numbers
            // below 10 in size.
            let error = f64::from(step + 1) * (60.0 * 2.0 * ROUNDING + 200.0 * ROUNDING);
            let what = format!("decay {decay}, step {step}");
            assert_within(&what, &[got.normaliser], &[want.0], |_| error);
            assert_within(&what, &after, &[want.0, want.1], |i| {
                [error, 8.0 * ROUNDING][i]
            });
            state = after;
        }
    }
}

#[test]
fn every_normaliser_is_zero_at_a_fresh_snapshot() {
    let mut executor = executor(false);
    let energies = normals(1, 133);
    let batch = Batch {
        data: 33,
        noise: 100,
        live: energies.clone(),
        stale: energies,
    };
    for bregman in every(10.0) {
        for normaliser in [Normaliser::Zero].into_iter().chain(NORMALISERS) {
            let state = vec![0.0; normaliser.words()];
            let (got, ..) = run_ratio_head(&mut executor, bregman, normaliser, 0.0, &batch, &state);
            assert_eq!(got.normaliser, 0.0, "{bregman:?}, {normaliser:?}");
            assert_eq!((got.spread, got.clamped), (0.0, 0.0));
            assert_within("share of the noise", &[got.ess], &[1.0], |_| {
                16.0 * ROUNDING
            });
        }
    }
}

#[test]
fn ranking_and_contrastive_divergence_agree_with_their_twins() {
    for runtime_checks in [false, true] {
        let mut executor = executor(runtime_checks);
        // Also with fewer negatives than data, and with some that are left over.
        for (data, noise) in [
            (1, 1),
            (1, 7),
            (63, 63),
            (65, 130),
            (3, 100),
            (5, 2),
            (70, 214),
        ] {
            for mut batch in [
                Batch::random(data, noise, 0.0),
                Batch::random(data, noise, 1.0),
                Batch::extreme(data, noise),
            ] {
                let what = format!("{data} data, {noise} noise");
                let (got, factor, _) = launched(&mut executor, &batch, &[0.0], |r, _, a| {
                    ranking_head(r, data, noise, 0.01, a);
                });
                let want = batch.twin(0.0, 0.01, twins::ranking_head);
                check_shared(&what, &batch, 0.0, &got, &want);
                // Shares of a softmax: the exponents' errors, exp's where it counts, a sum of N and divisions.
                let count = data + noise;
                let exponents = (0..count)
                    .map(|i| batch.u_error(i, 0.0))
                    .fold(0.0, f64::max);
                let negatives = (noise / data) as f64;
                let share = 4.0 * exponents + (2.0 * (43.0 + 12.0) + negatives) * ROUNDING;
                let l2 = |i: usize| 0.02 * f64::from(batch.live[i].abs());
                assert_within(&what, &factor, &want.factor, |i| {
                    share / data as f64 + 12.0 * ROUNDING * l2(i) * batch.kind_share(i)
                });
                let largest = want.log_ratio.iter().fold(0.0f64, |m, u| m.max(u.abs()));
                let loss = 2.0 * exponents
                    + share
                    + LOG_ERROR
                    + 4.0 * ROUNDING * (1.0 + negatives).ln()
                    + 2.0 * batch.summing() * (1.0 + 2.0 * largest);
                let wanted = [want.loss, want.accuracy, 0.0, 0.0, 0.0];
                // Pairs closer than their errors may be in either order.
                let close = |&(i, j): &(usize, usize)| {
                    (want.log_ratio[i] - want.log_ratio[j]).abs() <= 2.0 * exponents
                };
                let each = noise / data;
                let pairs = (0..data * each).map(|j| (j / each, data + j));
                let undecided = pairs.filter(close).count() as f64;
                let accuracy = undecided / (data * each).max(1) as f64 + batch.summing();
                let allowed = [loss, accuracy, 0.0, 0.0, 0.0];
                let values = [
                    got.loss,
                    got.accuracy,
                    got.normaliser,
                    got.normaliser_gradient,
                    got.clamped,
                ];
                assert_within(&what, &values, &wanted, |i| allowed[i]);

                let (got, factor, _) = launched(&mut executor, &batch, &[0.0], |r, _, a| {
                    divergence_head(r, data, noise, 0.01, a.live, a.factor, a.metrics);
                });
                batch.stale.clone_from(&batch.live);
                let want = batch.twin(0.0, 0.01, twins::divergence_head);
                check_shared(&what, &batch, 0.0, &got, &want);
                assert_within(&what, &factor, &want.factor, |i| {
                    12.0 * ROUNDING * batch.kind_share(i) * (1.0 + l2(i))
                });
                let energies = batch.live.iter().fold(0.0f32, |m, e| m.max(e.abs()));
                let error = (2.0 * batch.summing() + ROUNDING) * f64::from(energies);
                assert_within(&what, &[got.loss], &[want.loss], |_| error);
                assert_eq!((got.accuracy, got.clamped), (0.5, 0.0));
            }
        }
    }
}

#[test]
fn every_head_counts_energies_that_are_not_finite() {
    let mut executor = executor(false);
    let mut batch = Batch::random(40, 80, 1.0);
    (batch.live[7], batch.live[119]) = (f32::NAN, f32::INFINITY);
    for (bregman, normaliser) in every(10.0).flat_map(|b| NORMALISERS.map(|n| (b, n))) {
        let state = vec![0.0; normaliser.words()];
        let (got, ..) = run_ratio_head(&mut executor, bregman, normaliser, 0.0, &batch, &state);
        assert_eq!(got.lost, 2.0, "{bregman:?}, {normaliser:?}");
    }
    let (got, ..) = launched(&mut executor, &batch, &[0.0], |r, _, a| {
        ranking_head(r, 40, 80, 0.0, a);
    });
    assert_eq!(got.lost, 2.0);
    let (got, ..) = launched(&mut executor, &batch, &[0.0], |r, _, a| {
        divergence_head(r, 40, 80, 0.0, a.live, a.factor, a.metrics);
    });
    assert_eq!(got.lost, 2.0);
}

// ---- whole networks ----

const PLAIN: Initialisation = Initialisation {
    weights: afterimage::network::InitialWeights::Default,
    zero_head: false,
    first_weight_scale: 1.0,
    first_bias_scale: 1.0,
};

/// A network with samples for it.
struct Setting {
    architecture: Architecture,
    variant: Variant,
    x: Vec<f32>,
    data: usize,
    noise: usize,
}

/// The parameter gradient and the metrics of an objective on the GPU.
fn gradient(
    executor: &mut Executor,
    setting: &Setting,
    objective: ObjectiveSettings,
    live: &[f32],
    stale: &[f32],
) -> (Vec<f32>, RatioMetrics) {
    let count = setting.data + setting.noise;
    let network = Network::new(&setting.architecture, count, setting.variant).expect("fits");
    let objective = Objective::new(objective, setting.data, setting.noise);
    let mut r = Recording::new();
    network.setup(&mut r);
    objective.reset(&mut r);
    let live = filled(&mut r, "live", live);
    let stale = filled(&mut r, "stale", stale);
    let x = filled(&mut r, "x", &setting.x);
    let stale_energies = poisoned(&mut r, "stale energies", count);
    let live_energies = poisoned(&mut r, "live energies", count);
    let gradient = poisoned(&mut r, "gradient", live.words());
    network.prepare(&mut r, stale);
    network.energies(&mut r, stale, x, stale_energies, false);
    network.prepare(&mut r, live);
    network.energies(&mut r, live, x, live_energies, true);
    objective.weigh(&mut r, live_energies, stale_energies);
    network.weight_gradient(&mut r, live, x, objective.factor(), gradient, false);
    network.finish_gradient(&mut r, live, gradient);
    executor.run(&r).expect("runs");
    let words = executor.read_words(objective.metrics(), 0, METRIC_WORDS);
    let metrics = RatioMetrics::from_words(&words.expect("reads"));
    (executor.read(gradient).expect("reads"), metrics)
}

fn settings(criterion: Criterion) -> ObjectiveSettings {
    ObjectiveSettings {
        criterion,
        exponent: EXPONENT,
        ..Default::default()
    }
}

/// By how much the gradient at a fresh snapshot is that of contrastive divergence.
fn curvature(criterion: Criterion, nu: f64) -> f64 {
    match criterion {
        Criterion::Bregman(generator) => (generator.curvature)(nu, EXPONENT.into()),
        Criterion::Ranking => nu / (1.0 + nu),
        Criterion::ContrastiveDivergence => 1.0,
    }
}

/// A network and a batch for it.
#[derive(Clone, Debug)]
struct Drawn {
    input: Shape,
    layers: Vec<LayerSpec>,
    spectral_norm: bool,
    activation: Activation,
    base: Option<QuadraticBase>,
    data: usize,
    ratio: usize,
    seed: u32,
}

impl Drawn {
    fn architecture(&self) -> Architecture {
        let plain = Architecture::new(self.input, &self.layers, self.activation, self.base);
        let plain = plain.expect("fits");
        if self.spectral_norm {
            plain.with_spectral_norm().expect("fits")
        } else {
            plain
        }
    }
}

type Layers = BoxedStrategy<(Shape, Vec<LayerSpec>)>;

/// Small images, which hold the largest kernel behind a stride of 2, and a pooling behind another.
fn image() -> impl Strategy<Value = Shape> {
    (1..4usize, 6..9usize, 6..9usize)
        .prop_map(|(channels, height, width)| Shape::new(channels, height, width))
}

fn dense() -> impl Strategy<Value = LayerSpec> {
    (1..20usize).prop_map(|features| LayerSpec::Dense { features })
}

fn perceptrons() -> Layers {
    let layers = prop::collection::vec(dense(), 1..4);
    (1..6usize, layers)
        .prop_map(|(channels, layers)| (Shape::new(channels, 1, 1), layers))
        .boxed()
}

fn convolutions() -> Layers {
    let conv = (1..9usize, 1..4usize, 1..3usize, any::<bool>()).prop_map(
        |(channels, kernel, stride, padded)| LayerSpec::Conv {
            channels,
            kernel,
            stride,
            padding: usize::from(padded && kernel > 1),
        },
    );
    (image(), conv, prop::collection::vec(dense(), 0..2))
        .prop_map(|(image, conv, dense)| {
            let layers = std::iter::once(conv).chain(dense).collect();
            (image, layers)
        })
        .boxed()
}

/// Two residual blocks, one that keeps the channels and one whose skip projects them, in either order and the first of
/// them with a pooling of its own or none; an average pooling anywhere among them; and each of the ways to end.
fn blocks() -> Layers {
    let kernel = || prop::sample::select(vec![1usize, 3]);
    let end = prop_oneof![
        2 => Just(vec![LayerSpec::GlobalSum]),
        2 => dense().prop_map(|dense| vec![LayerSpec::GlobalSum, dense]),
        1 => dense().prop_map(|dense| vec![dense]),
        1 => Just(Vec::new()),
    ];
    let pools = (0..3usize, 2..4usize, 1..3usize);
    (
        image(),
        any::<bool>(),
        1..5usize,
        [kernel(), kernel()],
        pools,
        end,
    )
        .prop_map(
            |(image, keeps_first, more, kernels, (place, size, block_pool), end)| {
                let wider = image.channels + more;
                let residual = |channels, kernel, pool| LayerSpec::Residual {
                    channels,
                    kernel,
                    pool,
                };
                let first = if keeps_first { image.channels } else { wider };
                let mut layers = vec![
                    residual(first, kernels[0], block_pool),
                    residual(wider, kernels[1], 1),
                ];
                layers.insert(place, LayerSpec::Pool { size });
                layers.extend(end);
                (image, layers)
            },
        )
        .boxed()
}

fn drawn(
    layers: Layers,
    spectral_norm: bool,
    (data, ratio): (usize, usize),
) -> impl Strategy<Value = Drawn> {
    let base = prop::option::of(Just(QuadraticBase {
        mean: 0.2,
        std: 1.5,
    }));
    (
        layers,
        prop::sample::select(ACTIVATIONS.to_vec()),
        base,
        any::<u32>(),
    )
        .prop_map(move |((input, layers), activation, base, seed)| Drawn {
            input,
            layers,
            spectral_norm,
            activation,
            base,
            data,
            ratio,
            seed,
        })
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

/// Checks the theorem for one network and batch with both kinds of kernels and every objective.
fn check_the_theorem(executor: &mut Executor, drawn: &Drawn) {
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
    for (name, variant) in &variants(executor)[..2] {
        let setting = Setting {
            architecture: architecture.clone(),
            variant: *variant,
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
        let want = match drawn.activation {
            Activation::LeakyRelu(_) => {
                let (divergence, _) = of(Criterion::ContrastiveDivergence);
                widen(&divergence[..learned])
            }
            _ => in_f64.gradient.clone(),
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
            assert_eq!(metrics.spread, 0.0, "{what}");
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
        for layers in [perceptrons(), convolutions(), blocks()] {
            let outcome = runner().run(&drawn(layers, spectral_norm, counts), |drawn| {
                check_the_theorem(&mut executor.borrow_mut(), &drawn);
                Ok(())
            });
            outcome.expect("the theorem holds");
        }
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
    let architecture = Architecture::new(input, &layers, Activation::Silu, None).expect("fits");
    let live = initial_parameters(&architecture, &PLAIN, 3);
    let stale: Vec<f32> = live
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
            if normaliser != Normaliser::Zero && !criterion.has_normaliser() {
                continue;
            }
            let objective = ObjectiveSettings {
                normaliser,
                energy_l2: 0.01,
                ..settings(criterion)
            };
            let (slope, before) = gradient(&mut executor, &setting, objective, &live, &stale);
            let fresh = before.spread < 0.1;
            assert_eq!(fresh, criterion == Criterion::ContrastiveDivergence);
            let square: f64 = slope.iter().map(|&g| f64::from(g).powi(2)).sum();
            // Far above the rounding of a loss, 1e-6 of it, and far below the loss.
            let promised = 1e-3 * f64::from(before.loss.abs()).max(0.1);
            let rate = (promised / square) as f32;
            let moved: Vec<f32> = live.iter().zip(&slope).map(|(p, g)| p - rate * g).collect();
            let (_, after) = gradient(&mut executor, &setting, objective, &moved, &stale);
            let total = |m: &RatioMetrics| f64::from(m.loss) + f64::from(m.l2);
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

/// Contrastive divergence makes no stale energies; an importance normaliser holds a word more.
#[test]
fn a_step_holds_and_computes_what_its_objective_needs() {
    let points = Shape::new(2, 1, 1);
    let bytes = |generator: &str, normaliser: &str| {
        let sets = [
            POINT_LAYERS,
            "snapshot.interval=1",
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

// ---- KL with its best c is the likelihood ----

/// Energies and a data density on the line, all smooth, none normalised.
fn live_energy(x: f64) -> f64 {
    0.5 * x * x + 0.3 * (2.0 * x).sin()
}

fn stale_energy(x: f64) -> f64 {
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
    let (live, stale) = (
        normalised(|x| (-live_energy(x)).exp()),
        normalised(|x| (-stale_energy(x)).exp()),
    );
    let data = normalised(data_density);
    let mean = |law: &[f64], of: &dyn Fn(usize) -> f64| -> f64 {
        law.iter().enumerate().map(|(cell, p)| p * of(cell)).sum()
    };
    let nll = |law: &[f64]| -mean(&data, &|cell| law[cell].ln());
    // NLL per cell; the cells' size cancels in the difference.
    let want = 1.0 + nll(&live) - nll(&stale);

    // By quadrature, with the losses that the twin uses. The best c is log Z_φ − log Z_θ, that is, u the true log-ratio.
    let v = |x: f64| stale_energy(x) - live_energy(x);
    let c = -mean(&stale, &|cell| v(midpoint(cell)).exp()).ln();
    let u = |cell| v(midpoint(cell)) + c;
    for cell in (0..CELLS).step_by(1000) {
        let true_ratio = live[cell].ln() - stale[cell].ln();
        assert!((u(cell) - true_ratio).abs() < 1e-9, "{}", midpoint(cell));
    }
    let loss = mean(&data, &|cell| kl.losses(u(cell), 1.0).0)
        + mean(&stale, &|cell| kl.losses(u(cell), 1.0).1);
    assert!((loss - want).abs() < 1e-10, "{loss} instead of {want}");

    // By the head on the GPU, over points that divide both laws evenly.
    let count = 8192;
    let points = [quantiles(&data, count), quantiles(&stale, count)].concat();
    let energies = |energy: fn(f64) -> f64| points.iter().map(|&x| energy(x) as f32).collect();
    let batch = Batch {
        data: count,
        noise: count,
        live: energies(live_energy),
        stale: energies(stale_energy),
    };
    let mut executor = executor(false);
    let (got, ..) = run_ratio_head(&mut executor, kl, Normaliser::Profiled, 0.0, &batch, &[0.0]);
    // A part of 1/8192 of a tail is taken as one point, where the integrands vary by about 1: 1e-4 of each mean.
    assert_within(
        "loss and c",
        &[got.loss, got.normaliser],
        &[want, c],
        |_| 3e-4,
    );
    assert_eq!(got.clamped, 0.0);
}

// ---- the command line ----

fn program(folder: &Path, preset: &str, sets: &[&str]) -> Output {
    let mut command = afterimage(folder, &["train", preset]);
    let tiny = [
        match preset {
            "digits" => IMAGE_LAYERS,
            _ => POINT_LAYERS,
        },
        "sampler.probe=8",
        "network.zero_head=false",
        "run.steps=6",
        "run.batch=8",
        "run.samples=9",
        "run.sample_steps=4",
        "run.sample_every=0",
        "sampler.steps=2",
        "sampler.buffer=16",
        "snapshot.interval=3",
    ];
    for set in tiny.iter().chain(sets) {
        command.args(["--set", set]);
    }
    command.output().expect("runs")
}

#[test]
fn every_objective_trains_from_the_command_line() {
    let mut runs: Vec<Vec<String>> = Criterion::NAMES
        .iter()
        .map(|name| vec![format!("objective.generator={name}")])
        .collect();
    for run in &mut runs {
        if run[0].ends_with("contrastive-divergence") {
            run.push("snapshot.interval=1".into());
        }
        if run[0].ends_with("ranking") {
            run.push("objective.noise_ratio=2".into());
        }
        if run[0].ends_with("=exponential") {
            run.push("objective.normalise_gradient=true".into());
        }
    }
    for normaliser in config::NORMALISERS {
        runs.push(vec![
            "objective.generator=kl".into(),
            format!("objective.normaliser={normaliser}"),
        ]);
    }
    let presets = ["8gaussians", "digits"];
    for (preset, sets) in presets
        .iter()
        .flat_map(|preset| runs.iter().map(move |sets| (*preset, sets)))
    {
        let folder = tempfile::tempdir().expect("makes a folder");
        let sets: Vec<&str> = sets.iter().map(String::as_str).collect();
        let output = program(folder.path(), preset, &sets);
        let errors = stderr(&output);
        assert!(output.status.success(), "{preset} {sets:?}: {errors}");
        let file = format!("runs/{preset}/metrics.jsonl");
        let rows = metrics(&folder.path().join(file));
        assert_eq!(rows.len(), 6, "{sets:?}");
        for row in rows {
            assert_eq!(row.not_finite(0.0), None, "{sets:?}: {row:?}");
            assert!(row.normaliser.is_finite() && row.gradient_norm > 0.0);
            assert!(row.ess > 0.0 && row.ess <= 1.0 + 1e-6, "{sets:?}: {row:?}");
            let fresh = row.snapshot_age == 0;
            assert!(!fresh || row.normaliser == 0.0, "{sets:?}: {row:?}");
        }
    }
}

#[test]
fn combinations_that_make_no_sense_are_refused_with_a_reason() {
    let refusal = |sets: &str| -> String {
        let sets: Vec<String> = sets.split(' ').map(String::from).collect();
        let error = config::load("digits", &sets).expect_err("is refused");
        let text = error.to_string();
        assert!(!text.contains('\n'), "{text}");
        text
    };
    let divergence = "objective.generator=contrastive-divergence";
    for (sets, reason) in [
        (
            "objective.generator=ranking objective.normaliser=learned",
            "objective.normaliser = \"learned\" is not allowed: it must be `zero` with objective.generator = ranking, where the log-normaliser difference cancels",
        ),
        (
            &format!("{divergence} objective.normaliser=profiled snapshot.interval=1"),
            "does not occur",
        ),
        (
            &format!("{divergence} snapshot.interval=5"),
            "snapshot.interval = 5 is not allowed: it must be 1 with objective.generator = contrastive-divergence, whose noise comes from the live model",
        ),
        (
            "objective.generator=power objective.power=0",
            "objective.power = 0.0",
        ),
        ("objective.power=6", "between 0.01 and 5"),
        ("objective.clamp=0", "objective.clamp = 0.0"),
        ("objective.clamp=31", "at most 30"),
        (
            "objective.generator=power objective.power=4 objective.clamp=13",
            "at most 12",
        ),
        (
            "objective.normaliser_decay=1",
            "objective.normaliser_decay = 1.0",
        ),
        ("objective.generator=exponental", "`exponential`"),
        ("objective.normaliser=profile", "`profiled`"),
    ] {
        let text = refusal(sets);
        assert!(text.contains(reason), "{sets}: {text}");
    }
    for name in Criterion::NAMES {
        assert!(refusal("objective.generator=none").contains(name));
    }
    let folder = tempfile::tempdir().expect("makes a folder");
    let output = program(folder.path(), "8gaussians", &[divergence]);
    assert!(!output.status.success());
    let errors = stderr(&output);
    assert!(errors.contains("live model"), "{errors}");
}
