//! How a sweep is asked for.

use super::model::PartArg;
use super::values::{jobs, tolerance};
use super::{AdapterArgs, SourceArgs};
use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// Arguments of `afterimage sweep`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  afterimage sweep 8gaussians --vary snapshot.interval=1,10,100,adaptive --set objective.normaliser=profiled
  afterimage sweep digits --vary snapshot.interval=1,2,5,10,50,100,500,adaptive --budget both --only samples \\
    --row 'contrastive divergence: objective.generator=contrastive-divergence,snapshot.interval=1' \\
    --row 'fixed noise: snapshot.kind=gaussian'
  afterimage sweep moons --vary optimiser.rate=1e-3,3e-3 --vary run.batch=128,512 --seeds 5
  afterimage sweep moons --vary sampler.jumps=0,5 --tasks > tasks.txt     one command a cell, for a cluster
  afterimage sweep moons --vary sampler.jumps=0,5 --collect               and what came out of them

A cell is a row with a seed under a budget. The folder gets cells/NAME, the run folder of each with a small cell.json, beside
it NAME.log, and of all together sweep.csv, sweep.md, quality.png, cost.png, memory.png and report.html. The same command goes
on where it was stopped or killed: finished cells and those that diverged are kept, others that failed are tried again. The
exit status is 1 where a cell failed or is missing. docs/sweep.md says how cells are made and what the budgets are.")]
pub(in crate::cli) struct SweepArgs {
    /// The configuration to vary.
    #[command(flatten)]
    pub(in crate::cli) source: SourceArgs,

    /// Vary one setting; several times for all combinations
    ///
    /// Values as behind --set. A value with a comma in it goes in brackets or quotes, as in TOML.
    #[arg(long, value_name = "KEY=VALUE,VALUE,…", help_heading = "Cells")]
    pub(in crate::cli) vary: Vec<String>,

    /// Add a row of its own, with or without a name; may be given any number of times
    ///
    /// What it sets is stronger than --set, and no budget changes it: a row's own run.steps and sampler.reuse stay.
    #[arg(
        long = "row",
        value_name = "[NAME: ]KEY=VALUE,…",
        help_heading = "Cells"
    )]
    pub(in crate::cli) rows: Vec<String>,

    /// How many seeds each row is trained with: 1 to N
    #[arg(long, value_name = "N", default_value_t = 3, help_heading = "Cells", value_parser = clap::value_parser!(u64).range(1..=1000))]
    pub(in crate::cli) seeds: u64,

    /// What all rows spend equally
    #[arg(
        long,
        value_enum,
        value_name = "BUDGET",
        default_value_t,
        help_heading = "Cells"
    )]
    pub(in crate::cli) budget: BudgetArg,

    /// --budget gradients: the most updates on one pool of noise
    ///
    /// As many as fit, at most this: the largest divisor of snapshot.interval, or of snapshot.max_interval where that is
    /// adaptive.
    #[arg(long, value_name = "N", default_value_t = 10, help_heading = "Cells", value_parser = clap::value_parser!(u64).range(1..))]
    pub(in crate::cli) most_reuse: u64,

    /// What to evaluate of each cell, and nothing else; several with commas
    ///
    /// Default: what `afterimage evaluate` does. `outside` cannot be asked for here: it takes data of its own.
    #[arg(
        long,
        value_enum,
        value_name = "PART",
        value_delimiter = ',',
        help_heading = "Evaluation"
    )]
    pub(in crate::cli) only: Vec<PartArg>,

    /// As in `afterimage evaluate`: how many samples to draw
    #[arg(long = "samples", value_name = "N", help_heading = "Evaluation")]
    pub(in crate::cli) count: Option<u64>,

    /// As in `afterimage evaluate`: the largest estimated error of density, in nats
    #[arg(long, value_name = "NATS", help_heading = "Evaluation", value_parser = tolerance)]
    pub(in crate::cli) tolerance: Option<f64>,

    /// As in `afterimage evaluate`: the most energy-gradient evaluations to spend on log Z
    #[arg(long, value_name = "N", help_heading = "Evaluation", value_parser = clap::value_parser!(u64).range(1..))]
    pub(in crate::cli) evaluations: Option<u64>,

    /// The sweep's folder, made or gone on with
    ///
    /// Default: runs/NAME-sweep, where NAME is the preset's or the file's.
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    pub(in crate::cli) out: Option<PathBuf>,

    /// Do cells again that the folder has with other settings
    ///
    /// Without it they are an error, before anything is trained.
    #[arg(long, help_heading = "Output", conflicts_with_all = ["tasks", "collect"])]
    pub(in crate::cli) force: bool,

    /// Cells at a time
    ///
    /// Several share the processors: a software renderer gets as many threads for each as there are processors for it,
    /// unless LP_NUM_THREADS says so.
    #[arg(long, value_name = "N", default_value_t = 1, help_heading = "Work", value_parser = jobs)]
    pub(in crate::cli) jobs: usize,

    /// Do nothing, and print a command to stdout for each cell that is still to be done
    ///
    /// They can be called from any folder and in any order, also at the same time, on machines that share DIR.
    #[arg(long, help_heading = "Work", conflicts_with_all = ["collect", "cell"])]
    pub(in crate::cli) tasks: bool,

    /// Train nothing, and write what the finished cells say together
    #[arg(long, help_heading = "Work", conflicts_with = "cell")]
    pub(in crate::cli) collect: bool,

    /// Do this cell alone, and compare nothing
    #[arg(long, value_name = "NAME", help_heading = "Work")]
    pub(in crate::cli) cell: Option<String>,

    /// Show no progress; errors still appear
    #[arg(long, short, help_heading = "Output")]
    pub(in crate::cli) quiet: bool,

    /// Print what came out to stdout, one JSON object a cell
    #[arg(long, help_heading = "Output")]
    pub(in crate::cli) json: bool,

    /// The adapter.
    #[command(flatten)]
    pub(in crate::cli) adapter: AdapterArgs,
}

/// What the rows of a sweep spend equally.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum BudgetArg {
    /// Optimiser steps; noise is used once
    #[default]
    Steps,
    /// Energy-gradient evaluations, those of the preset's steps at a pass each; noise is used again as far as its snapshot
    /// lasts, for as many more optimiser steps
    Gradients,
    /// Each of the two
    Both,
}
