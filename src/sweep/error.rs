use crate::config::ConfigError;
use crate::files::FileError;
use crate::report::ReportError;
use std::path::PathBuf;

/// What can be wrong with a sweep, and what to do about it, in one line.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SweepError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    File(#[from] FileError),
    #[error(transparent)]
    Report(#[from] ReportError),
    #[error(
        "`--vary {given}` varies nothing: write section.key=VALUE,VALUE,…, for instance --vary snapshot.interval=1,10,100"
    )]
    Vary { given: String },
    #[error(
        "`--row {given}` is no row: write section.key=VALUE,section.key=VALUE,…, with a name and a colon before it if you like \
         (a value with a comma in it goes in brackets or quotes)"
    )]
    Row { given: String },
    #[error("{key} is varied twice: give all of its values to one --vary")]
    Twice { key: String },
    #[error(
        "a cell of a sweep that diverges never goes back, since at another rate it would be another cell: leave out run.rollbacks"
    )]
    Rollbacks,
    #[error("the seeds of a sweep are 1 to --seeds: leave out run.seed")]
    Seed,
    #[error("two rows are called `{name}`: leave one of them out, or give it another name")]
    SameRow { name: String },
    #[error("no row makes sense: {}", reasons.join("; "))]
    NoCells { reasons: Vec<String> },
    #[error(
        "{} was made with other settings ({differences}): name another folder with --out, or pass --force to do such cells again",
        folder.display()
    )]
    OtherSettings {
        folder: PathBuf,
        differences: String,
    },
    #[error("sweep.csv could not be put together: {0}")]
    Csv(#[from] ::csv::Error),
}
