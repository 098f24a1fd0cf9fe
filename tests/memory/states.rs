//! A training state is all that later steps depend on: whoever has it goes on to the bit.

use crate::common::{executor, extended};
use afterimage::config::{self, Config};
use afterimage::data;
use afterimage::gpu::{AdapterChoice, Executor, ExecutorOptions, Fault};
use afterimage::train::{
    Arrival, Beginning, Event, Interrupted, TrainError, Trainer, TrainingState, run_through,
};
use std::fs;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

/// Steps before the state and after it, such that there are a refresh, an epoch of the replay buffer and a diagnosis in either.
const BEFORE: u64 = 5;
const AFTER: u64 = 6;

/// Small and quick to compile, with a group of chains that is not full.
const POINTS: &[&str] = &[
    "8gaussians",
    "network.layers=[{dense=8},{dense=1}]",
    "network.zero_head=false",
    "objective.normaliser=learned",
    "snapshot.interval=3",
    "sampler.kind=langevin",
    "sampler.jumps=0",
    "sampler.reuse=1",
];
const PICTURES: &[&str] = &[
    "digits-langevin",
    "network.layers=[{conv=4,kernel=3},{dense=1}]",
    "network.zero_head=false",
    "snapshot.interval=2",
];
const BOTH: &[&str] = &[
    "run.batch=6",
    "run.steps=20",
    "objective.noise_ratio=2",
    "sampler.buffer=36",
    "sampler.steps=4",
    "sampler.diagnose=2",
];

/// What has, by its name, state of its own on the device; and what computes in another way.
const OF_POINTS: &[&str] = &[
    "",
    "run.slice=5",
    "sampler.kind=hmc sampler.jumps=1 run.slice=5",
    "snapshot.interval=adaptive snapshot.ess_threshold=0.999 sampler.reuse=adaptive sampler.pool=2 sampler.diagnose=0",
    "snapshot.kind=mixture snapshot.components=2 objective.normaliser=profiled sampler.reuse=3",
    "snapshot.kind=ema objective.normaliser=importance",
    "snapshot.kind=gaussian",
    "objective.generator=ranking objective.normaliser=zero sampler.chains=data",
];
const OF_PICTURES: &[&str] =
    &["network.spectral_norm=true network.base=none sampler.reuse=2 sampler.traces=true"];
/// What else there is.
const EXTENDED: &[&str] = &[
    "snapshot.kind=uniform",
    "snapshot.kind=mixture snapshot.components=3 run.slice=5",
    "snapshot.interval=adaptive snapshot.max_interval=2",
    "sampler.kind=mala",
    "sampler.kind=mala sampler.adapt=false sampler.jumps=2",
    "sampler.kind=underdamped",
    "sampler.anneal=4.0",
    "sampler.chains=short_run sampler.start=data",
    "sampler.start=mixture",
    "sampler.pool=3 sampler.reuse=3 sampler.diagnose=0",
    "objective.normaliser=zero",
    "objective.normaliser=profiled",
    "objective.generator=kl objective.normaliser=importance",
    "objective.generator=contrastive-divergence objective.normaliser=zero snapshot.interval=1",
    "objective.normalise_gradient=true objective.energy_l2=0.1",
    "optimiser.schedule=exponential optimiser.warmup=7",
];
const MORE_PICTURES: &[&str] = &[
    "run.precision=mixed",
    "network.layers=[{residual=3,pool=2},{dense=1}] network.base=none",
    "network.layers=[{conv=64,kernel=3,padding=1},{conv=128,kernel=4,stride=2,padding=1},{dense=1}]",
];

fn settings(base: &[&str], own: &str) -> Config {
    let sets = base[1..].iter().chain(BOTH).copied();
    let sets: Vec<String> = sets
        .chain(own.split_whitespace())
        .map(str::to_owned)
        .collect();
    config::load(base[0], &sets).unwrap_or_else(|error| panic!("{own}: {error}"))
}

fn trainer(config: &Config) -> Trainer {
    let data = data::open(&config.data.options(), config.run.seed).expect("opens");
    Trainer::new(executor(false), config, data).expect("starts")
}

/// Does `steps` steps. Gives what the trainer has to say of them, to the bit, and its state then.
fn steps(trainer: &mut Trainer, steps: u64) -> (Vec<String>, TrainingState) {
    for _ in 0..steps {
        trainer.step().expect("steps");
    }
    trainer.request_state().expect("is asked for");
    let (mut said, mut state) = (Vec::new(), None);
    for arrival in trainer.arrived(true).expect("arrives") {
        match arrival {
            Arrival::Metrics { mut row, lost } => {
                // The speed is that of the machine.
                row.samples_per_second = 0.0;
                assert_eq!(row.not_finite(lost), None, "{row:?}");
                said.push(format!("{row:?}"));
            }
            Arrival::Diagnostics(row) => said.push(format!("{row:?}")),
            Arrival::State(found) => state = Some(found),
            Arrival::States { .. } | Arrival::Snapshot { .. } => panic!("nobody asked for them"),
        }
    }
    (said, state.expect("arrives"))
}

fn goes_on(config: &Config, what: &str) {
    let mut trainer_of_all = trainer(config);
    let (_, start) = steps(&mut trainer_of_all, 0);
    let (first, state) = steps(&mut trainer_of_all, BEFORE);
    assert_eq!(state.step(), BEFORE);
    let rest = steps(&mut trainer_of_all, AFTER);
    assert_ne!(rest.1, state, "{what}");

    // Where everything else is as it began, ...
    let mut other = trainer(config);
    other.restore(&state).expect("fits");
    assert!(steps(&mut other, AFTER) == rest, "{what}: on a new device");
    // ... where it is of other steps, ...
    trainer_of_all.restore(&state).expect("fits");
    assert!(
        steps(&mut trainer_of_all, AFTER) == rest,
        "{what}: after later steps"
    );
    // ... and where no state was taken on the way.
    other.restore(&start).expect("fits");
    let whole = steps(&mut other, BEFORE + AFTER);
    assert!(
        whole == ([first, rest.0].concat(), rest.1),
        "{what}: at a stretch"
    );
}

#[test]
fn a_run_goes_on_from_its_state_to_the_bit() {
    let more = if extended() { EXTENDED } else { &[] };
    for own in OF_POINTS.iter().chain(more) {
        goes_on(&settings(POINTS, own), own);
    }
    let more = if extended() { MORE_PICTURES } else { &[] };
    for own in OF_PICTURES.iter().chain(more) {
        goes_on(&settings(PICTURES, own), own);
    }
}

#[test]
fn a_state_of_another_plan_is_refused() {
    let trainer_of = |own| trainer(&settings(POINTS, own));
    let (_, state) = steps(&mut trainer_of(""), 0);
    for (own, says) in [
        (
            "sampler.buffer=48",
            "72 words of 'replay buffer', and 96 are needed",
        ),
        ("snapshot.kind=gaussian", "nothing needs its"),
        ("sampler.kind=mala", "0 words of 'sampler control'"),
    ] {
        let error = trainer_of(own).restore(&state).expect_err(own);
        assert!(matches!(error, TrainError::State(_)), "{own}: {error}");
        assert!(error.to_string().contains(says), "{own}: {error}");
    }
}

/// A trainer whose device fails after so many submissions.
fn doomed(config: &Config, fault: Option<(Fault, u64)>) -> Trainer {
    let data = data::open(&config.data.options(), config.run.seed).expect("opens");
    let options = ExecutorOptions {
        fault,
        // Every launch is one.
        submission: Duration::ZERO,
        ..Default::default()
    };
    let executor = Executor::open(&AdapterChoice::Best, options).expect("there is one");
    Trainer::new(executor, config, data).expect("starts")
}

/// Submissions of the beginning of a trainer.
fn submissions(config: &Config) -> u64 {
    let mut trainer = doomed(config, None);
    trainer.executor().statistics().submissions
}

/// What became of a run.
struct Fate {
    /// Steps done.
    ended: Result<u64, TrainError>,
    /// The steps that it went on from after its devices failed, and their errors.
    failed: Vec<String>,
    /// The steps that it told of.
    told: Vec<u64>,
}

/// Begins with a run, on one device after another with these faults, and at last on one that does not fail.
fn through(beginning: Beginning<'_>, config: &Config, faults: &[(Fault, u64)]) -> Fate {
    let mut faults = faults.iter().copied();
    let (mut failed, mut told) = (Vec::new(), Vec::new());
    let mut observer = |event: Event<'_>| match event {
        Event::Step(row) => told.push(row.step),
        Event::DeviceFailed { error, step, .. } => failed.push(format!("{step}: {error}")),
        _ => {}
    };
    let mut trainer = || doomed(config, faults.next());
    let first = trainer();
    let mut anew = || Some(Ok(trainer()));
    let stop = AtomicBool::new(false);
    let ended = run_through(first, beginning, &stop, &mut observer, &mut anew);
    let ended = ended.map(|summary| summary.steps);
    Fate {
        ended,
        failed,
        told,
    }
}

/// 60 steps, and the bits that they come to where no device fails.
struct Course {
    config: Config,
    /// Submissions before the first step.
    setup: u64,
    told: Vec<u64>,
    checkpoint: Vec<u8>,
}

impl Course {
    fn new() -> Self {
        let own = "sampler.probe=8 run.sample_every=0 run.sample_steps=4";
        let mut config = settings(POINTS, own);
        config.run.steps = 60;
        config.run.checkpoint_every = 3;
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("run");
        let whole = through(anew(&config, &path), &config, &[]);
        assert_eq!((whole.ended.expect("ends"), whole.failed), (60, Vec::new()));
        Course {
            setup: submissions(&config),
            told: whole.told,
            checkpoint: Self::checkpoint(&path).expect("is left"),
            config,
        }
    }

    fn checkpoint(path: &Path) -> Option<Vec<u8>> {
        fs::read(path.join("checkpoints/000060.safetensors")).ok()
    }

    /// What becomes of it with faults so many submissions after the beginning of each trainer.
    fn with(&self, path: &Path, faults: &[(Fault, u64)]) -> Fate {
        let faults: Vec<_> = faults
            .iter()
            .map(|&(fault, after)| (fault, self.setup + after))
            .collect();
        through(anew(&self.config, path), &self.config, &faults)
    }

    fn is_same(&self, path: &Path) -> bool {
        Self::checkpoint(path).is_some_and(|checkpoint| checkpoint == self.checkpoint)
    }
}

fn anew<'a>(config: &'a Config, folder: &'a Path) -> Beginning<'a> {
    Beginning::New {
        config,
        folder,
        force: false,
    }
}

#[test]
fn a_run_outlives_its_device() {
    let course = Course::new();
    // Two while it trains, and one while it draws.
    for [first, second, third] in [
        [Fault::Lost, Fault::Hung, Fault::Lost],
        [Fault::Invalid, Fault::Lost, Fault::Hung],
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("run");
        let faults = [(first, 600), (second, 300), (third, 3500)];
        let fate = course.with(&path, &faults);
        assert_eq!(fate.ended.expect("ends"), 60);
        let steps: Vec<_> = fate
            .failed
            .iter()
            .map(|failure| failure.split_once(':').expect("has one").0)
            .collect();
        assert!(
            matches!(steps[..], [first, second, "60"] if first != "0" && second != "60"),
            "{:?}",
            fate.failed
        );
        for (failure, (fault, _)) in fate.failed.iter().zip(faults) {
            let says = match fault {
                Fault::Lost => "device was lost",
                Fault::Hung => "did not finish within 120 s",
                _ => "reported an error: Validation",
            };
            assert!(failure.contains(says), "{fault:?}: {failure}");
            assert!(!failure.contains('\n'), "{failure}");
        }
        assert!(course.is_same(&path), "{faults:?}");
        // No step is told of twice.
        assert_eq!(fate.told, course.told);
    }
    // Where devices come no further, it ends with the error of the last.
    let folder = tempfile::tempdir().expect("a folder");
    let at_once = (Fault::Lost, 1);
    let faults = [(Fault::Lost, 600), at_once, at_once, at_once, at_once];
    let fate = course.with(&folder.path().join("run"), &faults);
    let error = fate.ended.expect_err("no device lasts");
    assert!(error.to_string().contains("lost"), "{error}");
    assert!(fate.failed.len() < 5, "{:?}", fate.failed);
}

#[test]
fn a_run_that_has_too_little_memory_says_what_to_lower_and_loses_nothing() {
    let course = Course::new();
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("run");
    let fate = course.with(&path, &[(Fault::OutOfMemory, 600)]);
    let error = fate.ended.expect_err("has no memory").to_string();
    let says = "ran out of memory";
    assert!(
        error.contains(says) && error.contains("run.slice"),
        "{error}"
    );
    // Another device of the same kind would have no more.
    assert_eq!(fate.failed, [""; 0]);

    // On a machine with more of it, the run goes on.
    let interrupted = Interrupted::open(&path, &[]).expect("has a state");
    assert!(interrupted.step() > 0);
    let beginning = Beginning::Interrupted(interrupted.into());
    let fate = through(beginning, &course.config, &[]);
    assert_eq!(fate.ended.expect("ends"), 60);
    assert!(course.is_same(&path));
}

/// Without any patience whatever takes a while is given up.
#[test]
fn work_that_takes_too_long_is_given_up() {
    let options = ExecutorOptions {
        patience: Duration::ZERO,
        ..Default::default()
    };
    let config = settings(POINTS, "");
    // The work of a beginning may be done before it is asked for, but not time and again.
    let given_up = (0..100).find_map(|_| {
        let data = data::open(&config.data.options(), config.run.seed).expect("opens");
        let executor = Executor::open(&AdapterChoice::Best, options.clone()).expect("opens");
        Trainer::new(executor, &config, data).err()
    });
    let error = given_up.expect("no work takes no time").to_string();
    assert!(error.contains("did not finish within 0 s"), "{error}");
}

#[test]
fn a_run_that_is_made_longer_stays_so_when_its_device_is_lost() {
    let own = "sampler.probe=0 run.sample_every=0 run.sample_steps=4 run.checkpoint_seconds=1000";
    let mut config = settings(POINTS, own);
    config.run.steps = 10;
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("run");
    let fate = through(anew(&config, &path), &config, &[]);
    fate.ended.expect("ends");

    let longer = Interrupted::open(&path, &["run.steps=14".to_owned()]).expect("can be longer");
    let config = longer.config().clone();
    // Some steps after what was restored, each of which takes more submissions than that.
    let fault = (Fault::Lost, submissions(&config) + 60);
    let beginning = Beginning::Interrupted(longer.into());
    let fate = through(beginning, &config, &[fault]);
    assert_eq!((fate.ended.expect("ends"), fate.failed.len()), (14, 1));
}
