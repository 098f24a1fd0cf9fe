//! Where the noise comes from: kernels against their twins, and each `snapshot.kind` on the device and from the command
//! line.

mod common;
#[path = "noise/pool.rs"]
mod pool;

use afterimage::config::{self, BaseKind, Config, Interval, NormaliserKind, SnapshotKind, Word};
use afterimage::data::{self, Dataset, Source};
use afterimage::gpu::{Buffer, Recording};
use afterimage::low_level::kernels::{METRIC_WORDS, RatioMetrics, noise as kernels};
use afterimage::low_level::method::{FixedNoise, GaussianFit};
use afterimage::low_level::network::initial_parameters;
use afterimage::low_level::random::{Philox, Stream};
use afterimage::low_level::train::TrainingPlan;
use afterimage::low_level::twins::noise as twins;
use afterimage::shape::Shape;
use afterimage::train::{Arrival, MetricsRow, Trainer};
use common::command::{afterimage, stderr};
use common::{
    ROUNDING, assert_close, best_variants, executor, filled, normals, one_of, poisoned, variants,
    widen,
};
use std::mem::offset_of;

const PLANE: Shape = Shape {
    channels: 2,
    height: 1,
    width: 1,
};

#[test]
fn the_scale_of_the_noise_agrees_with_its_twin() {
    let mut executor = executor(true);
    for (data, noise, factor) in [
        (1, 1, 1.0),
        (64, 64, 0.1),
        (67, 3, 3e4),
        (300, 1200, 3.0),
        (300_000, 70, 2.0),
    ] {
        let mut samples = normals(5, data + noise);
        samples[data..].iter_mut().for_each(|x| *x *= factor);
        for zero in [false, true] {
            if zero {
                samples[..data].fill(0.0);
            }
            let mut r = Recording::new();
            let of = filled(&mut r, "samples", &samples);
            let metrics = poisoned(&mut r, "metrics", METRIC_WORDS);
            kernels::noise_scale(&mut r, of, data, noise, metrics);
            executor.run(&r).expect("runs");
            let words = executor
                .read_words(metrics, 0, METRIC_WORDS)
                .expect("reads");
            let got = RatioMetrics::from_words(&words).noise_scale;
            let want = twins::noise_scale(&widen(&samples), data, kernels::MOST_SCALED);
            // Sums of squares, with no cancellation: each lane adds n / 64 of them, and the workgroup 64.
            let most = data.max(noise).min(kernels::MOST_SCALED);
            let additions = (most.div_ceil(64) + 6) as f64;
            assert_close("scale", &[got], &[want], (8.0 + 2.0 * additions) * ROUNDING);
        }
    }
}

#[test]
fn a_follower_agrees_with_its_twin() {
    let mut executor = executor(true);
    for count in [1, 65, 1000] {
        let (leader, follower) = (normals(1, count), normals(2, count));
        let mut r = Recording::new();
        let from = filled(&mut r, "leader", &leader);
        let to = filled(&mut r, "follower", &follower);
        kernels::follow(&mut r, 0.9, from, to);
        executor.run(&r).expect("runs");
        let mut want = widen(&follower);
        twins::follow(f64::from(0.9f32), &widen(&leader), &mut want);
        // A difference, a product and a sum; the rate 1 − 0.9 is off by one rounding of 1, not of itself.
        let got = executor.read(to).expect("reads");
        assert_close("follower", &got, &want, 4.0 * ROUNDING);
    }
}

#[test]
fn a_refresh_copies_and_resets_only_when_it_is_due() {
    let mut executor = executor(true);
    for (due, count, words) in [(0, 70, 1), (1, 70, 1), (1, 1, 3)] {
        let (live, snapshot) = (normals(1, count), normals(2, count));
        let mut r = Recording::new();
        let state = Buffer::new("state", 2);
        r.upload(state, 0, vec![due, 5]);
        let from = filled(&mut r, "live", &live);
        let to = filled(&mut r, "snapshot", &snapshot);
        let c = filled(&mut r, "c", &vec![0.5; words]);
        kernels::refresh_if_due(&mut r, state, from, to, c);
        executor.run(&r).expect("runs");
        let (got, c) = (executor.read(to).expect("reads"), executor.read(c));
        assert_eq!(got, if due == 1 { live } else { snapshot });
        assert_eq!(
            c.expect("reads"),
            vec![if due == 1 { 0.0 } else { 0.5 }; words]
        );
    }
}

#[test]
fn a_snapshot_is_judged_by_effective_sample_size_age_and_pool() {
    let mut executor = executor(true);
    // Threshold, most, pool; due and age before; effective sample size; due and age after.
    for (settings, before, ess, after) in [
        ((0.5, 9, 1), (1, 7), 1.0, (0, 0)),
        ((0.5, 9, 1), (0, 3), 0.5, (0, 4)),
        ((0.5, 9, 1), (0, 3), 0.49, (1, 4)),
        ((0.5, 9, 1), (0, 7), 1.0, (1, 8)),
        ((0.5, 9, 3), (0, 3), 0.1, (0, 4)),
        ((0.5, 9, 3), (0, 4), 0.1, (1, 5)),
        ((0.5, 1, 1), (1, 0), 1.0, (1, 0)),
    ] {
        let (threshold, most, pool) = settings;
        let mut r = Recording::new();
        let state = Buffer::new("state", 2);
        r.upload(state, 0, vec![before.0, before.1]);
        let metrics = poisoned(&mut r, "metrics", METRIC_WORDS);
        let ess_place = offset_of!(RatioMetrics, ess) / size_of::<f32>();
        r.upload_f32(metrics, ess_place, &[ess]);
        kernels::judge_snapshot(&mut r, threshold, most, (pool, false), state, metrics);
        executor.run(&r).expect("runs");
        let got = executor.read_words(state, 0, 2).expect("reads");
        assert_eq!((got[0], got[1]), after, "{settings:?} {before:?} {ess}");
        let metrics = executor.read_words(metrics, 0, METRIC_WORDS);
        let metrics = RatioMetrics::from_words(&metrics.expect("reads"));
        assert_eq!(metrics.age, after.1 as f32);
    }
}

#[test]
fn a_mixture_agrees_with_its_twin() {
    let mut executor = executor(true);
    for (samples, components, scale) in [(1, 1, 1.0), (67, 3, 1.0), (130, 4, 300.0)] {
        let energies = normals(3, samples * components);
        let energies: Vec<f32> = energies.iter().map(|e| scale * e).collect();
        let offsets = normals(4, components);
        let mut r = Recording::new();
        let from = filled(&mut r, "components", &energies);
        let with = filled(&mut r, "offsets", &offsets);
        let to = poisoned(&mut r, "energies", samples);
        kernels::mixture_energy(&mut r, components, from, with, to);
        executor.run(&r).expect("runs");
        let want = twins::mixture_energy(&widen(&energies), &widen(&offsets));
        // Exponents up to 100 are right to their own rounding, the rest to a few of the result's.
        let got = executor.read(to).expect("reads");
        assert_close("mixture", &got, &want, 16.0 * ROUNDING);
    }
}

/// Correlated points.
fn points(count: usize, length: usize) -> Vec<f32> {
    let mut random = Philox::new(5, Stream::Data, 0);
    (0..count)
        .flat_map(|_| {
            let shared = random.normal();
            let own = |i: usize, z: f32| i as f32 * 0.1 + 0.5 * shared + 0.7 * z;
            (0..length)
                .map(|i| own(i, random.normal()))
                .collect::<Vec<_>>()
        })
        .collect()
}

#[test]
fn gaussian_noise_has_the_moments_and_energies_of_its_twin() {
    let mut executor = executor(true);
    for (length, count) in [(2, 3), (70, 9)] {
        let fit = GaussianFit::new(&points(300, length), length, 0.1).expect("varies");
        let mut noise = FixedNoise::gaussian(count, length, 7);
        noise.set_fit(fit.clone());
        let mut r = Recording::new();
        let samples = poisoned(&mut r, "samples", (count + 1) * length);
        r.upload_f32(samples, 0, &normals(8, length));
        let energies = poisoned(&mut r, "energies", count + 1);
        noise.setup(&mut r);
        noise.draw(&mut r, 3, samples, length);
        noise.energies(&mut r, samples, energies);
        executor.run(&r).expect("runs");
        let samples = widen(&executor.read(samples).expect("reads"));
        let mut xi = vec![f64::NAN; count * length];
        let start = afterimage::low_level::twins::ChainStart::Gaussian {
            mean: 0.0,
            std: 1.0,
        };
        afterimage::low_level::twins::start_chains(start, Stream::FixedNoise, 7, 3, 0, &mut xi);
        let want = twins::gaussian_noise(fit.mean(), fit.factor(), &xi);
        let got: Vec<f32> = samples[length..].iter().map(|&v| v as f32).collect();
        // The GPU's normals are right to 2e-5 (tests/kernels/), and a value sums up to 70 of them.
        assert_close("draws", &got, &want, 1e-4);
        let want = twins::gaussian_energy(fit.mean(), fit.whitener(), fit.constant(), &samples);
        let got = executor.read(energies).expect("reads");
        // Each z is a sum of `length` products, squared and summed: all f32.
        assert_close("energies", &got, &want, 8.0 * length as f64 * ROUNDING);
    }
}

#[test]
fn uniform_noise_fills_its_box_and_knows_its_density() {
    let mut executor = executor(true);
    let (length, count) = (3, 400);
    let noise = FixedNoise::uniform(-0.5, 1.5, count, length, 7);
    let mut r = Recording::new();
    let samples = poisoned(&mut r, "samples", (count + 2) * length);
    r.upload_f32(samples, 0, &[0.0, 1.6, 0.0, -0.4, 1.4, 0.0]);
    let energies = poisoned(&mut r, "energies", count + 2);
    noise.setup(&mut r);
    noise.draw(&mut r, 0, samples, 2 * length);
    noise.energies(&mut r, samples, energies);
    executor.run(&r).expect("runs");
    let samples = widen(&executor.read(samples).expect("reads"));
    let want = twins::box_energy(&samples, length, -0.5, 1.5, f64::from(kernels::OUTSIDE));
    let got = executor.read(energies).expect("reads");
    assert_close("energies", &got, &want, 4.0 * ROUNDING);
    assert!(want[0] > 80.0 && want[1..].iter().all(|&e| e == 3.0 * 2f64.ln()));
    let mean = samples[6..].iter().sum::<f64>() / (count * length) as f64;
    // 1200 values of standard deviation 2/√12: five standard errors.
    assert!((mean - 0.5).abs() < 5.0 * (1.0f64 / 3.0).sqrt() / 1200f64.sqrt());
}

/// More values than some drivers' loops make turns.
#[test]
fn a_long_sample_is_seen_to_its_end() {
    let mut executor = executor(true);
    let length = 70_001;
    let noise = FixedNoise::uniform(-1.0, 1.0, 1, length, 7);
    let mut samples = vec![0.0; 2 * length];
    samples[2 * length - 1] = 1.5;
    let mut r = Recording::new();
    let samples = filled(&mut r, "samples", &samples);
    let energies = poisoned(&mut r, "energies", 2);
    noise.energies(&mut r, samples, energies);
    executor.run(&r).expect("runs");
    let got = executor.read(energies).expect("reads");
    assert!(got[1] - got[0] > 79.0, "{got:?}");
}

/// A small run on the eight Gaussians with noise of this kind.
fn small(kind: &str) -> Config {
    let layers = "network.layers=[{dense=8},{dense=1}]";
    let sets = [
        layers,
        "run.batch=8",
        "run.steps=7",
        "sampler.buffer=16",
        "objective.noise_ratio=1",
        "sampler.steps=2",
        // Its chains do not depend on the groups they run in, and cost what they look like.
        "sampler.kind=langevin",
        "sampler.jumps=0",
        "objective.normaliser=learned",
        "network.zero_head=false",
        "snapshot.interval=3",
        "sampler.reuse=1",
        &format!("snapshot.kind={kind}"),
    ];
    let mut sets = sets.map(str::to_owned).to_vec();
    if kind == "mixture" {
        sets.push("snapshot.components=2".into());
    }
    config::load("8gaussians", &sets).expect("is valid")
}

fn dataset(config: &Config) -> Dataset {
    data::open(&config.data.options(), config.run.seed).expect("opens")
}

/// What a run leaves: its metrics, the noise of every step, and the last live parameters.
#[derive(Debug, PartialEq)]
struct Trained {
    rows: Vec<MetricsRow>,
    noise: Vec<Vec<f32>>,
    parameters: Vec<f32>,
}

fn train(config: &Config) -> Trained {
    let mut trainer = Trainer::new(executor(false), config, dataset(config)).expect("starts");
    let mut trained = Trained {
        rows: Vec::new(),
        noise: Vec::new(),
        parameters: Vec::new(),
    };
    for _ in 0..config.run.steps {
        trainer.step().expect("steps");
        trained.noise.push(trainer.noise_samples().expect("reads"));
    }
    for arrival in trainer.arrived(true).expect("arrives") {
        if let Arrival::Metrics { mut row, lost } = arrival {
            assert_eq!(row.not_finite(lost), None, "{row:?}");
            // The speed is that of the machine.
            row.samples_per_second = 0.0;
            trained.rows.push(row);
        }
    }
    let live = trainer.plan().live_parameters();
    trained.parameters = trainer.executor().read(live).expect("reads");
    assert_eq!(trained.rows.len() as u64, config.run.steps);
    trained
}

#[test]
fn every_kind_holds_what_was_predicted_and_repeats_its_bits() {
    for (turn, kind) in SnapshotKind::names().into_iter().enumerate() {
        let config = small(kind);
        for (index, slice) in [None, Some(5)].into_iter().enumerate() {
            let mut config = config.clone();
            config.run.slice = slice;
            let families = best_variants(&executor(false));
            for (name, variant) in one_of(families, turn + index) {
                let mut executor = executor(false);
                let mut plan = TrainingPlan::new(&config, PLANE, variant).expect("fits");
                if plan.needs_fit() {
                    plan = plan.with_fit(GaussianFit::new(&points(9, 2), 2, 0.1).expect("varies"));
                }
                let how = afterimage::low_level::train::initialisation(&config);
                let initial = initial_parameters(plan.architecture(), &how, 1);
                executor.run(&plan.setup(&initial)).expect("runs");
                for step in 0..5 {
                    executor.run(&plan.step(step, &[0.1; 16])).expect("runs");
                }
                executor.finish().expect("finishes");
                let (held, predicted) = (executor.allocated_bytes(), plan.memory().training());
                assert_eq!(held, predicted, "{kind}, {name}, slice {slice:?}");
            }
        }
        let first = train(&config);
        assert_eq!(first, train(&config), "{kind}");
        let mut shorter = config.clone();
        shorter.run.steps = 6;
        let moved = train(&shorter).parameters != first.parameters;
        assert!(moved, "{kind}: the last step moved no parameter");
    }
}

#[test]
fn an_adaptive_interval_without_a_threshold_is_a_fixed_one() {
    let fixed = train(&small("copy"));
    let mut config = small("copy");
    config.snapshot.interval = Interval::Adaptive;
    config.snapshot.ess_threshold = 0.0;
    config.snapshot.max_interval = 3;
    // The same refreshes, so the same bits, though the GPU decides.
    assert_eq!(train(&config), fixed);
    let ages: Vec<u64> = fixed.rows.iter().map(|row| row.snapshot_age).collect();
    assert_eq!(ages, [0, 1, 2, 0, 1, 2, 0]);
    for row in &fixed.rows {
        // Equal energies have equal weights, to the bit.
        assert_eq!(row.ess == 1.0, row.snapshot_age == 0, "{row:?}");
    }

    // With the highest threshold every step that is not right after a refresh asks for one.
    config.snapshot.ess_threshold = 1.0;
    config.snapshot.max_interval = 100;
    let ages = |config: &Config| -> Vec<u64> {
        let rows = train(config).rows;
        rows.iter().map(|row| row.snapshot_age).collect()
    };
    assert_eq!(ages(&config), [0, 1, 0, 1, 0, 1, 0]);
    config.sampler.reuse = Interval::Every(3);
    config.snapshot.max_interval = 99;
    assert_eq!(ages(&config), [0, 1, 2, 0, 1, 2, 0]);
}

#[test]
fn a_mixture_of_one_is_a_copy() {
    let mut config = small("mixture");
    config.snapshot.components = 1;
    config.objective.normaliser = NormaliserKind::Zero;
    let mixture = train(&config);
    config.snapshot.kind = SnapshotKind::Copy;
    assert_eq!(mixture, train(&config));
}

#[test]
fn a_mixture_draws_from_its_components_in_turn() {
    // Halves of the noise come from either snapshot; before there are two, both are the first.
    let config = small("mixture");
    let mut never = config.clone();
    never.snapshot.interval = Interval::Every(100);
    let (mixture, first) = (train(&config), train(&never));
    assert_eq!(mixture.noise[..3], first.noise[..3]);
    // From step 3 on the second half belongs to the second snapshot, of which the first half, with slots of the replay
    // buffer of its own, never hears.
    for step in 3..6 {
        let halves = |trained: &Trained| {
            let (old, new) = trained.noise[step].split_at(8);
            (old.to_vec(), new.to_vec())
        };
        let ((old, new), (same, other)) = (halves(&mixture), halves(&first));
        assert_eq!(old, same, "step {step}");
        assert_ne!(new, other, "step {step}");
    }
    let ages: Vec<u64> = mixture.rows.iter().map(|row| row.snapshot_age).collect();
    assert_eq!(ages, [0, 1, 2, 0, 1, 2, 0]);
}

#[test]
fn a_pool_serves_several_updates() {
    let mut config = small("copy");
    config.snapshot.interval = Interval::Every(6);
    config.sampler.reuse = Interval::Every(3);
    let trained = train(&config);
    for step in 1..7 {
        let same = trained.noise[step] == trained.noise[step - 1];
        assert_eq!(same, step % 3 != 0, "step {step}");
    }
    let spent: Vec<u64> = trained
        .rows
        .iter()
        .map(|row| row.gradient_evaluations / (2 * 8))
        .collect();
    assert_eq!(spent, [1, 1, 1, 2, 2, 2, 3]);
    assert_eq!(train(&small("uniform")).rows[6].gradient_evaluations, 0);
}

/// A .npy file of points in the plane.
fn npy(values: &[f32]) -> Vec<u8> {
    let shape = format!("({}, 2)", values.len() / 2);
    let header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}");
    let header = format!("{header:<117}\n");
    let mut bytes = Vec::from(*b"\x93NUMPY\x01\x00");
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(values.iter().flat_map(|v| v.to_le_bytes()));
    bytes
}

/// Plain noise-contrastive estimation finds the log Z of a Gaussian that is the law of the data: c → log Z_q − log Z_θ
/// with log Z_q = 0.
#[test]
fn fixed_noise_with_a_learned_normaliser_finds_log_z() {
    let folder = tempfile::tempdir().expect("makes a folder");
    let path = folder.path().join("points.npy");
    let std = 0.8f32;
    let mut random = Philox::new(3, Stream::Data, 0);
    let values: Vec<f32> = (0..8192).map(|_| std * random.normal()).collect();
    std::fs::write(&path, npy(&values)).expect("writes");
    for kind in ["gaussian", "uniform"] {
        let mut config = small(kind);
        config.data.source = Source::named("npy").expect("is in the table");
        config.data.path = path.to_string_lossy().into_owned();
        // E(x) = |x|² / (2 · 0.8²) with a network that stays at zero, so log Z = ln(2π · 0.8²).
        config.network.base_std = std;
        config.network.zero_head = true;
        config.optimiser.rate = 1e-12;
        config.objective.normaliser_rate = 1.0;
        config.run.batch = 1024;
        config.sampler.buffer = 1024;
        config.run.steps = 120;
        let rows = train(&config).rows;
        let tail = &rows[60..];
        let c = tail
            .iter()
            .map(|row| f64::from(row.normaliser))
            .sum::<f64>()
            / 60.0;
        let wanted = -(std::f64::consts::TAU * 0.64).ln();
        // Logistic weights keep the variance of c's estimate below 4 / (its curvature's share ½ × samples): with 60 × 1024
        // samples, of which uniform noise wastes five in six, a standard error of at most 0.02.
        assert!((c - wanted).abs() < 0.08, "{kind}: {c} for {wanted}");
    }
}

fn tiny(preset: &str, sets: &[&str]) -> (bool, String, tempfile::TempDir) {
    let folder = tempfile::tempdir().expect("makes a folder");
    let arguments = ["train", preset, "--quiet", "--out", "run"];
    let mut command = afterimage(&folder, &arguments);
    let base = [
        "run.steps=5",
        "run.batch=8",
        "run.samples=4",
        "run.sample_steps=2",
        "run.sample_every=0",
        "sampler.probe=8",
        "sampler.reuse=1",
        "sampler.steps=2",
        "sampler.buffer=16",
        "objective.noise_ratio=1",
        match preset {
            "digits" => "network.layers=[{conv=4,kernel=3,stride=2},{dense=1}]",
            _ => "network.layers=[{dense=8},{dense=1}]",
        },
    ];
    for set in base.iter().chain(sets) {
        command.args(["--set", set]);
    }
    let output = command.output().expect("starts");
    (output.status.success(), stderr(&output).to_owned(), folder)
}

#[test]
fn every_kind_runs_from_the_command_line() {
    for (turn, kind) in [
        "copy",
        "ema",
        "mixture",
        "gaussian",
        "uniform",
        "copy snapshot.interval=adaptive",
        "copy snapshot.interval=4 sampler.reuse=2",
    ]
    .into_iter()
    .enumerate()
    {
        // No snapshot knows what its samples are; fixed noise has their moments or their box.
        let presets = match kind {
            "gaussian" | "uniform" => vec!["8gaussians", "digits"],
            _ => one_of(vec!["8gaussians", "digits"], turn),
        };
        for preset in presets {
            let sets = format!("objective.normaliser=learned snapshot.kind={kind}");
            let (fine, errors, folder) = tiny(preset, &sets.split(' ').collect::<Vec<_>>());
            assert!(fine, "{preset} {kind}: {errors}");
            let rows = std::fs::read_to_string(folder.path().join("run/metrics.jsonl"));
            assert_eq!(rows.expect("exists").lines().count(), 5);
            assert!(folder.path().join("run/curves.png").exists());
        }
    }
}

#[test]
fn combinations_that_make_no_sense_are_refused_with_a_reason() {
    for (sets, reason) in [
        (
            "snapshot.kind=gaussian objective.normaliser=zero",
            "whose log Z is 0",
        ),
        (
            "snapshot.kind=ema snapshot.interval=adaptive",
            "snapshot.interval = \"adaptive\" is not allowed",
        ),
        ("snapshot.interval=adaptiv", "or \"adaptive\""),
        (
            "snapshot.interval=5 sampler.reuse=2",
            "a divisor of snapshot.interval",
        ),
        (
            "snapshot.kind=mixture snapshot.components=3 objective.normaliser=profiled",
            "evenly",
        ),
        (
            "snapshot.kind=mixture objective.normaliser=zero",
            "whose components differ in log Z",
        ),
        (
            "snapshot.kind=mixture objective.generator=ranking",
            "which ranking has none of",
        ),
        (
            "snapshot.interval=adaptive snapshot.max_interval=9 sampler.reuse=2",
            "be a multiple of sampler.reuse",
        ),
        (
            "sampler.kind=langevin sampler.clip=1 sampler.jumps=5",
            "under which steps follow another law than the jumps",
        ),
        (
            "sampler.anneal=4 sampler.adapt=true",
            "chains that are still hot",
        ),
        (
            "objective.generator=contrastive-divergence snapshot.kind=ema",
            "be copy with objective.generator = contrastive-divergence",
        ),
        ("snapshot.kind=mixtur", "did you mean `mixture`"),
        ("snapshot.ess_threshold=1.5", "lie between 0 and 1"),
        ("snapshot.decay=1", "below 1"),
        ("snapshot.components=0", "between 1 and 64"),
        ("snapshot.max_interval=0", "1 or above"),
        ("sampler.reuse=0", "1 or above"),
    ] {
        let mut sets: Vec<String> = sets.split(' ').map(str::to_owned).collect();
        // Before the others, so that theirs counts.
        sets.insert(0, "sampler.reuse=1".into());
        let message = config::load("8gaussians", &sets).expect_err("is refused");
        let message = message.to_string();
        assert!(message.contains(reason), "{sets:?}: {message}");
    }
}

#[test]
fn a_gaussian_that_would_not_fit_or_cannot_be_fitted_is_refused() {
    let mut config = small("gaussian");
    let large = Shape {
        channels: 3,
        height: 32,
        width: 32,
    };
    config.network.base = BaseKind::None;
    let variant = variants(&executor(false))[0].1;
    let error = TrainingPlan::new(&config, large, variant)
        .err()
        .expect("is refused");
    assert!(error.to_string().contains("at most 1024"), "{error}");

    let started = |kind: &str, values: [f32; 8]| {
        let folder = tempfile::tempdir().expect("makes a folder");
        let path = folder.path().join("points.npy");
        std::fs::write(&path, npy(&values)).expect("writes");
        let mut config = small(kind);
        config.data.source = Source::named("npy").expect("is in the table");
        config.data.path = path.to_string_lossy().into_owned();
        let data = dataset(&config);
        let started = Trainer::new(executor(false), &config, data);
        started.err().map(|error| error.to_string())
    };
    let refusal = started("gaussian", [1.0; 8]).expect("does not vary");
    assert!(refusal.contains("do not vary"), "{refusal}");
    let mut values = [0.5; 8];
    assert_eq!(started("uniform", values), None);
    values[3] = 4.5;
    let refusal = started("uniform", values).expect("one of four lies outside");
    assert!(refusal.contains("1 of 4 data samples"), "{refusal}");
}
