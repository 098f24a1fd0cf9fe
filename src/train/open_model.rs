//! The model that a user names by a run folder or a checkpoint.

use super::fit::fitted_mixture;
use super::states::interrupted_model;
use crate::config::{self, ConfigError};
use crate::data::{self, DataError};
use crate::model::{Description, Model, ModelError, is_chains_path, is_live_path};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The configuration of a run, in its folder.
const RUN_CONFIG: &str = "config.toml";

/// Is told what of a model was not found as it should be, a line each.
type Say<'a> = &'a mut dyn FnMut(&str);

/// Why there is no model.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    #[error(transparent)]
    Model(#[from] ModelError),
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Data(#[from] DataError),
    #[error("{} is neither a checkpoint nor a run folder with one in checkpoints/: name one of them", path.display())]
    NoCheckpoint { path: PathBuf },
}

/// The model of the run in the folder `path`, by its last checkpoint or else its newest training state, or that of the checkpoint
/// at `path`. What a checkpoint does not say of itself, such as one that PyTorch saved, is taken from `from`: a run folder, one of
/// its checkpoints, a TOML file or a preset; without it, from the run in whose folder the checkpoint lies.
///
/// # Errors
/// When there is no model, its file is damaged or holds another network, or `from` does not say what it lacks.
pub fn open_model(path: &Path, from: Option<&Path>, say: Say<'_>) -> Result<Model, OpenError> {
    let checkpoint = match path.is_dir() {
        true => last_checkpoint(path),
        false => Ok(path.into()),
    };
    let model = match checkpoint {
        Ok(path) => stored(&path, from, say)?,
        // A run that was killed may have come to no checkpoint of its model.
        Err(none) => {
            let model = interrupted_model(path).ok_or(none)?;
            say(&format!(
                "note: the run left no checkpoint; this is its model after {} steps, of its last training state",
                model.step()
            ));
            model
        }
    };
    for note in model.notes() {
        say(&format!("note: {note}"));
    }
    Ok(model)
}

/// The model in the checkpoint at `path`; what it does not say of itself is as `from` says, or else the run that it lies in.
fn stored(path: &Path, from: Option<&Path>, say: Say<'_>) -> Result<Model, OpenError> {
    if let Some(from) = from {
        return described(path, from, say);
    }
    match (Model::load(path), run_of(path)) {
        (Err(ModelError::MissingMetadata { .. }), Some(run)) => described(path, &run, say),
        (loaded, _) => Ok(loaded?),
    }
}

/// The run in whose folder a checkpoint lies.
pub(crate) fn run_of(path: &Path) -> Option<PathBuf> {
    // A bare name says nothing of the folders that it lies in.
    let path = std::path::absolute(path).ok()?;
    let mut folders = path.ancestors().skip(1).take(2);
    let run = folders.find(|folder| folder.join(RUN_CONFIG).is_file())?;
    Some(run.into())
}

/// The model whose tensors are in the file at `path`, and all else is as `from` says.
fn described(path: &Path, from: &Path, say: Say<'_>) -> Result<Model, OpenError> {
    say(&format!(
        "note: what {} does not say of itself is taken from {}",
        path.display(),
        from.display()
    ));
    Ok(Model::load_described(path, description(from, path)?)?)
}

/// What `from`, a run folder, a checkpoint, a file or a preset, says of the checkpoint at `path`.
fn description(from: &Path, path: &Path) -> Result<Description, OpenError> {
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
fn described_by(file: &Path) -> Result<Description, OpenError> {
    let config = config::load(&file.to_string_lossy(), &[])?;
    let data = data::open(&config.data.options(), config.run.seed)?;
    Ok(Description {
        shape: data.shape(),
        scaling: data.scaling(),
        // Without one, the model says so.
        mixture: fitted_mixture(&config, &data).ok().flatten().map(Arc::new),
        config,
        step: 0,
        step_size: None,
        data_record: None,
        notes: Vec::new(),
    })
}

fn last_checkpoint(folder: &Path) -> Result<PathBuf, OpenError> {
    checkpoints(folder)
        .pop()
        .ok_or_else(|| OpenError::NoCheckpoint {
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
