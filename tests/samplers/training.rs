//! Training with each kind: memory, diagnoses, and where fresh chains start.

use crate::common::programs::launches;
use crate::common::{executor, normals};
use afterimage::config::{self, ChainKind, Config, LayerSpec, SamplerKind, StartKind};
use afterimage::data;
use afterimage::gpu::Executor;
use afterimage::low_level::kernels::tiled::Tiled;
use afterimage::low_level::kernels::{LANGEVIN, SAMPLERS, Variant};
use afterimage::low_level::train::TrainingPlan;
use afterimage::shape::Shape;
use afterimage::train::{MetricsRow, Trainer, run};
use std::sync::atomic::AtomicBool;

const DIGITS: Shape = Shape {
    channels: 1,
    height: 8,
    width: 8,
};

/// A step takes 4 data and 8 noise samples.
fn small(kind: &'static SamplerKind) -> Config {
    let mut config = config::load("digits-langevin", &[]).expect("is valid");
    config.network.layers = vec![
        LayerSpec::Dense { features: 7 },
        LayerSpec::Dense { features: 1 },
    ];
    config.network.zero_head = false;
    config.data.noise = 0.0;
    config.objective.noise_ratio = 2;
    config.sampler.kind = kind;
    config.sampler.steps = 4;
    config.sampler.buffer = 24;
    config.sampler.diagnose = 2;
    config.run.batch = 4;
    config
}

fn started(config: &Config, executor: &mut Executor) -> TrainingPlan {
    config.validate().expect("is valid");
    let plan = TrainingPlan::new(config, DIGITS, Variant::Tiled(Tiled)).expect("fits");
    let parameters = vec![0.01; plan.architecture().parameter_count()];
    executor.run(&plan.setup(&parameters)).expect("runs");
    plan
}

/// Steps with and without a diagnosis, in one slice and in three.
#[test]
fn the_device_holds_what_was_predicted_with_every_kind() {
    for kind in SAMPLERS {
        for slice in [None, Some(5)] {
            let mut config = small(kind);
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
        let mut config = small(kind);
        // More than the self-test at the start takes.
        config.sampler.buffer = 5000;
        config.run.steps = 2;
        config.run.samples = 9;
        config.run.sample_steps = 3;
        let data = data::open(&config.data.options(), 1).expect("opens");
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
            let mut config = small(kind);
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
    let on_data = |chains: ChainKind, start: StartKind, step: u64| {
        let mut config = small(&LANGEVIN);
        config.sampler.chains = chains;
        config.sampler.start = start;
        if start == StartKind::Mixture {
            config.sampler.data_share = 0.25;
        }
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
    assert_eq!(on_data(ChainKind::Persistent, StartKind::Gaussian, 0), 0);
    assert_eq!(
        on_data(ChainKind::Persistent, StartKind::Data, 2),
        8,
        "met for the first time"
    );
    assert_eq!(
        on_data(ChainKind::Persistent, StartKind::Data, 3),
        4,
        "restarted"
    );
    assert_eq!(on_data(ChainKind::Persistent, StartKind::Mixture, 0), 2);
    assert_eq!(on_data(ChainKind::Persistent, StartKind::Mixture, 3), 1);
    assert_eq!(on_data(ChainKind::ShortRun, StartKind::Mixture, 5), 2);
    assert_eq!(on_data(ChainKind::ShortRun, StartKind::Data, 5), 8);
    assert_eq!(on_data(ChainKind::Data, StartKind::Gaussian, 5), 8);
}

/// What a checkpoint waits for overtakes nothing that came back before: a row of metrics has its own step's step size.
#[test]
fn checkpoints_on_the_way_change_no_metrics() {
    let rows = |checkpoint_every| {
        let mala = SAMPLERS.into_iter().find(|kind| kind.name == "mala");
        let mut config = small(mala.expect("is there"));
        config.run.steps = 4;
        config.run.checkpoint_every = checkpoint_every;
        (
            config.run.sample_every,
            config.sampler.probe,
            config.run.sample_steps,
        ) = (0, 0, 1);
        let data = data::open(&config.data.options(), 1).expect("opens");
        let mut trainer = Trainer::new(executor(false), &config, data).expect("starts");
        let folder = tempfile::tempdir().expect("a folder");
        let (out, stop) = (folder.path().join("run"), AtomicBool::new(false));
        run(&mut trainer, &config, &out, false, &stop, &mut |_| ()).expect("trains");
        let rows = std::fs::read_to_string(out.join("metrics.jsonl")).expect("reads");
        let rows = rows.lines().map(|line| {
            let row: MetricsRow = serde_json::from_str(line).expect("is a row");
            (row.step_size, row.acceptance)
        });
        rows.collect::<Vec<_>>()
    };
    let plain = rows(0);
    assert!(
        plain.windows(2).any(|rows| rows[0] != rows[1]),
        "nothing was adapted"
    );
    assert_eq!(rows(1), plain);
}
