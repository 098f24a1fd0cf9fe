//! The kinds of samplers: each step against its f64 twin, moments of known targets, adaptation, what is counted, and runs
//! from the command line.

mod common;

use afterimage::config::{self, Config, LayerConfig};
use afterimage::data::{self, DataOptions};
use afterimage::gpu::{Buffer, Executor, Recording};
use afterimage::kernels::{
    self, Activation, Bounds, ChainBatch, ChainStart, Dynamics, LangevinSettings, QuadraticBase,
    SAMPLERS, SamplerKind, TRACE_VALUES, Variant,
};
use afterimage::method::{Chains, Diagnostics, Pass, StepControl};
use afterimage::model::Model;
use afterimage::network::{Architecture, Initialisation, LayerSpec, initial_parameters};
use afterimage::random::Stream;
use afterimage::shape::Shape;
use afterimage::train::{MetricsRow, Trainer, TrainingPlan, run};
use afterimage::twins::{self, HmcState, TwinNetwork};
use common::command::{self, stderr, stdout};
use common::programs::launches;
use common::{assert_close, executor, filled, normals, twin, variants, widen};
use std::collections::HashSet;
use std::fs;
use std::sync::atomic::AtomicBool;

const SEED: u64 = 0x1234_5678_9abc;
const STREAM: Stream = Stream::Langevin;

fn kind(name: &str) -> &'static SamplerKind {
    SamplerKind::named(name).expect("is in the table")
}

fn dynamics(name: &str, step_size: f32) -> Dynamics {
    let langevin = LangevinSettings {
        step_size,
        noise: (2.0 * step_size).sqrt(),
        clip: 0.0,
        bounds: Bounds::None,
    };
    Dynamics {
        kind: kind(name),
        leapfrog: 4,
        ..langevin.into()
    }
}

/// An energy and its parameters.
struct Target {
    architecture: Architecture,
    parameters: Vec<f32>,
}

impl Target {
    fn new(
        length: usize,
        specs: &[LayerSpec],
        activation: Activation,
        base: QuadraticBase,
        parameters: &[f32],
    ) -> Self {
        let shape = Shape::new(length, 1, 1);
        let architecture = Architecture::new(shape, specs, activation, Some(base)).expect("fits");
        assert_eq!(parameters.len(), architecture.parameter_count());
        Target {
            architecture,
            parameters: parameters.to_vec(),
        }
    }

    /// A curved energy of `length` values with random weights.
    fn random(length: usize) -> Self {
        let specs = [
            LayerSpec::Dense { features: 6 },
            LayerSpec::Dense { features: 2 },
        ];
        let base = QuadraticBase {
            mean: 0.2,
            std: 0.9,
        };
        let shape = Shape::new(length, 1, 1);
        let architecture =
            Architecture::new(shape, &specs, Activation::Silu, Some(base)).expect("fits");
        let how = Initialisation {
            weights: afterimage::network::InitialWeights::Default,
            zero_head: false,
            first_weight_scale: 1.0,
            first_bias_scale: 1.0,
        };
        let parameters = initial_parameters(&architecture, &how, 3);
        Target {
            architecture,
            parameters,
        }
    }

    /// A Gaussian of `length` values, alike in every one.
    fn gaussian(length: usize, mean: f32, std: f32) -> Self {
        let specs = [LayerSpec::Dense { features: 1 }];
        let base = QuadraticBase { mean, std };
        Target::new(
            length,
            &specs,
            Activation::Identity,
            base,
            &vec![0.0; length + 1],
        )
    }

    /// |x|²/2 − 1.5 softplus(1.2 x) − 1.1 softplus(−1.2 x) in the first value: two modes of unequal weight.
    fn bimodal() -> Self {
        let specs = [
            LayerSpec::Dense { features: 2 },
            LayerSpec::Dense { features: 1 },
        ];
        let base = QuadraticBase {
            mean: 0.0,
            std: 1.0,
        };
        let parameters = [1.2, 0.0, -1.2, 0.0, 0.0, 0.0, -1.5, -1.1, 0.0];
        Target::new(2, &specs, Activation::Softplus, base, &parameters)
    }

    /// About 3 |y − |x| + 1| + |(x, y)|²/(2·1.5²), all corners smooth: a bent valley. softplus(y + 10) is y + 10 to 1e-3.
    fn banana() -> Self {
        let specs = [3, 2, 1].map(|features| LayerSpec::Dense { features });
        let base = QuadraticBase {
            mean: 0.0,
            std: 1.5,
        };
        let first = [2.0, 0.0, -2.0, 0.0, 0.0, 1.0, 0.0, 0.0, 10.0];
        let second = [-1.5, -1.5, 3.0, 1.5, 1.5, -3.0, -27.0, 27.0];
        let parameters = [&first[..], &second, &[1.0, 1.0, 0.0]].concat();
        Target::new(2, &specs, Activation::Softplus, base, &parameters)
    }

    fn twin(&self) -> TwinNetwork {
        twin(&self.architecture, &widen(&self.parameters))
    }

    /// Chains on it, ready to begin at `start`, with the buffer of the parameters.
    fn chains(
        &self,
        executor: &mut Executor,
        variant: Variant,
        count: usize,
        dynamics: Dynamics,
        start: Option<&[f32]>,
    ) -> (Chains, Buffer) {
        let gaussian = ChainStart::Gaussian {
            mean: 0.0,
            std: 1.5,
        };
        let chains = Chains::new(
            &self.architecture,
            count,
            variant,
            dynamics,
            gaussian,
            (SEED, STREAM),
        )
        .expect("fits");
        let mut r = Recording::new();
        let parameters = filled(&mut r, "parameters", &self.parameters);
        chains.setup(&mut r);
        chains.prepare(&mut r, parameters);
        match start {
            Some(start) => r.upload_f32(chains.states(), 0, start),
            None => chains.restart(&mut r, 0, 0, count),
        }
        executor.run(&r).expect("runs");
        (chains, parameters)
    }
}

fn pass(first_step: u32, steps: usize, first_chain: usize) -> Pass {
    Pass {
        first_step,
        steps,
        adapting: steps / 2,
        first_chain,
        anneal: None,
    }
}

fn control(executor: &mut Executor, chains: &Chains) -> StepControl {
    let buffer = chains.control().expect("has a test");
    let words = executor
        .read_words(buffer, 0, buffer.words())
        .expect("reads");
    StepControl::from_words(&words).expect("as many words")
}

fn field(model: &TwinNetwork, x: &[f64], count: usize) -> (Vec<f64>, Vec<f64>) {
    (model.energies(x, count), model.energy_gradient(x, count))
}

/// Short chains, each summed by one invocation, and long ones, by a workgroup; tempered, in the middle of a larger set.
#[test]
fn a_step_with_a_metropolis_test_is_its_twin() {
    let mut executor = executor(true);
    for (length, count, first_chain) in [(5, 67, 0), (5, 7, 3), (130, 9, 2)] {
        let target = Target::random(length);
        let model = target.twin();
        for (name, leapfrog) in [
            ("mala", (1, 0.0)),
            ("hmc", (4, f64::from(kernels::HMC_JITTER))),
        ] {
            for (variant_name, variant) in variants(&executor) {
                // Long trajectories on many values: some proposals are rejected.
                let mut dynamics = dynamics(name, if length > 100 { 0.15 } else { 0.4 });
                dynamics.temperature = 0.7;
                dynamics.target_acceptance = Some(0.6);
                let start = normals(7, count * length);
                let (chains, parameters) =
                    target.chains(&mut executor, variant, count, dynamics, Some(&start));
                let x = widen(&start);
                let (energies, gradient) = field(&model, &x, count);
                let mut state = HmcState {
                    x,
                    energies,
                    gradient,
                };
                let (mut accepted, mut step_size) = (0, f64::from(dynamics.langevin.step_size));
                let (steps, first_step) = (4, u32::MAX - 1);
                let pass = pass(first_step, steps, first_chain);
                let mut counted = Vec::new();
                for step in 0..steps {
                    let mut r = Recording::new();
                    chains.run(&mut r, parameters, &pass, step..step + 1);
                    executor.run(&r).expect("runs");
                    let random = (SEED, STREAM, first_step.wrapping_add(step as u32));
                    let outcome = twins::hmc_step(
                        &mut state,
                        step_size,
                        leapfrog,
                        0.7,
                        random,
                        first_chain,
                        &|x| field(&model, x, count),
                    );
                    let what = |part| {
                        format!("{name}, {variant_name}, {length} values, step {step}: {part}")
                    };
                    // A rounding of one step of at most four leaps; a test that went the other way would be off by 0.1.
                    assert_close(
                        &what("states"),
                        &executor.read(chains.states()).expect("reads"),
                        &state.x,
                        2e-5,
                    );
                    assert_close(
                        &what("energies"),
                        &executor.read(chains.energies()).expect("reads"),
                        &state.energies,
                        2e-5,
                    );
                    accepted += outcome.iter().filter(|(_, accepted)| *accepted).count();
                    let probabilities = outcome
                        .iter()
                        .map(|(change, _)| (-change / 0.7).exp().min(1.0));
                    let mean = probabilities.sum::<f64>() / count as f64;
                    // The first half adapts, the second half is counted.
                    if step < steps / 2 {
                        let gains = [
                            kernels::ADAPTATION_GAIN,
                            kernels::ADAPTATION_HALF,
                            kernels::ADAPTATION_LEAST,
                        ];
                        step_size =
                            twins::adapted(step_size, mean, 0.6, step, gains.map(f64::from));
                    } else {
                        counted.push(mean);
                    }
                    let control = control(&mut executor, &chains);
                    assert!(
                        (f64::from(control.step_size) / step_size - 1.0).abs() < 1e-4,
                        "{}",
                        what("step size")
                    );
                }
                let acceptance = control(&mut executor, &chains)
                    .acceptance
                    .expect("was counted");
                let mean = counted.iter().sum::<f64>() / counted.len() as f64;
                assert!(
                    (f64::from(acceptance) - mean).abs() < 1e-4,
                    "{acceptance}, {mean}"
                );
                assert!(
                    0 < accepted && accepted < steps * count,
                    "both outcomes are tried: {accepted}"
                );
            }
        }
    }
}

#[test]
fn an_underdamped_step_is_its_twin() {
    let mut executor = executor(true);
    for (length, count, first_chain) in [(5, 67, 0), (5, 7, 3)] {
        let target = Target::random(length);
        let model = target.twin();
        for (variant_name, variant) in variants(&executor) {
            let mut dynamics = dynamics("underdamped", 0.05);
            dynamics.temperature = 0.7;
            dynamics.friction = 2.0;
            let start = normals(7, count * length);
            let (chains, parameters) =
                target.chains(&mut executor, variant, count, dynamics, Some(&start));
            let (first_step, steps) = (40, 5);
            let mut r = Recording::new();
            chains.run(
                &mut r,
                parameters,
                &pass(first_step, steps, first_chain),
                0..steps,
            );
            executor.run(&r).expect("runs");

            let settings = twins::Underdamped {
                step_size: f64::from(0.05f32),
                friction: 2.0,
                temperature: f64::from(0.7f32),
            };
            let mut x = widen(&start);
            let first_element = first_chain * length;
            let mut velocity = twins::underdamped_begin(
                &settings,
                (SEED, STREAM, first_step),
                first_element,
                x.len(),
            );
            let mut gradient = model.energy_gradient(&x, count);
            for step in first_step..first_step + steps as u32 {
                let xi: Vec<f64> = (first_element..first_element + x.len())
                    .map(|e| twins::normal(SEED, STREAM, step, e as u32))
                    .collect();
                twins::underdamped_step(
                    &settings,
                    &mut x,
                    &mut velocity,
                    &mut gradient,
                    &xi,
                    &|x| model.energy_gradient(x, count),
                );
            }
            // A few roundings in each of five steps.
            assert_close(
                variant_name,
                &executor.read(chains.states()).expect("reads"),
                &x,
                2e-5,
            );
            let energies = executor.read(chains.energies()).expect("reads");
            assert_close(
                "energies of where they are",
                &energies,
                &model.energies(&x, count),
                2e-5,
            );
        }
    }
}

#[test]
fn an_annealed_pass_is_its_twin_at_falling_temperatures() {
    let mut executor = executor(false);
    let (count, length, steps) = (9, 5, 4);
    let target = Target::random(length);
    let model = target.twin();
    let start = normals(7, count * length);
    // Geometric from 4 to 0.5 in four steps.
    let temperatures = [4.0, 2.0, 1.0, 0.5];
    for name in ["langevin", "mala"] {
        let mut dynamics = dynamics(name, 0.1);
        dynamics.temperature = 0.5;
        let (chains, parameters) =
            target.chains(&mut executor, Variant::Tiled, count, dynamics, Some(&start));
        let pass = Pass {
            anneal: Some(4.0),
            ..pass(8, steps, 0)
        };
        let mut r = Recording::new();
        chains.run(&mut r, parameters, &pass, 0..1);
        chains.run(&mut r, parameters, &pass, 1..steps);
        executor.run(&r).expect("runs");

        let x = widen(&start);
        let (energies, gradient) = field(&model, &x, count);
        let mut state = HmcState {
            x,
            energies,
            gradient,
        };
        let step_size = f64::from(0.1f32);
        for (step, temperature) in (8..).zip(temperatures) {
            if name == "mala" {
                let random = (SEED, STREAM, step);
                twins::hmc_step(
                    &mut state,
                    step_size,
                    (1, 0.0),
                    temperature,
                    random,
                    0,
                    &|x| field(&model, x, count),
                );
                continue;
            }
            let settings = twins::LangevinSettings {
                step_size,
                noise: (2.0 * step_size * temperature).sqrt(),
                clip: 0.0,
                bounds: twins::Bounds::None,
            };
            let gradient = model.energy_gradient(&state.x, count);
            twins::langevin(&settings, SEED, step, 0, &mut state.x, &gradient);
        }
        assert_close(
            name,
            &executor.read(chains.states()).expect("reads"),
            &state.x,
            2e-5,
        );
    }
}

#[test]
fn a_trace_is_its_twin() {
    let mut executor = executor(true);
    for (chains, length) in [(67, 5), (9, 130)] {
        let mut r = Recording::new();
        let values = [1, 2, 3].map(|tag| normals(tag, chains * if tag == 3 { 1 } else { length }));
        let [x, before, energies] = [0, 1, 2].map(|i| filled(&mut r, "values", &values[i]));
        let trace = filled(&mut r, "trace", &vec![f32::NAN; 2 * chains * TRACE_VALUES]);
        let batch = ChainBatch {
            chains,
            length,
            stream: STREAM,
            seed: SEED,
            x,
            energies,
            gradient: x,
        };
        kernels::trace_chains(&mut r, &batch, 1, before, trace);
        executor.run(&r).expect("runs");
        let got = executor.read(trace).expect("reads");
        let [x, before, energies] = values.map(|values| widen(&values));
        let want = twins::trace(SEED, STREAM, length, &x, &before, &energies).concat();
        assert!(
            got[..want.len()].iter().all(|value| value.is_nan()),
            "the record before"
        );
        // Sums of 130 numbers of about one in f32.
        assert_close("record", &got[want.len()..], &want, 1e-5);
    }
}

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

/// The last states of 4096 chains after `steps` steps.
fn sample(executor: &mut Executor, target: &Target, dynamics: Dynamics, steps: usize) -> Vec<f64> {
    let variant = variants(executor)[1].1;
    let (chains, parameters) = target.chains(executor, variant, 4096, dynamics, None);
    let mut r = Recording::new();
    chains.run(&mut r, parameters, &pass(0, steps, 0), 0..steps);
    executor.run(&r).expect("runs");
    widen(&executor.read(chains.states()).expect("reads"))
}

fn adapted(name: &str) -> Dynamics {
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

#[test]
fn chains_do_not_depend_on_the_batches_they_run_in() {
    let mut executor = executor(false);
    let target = Target::random(5);
    let start = normals(4, 64 * 5);
    for kind in SAMPLERS {
        for (variant_name, variant) in variants(&executor) {
            let mut ends = |count: usize| -> Vec<u32> {
                let mut states = Vec::new();
                for first_chain in (0..64).step_by(count) {
                    let part = &start[first_chain * 5..(first_chain + count) * 5];
                    let dynamics = dynamics(kind.name, 0.3);
                    let (chains, parameters) =
                        target.chains(&mut executor, variant, count, dynamics, Some(part));
                    let mut r = Recording::new();
                    chains.run(&mut r, parameters, &pass(3, 6, first_chain), 0..6);
                    executor.run(&r).expect("runs");
                    states.extend(executor.read(chains.states()).expect("reads"));
                }
                states.into_iter().map(f32::to_bits).collect()
            };
            assert!(ends(64) == ends(16), "{}, {variant_name}", kind.name);
        }
    }
}

#[test]
fn a_tiny_step_is_accepted_and_a_huge_one_rejected() {
    let mut executor = executor(false);
    let target = Target::random(5);
    let start = normals(4, 64 * 5);
    for name in ["mala", "hmc"] {
        for (step_size, low, high) in [(1e-6, 0.999, 1.0), (1e4, 0.0, 1e-6)] {
            let (chains, parameters) = target.chains(
                &mut executor,
                Variant::Tiled,
                64,
                dynamics(name, step_size),
                Some(&start),
            );
            let mut r = Recording::new();
            chains.run(&mut r, parameters, &pass(0, 4, 0), 0..4);
            executor.run(&r).expect("runs");
            let acceptance = control(&mut executor, &chains)
                .acceptance
                .expect("was counted");
            assert!(
                (low..=high).contains(&acceptance),
                "{name}, {step_size}: {acceptance}"
            );
            let stayed = executor.read(chains.states()).expect("reads") == start;
            assert_eq!(stayed, high < 0.5, "{name}, {step_size}");
        }
    }
}

/// Chains that are lost stay where they are, visibly, and spoil neither the others nor the step size.
#[test]
fn what_is_not_finite_is_rejected() {
    let mut executor = executor(false);
    let target = Target::random(5);
    let mut start = normals(4, 16 * 5);
    start[7] = f32::NAN;
    for name in ["mala", "hmc"] {
        let (chains, parameters) = target.chains(
            &mut executor,
            Variant::Tiled,
            16,
            adapted(name),
            Some(&start),
        );
        let mut r = Recording::new();
        chains.run(&mut r, parameters, &pass(0, 10, 0), 0..10);
        executor.run(&r).expect("runs");
        let x = executor.read(chains.states()).expect("reads");
        assert!(x[7].is_nan() && x[5] == start[5]);
        let whole = x[..5].iter().chain(&x[10..]);
        assert!(whole.clone().all(|x| x.is_finite()));
        assert!(
            whole
                .zip(start[..5].iter().chain(&start[10..]))
                .any(|(x, start)| x != start)
        );
        let control = control(&mut executor, &chains);
        assert!(
            control.step_size.is_finite() && control.step_size > 0.0,
            "{control:?}"
        );
    }
}

/// From a step size hundreds of times too small or too large. The acceptance of one step is right to 0.02 over 512
/// chains, and to σ = 0.15 with the varying time step of HMC, whose acceptance answers ln h by about −0.2: after 200 adapting
/// steps, at a gain of 0.1, σ √(0.1 / (2 · 0.2)) = 0.075 is left in ln h, 0.015 in the acceptance. The bound is three
/// times that.
#[test]
fn adaptation_reaches_its_target() {
    let mut executor = executor(false);
    let target = Target::gaussian(16, 0.0, 1.0);
    for (name, goal) in [
        ("mala", None),
        ("hmc", None),
        ("mala", Some(0.8)),
        ("hmc", Some(0.65)),
    ] {
        for start in [1e-3, 300.0] {
            let mut dynamics = adapted(name);
            dynamics.target_acceptance = goal.or(dynamics.target_acceptance);
            dynamics.langevin.step_size = start;
            let (chains, parameters) =
                target.chains(&mut executor, Variant::Tiled, 512, dynamics, None);
            let mut r = Recording::new();
            chains.run(&mut r, parameters, &pass(0, 400, 0), 0..400);
            executor.run(&r).expect("runs");
            let control = control(&mut executor, &chains);
            let (got, want) = (
                control.acceptance.expect("was counted"),
                dynamics.target_acceptance.expect("adapts"),
            );
            assert!(
                (got - want).abs() < 0.05,
                "{name} from {start}: {got} of {want}, {control:?}"
            );
        }
    }
}

/// Every evaluation of a network with a Gaussian base launches the base's gradient once.
#[test]
fn evaluations_are_counted_as_they_are_recorded() {
    let mut executor = executor(false);
    let target = Target::random(5);
    for (name, steps, want) in [
        ("langevin", 6, 6),
        ("mala", 6, 7),
        ("hmc", 6, 25),
        ("underdamped", 6, 7),
    ] {
        let (chains, parameters) =
            target.chains(&mut executor, Variant::Tiled, 4, adapted_or_not(name), None);
        for ends in [&[6][..], &[1, 4, 6]] {
            let mut r = Recording::new();
            let mut done = 0;
            for &end in ends {
                chains.run(&mut r, parameters, &pass(0, steps, 0), done..end);
                done = end;
            }
            assert_eq!(r.launches()["quadratic_base_gradient"], want, "{name}");
        }
        assert_eq!(chains.dynamics().evaluations(steps), want, "{name}");
    }
}

fn adapted_or_not(name: &str) -> Dynamics {
    Dynamics {
        target_acceptance: kind(name).target_acceptance,
        ..dynamics(name, 0.1)
    }
}

const DIGITS: Shape = Shape {
    channels: 1,
    height: 8,
    width: 8,
};

/// A step takes 4 data and 8 noise samples.
fn small(kind: &str) -> Config {
    let mut config = config::load("digits", &[]).expect("is valid");
    config.network.layers = vec![
        LayerConfig::Dense { dense: 7 },
        LayerConfig::Dense { dense: 1 },
    ];
    config.network.zero_head = false;
    config.data.noise = 0.0;
    config.objective.noise_ratio = 2;
    config.sampler.kind = kind.into();
    config.sampler.steps = 4;
    config.sampler.buffer = 24;
    config.sampler.diagnose = 2;
    config.run.batch = 4;
    config
}

fn started(config: &Config, executor: &mut Executor) -> TrainingPlan {
    config.validate().expect("is valid");
    let plan = TrainingPlan::new(config, DIGITS, Variant::Tiled).expect("fits");
    let parameters = vec![0.01; plan.architecture().parameter_count()];
    executor.run(&plan.setup(&parameters)).expect("runs");
    plan
}

/// Steps with and without a diagnosis, in one slice and in three.
#[test]
fn the_device_holds_what_was_predicted_with_every_kind() {
    for kind in SAMPLERS {
        for slice in [None, Some(5)] {
            let mut config = small(kind.name);
            config.run.slice = slice;
            let mut executor = executor(false);
            let plan = started(&config, &mut executor);
            for step in 0..2 {
                executor
                    .run(&plan.step(step, &[0.1; 4 * 64]))
                    .expect("runs");
            }
            executor.finish().expect("finishes");
            assert_eq!(
                executor.allocated_bytes(),
                plan.memory().training(),
                "{}, {slice:?}",
                kind.name
            );
        }
    }
}

/// With the last picture, whose chains bring their own proposals and velocities.
#[test]
fn the_peak_of_a_run_is_what_was_predicted_with_every_kind() {
    for kind in SAMPLERS {
        let mut config = small(kind.name);
        // More than the self-test at the start takes.
        config.sampler.buffer = 5000;
        config.run.steps = 2;
        config.run.samples = 9;
        config.run.sample_steps = 3;
        let options = DataOptions {
            source: "digits".into(),
            path: String::new(),
            low: config.data.low,
            high: config.data.high,
            limit: 0,
        };
        let data = data::open(&options, 1).expect("opens");
        let mut trainer = Trainer::new(executor(false), &config, data).expect("starts");
        let folder = tempfile::tempdir().expect("makes a folder");
        let (out, stop) = (folder.path().join("run"), AtomicBool::new(false));
        let summary = run(&mut trainer, &config, &out, false, &stop, &mut |_| {}).expect("runs");
        let held = trainer.executor().most_allocated_bytes();
        assert_eq!(held, summary.memory.total(), "{}", kind.name);
    }
}

/// A diagnosis reads more, but moves the chains as they would have moved.
#[test]
fn a_diagnosis_changes_no_chain() {
    for kind in SAMPLERS {
        let mut ends = Vec::new();
        for diagnose in [0, 2] {
            let mut config = small(kind.name);
            config.sampler.diagnose = diagnose;
            let mut executor = executor(false);
            let plan = started(&config, &mut executor);
            for step in 0..4 {
                executor
                    .run(&plan.step(step, &normals(step as u32, 4 * 64)))
                    .expect("runs");
                let traces = plan.step(step, &[0.0; 4 * 64]);
                let traces = launches(&traces)
                    .iter()
                    .filter(|d| d.program.kernel.name == "samplers/trace")
                    .count();
                let due = diagnose > 0 && step % 2 == 1;
                assert_eq!(
                    traces,
                    if due { 4 } else { 0 },
                    "a record for each of 4 steps"
                );
            }
            let (buffer, start, words) = plan.noise_samples();
            ends.push(executor.read_words(buffer, start, words).expect("reads"));
        }
        assert!(ends[0] == ends[1], "{}", kind.name);
    }
}

/// At a step size of nothing, chains end where they began: on data, on noise, and in the first epoch of a buffer nowhere
/// else.
#[test]
fn fresh_chains_start_where_they_are_told() {
    // The share of all 8 chains of a step that sit on the step's data.
    let on_data = |chains: &str, start: &str, step: u64| {
        let mut config = small("langevin");
        config.sampler.chains = chains.into();
        config.sampler.start = start.into();
        config.sampler.data_share = 0.25;
        config.sampler.restart = 0.5;
        config.sampler.step_size = 1e-12;
        let mut executor = executor(false);
        let plan = started(&config, &mut executor);
        let mut shares = 0;
        for step in 0..=step {
            let data = normals(step as u32, 4 * 64);
            executor.run(&plan.step(step, &data)).expect("runs");
            let (buffer, start, words) = plan.noise_samples();
            let noise: Vec<f32> = executor
                .read_words(buffer, start, words)
                .expect("reads")
                .into_iter()
                .map(f32::from_bits)
                .collect();
            let near = |a: &[f32], b: &[f32]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-4);
            shares = noise
                .chunks(64)
                .filter(|chain| data.chunks(64).any(|row| near(chain, row)))
                .count();
        }
        shares
    };
    // Three batches of 8 make an epoch of the buffer of 24 chains.
    assert_eq!(on_data("persistent", "gaussian", 0), 0);
    assert_eq!(
        on_data("persistent", "data", 2),
        8,
        "met for the first time"
    );
    assert_eq!(on_data("persistent", "data", 3), 4, "restarted");
    assert_eq!(on_data("persistent", "mixture", 0), 2);
    assert_eq!(on_data("persistent", "mixture", 3), 1);
    assert_eq!(on_data("short_run", "mixture", 5), 2);
    assert_eq!(on_data("short_run", "data", 5), 8);
    assert_eq!(on_data("data", "gaussian", 5), 8);
}

const TINY: [&str; 14] = [
    "run.steps=6",
    "run.batch=8",
    "run.samples=9",
    "run.sample_steps=6",
    "run.sample_every=0",
    "sampler.steps=4",
    "sampler.buffer=16",
    "sampler.clip=0",
    "sampler.leapfrog=5",
    "sampler.diagnose=4",
    "network.zero_head=false",
    "network.layers=[{dense=8}, {dense=1}]",
    "sampler.jumps=0",
    "sampler.probe=8",
];

#[test]
fn every_kind_trains_and_samples_from_the_command_line() {
    for preset in ["8gaussians", "digits"] {
        for kind in SAMPLERS {
            let folder = tempfile::tempdir().expect("makes a folder");
            let name = format!("sampler.kind={}", kind.name);
            let mut arguments = vec!["train", preset, "--out", "run", "--set", &name];
            for set in TINY {
                arguments.extend(["--set", set]);
            }
            let output = command::run(&folder, &arguments);
            let errors = stderr(&output);
            assert!(errors.contains("R-hat of"), "{errors}");

            let run = folder.path().join("run");
            let lines = |file: &str| -> Vec<String> {
                let text = fs::read_to_string(run.join(file)).expect("reads");
                text.lines().map(String::from).collect()
            };
            let rows: Vec<MetricsRow> = lines("metrics.jsonl")
                .iter()
                .map(|line| serde_json::from_str(line).expect("a row"))
                .collect();
            let per_chain = match kind.name {
                "langevin" => 4,
                "hmc" => 1 + 4 * 5,
                _ => 1 + 4,
            };
            for (step, row) in (1..).zip(&rows) {
                assert_eq!(
                    row.gradient_evaluations,
                    step * 8 * per_chain,
                    "{}",
                    kind.name
                );
                assert!(row.step_size > 0.0 && row.step_size.is_finite());
                assert!((0.0..=1.0).contains(&row.acceptance), "{}", row.acceptance);
                assert!(kind.is_exact() || row.acceptance == 1.0);
            }
            let sizes: HashSet<u32> = rows.iter().map(|row| row.step_size.to_bits()).collect();
            assert_eq!(
                sizes.len(),
                if kind.is_exact() { 6 } else { 1 },
                "{}",
                kind.name
            );
            let diagnoses: Vec<Diagnostics> = lines("diagnostics.jsonl")
                .iter()
                .map(|line| serde_json::from_str(line).expect("a row"))
                .collect();
            let steps: Vec<u64> = diagnoses.iter().map(|row| row.step).collect();
            assert_eq!(steps, [3, 5], "every fourth step and the last");
            let last = diagnoses[1];
            assert_eq!((last.chains, last.records, last.lost), (8, 4, 0));
            assert_eq!(last.acceptance, rows[5].acceptance);
            assert!(last.moved > 0.0 && last.energy.r_hat.expect("chains moved") > 0.0);

            let checkpoint = "run/checkpoints/000006.safetensors";
            let model = Model::load(&folder.path().join(checkpoint)).expect("loads");
            assert_eq!(
                model.step_size(),
                rows[5].step_size,
                "where training left it"
            );
            let draw = |out: &str| {
                let arguments = ["sample", checkpoint, "--out", out, "--json"];
                let output = command::run(&folder, &arguments);
                let json: serde_json::Value = serde_json::from_str(stdout(&output)).expect("JSON");
                (fs::read(folder.path().join(out)).expect("reads"), json)
            };
            let (first, json) = draw("a.npy");
            assert!(
                first == draw("b.npy").0,
                "{}: the same bits twice",
                kind.name
            );
            // 9 chains of 6 steps; the digits are denoised by one evaluation more.
            let denoise = u64::from(model.config().data.noise > 0.0);
            let steps = match kind.name {
                "langevin" => 6,
                "hmc" => 1 + 6 * 5,
                _ => 1 + 6,
            };
            assert_eq!(
                json["gradient_evaluations"],
                9 * (steps + denoise),
                "{}",
                kind.name
            );
            assert_eq!(json["acceptance"].is_number(), kind.is_exact());
        }
    }
}

#[test]
fn what_makes_no_sense_together_is_refused_with_a_reason() {
    for (sets, key, reason) in [
        (&["kind=malla"][..], "sampler.kind", "did you mean `mala`"),
        (
            &["kind=mala", "clip=1"],
            "sampler.clip",
            "law of the energy",
        ),
        (
            &["kind=hmc", "bounds=clamp"],
            "sampler.bounds",
            "law of the energy",
        ),
        (
            &["kind=underdamped", "noise=0.1"],
            "sampler.noise",
            "sampler.temperature",
        ),
        (
            &["noise=0.1", "temperature=0.5"],
            "sampler.noise",
            "sampler.temperature",
        ),
        (
            &["noise=0.1", "anneal=2"],
            "sampler.noise",
            "sampler.anneal",
        ),
        (&["adapt=true"], "sampler.adapt", "no acceptance"),
        (
            &["kind=underdamped", "target_acceptance=0.5"],
            "sampler.target_acceptance",
            "accepts every step",
        ),
        (
            &["kind=mala", "adapt=false", "target_acceptance=0.5"],
            "sampler.target_acceptance",
            "adapt = false",
        ),
        (
            &["kind=mala", "target_acceptance=1.0"],
            "sampler.target_acceptance",
            "between 0 and 1",
        ),
        (&["kind=mala", "steps=1"], "sampler.steps", "first half"),
        (&["kind=mala", "leapfrog=3"], "sampler.leapfrog", "no leaps"),
        (
            &["kind=hmc", "leapfrog=0"],
            "sampler.leapfrog",
            "between 1 and",
        ),
        (
            &["kind=hmc", "friction=2"],
            "sampler.friction",
            "no velocity",
        ),
        (&["temperature=0"], "sampler.temperature", "above 0"),
        (&["anneal=-1"], "sampler.anneal", "above 0"),
        (
            &["start=mixture", "data_share=2"],
            "sampler.data_share",
            "between 0 and 1",
        ),
        (&["chains=data", "start=data"], "sampler.start", "already"),
    ] {
        let sets: Vec<String> = sets.iter().map(|set| format!("sampler.{set}")).collect();
        let error = config::load("digits", &sets)
            .expect_err("is refused")
            .to_string();
        assert!(
            error.contains(key) && error.contains(reason),
            "{sets:?}: {error}"
        );
        assert!(!error.contains('\n'), "{error}");
    }
    for sets in [
        &["kind=mala", "steps=1", "adapt=false"][..],
        &[
            "kind=hmc",
            "leapfrog=1",
            "adapt=false",
            "anneal=4",
            "temperature=0.5",
        ],
        &[
            "kind=underdamped",
            "friction=3",
            "start=data",
            "adapt=false",
        ],
        &["temperature=0.2", "clip=0.1", "bounds=reflect", "anneal=3"],
    ] {
        let sets: Vec<String> = sets.iter().map(|set| format!("sampler.{set}")).collect();
        let config = config::load("digits", &sets).expect("is allowed");
        let written = config::to_toml(&config);
        assert_eq!(
            config::parse(&written, "config.toml").expect("reads back"),
            config
        );
    }
}
