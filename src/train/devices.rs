//! Runs that outlive their device.

use super::error::TrainError;
use super::resume::Interrupted;
use super::run::{Event, Summary, resume, run};
use super::trainer::Trainer;
use crate::config::Config;
use crate::gpu::GpuError;
use crate::model::{ModelError, VariantError};
use std::cell::Cell;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Devices that may fail one after another without coming further than those before.
const MOST_IN_VAIN: u32 = 3;

/// What a run begins with.
pub enum Beginning<'a> {
    /// A new run into a folder, in place of what is there if `force`: see [`run`].
    New {
        config: &'a Config,
        folder: &'a Path,
        force: bool,
    },
    /// One that goes on: see [`resume`].
    Interrupted(Box<Interrupted>),
}

/// As [`run`] or [`resume`], and where the device fails on the way, goes on from the newest training state with a trainer that `anew`
/// makes, for the same configuration and data on a device that is opened anew; none where there is no such device. Gives up where three in a row come no further than those before,
/// or fail while they are set up.
///
/// # Errors
/// As for [`run`]; of a device that failed where there is no state to go on from, or no other device.
pub fn run_through(
    trainer: Trainer,
    beginning: Beginning<'_>,
    stop: &AtomicBool,
    observer: &mut dyn FnMut(Event<'_>),
    anew: &mut dyn FnMut() -> Option<Result<Trainer, TrainError>>,
) -> Result<Summary, TrainError> {
    // A state may be of before settings were changed.
    let config = match &beginning {
        Beginning::New { config, .. } => (*config).clone(),
        Beginning::Interrupted(interrupted) => interrupted.config().clone(),
    };
    let mut present = trainer;
    let mut furthest = 0;
    let mut in_vain = 0;
    let mut next = beginning;
    // Steps that are done again are no news.
    let mut told = 0;
    // The fewest steps that there have been since the last device failed.
    let gone_back_to = Cell::new(u64::MAX);
    let mut observer = |event: Event<'_>| {
        match &event {
            Event::Step(row) if row.step < told => return,
            Event::Step(row) => told = row.step + 1,
            // These are other steps.
            Event::WentBack(recovery) => {
                told = recovery.back_to;
                gone_back_to.set(recovery.back_to);
            }
            _ => {}
        }
        observer(event);
    };
    let observer: &mut dyn FnMut(Event<'_>) = &mut observer;
    loop {
        let (folder, outcome) = match next {
            Beginning::New {
                config,
                folder,
                force,
            } => (
                folder.to_path_buf(),
                run(&mut present, config, folder, force, stop, observer),
            ),
            Beginning::Interrupted(interrupted) => (
                interrupted.folder.clone(),
                resume(&mut present, *interrupted, stop, observer),
            ),
        };
        let error = match outcome {
            Err(error) if of_device(&error).is_some() => error,
            outcome => return outcome,
        };
        let done = present.steps_done();
        // The device goes before another one is opened.
        drop(present);
        // What fails at the same step again and again is no matter of the device.
        // Steps that were given up are no progress of devices before.
        furthest = furthest.min(gone_back_to.replace(u64::MAX));
        in_vain = if done > furthest { 0 } else { in_vain + 1 };
        furthest = furthest.max(done);
        if in_vain >= MOST_IN_VAIN {
            return Err(error);
        }
        let Ok(interrupted) = Interrupted::open(&folder, &[]) else {
            // Why the run ended says more than that there is nothing to go on from.
            return Err(error);
        };
        let interrupted = interrupted.with_config(config.clone());
        present = loop {
            match anew() {
                Some(Ok(trainer)) => break trainer,
                Some(Err(failed)) if may_come_back(&failed) => {
                    in_vain += 1;
                    // Why the run ended says more than that no other device could be opened.
                    if in_vain >= MOST_IN_VAIN || !waited(in_vain, stop) {
                        return Err(error);
                    }
                }
                Some(Err(other)) => return Err(other),
                None => return Err(error),
            }
        };
        if let Some(error) = of_device(&error) {
            let other = interrupted.other_adapter(present.executor().adapter());
            let notes: Vec<String> = interrupted.notes().iter().cloned().chain(other).collect();
            observer(Event::DeviceFailed {
                error,
                step: interrupted.step(),
                notes: &notes,
            });
        }
        next = Beginning::Interrupted(interrupted.into());
    }
}

/// Whether a driver that is starting again may be to blame, which has no adapters for a while.
fn may_come_back(error: &TrainError) -> bool {
    of_device(error).is_some() || matches!(error, TrainError::Gpu(GpuError::NoAdapter))
}

/// Waits some seconds for a driver to come back, unless the run is told to stop.
fn waited(seconds: u32, stop: &AtomicBool) -> bool {
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(seconds.into()) {
        if stop.load(Ordering::Relaxed) {
            return false;
        }
        thread::sleep(Duration::from_millis(20));
    }
    true
}

/// What the device said, where another one may do what it did not.
fn of_device(error: &TrainError) -> Option<&GpuError> {
    let (TrainError::Gpu(said)
    | TrainError::Variant(VariantError::Gpu(said))
    | TrainError::Model(ModelError::Gpu(said))) = error
    else {
        return None;
    };
    let may_be_its_fault = matches!(
        said,
        GpuError::Lost(_) | GpuError::Reported(_) | GpuError::Timeout { .. }
    );
    may_be_its_fault.then_some(said)
}
