//! The method: its objective at a fresh snapshot, its sampler on a known Gaussian, and what a training step records.

mod common;

use afterimage::config::{
    self, ChainKind, Config, InitialWeights, Interval, LayerSpec, NormaliserKind, Precision, Word,
};
use afterimage::data::{self, Dataset, RawRange, Source};
use afterimage::gpu::{AdapterChoice, Buffer, Executor, ExecutorOptions, Recording};
use afterimage::low_level::gpu::{Access, Command, Constant, Resource};
use afterimage::low_level::kernels::tiled::Tiled;
use afterimage::low_level::kernels::{
    Activation, Bounds, Bregman, ChainStart, Generator, LangevinSettings, Normaliser,
    QuadraticBase, RatioMetrics, Variant,
};
use afterimage::low_level::method::{Chains, Objective, ObjectiveSettings, Strategy};
use afterimage::low_level::network::{Initialisation, Network, initial_parameters, walk_plan};
use afterimage::low_level::random::Stream;
use afterimage::low_level::train::TrainingPlan;
use afterimage::low_level::twins::{self, RatioInput};
use afterimage::model::{Architecture, Model};
use afterimage::shape::Shape;
use afterimage::train::{Arrival, Divergence, MetricsRow, TrainError, Trainer, run};
use common::programs::launches;
use common::{
    ROUNDING, assert_close, executor, filled, normals, one_of, poisoned, twin, variants, widen,
};
use serde_json::Value;
use std::collections::HashSet;
use std::fs;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

const PLAIN: Initialisation = Initialisation {
    weights: InitialWeights::Default,
    zero_head: false,
    first_weight_scale: 1.0,
    first_bias_scale: 1.0,
};

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}

#[test]
fn at_a_fresh_snapshot_the_gradient_is_that_of_contrastive_divergence() {
    let conv = LayerSpec::Conv {
        channels: 5,
        kernel: 3,
        stride: 2,
        padding: 1,
    };
    let base = Some(QuadraticBase {
        mean: 0.1,
        std: 1.2,
    });
    let specs = [conv, LayerSpec::Dense { features: 2 }];
    let architecture =
        Architecture::new(Shape::new(1, 6, 5), &specs, Activation::SILU, base).expect("fits");
    let parameters = initial_parameters(&architecture, &PLAIN, 3);
    let mut executor = executor(false);
    // ν = 1 gives ½ of the gradient of contrastive divergence.
    for (turn, (data, noise)) in [(4, 4), (3, 6), (2, 8), (6, 3)].into_iter().enumerate() {
        for (name, variant) in one_of(variants(&executor), turn) {
            let count = data + noise;
            let x = normals(7, count * architecture.input().len());
            let network = Network::new(&architecture, count, variant).expect("fits");
            let settings = ObjectiveSettings {
                normaliser: Normaliser::Learned { rate: 0.1 },
                ..Default::default()
            };
            let objective = Objective::new(settings, data, noise);
            let mut r = Recording::new();
            network.setup(&mut r);
            objective.reset(&mut r);
            let live = filled(&mut r, "live", &parameters);
            let snapshot = poisoned(&mut r, "snapshot", parameters.len());
            r.copy(live, snapshot);
            let x_buffer = filled(&mut r, "x", &x);
            let snapshot_energies = poisoned(&mut r, "snapshot energies", count);
            let live_energies = poisoned(&mut r, "live energies", count);
            let gradient = poisoned(&mut r, "gradient", parameters.len());
            // Both energies are computed: a step that copies them instead relies on just that.
            let prepared = network.prepare(&mut r, snapshot);
            prepared.energies(&mut r, x_buffer, snapshot_energies, false);
            let prepared = network.prepare(&mut r, live);
            prepared.energies(&mut r, x_buffer, live_energies, true);
            objective.weigh(&mut r, live_energies, snapshot_energies);
            prepared.weight_gradient(&mut r, x_buffer, objective.factor(), gradient, false);
            executor.run(&r).expect("runs");

            let (x, parameters) = (widen(&x), widen(&parameters));
            let model = twin(&architecture, &parameters);
            let flat = |factor: &[f64]| -> Vec<f64> {
                let layers = model.weight_gradient(&x, count, factor);
                layers
                    .into_iter()
                    .flat_map(|g| [g.weight, g.bias].concat())
                    .collect()
            };
            let nu = noise as f64 / data as f64;
            let share = nu / (1.0 + nu);
            let divergence: Vec<f64> = (0..count)
                .map(|n| {
                    if n < data {
                        share / data as f64
                    } else {
                        -share / noise as f64
                    }
                })
                .collect();
            let energies = model.energies(&x, count);
            let head = twins::ratio_head(
                &Bregman {
                    generator: Generator::LOGISTIC,
                    exponent: 0.5,
                    clamp: 10.0,
                },
                &RatioInput {
                    live: &energies,
                    snapshot: &energies,
                    data_count: data,
                    noise_count: noise,
                    c: 0.0,
                    energy_l2: 0.0,
                },
            );
            let what = |part| format!("{name}, {part}, ν = {nu}");
            let got = executor.read(gradient).expect("reads");
            // f32 sums over at most 9 samples of 9 pixels, through two layers; as in the layers' own tests.
            assert_close(&what("gradient"), &got, &flat(&divergence), 2e-5);
            assert_close(&what("twin's gradient"), &got, &flat(&head.factor), 2e-5);
            let [live_bits, snapshot_bits] = [live_energies, snapshot_energies]
                .map(|buffer| bits(&executor.read(buffer).expect("reads")));
            assert_eq!(live_bits, snapshot_bits, "{name}: the same function");

            let words = executor.read_words(objective.metrics(), 0, objective.metrics().words());
            let metrics = RatioMetrics::from_words(&words.expect("reads"));
            // Two means of equal weights that cancel: summing and dividing round at most 16 times.
            let c_gradient = f64::from(metrics.normaliser_gradient).abs();
            assert!(c_gradient <= 16.0 * ROUNDING * (1.0 + nu), "{c_gradient}");
            assert_eq!(metrics.log_ratio_spread, 0.0);
        }
    }
}

/// On E = |x − m|²/(2s²) a step is x ← x − h (x − m)/s² + √(2h) ξ, whose stationary law is a Gaussian of mean m and
/// variance 2h / (1 − (1 − h/s²)²) = s² / (1 − h/(2s²)): the bias of the unadjusted algorithm.
#[test]
fn unadjusted_langevin_reaches_the_moments_that_theory_predicts() {
    let (mean, std, count) = (0.7f32, 1.5f32, 4096);
    let base = Some(QuadraticBase { mean, std });
    let shape = Shape::new(2, 1, 1);
    let specs = [LayerSpec::Dense { features: 1 }];
    let architecture = Architecture::new(shape, &specs, Activation::TANH, base).expect("fits");
    let mut executor = executor(false);
    // The start's memory fades as (1 − h/s²)ᵗ: below 1e-4 of it in both.
    for (step_size, steps) in [(0.2f32, 120), (1.2, 30)] {
        for (name, variant) in variants(&executor) {
            let langevin = LangevinSettings {
                step_size,
                noise: (2.0 * step_size).sqrt(),
                clip: 0.0,
                bounds: Bounds::None,
            };
            let start = ChainStart::Gaussian {
                mean: 0.0,
                std: 1.0,
            };
            let seed = (11, Stream::Langevin);
            let chains =
                Chains::new(&architecture, count, variant, langevin, start, seed).expect("fits");
            let mut r = Recording::new();
            let zeros = vec![0.0; architecture.parameter_count()];
            let parameters = filled(&mut r, "parameters", &zeros);
            chains.setup(&mut r);
            let prepared = chains.prepare(&mut r, parameters);
            chains.restart(&mut r, 0, 0, count);
            prepared.advance(&mut r, 0, steps, 0);
            executor.run(&r).expect("runs");

            let x = widen(&executor.read(chains.states()).expect("reads"));
            let n = x.len() as f64;
            let (h, mean, true_variance) = (
                f64::from(step_size),
                f64::from(mean),
                f64::from(std).powi(2),
            );
            let want = true_variance / (1.0 - h / (2.0 * true_variance));
            let average = x.iter().sum::<f64>() / n;
            let variance = x.iter().map(|x| (x - average).powi(2)).sum::<f64>() / (n - 1.0);
            // All values are independent: standard errors σ/√n and σ²·√(2/n).
            let (mean_error, variance_error) = ((want / n).sqrt(), want * (2.0 / n).sqrt());
            assert!(
                (average - mean).abs() < 5.0 * mean_error,
                "{name}, step {h}: mean {average}"
            );
            assert!(
                (variance - want).abs() < 5.0 * variance_error,
                "{name}, step {h}: variance {variance}, theory {want}"
            );
            if h > 1.0 {
                let bias = (variance - true_variance) / variance_error;
                assert!(bias > 5.0, "{name}: only {bias} standard errors of bias");
            }
        }
    }
}

const DIGITS: Shape = Shape {
    channels: 1,
    height: 8,
    width: 8,
};

/// A small run on digits.
fn small() -> Config {
    let mut config = config::load("digits-langevin", &[]).expect("is valid");
    config.network.layers = vec![
        LayerSpec::Conv {
            channels: 6,
            kernel: 3,
            stride: 2,
            padding: 1,
        },
        LayerSpec::Dense { features: 1 },
    ];
    config.network.zero_head = false;
    config.snapshot.interval = Interval::Every(3);
    config.objective.noise_ratio = 2;
    config.objective.normaliser = NormaliserKind::Learned;
    config.sampler.steps = 4;
    config.sampler.buffer = 50;
    // Diagnoses are the matter of tests/samplers/.
    config.sampler.diagnose = 0;
    config.run.batch = 8;
    config.run.steps = 5;
    config
}

fn digits(seed: u64) -> Dataset {
    data::open(&Config::default().data.options(), seed).expect("opens")
}

/// The buffer called `label` among those that a recording uploads to, copies or binds.
fn named(recording: &Recording, label: &str) -> Buffer {
    let recording = recording.expanded();
    let buffers = recording
        .commands()
        .iter()
        .flat_map(|command| match command {
            Command::Replay { .. } | Command::OnlyIf { .. } => {
                unreachable!("expanded, and no run decides")
            }
            Command::Upload { buffer, .. } | Command::Fetch { buffer, .. } => vec![*buffer],
            Command::Copy { from, to, .. } => vec![*from, *to],
            Command::Dispatch(dispatch) => dispatch
                .resources
                .iter()
                .filter_map(|resource| match resource {
                    Resource::Buffer(buffer) => Some(*buffer),
                    Resource::Image(_) => None,
                })
                .collect(),
        });
    let found: HashSet<Buffer> = buffers.filter(|buffer| buffer.label() == label).collect();
    assert_eq!(found.len(), 1, "buffers called {label}");
    found.into_iter().next().expect("there is one")
}

fn plan(config: &Config) -> (TrainingPlan, Vec<f32>) {
    let plan = TrainingPlan::new(config, DIGITS, Variant::Tiled(Tiled)).expect("fits");
    let initial = initial_parameters(plan.architecture(), &PLAIN, config.run.seed);
    (plan, initial)
}

/// Where in a recording the whole of `from` is copied to the start of `to`.
fn copies(recording: &Recording, from: &str, to: &str) -> Vec<usize> {
    let is_copy = |command: &Command| match command {
        Command::Copy {
            from: source,
            from_offset: 0,
            to: target,
            to_offset: 0,
            words,
        } => {
            (source.label(), target.label()) == (from, to)
                && [source.words(), target.words()] == [*words; 2]
        }
        _ => false,
    };
    let commands = recording.commands().iter().enumerate();
    commands
        .filter(|(_, command)| is_copy(command))
        .map(|(place, _)| place)
        .collect()
}

/// The places of the commands that write to the buffer called `label`.
fn writes(recording: &Recording, label: &str) -> Vec<usize> {
    let is_write = |command: &Command| match command {
        Command::Upload { buffer, .. } => buffer.label() == label,
        Command::Copy { to, .. } => to.label() == label,
        Command::Dispatch(dispatch) => {
            let bindings = dispatch.program.kernel.bindings.iter();
            bindings.zip(&dispatch.resources).any(|(access, resource)| {
                matches!((access, resource), (Access::ReadWrite, Resource::Buffer(buffer))
                    if buffer.label() == label)
            })
        }
        Command::Fetch { .. } | Command::Replay { .. } | Command::OnlyIf { .. } => false,
    };
    let commands = recording.commands().iter().enumerate();
    commands
        .filter(|(_, command)| is_write(command))
        .map(|(place, _)| place)
        .collect()
}

fn first_launch(recording: &Recording, name: &str) -> usize {
    let commands = recording.commands();
    commands
        .iter()
        .position(|command| {
            matches!(command, Command::Dispatch(dispatch) if dispatch.program.kernel.name == name)
        })
        .expect("is launched")
}

#[test]
fn a_refresh_is_one_copy_and_happens_every_interval() {
    for interval in [1, 3] {
        let mut config = small();
        config.snapshot.interval = Interval::Every(interval);
        let (plan, initial) = plan(&config);
        let data = vec![0.0; config.run.batch * DIGITS.len()];
        let setup = plan.setup(&initial);
        assert_eq!(writes(&setup, "live parameters").len(), 1);
        for step in 0..7 {
            let recording = plan.step(step, &data).expanded();
            let fresh = step % interval == 0;
            let refreshes = copies(&recording, "live parameters", "snapshot parameters");
            assert_eq!(refreshes.len(), usize::from(fresh), "step {step}");
            assert_eq!(writes(&recording, "snapshot parameters"), refreshes);
            // c is reset with the snapshot; the ratio head writes it once a step.
            assert_eq!(writes(&recording, "normaliser").len(), 1 + refreshes.len());
            // Before the chains run and before the optimiser moves the live parameters, which nothing else does.
            let adam = first_launch(&recording, "adam");
            assert_eq!(writes(&recording, "live parameters"), [adam]);
            let langevin = first_launch(&recording, "langevin");
            assert!(refreshes.iter().all(|&place| place < langevin));
            assert!(langevin < adam);
            assert_eq!(recording.launches()["langevin"], config.sampler.steps);

            // Right after a refresh the snapshot energies are the live ones; otherwise a pass of their own computes them.
            let snapshot = writes(&recording, "snapshot energies");
            let copied = copies(&recording, "live energies", "snapshot energies");
            assert_eq!(snapshot.len(), 1);
            assert_eq!(copied, if fresh { snapshot } else { vec![] });
            // One for the chains' last step, the others for data and noise.
            let heads = recording.launches()["energy_head"];
            assert_eq!(heads, if fresh { 2 } else { 3 });
        }
    }
}

#[test]
fn a_step_moves_nothing_between_host_and_gpu_but_data_order_and_metrics() {
    let config = small();
    let (plan, _) = plan(&config);
    let data = vec![0.0; config.run.batch * DIGITS.len()];
    for step in 0..7 {
        for command in plan.step(step, &data).commands() {
            match command {
                Command::Upload { buffer, words, .. } => match buffer.label() {
                    "data and noise" => assert_eq!(words.len(), data.len()),
                    "normaliser" => assert_eq!(words.len(), 1),
                    "replay order" => assert_eq!(words.len(), 48),
                    other => panic!("step {step} uploads {other}"),
                },
                Command::Fetch { buffer, ticket, .. } => {
                    assert_eq!((buffer.label(), *ticket), ("metrics", step));
                }
                _ => {}
            }
        }
    }
}

#[test]
fn the_method_costs_one_copy_of_the_parameters_and_the_chains() {
    let config = small();
    let (plan, initial) = plan(&config);
    let memory = plan.memory();
    let parameters = 4 * initial.len() as u64;
    assert_eq!(
        (memory.parameters, memory.snapshot),
        (parameters, parameters)
    );
    // 16 present chains; 50 slots make three batches of 16, with a place in the order for each.
    let present = 4 * 16 * DIGITS.len() as u64;
    assert_eq!(memory.chains, present + 4 * 48 * (DIGITS.len() as u64 + 1));
    let mut config = config;
    config.sampler.chains = ChainKind::ShortRun;
    let plan = TrainingPlan::new(&config, DIGITS, Variant::Tiled(Tiled)).expect("fits");
    assert_eq!(plan.memory().chains, present);
}

#[test]
fn every_slot_of_the_replay_buffer_is_visited_once_an_epoch() {
    let mut config = small();
    config.sampler.restart = 0.0;
    let (plan, _) = plan(&config);
    let data = vec![0.0; config.run.batch * DIGITS.len()];
    let chains = config.run.batch * config.objective.noise_ratio;
    let mut order: Vec<u32> = Vec::new();
    let mut epochs: Vec<Vec<u32>> = Vec::new();
    for step in 0..9 {
        let recording = plan.step(step, &data);
        let uploaded = recording
            .commands()
            .iter()
            .find_map(|command| match command {
                Command::Upload { buffer, words, .. } if buffer.label() == "replay order" => {
                    Some(words.clone())
                }
                _ => None,
            });
        assert_eq!(uploaded.is_some(), step % 3 == 0, "three batches an epoch");
        if let Some(words) = uploaded {
            order = words;
            epochs.push(Vec::new());
        }
        let firsts = |take_out: bool| -> Vec<u32> {
            let direction = ("TAKE_OUT".into(), Constant::Bool(take_out));
            let of = launches(&recording).into_iter();
            of.filter(|dispatch| dispatch.program.constants.contains(&direction))
                .map(|dispatch| dispatch.immediates[0])
                .collect()
        };
        let first = firsts(true);
        assert_eq!(first, firsts(false), "chains return to their slots");
        assert!(!recording.launches().contains_key("start_chains"));
        let places = first[0] as usize..first[0] as usize + chains;
        let epoch = epochs.last_mut().expect("begun");
        epoch.extend(&order[places]);
    }
    assert_eq!(epochs.len(), 3);
    assert_ne!(epochs[0], epochs[1], "a fresh order every epoch");
    for mut epoch in epochs {
        epoch.sort_unstable();
        assert_eq!(epoch, (0..48).collect::<Vec<u32>>());
    }
}

/// What is in the chains after one step of a run on `data`, and the step's metrics.
fn one_step(config: &Config, data: &[f32]) -> (Vec<f32>, RatioMetrics) {
    let (plan, initial) = plan(config);
    let mut executor = executor(true);
    executor.run(&plan.setup(&initial)).expect("runs");
    executor.run(&plan.step(0, data)).expect("runs");
    let arrived = executor.finish().expect("finishes");
    assert_eq!(arrived.len(), 1);
    let metrics = RatioMetrics::from_words(&arrived[0].1);
    let (states, start, words) = plan.noise_samples();
    let states = executor.read_words(states, start, words).expect("reads");
    (states.into_iter().map(f32::from_bits).collect(), metrics)
}

#[test]
fn a_step_whose_chains_are_walked_draws_the_same_noise() {
    let data = normals(1, 8 * DIGITS.len());
    let config = small();
    let (want, _) = one_step(&config, &data);
    let (plan, initial) = plan(&config);
    let walk = walk_plan(plan.architecture(), 2, 16_384).expect("fits");
    let plan = plan.with_strategy(Strategy::Walk(walk));
    let mut executor = executor(true);
    executor.run(&plan.setup(&initial)).expect("runs");
    let step = plan.step(0, &data);
    let launches = step.launches();
    assert_eq!(launches["walk/langevin_chain"], 1);
    assert!(!launches.contains_key("langevin"));
    executor.run(&step).expect("runs");
    let (states, start, words) = plan.noise_samples();
    let states = executor.read_words(states, start, words).expect("reads");
    let states: Vec<f32> = states.into_iter().map(f32::from_bits).collect();
    // Four steps of 0.01 along gradients that in both ways are right to 2e-5 of their scale; see tests/walk.rs.
    assert_close("noise samples", &states, &widen(&want), 2e-6);
    // A whole interval, so that every buffer has been used and so made.
    for step in 1..=3 {
        executor.run(&plan.step(step, &data)).expect("runs");
    }
    executor.finish().expect("finishes");
    assert_eq!(plan.memory().training(), executor.allocated_bytes());
}

#[test]
fn chains_start_from_the_data_or_afresh() {
    let data = normals(1, 8 * DIGITS.len());
    let mut config = small();
    config.data.noise = 0.0;
    for steps in [0, 4] {
        config.sampler.steps = steps;
        config.sampler.chains = ChainKind::Data;
        let (states, metrics) = one_step(&config, &data);
        assert_eq!(metrics.lost, 0.0);
        let twice = [&data[..], &data].concat();
        assert_eq!(states == twice, steps == 0, "ν = 2, {steps} Langevin steps");

        config.sampler.chains = ChainKind::ShortRun;
        let (states, metrics) = one_step(&config, &data);
        assert_eq!(metrics.lost, 0.0);
        let mut starts = vec![f64::NAN; states.len()];
        let start = twins::ChainStart::Gaussian {
            mean: 0.0,
            std: 1.0,
        };
        let stream = Stream::ChainStart;
        twins::start_chains(start, stream, config.run.seed, 0, 0, &mut starts);
        // The normals' own accuracy is the kernel tests' matter; a step moves a value by about 0.1.
        let near = |(a, b): (&f32, &f64)| (f64::from(*a) - b).abs() < 1e-3;
        assert_eq!(states.iter().zip(&starts).all(near), steps == 0);
    }
}

/// Live parameters and metrics after all steps of `config`.
fn train(config: &Config, options: ExecutorOptions) -> (Vec<u32>, Vec<MetricsRow>) {
    let executor = Executor::open(&AdapterChoice::Best, options).expect("opens");
    let mut trainer = Trainer::new(executor, config, digits(config.run.seed)).expect("starts");
    for _ in 0..config.run.steps {
        trainer.step().expect("steps");
    }
    let arrived = trainer.arrived(true).expect("arrives");
    let rows = arrived.into_iter().filter_map(|arrival| match arrival {
        // The speed is that of the machine.
        Arrival::Metrics { row, .. } => Some(MetricsRow {
            samples_per_second: 0.0,
            ..row
        }),
        Arrival::Diagnostics(_) => None,
        Arrival::States { .. }
        | Arrival::Energies { .. }
        | Arrival::Snapshot { .. }
        | Arrival::Judged { .. }
        | Arrival::State(_) => {
            panic!("nobody asked for them")
        }
    });
    let rows: Vec<MetricsRow> = rows.collect();
    assert_eq!(rows.len() as u64, config.run.steps);
    assert!(rows.iter().all(|row| row.not_finite(0.0).is_none()));
    let live = named(&trainer.plan().setup(&[]), "live parameters");
    let parameters = trainer.executor().read(live).expect("reads");
    (bits(&parameters), rows)
}

#[test]
fn the_same_seed_gives_the_same_bits_however_the_work_is_submitted() {
    let config = small();
    let with = |submission, in_flight| ExecutorOptions {
        submission: Duration::from_millis(submission),
        in_flight,
        ..Default::default()
    };
    let reference = train(&config, ExecutorOptions::default());
    // From a submission for every launch, each of which is waited for, on.
    for (submission, in_flight) in [(0, 1), (1, 8), (1000, 3)] {
        assert_eq!(reference, train(&config, with(submission, in_flight)));
    }

    let mut other = config;
    other.run.seed += 1;
    let (parameters, rows) = train(&other, ExecutorOptions::default());
    assert_ne!(parameters, reference.0);
    assert_ne!(rows, reference.1);
}

#[test]
fn data_that_is_not_finite_is_reported_and_changes_no_parameter() {
    let config = small();
    let (plan, initial) = plan(&config);
    let mut executor = executor(false);
    let setup = plan.setup(&initial);
    executor.run(&setup).expect("runs");
    let mut data = normals(1, config.run.batch * DIGITS.len());
    data[100] = f32::NAN;
    executor.run(&plan.step(0, &data)).expect("runs");
    let arrived = executor.finish().expect("finishes");
    let metrics = RatioMetrics::from_words(&arrived[0].1);
    assert_eq!(metrics.lost, 1.0, "the NaN is in one sample");
    let live = named(&setup, "live parameters");
    for buffer in [live, plan.optimiser().average()] {
        let values = executor.read(buffer).expect("reads");
        assert_eq!(bits(&values), bits(&initial));
    }
}

#[test]
fn a_run_on_data_without_finite_energies_diverges_and_keeps_a_finite_model() {
    // Finite, but its square, in the energy's quadratic base, is not.
    let text = diverges(Precision::Full, 3e30);
    assert!(!text.contains("run.precision"), "{text}");
}

#[test]
fn a_run_whose_energies_run_away_ends_with_what_to_change() {
    let mut config = small();
    config.snapshot.interval = Interval::Every(1);
    config.objective.normaliser = NormaliserKind::Zero;
    // So long that chains never catch up.
    config.optimiser.rate = 1.0;
    config.optimiser.gradient_clip = 0.0;
    config.sampler.step_size = 1e-6;
    config.run.steps = 400;
    let folder = tempfile::tempdir().expect("makes a folder");
    let out = folder.path().join("run");
    let mut trainer = Trainer::new(executor(false), &config, digits(1)).expect("starts");
    let stop = AtomicBool::new(false);
    let outcome = run(&mut trainer, &config, &out, false, &stop, &mut |_| {});
    let Err(TrainError::Diverged {
        step,
        what: Divergence::RunAway { gap, limit },
        advice,
    }) = outcome
    else {
        panic!("{outcome:?}");
    };
    assert!(gap > limit && step < 200, "step {step}: {gap}");
    assert!(advice.contains("lower optimiser.rate"), "{advice}");
    // What it had is there.
    let metrics = fs::read_to_string(out.join("metrics.jsonl")).expect("reads");
    assert_eq!(metrics.lines().count() as u64, trainer.steps_done());
    assert!(out.join("curves.png").is_file());
    let checkpoint = format!("checkpoints/{:06}.safetensors", trainer.steps_done());
    Model::load(&out.join(checkpoint)).expect("loads");
}

#[test]
fn a_run_whose_maps_overflow_f16_diverges_and_says_so() {
    let profile = executor(false).profile();
    let variant = Variant::for_profile(&profile);
    if variant.in_precision(Precision::Mixed).is_none() {
        println!("skipped: this adapter's kernels cannot store f16");
        return;
    }
    let text = diverges(Precision::Mixed, 1e8);
    assert!(
        text.contains("run.precision = \"full\"") && !text.contains('\n'),
        "{text}"
    );
}

/// Trains on samples that are `value` throughout until the first metrics arrive; says what the run ended with.
fn diverges(precision: Precision, value: f32) -> String {
    let folder = tempfile::tempdir().expect("makes a folder");
    let array = folder.path().join("huge.npy");
    let header = format!(
        "{:<117}\n",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (16, 1, 8, 8), }"
    );
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    for _ in 0..16 * 64 {
        bytes.extend(value.to_le_bytes());
    }
    fs::write(&array, bytes).expect("writes");

    let mut config = small();
    config.run.precision = precision;
    // More than are handed to the device before anything comes back.
    config.run.steps = 40;
    config.data.source = Source::named("npy").expect("is in the table");
    config.data.path = array.display().to_string();
    // As they are.
    config.data.range = RawRange::Given([config.data.low, config.data.high]);
    let data = data::open(&config.data.options(), 1).expect("opens");
    let mut trainer = Trainer::new(executor(false), &config, data).expect("starts");
    let out = folder.path().join("run");
    let stop = AtomicBool::new(false);
    let outcome = run(&mut trainer, &config, &out, false, &stop, &mut |_| {});
    let Err(error @ TrainError::Diverged { step: 0, .. }) = outcome else {
        panic!("{outcome:?}");
    };
    let mut checkpoints: Vec<_> = fs::read_dir(out.join("checkpoints"))
        .expect("is a folder")
        .map(|entry| entry.expect("reads").path())
        .collect();
    // The files of the chains and of the live weights come first.
    checkpoints.sort();
    let [_, _, checkpoint] = &checkpoints[..] else {
        panic!("{checkpoints:?}");
    };
    let model = Model::load(checkpoint).expect("loads");
    assert!(model.parameters().iter().all(|value| value.is_finite()));
    // Steps that were in the device's hands when the first was found out have their lines, too: as many as the model had.
    let metrics = fs::read_to_string(out.join("metrics.jsonl")).expect("reads");
    let steps: Vec<u64> = metrics
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("JSON"))
        .map(|row| row["step"].as_u64().expect("a step"))
        .collect();
    assert_eq!(steps, (0..model.step()).collect::<Vec<_>>());
    assert_eq!(model.step(), trainer.steps_done());
    let name = format!("{:06}.safetensors", model.step());
    assert_eq!(checkpoint.file_name(), Some(name.as_ref()));
    error.to_string()
}
