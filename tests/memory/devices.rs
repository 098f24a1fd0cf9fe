//! Devices that fail, at any time and in every way, and the runs that go on.

use crate::common::extended;
use crate::states::{OF_POINTS, POINTS, settings};
use afterimage::config::Config;
use afterimage::data;
use afterimage::gpu::{AdapterChoice, Executor, ExecutorOptions, Fault};
use afterimage::model::{ModelError, VariantError};
use afterimage::train::{Beginning, Event, Interrupted, TrainError, Trainer, run_through};
use std::fs;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

/// A trainer whose device fails after so many submissions.
fn doomed(config: &Config, fault: Option<(Fault, u64)>) -> Trainer {
    started(config, fault).expect("starts")
}

/// The same, if the device lasts until then.
fn started(config: &Config, fault: Option<(Fault, u64)>) -> Result<Trainer, TrainError> {
    let data = data::open(&config.data.options(), config.run.seed).expect("opens");
    let options = ExecutorOptions {
        fault,
        // Every launch is one.
        submission: Duration::ZERO,
        ..Default::default()
    };
    let executor = Executor::open(&AdapterChoice::Best, options).expect("there is one");
    Trainer::new(executor, config, data)
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
    let mut trainer = || started(config, faults.next());
    let first = trainer().expect("starts");
    let mut anew = || Some(trainer());
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

/// As where a driver takes its time to come back: the next device fails before the first step that it would do.
#[test]
fn a_run_outlives_devices_that_fail_while_they_are_opened() {
    let course = Course::new();
    let lost = (Fault::Lost, course.setup + 600);
    let at_once = (Fault::Lost, 1);
    let outcome = |faults: &[(Fault, u64)]| {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("run");
        let fate = through(anew(&course.config, &path), &course.config, faults);
        (fate, course.is_same(&path))
    };
    let (fate, is_same) = outcome(&[lost, at_once, at_once, lost, at_once]);
    assert_eq!((fate.ended.expect("ends"), fate.failed.len()), (60, 2));
    assert!(is_same && fate.told == course.told);

    let (fate, _) = outcome(&[lost, at_once, at_once, at_once, at_once]);
    let error = fate.ended.expect_err("no device can be opened");
    assert!(error.to_string().contains("lost"), "{error}");
    assert_eq!(fate.failed, [""; 0]);
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

/// Whatever is under way then: the self-test, what comes before the first step, a step, what is asked for, or the waiting for it.
#[test]
fn a_device_may_fail_at_any_time() {
    let config = settings(POINTS, "run.steps=2");
    let work = |fault| {
        let mut trainer = started(&config, fault)?;
        trainer.step()?;
        trainer.request_state()?;
        trainer.arrived(true)?;
        trainer.model()?;
        Ok::<u64, TrainError>(trainer.executor().statistics().submissions)
    };
    let all = work(None).expect("does not fail");
    let points = if extended() { all } else { 5 };
    for fault in [Fault::Lost, Fault::Hung, Fault::Invalid, Fault::OutOfMemory] {
        for point in 0..points {
            let after = 1 + point * (all - 1) / points;
            let error = work(Some((fault, after))).expect_err("the device fails");
            let is_of_device = matches!(
                error,
                TrainError::Gpu(_)
                    | TrainError::Variant(VariantError::Gpu(_))
                    | TrainError::Model(ModelError::Gpu(_))
            );
            let text = error.to_string();
            assert!(
                is_of_device && !text.contains('\n'),
                "{fault:?}, {after}: {text}"
            );
        }
    }
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

/// What a state holds is put onto the device in another course of the run, too, and that course is the same where a device has failed.
#[test]
fn a_run_that_diverges_goes_back_whatever_its_state_holds() {
    let mut gone_on = 0;
    for own in OF_POINTS {
        let own = format!(
            "{own} optimiser.rate=1e30 run.rollbacks=1 run.checkpoint_seconds=1000 sampler.probe=0 run.sample_every=0"
        );
        let config = settings(POINTS, &own);
        let outcome = |faults: &[(Fault, u64)]| {
            let folder = tempfile::tempdir().expect("a folder");
            let path = folder.path().join("run");
            let fate = through(anew(&config, &path), &config, faults);
            let recoveries = fs::read_to_string(path.join("recoveries.jsonl"));
            let error = fate.ended.expect_err(&own).to_string();
            (error, recoveries.unwrap_or_default(), fate.failed.len())
        };
        let (error, recoveries, _) = outcome(&[]);
        assert!(error.contains("it had gone back once"), "{own}: {error}");
        assert_eq!(recoveries.lines().count(), 1, "{own}: {recoveries}");
        // Before the first state is written, in either course, while the second is set up, or after the end.
        let setup = submissions(&config);
        for after in [setup + 60, setup + 120, 2 * setup + 60, 2 * setup + 120] {
            let (again, recovered, failed) = outcome(&[(Fault::Lost, after)]);
            if failed == 0 && again.contains("device was lost") {
                // There was nothing to go on from yet.
                continue;
            }
            gone_on += failed;
            assert_eq!((again, recovered), (error.clone(), recoveries.clone()));
        }
    }
    assert!(gone_on > 0);
}
