//! What several commands open: adapters and checkpoints.

use super::args::{AdapterArgs, ModelArgs};
use super::error::CliError;
use super::{output, vector_width};
use crate::cache;
use crate::config;
use crate::gpu::{AdapterChoice, Executor, ExecutorOptions};
use crate::kernels::{KernelFamily, Precision};
use crate::model::{self, Model};
use crate::network::{ChosenBy, TuningOptions, allow_tuning, chosen_kernels, settle_kernels};
use crate::train::{open_model, run_of};
use crate::words::{Word, choice};

/// Whether a command computes for long enough to measure kernels first.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum CommandLength {
    Long,
    Short,
}

/// Opens the adapter that was asked for, to compute by the kernels `asked`, where there are some.
pub(super) fn executor(
    arguments: &AdapterArgs,
    work: CommandLength,
    asked: Option<KernelFamily>,
) -> Result<Executor, CliError> {
    let mut executor = narrowed(arguments)?;
    let outcome = settle_kernels(&mut executor, asked, arguments.retune, &mut |text| {
        output::note(text)
    });
    if vector_width::disappoint(&executor) {
        tracing::warn!("starting again with narrower vectors");
        vector_width::restart_without();
    }
    outcome?;
    if !arguments.no_tune {
        let mut options = TuningOptions::unasked(&executor, work == CommandLength::Long);
        if arguments.retune {
            options.again = true;
            options.limit = TuningOptions::default().limit;
        }
        allow_tuning(&mut executor, options);
    }
    Ok(executor)
}

/// Opens the adapter that was asked for; where it is known to be slower by the wide vectors that were asked for, the program starts again.
fn narrowed(arguments: &AdapterArgs) -> Result<Executor, CliError> {
    let choice = match &arguments.adapter {
        Some(name) => AdapterChoice::Named(name.clone()),
        None => AdapterChoice::Best,
    };
    let cache = cache::folder().filter(|_| !arguments.no_cache);
    let options = ExecutorOptions {
        cache,
        ..Default::default()
    };
    let executor = Executor::open(&choice, options)?;
    if vector_width::is_in_vain(executor.adapter()) {
        vector_width::restart_without();
    }
    Ok(executor)
}

/// Starts the program again where [`executor`] would, for who has begun by then what would be lost: lines and keys on a terminal.
pub(super) fn restart_in_time(arguments: &AdapterArgs) {
    if vector_width::are_widened() {
        // What fails here fails again where it is told.
        let _ = narrowed(arguments);
    }
}

/// Opens the adapter that was asked for, to compute with a model that there is.
pub(super) fn executor_for(arguments: &AdapterArgs, model: &Model) -> Result<Executor, CliError> {
    let executor = executor(arguments, CommandLength::Short, arguments.kernels)?;
    let run = &model.config().run;
    // Another adapter, or another version of its driver, rounds in its own way whatever the kernels; and those that are slow
    // there would be no service. Maps of f16 are those of training alone.
    if let (Some(family), Some(chosen)) = (run.kernels, chosen_kernels(&executor))
        && chosen.family != family
        && chosen.by != ChosenBy::Asked
        && run.precision == Precision::Full
    {
        let family = family.name();
        output::note(format_args!(
            "note: the model was trained by the kernels {family}, and this computes by {chosen}: both agree to rounding. \
             --kernels {family} takes the same"
        ));
    }
    Ok(executor)
}

/// Opens the model that was asked for, and says what of its file was not read as it stood.
pub(super) fn model(arguments: &ModelArgs) -> Result<Model, CliError> {
    let model = open_model(&arguments.model, arguments.config.as_deref(), &mut |text| {
        output::note(text)
    })?;
    let data = config::with_data(model.config(), &arguments.sets)?;
    Ok(model.using(arguments.weights.into())?.with_data(data))
}

/// The parameters of the snapshots that the run of `model` kept up to it, earliest first; of a checkpoint outside a run's
/// folder there are none.
pub(super) fn kept_snapshots(arguments: &ModelArgs, model: &Model) -> Vec<Vec<f32>> {
    let path = &arguments.model;
    let run = match path.is_dir() {
        true => Some(path.clone()),
        false => run_of(path),
    };
    let kept = run.map(|run| model::kept_snapshots(&run, model));
    let kept = kept.unwrap_or_default();
    for note in kept.notes {
        output::note(format_args!("note: {note}"));
    }
    kept.parameters
}

/// Refuses assignments to other keys than those that a command reads.
pub(super) fn only_reads(keys: &[&str], sets: &[String]) -> Result<(), CliError> {
    let is_read = |set: &&String| {
        let key = set.split_once('=').map_or(set.as_str(), |(key, _)| key);
        keys.contains(&key.trim())
    };
    match sets.iter().find(|set| !is_read(set)) {
        None => Ok(()),
        Some(set) => Err(CliError::NotRead {
            assignment: set.clone(),
            keys: choice(&keys.iter().map(|&key| key.into()).collect::<Vec<_>>()),
        }),
    }
}
