use crate::bench::BenchError;
use crate::checkpoint::CheckpointError;
use crate::config::ConfigError;
use crate::data::DataError;
use crate::evaluation::EvaluationError;
use crate::files::FileError;
use crate::gpu::GpuError;
use crate::model::ModelError;
use crate::network::{VariantError, advised};
use crate::report::ReportError;
use crate::sweep::SweepError;
use crate::train::{OpenError, TrainError};
use std::path::{Path, PathBuf};

/// What a command can fail with: one line that says what is wrong and what to do.
#[derive(Debug, thiserror::Error)]
pub(super) enum CliError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Data(#[from] DataError),
    #[error("{}", advised(.0))]
    Gpu(#[from] GpuError),
    #[error(transparent)]
    Kernels(#[from] VariantError),
    #[error(transparent)]
    Model(#[from] ModelError),
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    #[error(transparent)]
    Train(#[from] TrainError),
    #[error(transparent)]
    File(#[from] FileError),
    #[error(transparent)]
    Bench(#[from] BenchError),
    #[error(transparent)]
    Evaluation(#[from] EvaluationError),
    #[error(transparent)]
    Report(#[from] ReportError),
    #[error(transparent)]
    Sweep(#[from] SweepError),
    #[error(
        "stopped after {steps} of {of} steps{}; what there is was kept in {}{}",
        if steps == of { ", so that what follows them was cut short" } else { "" },
        folder.display(),
        match goes_on {
            true => format!(", and `{}` goes on from there", resume_command(folder)),
            false => String::new(),
        }
    )]
    Stopped {
        steps: u64,
        of: u64,
        folder: PathBuf,
        /// Whether there is a state to go on from.
        goes_on: bool,
        status: u8,
    },
    #[error(
        "there are no runs in `{}`: name the folder that they lie in, or train one (afterimage train digits)",
        folder.display()
    )]
    NoRuns { folder: PathBuf },
    #[error("`{}` is named twice: compare it with another run", folder.display())]
    SameRun { folder: PathBuf },
    #[error("stopped with {done} of {of} cells done; what there is was kept in {}, and the same command goes on from there", folder.display())]
    SweepStopped {
        done: usize,
        of: usize,
        folder: PathBuf,
        status: u8,
    },
    #[error("{}; {} has the others, and the same command tries again what did not diverge", lacking(failed, missing, *of), table.display())]
    Cells {
        failed: Vec<String>,
        missing: Vec<String>,
        of: usize,
        table: PathBuf,
    },
    #[error("no cell can be evaluated by its {part}, since {why}: leave it out of --only")]
    NoPart { part: String, why: &'static str },
    #[error("the cell {name} failed: {why}")]
    CellFailed { name: String, why: String },
    #[error(
        "no cell is called `{name}`: `afterimage sweep … --tasks` lists those that are to be done"
    )]
    NoCell { name: String },
    #[error("`{given}` is found from this folder only, and tasks run in any: write the whole path")]
    RelativePath { given: String },
    #[error("another process works on the cell {name}: wait for it")]
    CellBusy { name: String },
    #[error(
        "{cells} cells are another process's, which works on them: repeat the command when it has ended"
    )]
    CellsBusy { cells: usize },
    #[error("cannot write the log {} ({cause}): name another folder with --out", path.display())]
    Log {
        path: PathBuf,
        cause: std::io::Error,
    },
    #[error("cannot remove {} ({cause}): remove it, or name another folder with --out", folder.display())]
    Remove {
        folder: PathBuf,
        cause: std::io::Error,
    },
    #[error("this program cannot be started anew for a cell ({0}): call it by its whole path")]
    Program(std::io::Error),
    #[error(
        "data.source={wanted} reads no file, and `{name}` was named: leave out --set data.source, or name {wanted} as the data"
    )]
    OtherData { name: String, wanted: &'static str },
    #[error("the data are what the argument names, `{name}`: leave out --set data.path")]
    PathOfEnergy { name: String },
    #[error("`{assignment}` would change nothing here: set {keys}")]
    NotRead { assignment: String, keys: String },
    #[error("{option} cannot be taken here: {why}")]
    Unfit { option: &'static str, why: String },
    #[error("cannot write {}: its ending must be {wanted}", path.display())]
    Ending { path: PathBuf, wanted: String },
    #[error(
        "{lost} of {count} chains ran away to values that are not finite, so nothing was written: the model diverged, or its sampler.step_size is too large"
    )]
    Lost { lost: usize, count: usize },
    #[error(
        "{lost} of {count} energies are not finite: the model diverged, or the data lies far outside what it was trained on"
    )]
    NotFinite { lost: usize, count: usize },
    #[error("cannot write {}: its ending must be .png, or name a folder", path.display())]
    PictureOrFolder { path: PathBuf },
    #[error("cannot create the folder {} ({cause}): name another with --out", path.display())]
    OutFolder {
        path: PathBuf,
        cause: std::io::Error,
    },
    #[error("cannot read {} ({cause}): move it away, or name another folder with --out", path.display())]
    EarlierReport {
        path: PathBuf,
        cause: std::io::Error,
    },
    #[error(
        "`{name}` and what the run was trained on have pictures in common, and which of them it has seen is not known: leave it out \
         to evaluate what the run has held out, or name pictures from elsewhere"
    )]
    SharedPictures { name: String },
    #[error("there is nothing to tell the model's data from: name other data with --against")]
    NothingAgainst,
    #[error("writing to stdout failed ({0}): check where it is sent to")]
    Stdout(#[from] std::io::Error),
    #[error("signals, such as that of Ctrl-C, cannot be caught: {0}")]
    Signal(std::io::Error),
    #[error("the .csv file could not be put together: {0}")]
    Csv(#[from] csv::Error),
}

/// What to type to go on with the run in `folder`.
pub(super) fn resume_command(folder: &Path) -> String {
    let folder = folder.display().to_string();
    // A name that no shell can be given is shown as it is.
    let folder = shlex::try_quote(&folder).unwrap_or(folder.as_str().into());
    format!("afterimage train --resume {folder}")
}

/// Which cells of a sweep have no figures.
fn lacking(failed: &[String], missing: &[String], of: usize) -> String {
    let parts = [(failed, "failed"), (missing, "are missing")];
    let parts = parts.into_iter().filter(|(names, _)| !names.is_empty());
    let parts: Vec<String> = parts
        .map(|(names, what)| {
            format!(
                "{} of {of} cells {what} ({})",
                names.len(),
                names.join(", ")
            )
        })
        .collect();
    parts.join(", and ")
}
