//! What several commands open: adapters and checkpoints.

use super::args::{AdapterArgs, WeightsArg};
use super::error::CliError;
use super::vector_width;
use crate::cache;
use crate::gpu::{AdapterChoice, AdapterKind, Executor, ExecutorOptions};
use crate::model::Model;
use crate::network::{TuningOptions, allow_tuning};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Whether a command computes for long enough to measure kernels first.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum CommandLength {
    Long,
    Short,
}

/// Opens the adapter that was asked for.
pub(super) fn executor(arguments: &AdapterArgs, work: CommandLength) -> Result<Executor, CliError> {
    let choice = match &arguments.adapter {
        Some(name) => AdapterChoice::Named(name.clone()),
        None => AdapterChoice::Best,
    };
    let cache = cache::folder().filter(|_| !arguments.no_cache);
    let options = ExecutorOptions {
        cache: cache.clone(),
        ..Default::default()
    };
    let mut executor = Executor::open(&choice, options)?;
    if vector_width::disappoint(&mut executor) {
        vector_width::restart_without();
    }
    if !arguments.no_tune {
        let mut options = TuningOptions {
            folder: cache,
            again: arguments.retune,
            ..Default::default()
        };
        // A software driver takes seconds to compile a candidate, and the cost model was made on one: what was measured
        // before is used there, but nothing is measured unasked.
        let pays = work == CommandLength::Long && executor.adapter().kind == AdapterKind::Gpu;
        if !pays && !arguments.retune {
            options.limit = Duration::ZERO;
        }
        allow_tuning(&mut executor, options);
    }
    Ok(executor)
}

/// Loads a checkpoint, or the last one of a run folder, to compute with `weights`.
pub(super) fn model(path: &Path, weights: WeightsArg) -> Result<Model, CliError> {
    let checkpoint = if path.is_dir() {
        last_checkpoint(path)?
    } else {
        path.to_owned()
    };
    Ok(Model::load(&checkpoint)?.using(weights.into())?)
}

fn last_checkpoint(folder: &Path) -> Result<PathBuf, CliError> {
    let none = || CliError::NoCheckpoint {
        path: folder.into(),
    };
    // File names carry the step, zero-padded to six digits; longer names are later steps.
    let key = |path: &PathBuf| (path.as_os_str().len(), path.clone());
    std::fs::read_dir(folder.join("checkpoints"))
        .map_err(|_| none())?
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| {
            path.extension()
                .is_some_and(|ending| ending == "safetensors")
        })
        .max_by_key(key)
        .ok_or_else(none)
}
