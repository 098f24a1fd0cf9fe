//! The snapshots that a run kept, as a model of the run reads them.

use super::error::ModelError;
use super::stored::Model;
use crate::files::SNAPSHOTS;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// What a run kept of the way to a model.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct KeptSnapshots {
    /// The parameters of each, as in [`Architecture::tensors`](super::Architecture::tensors), earliest first.
    pub parameters: Vec<Vec<f32>>,
    /// Which files were left out, and why, a line each.
    pub notes: Vec<String>,
}

/// Reads the snapshots that the run in the folder `run` kept up to the step of `model`; none where it kept none. Those of
/// another network are left out, and so are files that cannot be read.
pub fn kept_snapshots(run: &Path, model: &Model) -> KeptSnapshots {
    let mut kept = KeptSnapshots::default();
    let folder = run.join(SNAPSHOTS);
    let paths =
        fs::read_dir(&folder).and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect());
    let mut paths: Vec<PathBuf> = match paths {
        Ok(paths) => paths,
        Err(cause) if cause.kind() == ErrorKind::NotFound => return kept,
        Err(cause) => {
            kept.notes.push(format!(
                "the snapshots in {} are left out, as the folder cannot be read: {cause}",
                folder.display()
            ));
            return kept;
        }
    };
    paths.retain(|path| path.extension().is_some_and(|end| end == "safetensors"));
    paths.sort();
    let mut found = Vec::new();
    for path in paths {
        match snapshot(&path, model) {
            Ok(snapshot) if snapshot.step() <= model.step() => found.push(snapshot),
            // Of what came after it, a model knows nothing.
            Ok(_) => {}
            Err(error) => kept
                .notes
                .push(format!("{} is left out: {error}", path.display())),
        }
    }
    found.sort_by_key(Model::step);
    kept.parameters = found
        .into_iter()
        .map(|snapshot| snapshot.parameters)
        .collect();
    kept
}

fn snapshot(path: &Path, model: &Model) -> Result<Model, ModelError> {
    let snapshot = Model::load(path)?;
    match snapshot.architecture() == model.architecture() {
        true => Ok(snapshot),
        false => Err(ModelError::OtherNetwork),
    }
}
