//! Where an evaluation's files go.

use crate::cli::args::EvaluateArgs;
use crate::cli::error::CliError;
use crate::cli::output;
use std::fs;
use std::path::{Path, PathBuf};

const REPORT: &str = "evaluation.json";
/// The picture that `--out NAME.png` is the name of.
const PICTURE: &str = "evaluation.png";

/// Where files go. Nobody expects any in the current folder.
pub(super) enum Places {
    /// Nowhere: of a checkpoint, without --out.
    Nowhere,
    /// Into the run folder, or the one that --out names.
    Folder(PathBuf),
    /// Pictures beside the one that --out names, under its name; the report into the run folder, where there is one.
    Picture { out: PathBuf, run: Option<PathBuf> },
}

impl Places {
    /// Those that `arguments` ask for; a folder that --out names is made.
    pub(super) fn of(arguments: &EvaluateArgs) -> Result<Self, CliError> {
        let model = &arguments.model.model;
        let run = model.is_dir().then(|| model.clone());
        let Some(out) = &arguments.out else {
            return Ok(run.map_or(Places::Nowhere, Places::Folder));
        };
        if !out.is_dir() && !is_folder_name(out) {
            return match output::ending(out, &[("png", ())]) {
                Ok(()) => Ok(Places::Picture {
                    out: out.clone(),
                    run,
                }),
                Err(_) => Err(CliError::PictureOrFolder { path: out.clone() }),
            };
        }
        fs::create_dir_all(out).map_err(|cause| CliError::OutFolder {
            path: out.clone(),
            cause,
        })?;
        Ok(Places::Folder(out.clone()))
    }

    /// Where the report goes.
    pub(super) fn report(&self) -> Option<PathBuf> {
        match self {
            Places::Nowhere => None,
            Places::Folder(folder) => Some(folder.join(REPORT)),
            Places::Picture { run, .. } => run.as_ref().map(|run| run.join(REPORT)),
        }
    }

    /// Where the picture called `name` goes.
    pub(super) fn picture(&self, name: &str) -> Option<PathBuf> {
        match self {
            Places::Nowhere => None,
            Places::Folder(folder) => Some(folder.join(name)),
            Places::Picture { out, .. } if name == PICTURE => Some(out.clone()),
            Places::Picture { out, .. } => {
                let stem = out.file_stem().unwrap_or_default().to_string_lossy();
                Some(out.with_file_name(format!("{stem}-{name}")))
            }
        }
    }

    /// The picture that --out names, where it names one.
    pub(super) fn named_picture(&self) -> Option<&Path> {
        match self {
            Places::Picture { out, .. } => Some(out),
            Places::Nowhere | Places::Folder(_) => None,
        }
    }
}

/// Whether `path` names a folder rather than a file: it ends as folders do, or has no ending.
fn is_folder_name(path: &Path) -> bool {
    let ends_as_one = path.to_string_lossy().ends_with(std::path::is_separator);
    ends_as_one || path.extension().is_none()
}
