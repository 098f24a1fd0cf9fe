//! What several commands open: adapters and checkpoints.

use super::args::{AdapterArgs, ModelArgs};
use super::error::CliError;
use super::{output, vector_width};
use crate::cache;
use crate::config;
use crate::data;
use crate::gpu::{AdapterChoice, AdapterKind, Executor, ExecutorOptions};
use crate::kernels::{KernelFamily, Precision};
use crate::model::{self, Description, Model, ModelError, is_chains_path, is_live_path};
use crate::network::{
    ChosenBy, TuningOptions, VariantError, allow_tuning, chosen_kernels, foreseen_kernels,
    kept_trials, measure_families, require_family, trusted_variant,
};
use crate::train::interrupted_model;
use crate::words::{Word, choice};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The configuration of a run, in its folder.
const RUN_CONFIG: &str = "config.toml";

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
    if vector_width::is_in_vain(executor.adapter()) {
        vector_width::restart_without();
    }
    let outcome = choose_kernels(&mut executor, arguments, asked);
    if vector_width::disappoint(&executor) {
        tracing::warn!("starting again with narrower vectors");
        vector_width::restart_without();
    }
    outcome?;
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

/// Has `asked` chosen, or else what suits the adapter, and says what may change results.
fn choose_kernels(
    executor: &mut Executor,
    arguments: &AdapterArgs,
    asked: Option<KernelFamily>,
) -> Result<(), VariantError> {
    if let Some(family) = asked {
        require_family(executor, family)?;
        return Ok(());
    }
    let before = foreseen_kernels(executor.adapter(), executor.cache_folder());
    let is_again = arguments.retune && executor.adapter().kind == AdapterKind::Cpu;
    if before.is_some() && !is_again {
        trusted_variant(executor)?;
        return Ok(());
    }
    if is_again {
        output::note(
            "note: measuring again which kernels suit this driver; others than before change results by rounding",
        );
        measure_families(executor)?;
    } else {
        output::note("note: measuring which kernels suit this driver; this takes some seconds");
        trusted_variant(executor)?;
    }
    let Some(chosen) = chosen_kernels(executor) else {
        return Ok(());
    };
    match before {
        Some(before) if before.family != chosen.family => output::note(format_args!(
            "warning: --retune changed the kernels from {before} to {chosen}: what is computed from now on differs by rounding \
             from what was before. Runs that are resumed keep theirs"
        )),
        _ => output::note(format_args!("note: the kernels are {chosen}")),
    }
    let kept = executor
        .cache_folder()
        .and_then(|folder| kept_trials(folder, executor.adapter()));
    if kept.is_none() {
        output::note(format_args!(
            "note: nothing keeps that without a cache: another run may choose otherwise and differ by rounding, unless it is \
             given --kernels {}",
            chosen.family.name()
        ));
    }
    Ok(())
}

/// Opens the model that was asked for, and says what of its file was not read as it stood.
pub(super) fn model(arguments: &ModelArgs) -> Result<Model, CliError> {
    let path = match arguments.model.is_dir() {
        true => last_checkpoint(&arguments.model),
        false => Ok(arguments.model.clone()),
    };
    let model = match path {
        Ok(path) => checkpoint(&path, arguments.config.as_deref())?,
        // A run that was killed may have come to no checkpoint of its model.
        Err(none) => {
            let model = interrupted_model(&arguments.model).ok_or(none)?;
            output::note(format_args!(
                "note: the run left no checkpoint; this is its model after {} steps, of its last training state",
                model.step()
            ));
            model
        }
    };
    for note in model.notes() {
        output::note(format_args!("note: {note}"));
    }
    let data = config::with_data(model.config(), &arguments.sets)?;
    Ok(model.using(arguments.weights.into())?.with_data(data))
}

/// The model in the checkpoint at `path`; what it does not say of itself is as `from` says, or else the run that it lies in.
fn checkpoint(path: &Path, from: Option<&Path>) -> Result<Model, CliError> {
    if let Some(from) = from {
        return described(path, from);
    }
    match (Model::load(path), run_of(path)) {
        (Err(ModelError::MissingMetadata { .. }), Some(run)) => described(path, &run),
        (loaded, _) => Ok(loaded?),
    }
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

/// The run in whose folder a checkpoint lies.
fn run_of(path: &Path) -> Option<PathBuf> {
    // A bare name says nothing of the folders that it lies in.
    let path = std::path::absolute(path).ok()?;
    let mut folders = path.ancestors().skip(1).take(2);
    let run = folders.find(|folder| folder.join(RUN_CONFIG).is_file())?;
    Some(run.into())
}

/// The model whose tensors are in the file at `path`, and all else is as `from` says.
fn described(path: &Path, from: &Path) -> Result<Model, CliError> {
    output::note(format_args!(
        "note: what {} does not say of itself is taken from {}",
        path.display(),
        from.display()
    ));
    Ok(Model::load_described(path, description(from, path)?)?)
}

/// What `from`, a run folder, a checkpoint, a file or a preset, says of the checkpoint at `path`.
fn description(from: &Path, path: &Path) -> Result<Description, CliError> {
    // What a run's checkpoints say needs no data.
    let run = match from.file_name() {
        Some(name) if name == RUN_CONFIG && from.is_file() => from.parent(),
        _ => Some(from).filter(|from| from.is_dir()),
    };
    let of_a_checkpoint = run.and_then(|run| {
        let latest_first = checkpoints(run).into_iter().rev();
        latest_first
            .filter_map(|checkpoint| Description::load(&checkpoint).ok())
            .next()
    });
    let mut description = match of_a_checkpoint {
        Some(description) => description,
        None if is_tensor_file(from) => Description::load(from)?,
        None if from.is_dir() => described_by(&from.join(RUN_CONFIG))?,
        None => described_by(from)?,
    };
    // Checkpoints are called after their step.
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let digits = name.split(|c: char| !c.is_ascii_digit()).next();
    description.step = digits.and_then(|digits| digits.parse().ok()).unwrap_or(0);
    Ok(description)
}

/// What a configuration says, with the shape and the scaling of its data.
fn described_by(file: &Path) -> Result<Description, CliError> {
    let config = config::load(&file.to_string_lossy(), &[])?;
    let data = data::open(&config.data.options(), config.run.seed)?;
    Ok(Description {
        shape: data.shape(),
        scaling: data.scaling(),
        config,
        step: 0,
        step_size: None,
        data_record: None,
        notes: Vec::new(),
    })
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

fn last_checkpoint(folder: &Path) -> Result<PathBuf, CliError> {
    checkpoints(folder)
        .pop()
        .ok_or_else(|| CliError::NoCheckpoint {
            path: folder.into(),
        })
}

/// The checkpoints of a run, earliest first.
fn checkpoints(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder.join("checkpoints"));
    let mut paths: Vec<PathBuf> = entries
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| is_tensor_file(path) && !is_live_path(path) && !is_chains_path(path))
        .collect();
    // File names carry the step, zero-padded to six digits; longer names are later steps.
    paths.sort_by_key(|path| (path.as_os_str().len(), path.clone()));
    paths
}

fn is_tensor_file(path: &Path) -> bool {
    path.extension()
        .is_some_and(|ending| ending.eq_ignore_ascii_case("safetensors"))
}
