//! One cell: trained, evaluated, and written down.

use super::child::{self, Ended, describe};
use super::words;
use crate::cli::args::SweepArgs;
use crate::cli::error::CliError;
use crate::files::{STATES, create_folder};
use crate::sweep::{
    Cell, CellResult, Failure, Plan, Spent, State, SweepError, Trained, settings_of,
};
use serde::Deserialize;
use std::fs::{self, File, TryLockError};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

/// What is asked of every cell.
pub(super) struct Errand<'a> {
    pub(super) plan: &'a Plan,
    pub(super) arguments: &'a SweepArgs,
    /// Arguments of `afterimage evaluate`.
    pub(super) evaluate: Vec<String>,
}

/// How a cell ended.
pub(super) enum End {
    Done(Box<CellResult>),
    /// It was done before.
    Kept(Box<CellResult>),
    /// Another process works on it.
    Busy,
    /// It was stopped, and begins anew the next time, unless it was trained already.
    Stopped,
}

/// Whether a result was there before.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kept {
    Yes,
    No,
}

/// What is going on in a cell.
pub(super) enum Progress {
    /// So many optimiser steps are done.
    Step(u64),
    /// After the last of them: chains are looked at and pictures drawn.
    Looking,
    Evaluating,
}

/// Whoever starts again right after a sweep was killed may find its process still ending.
const PATIENCE: Duration = Duration::from_millis(100);
const TRIES: u32 = 30;

impl Errand<'_> {
    /// The result of `cell` that there is already; none where it is to be done.
    pub(super) fn kept(&self, cell: &Cell) -> Result<Option<Box<CellResult>>, CliError> {
        Ok(match self.state(cell)? {
            State::Finished(result) => Some(result),
            State::Trained(_) | State::Begin => None,
        })
    }

    /// How far `cell` is. With --force what was made with other settings is nothing to go on with.
    fn state(&self, cell: &Cell) -> Result<State, CliError> {
        match self.plan.state(cell, &self.evaluate) {
            Err(SweepError::OtherSettings { .. }) if self.arguments.force => Ok(State::Begin),
            other => Ok(other?),
        }
    }

    /// Threads of a software renderer for each process, where several share the processors.
    fn threads(&self) -> Option<usize> {
        let is_said = std::env::var_os("LP_NUM_THREADS").is_some();
        if self.arguments.jobs < 2 || is_said {
            return None;
        }
        let processors = thread::available_parallelism().map_or(1, usize::from);
        Some((processors / self.arguments.jobs).max(1))
    }
}

/// Trains `cell` and evaluates it, as far as that has not been done, and writes down what came out. When `stop` becomes
/// true, it ends without a result.
pub(super) fn run(
    errand: &Errand<'_>,
    cell: &Cell,
    stop: &AtomicBool,
    progress: &mut dyn FnMut(Progress),
) -> Result<End, CliError> {
    let folder = errand.plan.folder_of(cell);
    let log_path = folder.with_extension("log");
    // Its name has dots in it, so that an ending is not replaced but added.
    let log_path = log_path.with_file_name(format!("{}.log", cell.name));
    let Some(log) = locked(&log_path)? else {
        return Ok(End::Busy);
    };
    let trained = match errand.state(cell)? {
        State::Finished(result) => return Ok(End::Kept(result)),
        State::Trained(trained) => Some(trained),
        State::Begin => None,
    };
    let trained = match trained {
        Some(trained) => trained,
        None => {
            clear(&folder)?;
            log.set_len(0).map_err(|cause| CliError::Log {
                path: log_path.clone(),
                cause,
            })?;
            let words = training(errand, cell, &folder);
            let steps = cell.config.run.steps;
            let ended = child::run(&words, errand.threads(), &log, stop, &mut |line| {
                // Every other line of a run is longer than that, and none has another meaning.
                if let Ok(row) = serde_json::from_str::<Row>(line) {
                    progress(match row.step + 1 == steps {
                        true => Progress::Looking,
                        false => Progress::Step(row.step + 1),
                    });
                }
            });
            let ended = ended.map_err(CliError::Program)?;
            // One that was done before it heard of the stop is kept.
            if ended.stopped && !ended.status.success() {
                return Ok(End::Stopped);
            }
            if !ended.status.success() {
                let failure = failure("training", &ended, &log_path, &folder);
                let spent = [Some(ended.spent), None];
                return Ok(End::Done(finish(
                    errand,
                    cell,
                    &folder,
                    spent,
                    Some(failure),
                )?));
            }
            let trained = Trained {
                settings: settings_of(&cell.config),
                training: ended.spent,
            };
            trained.write(&folder)?;
            // Nobody makes a cell longer, and many of them add up. One that cannot be removed is in nobody's way.
            let _ = fs::remove_dir_all(folder.join(STATES));
            trained
        }
    };
    if stop.load(Ordering::Relaxed) {
        return Ok(End::Stopped);
    }
    progress(Progress::Evaluating);
    let mut words = vec!["evaluate".to_owned(), folder.display().to_string()];
    words.extend(["--quiet".to_owned(), "--json".to_owned()]);
    words.extend(errand.evaluate.iter().cloned());
    words.extend(words::of_adapter(&errand.arguments.adapter));
    let ended = child::run(&words, errand.threads(), &log, stop, &mut |_| {});
    let ended = ended.map_err(CliError::Program)?;
    if ended.stopped && !ended.status.success() {
        return Ok(End::Stopped);
    }
    let failed = !ended.status.success();
    let failure = failed.then(|| failure("evaluation", &ended, &log_path, &folder));
    let spent = [Some(trained.training), Some(ended.spent)];
    Ok(End::Done(finish(errand, cell, &folder, spent, failure)?))
}

/// What is read of a line of metrics.
#[derive(Deserialize)]
struct Row {
    step: u64,
}

/// The words that train `cell` into `folder`.
fn training(errand: &Errand<'_>, cell: &Cell, folder: &Path) -> Vec<String> {
    let mut words = vec!["train".to_owned(), errand.plan.source.clone()];
    for set in &cell.sets {
        words.extend(["--set".to_owned(), set.clone()]);
    }
    // At another rate it would be another cell. No setting of the cell, since it changes nothing of a run that does not diverge.
    words.extend(["--set".to_owned(), "run.rollbacks=0".to_owned()]);
    words.extend(["--out".to_owned(), folder.display().to_string()]);
    words.extend(["--quiet".to_owned(), "--json".to_owned()]);
    words.extend(words::of_adapter(&errand.arguments.adapter));
    words
}

/// Writes down what came out, last of all.
fn finish(
    errand: &Errand<'_>,
    cell: &Cell,
    folder: &Path,
    spent: [Option<Spent>; 2],
    failure: Option<Failure>,
) -> Result<Box<CellResult>, CliError> {
    // A run that could not begin has left no folder.
    create_folder(folder)?;
    let result = CellResult::read_off(folder, cell, &errand.evaluate, spent, failure);
    result.write(folder)?;
    Ok(Box::new(result))
}

/// Why a process failed: how it ended, and the last error that it told.
fn failure(stage: &str, ended: &Ended, log: &Path, folder: &Path) -> Failure {
    let text = fs::read_to_string(log).unwrap_or_default();
    let lines = text.lines().rev();
    let error = lines.clone().find_map(|line| line.strip_prefix("error: "));
    // What a driver or the system said, where it did not come to that.
    let last = || lines.clone().find(|line| !line.trim().is_empty());
    let summary = fs::read_to_string(folder.join("summary.json")).unwrap_or_default();
    let summary: serde_json::Value = serde_json::from_str(&summary).unwrap_or_default();
    Failure {
        stage: stage.into(),
        status: describe(ended.status),
        error: error.or_else(last).unwrap_or_default().into(),
        diverged: summary.get("diverged").is_some(),
    }
}

/// The log of a cell, emptied, and held by this process and those that write to it: as long as one of them lives, nobody
/// else works on the cell. None where somebody does.
fn locked(path: &Path) -> Result<Option<File>, CliError> {
    let failed = |cause| CliError::Log {
        path: path.into(),
        cause,
    };
    let mut options = File::options();
    let log = options
        .create(true)
        .append(true)
        .open(path)
        .map_err(failed)?;
    if cfg!(unix) {
        for turn in 0.. {
            match log.try_lock() {
                Err(TryLockError::WouldBlock) if turn < TRIES => thread::sleep(PATIENCE),
                Err(TryLockError::WouldBlock) => return Ok(None),
                // Some file systems of networks have no locks.
                Err(TryLockError::Error(_)) | Ok(()) => break,
            }
        }
    }
    Ok(Some(log))
}

/// Removes what an earlier try has left in the folder of a cell.
fn clear(folder: &Path) -> Result<(), CliError> {
    if folder.is_symlink() || !folder.exists() {
        return Ok(());
    }
    fs::remove_dir_all(folder).map_err(|cause| CliError::Remove {
        folder: folder.into(),
        cause,
    })
}
