//! How a run is asked for.

use super::AdapterArgs;
use super::values::seed;
use clap::Args;
use std::path::PathBuf;

/// Arguments of `afterimage train`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  afterimage train digits
  afterimage train digits --seed 2 --set snapshot.interval=10 --out runs/k10
  afterimage train mnist --set data.path=train-images-idx3-ubyte.gz
  afterimage train digits --ui                 curves and samples in the terminal, with keys
  afterimage train digits --json | jq .loss
  afterimage train --resume runs/digits        after a crash, a kill or Ctrl-C")]
pub(in crate::cli) struct TrainArgs {
    /// A preset's name (see `afterimage presets`) or a TOML file
    #[arg(value_name = "PRESET|FILE.toml", required_unless_present = "resume")]
    pub(in crate::cli) source: Option<String>,

    /// Change one setting; may be given any number of times
    ///
    /// The key is SECTION.KEY as `afterimage config` prints it. The value is read as TOML, or as a bare text where it
    /// is none: optimiser.rate=1e-3, data.path=~/mnist, network.layers='[{dense=64},{dense=1}]'. An empty value puts the
    /// key back to its default. Keys that no --set and no file of your own sets follow from the others where they must, and
    /// so do those that are set to `auto`; `train` and `config` say which.
    #[arg(long = "set", value_name = "KEY=VALUE", help_heading = "Settings")]
    pub(in crate::cli) sets: Vec<String>,

    /// Go on with the run in this folder, which was interrupted, from its newest training state
    ///
    /// On the same adapter it comes to the same bits as a run that was never interrupted. --set may change what no step that
    /// is left depends on, such as run.sample_every, and the length of the run, run.steps.
    #[arg(
        long,
        value_name = "RUN",
        help_heading = "Settings",
        conflicts_with_all = ["source", "seed", "out", "force"]
    )]
    pub(in crate::cli) resume: Option<PathBuf>,

    /// Seed of every random number, a whole number from 0
    ///
    /// The same seed on the same adapter gives the same bits. Short for --set run.seed=N, and stronger than it.
    /// Default: the configuration's.
    #[arg(long, value_name = "N", help_heading = "Settings", value_parser = seed())]
    pub(in crate::cli) seed: Option<u64>,

    /// The run folder to create, with the folders it lies in
    ///
    /// Default: the first of runs/NAME, runs/NAME-2, … that does not exist yet, where NAME is the preset's or the
    /// file's. With --force it is runs/NAME.
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    pub(in crate::cli) out: Option<PathBuf>,

    /// Replace the run in the run folder, if there is one
    ///
    /// What an earlier run wrote there is removed; other files stay. Without --force, a folder that holds anything is
    /// an error and nothing is written.
    #[arg(long, help_heading = "Output")]
    pub(in crate::cli) force: bool,

    /// Show no progress; errors and warnings still appear
    #[arg(long, short, help_heading = "Output")]
    pub(in crate::cli) quiet: bool,

    /// Draw the run in the terminal: curves, newest samples, what it does and how long it will take
    ///
    /// As `afterimage watch` does, with keys for the run: p pauses, s draws samples now, c writes a checkpoint now, q stops, once
    /// y confirms it; left and right show other curves, l changes their scale, h helps. None but stop changes a bit of the run. At the
    /// end it stays until q is pressed. Where there is no terminal to draw on, plain lines.
    #[arg(long, help_heading = "Output", conflicts_with_all = ["quiet", "json"])]
    pub(in crate::cli) ui: bool,

    /// Print the metrics of every step to stdout, one JSON object a line, as in the run's metrics.jsonl
    #[arg(long, help_heading = "Output")]
    pub(in crate::cli) json: bool,

    /// The adapter.
    #[command(flatten)]
    pub(in crate::cli) adapter: AdapterArgs,
}
