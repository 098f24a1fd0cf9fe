//! Where an evaluation's files go.

use crate::cli::args::EvaluateArgs;
use crate::cli::error::CliError;
use crate::cli::output;
use crate::config::DataConfig;
use std::fs;
use std::path::{Path, PathBuf};

const REPORT: &str = "evaluation";
/// The picture that `--out NAME.png` is the name of.
const PICTURE: &str = "evaluation.png";

/// Where files go. Nobody expects any in the current folder.
pub(super) enum Places {
    /// Nowhere: of a checkpoint, without --out.
    Nowhere,
    /// Into the run folder, or the one that --out names. Between the stem and the ending of every name is `label`.
    Folder { folder: PathBuf, label: String },
    /// Pictures beside the one that --out names, under its name; the report into the run folder, where there is one.
    Picture {
        out: PathBuf,
        run: Option<PathBuf>,
        label: String,
    },
}

impl Places {
    /// Those that `arguments` ask for; a folder that --out names is made.
    pub(super) fn of(arguments: &EvaluateArgs) -> Result<Self, CliError> {
        let model = &arguments.model.model;
        let run = model.is_dir().then(|| model.clone());
        let label = String::new();
        let folder = |folder| Places::Folder {
            folder,
            label: String::new(),
        };
        let Some(out) = &arguments.out else {
            return Ok(run.map_or(Places::Nowhere, folder));
        };
        if !out.is_dir() && !is_folder_name(out) {
            return match output::ending(out, &[("png", ())]) {
                Ok(()) => Ok(Places::Picture {
                    out: out.clone(),
                    run,
                    label,
                }),
                Err(_) => Err(CliError::PictureOrFolder { path: out.clone() }),
            };
        }
        fs::create_dir_all(out).map_err(|cause| CliError::OutFolder {
            path: out.clone(),
            cause,
        })?;
        Ok(folder(out.clone()))
    }

    /// The same for an evaluation of the run in the folder `run` by other `data` than its own: in that folder its files stand
    /// beside those of the run's own, under the name of the data.
    pub(super) fn of_other_data(mut self, run: &Path, data: &DataConfig) -> Self {
        let real = |path: &Path| fs::canonicalize(path).ok();
        match &mut self {
            Places::Folder { folder, label } if real(folder) == real(run) => *label = name_of(data),
            // The picture has a name of its own.
            Places::Picture { label, .. } => *label = name_of(data),
            Places::Folder { .. } | Places::Nowhere => {}
        }
        self
    }

    /// Where the report goes.
    pub(super) fn report(&self) -> Option<PathBuf> {
        match self {
            Places::Nowhere => None,
            Places::Folder { folder, label } => Some(folder.join(format!("{REPORT}{label}.json"))),
            Places::Picture { run, label, .. } => {
                let run = run.as_ref()?;
                Some(run.join(format!("{REPORT}{label}.json")))
            }
        }
    }

    /// Where the picture called `name` goes.
    pub(super) fn picture(&self, name: &str) -> Option<PathBuf> {
        match self {
            Places::Nowhere => None,
            Places::Folder { folder, label } => {
                let (stem, ending) = name.rsplit_once('.')?;
                Some(folder.join(format!("{stem}{label}.{ending}")))
            }
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
            Places::Nowhere | Places::Folder { .. } => None,
        }
    }
}

/// What files of an evaluation by `data` have in their names: what the file or folder is called, in characters that every
/// file system takes, or the source.
fn name_of(data: &DataConfig) -> String {
    /// No file system takes names that are much longer than twice this.
    const LONGEST: usize = 100;
    let stem = Path::new(&data.path).file_stem();
    let stem = stem.map_or("".into(), |stem| stem.to_string_lossy());
    let safe = stem.chars().take(LONGEST).map(|c| match c {
        c if c.is_ascii_alphanumeric() || "-_.".contains(c) => c,
        _ => '_',
    });
    let safe: String = safe.collect();
    match safe.is_empty() {
        true => format!("-{}", data.source.name),
        false => format!("-{safe}"),
    }
}

/// Whether `path` names a folder rather than a file: it ends as folders do, or has no ending.
fn is_folder_name(path: &Path) -> bool {
    let ends_as_one = path.to_string_lossy().ends_with(std::path::is_separator);
    ends_as_one || path.extension().is_none()
}
