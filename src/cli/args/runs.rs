//! Which runs are looked at.

use crate::page::MOST_COMPARED;
use clap::Args;
use std::path::PathBuf;

/// `afterimage runs`
#[derive(Debug, Args)]
pub(in crate::cli) struct RunsArgs {
    /// The folder that the runs lie in, at most three folders deep
    ///
    /// Of runs that were evaluated, by `afterimage evaluate`, the table has what was found. Whoever wrote last stands last.
    #[arg(value_name = "DIR", default_value = "runs")]
    pub(in crate::cli) folder: PathBuf,

    /// Print the runs as JSON to stdout, with all figures that `sweep` compares
    #[arg(long, help_heading = "Output")]
    pub(in crate::cli) json: bool,
}

/// `afterimage watch`
#[derive(Debug, Args)]
#[command(after_help = "\
Keys: q leaves (the run goes on), left and right show other curves, l changes their scale, h helps. Where there is no terminal to
draw on, a line every five seconds until the run ends.")]
pub(in crate::cli) struct WatchArgs {
    /// A run folder
    ///
    /// Curves of its metrics, its newest picture, how far it is, and at its end what it says of itself: by what lies in the folder, so
    /// that nothing of it changes the run.
    #[arg(value_name = "RUN")]
    pub(in crate::cli) run: PathBuf,
}

/// `afterimage compare`
#[derive(Debug, Args)]
pub(in crate::cli) struct CompareArgs {
    /// Run folders, two to six
    #[arg(value_name = "RUN", required = true, num_args = 2..=MOST_COMPARED)]
    pub(in crate::cli) runs: Vec<PathBuf>,

    /// The page to write
    #[arg(
        long,
        value_name = "FILE.html",
        default_value = "comparison.html",
        help_heading = "Output"
    )]
    pub(in crate::cli) out: PathBuf,
}
