//! The command line: what can be typed, and the help that says so.
//!
//! Everything for a person goes to stderr; what a program may want to read goes to stdout, and only on `--json`
//! (or where printing it is all that a command does).

mod model;
mod runs;
mod sweep;
mod train;
mod values;

use self::values::{family, seconds};
use crate::kernels::KernelFamily;
use crate::model::Weights;
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

pub(super) use self::model::{EnergyArgs, EvaluateArgs, PartArg, SampleArgs};
pub(super) use self::runs::{CompareArgs, RunsArgs, WatchArgs};
pub(super) use self::sweep::{BudgetArg, SweepArgs};
pub(super) use self::train::TrainArgs;

/// Trains energy-based models on the GPU against frozen snapshots of themselves.
#[derive(Debug, Parser)]
#[command(
    name = "afterimage",
    version,
    arg_required_else_help = true,
    after_help = "\
Examples:
  afterimage train digits                      learn handwritten digits, into runs/digits
  afterimage sample runs/digits --out a.png    draw new ones
  afterimage config digits > mine.toml         every setting, with comments, to edit
  afterimage train mine.toml                   train with them

What is meant for people goes to stderr, what is meant for programs (--json) to stdout.
The environment variable AFTERIMAGE_ADAPTER names an adapter, as --adapter does; AFTERIMAGE_CACHE names the folder for
what later runs can use again; AFTERIMAGE_LOG=info logs more."
)]
pub(super) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub(super) command: Command,
}

/// What the program can do.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Train a model and fill a run folder with its checkpoints, metrics and pictures
    Train(TrainArgs),
    /// Draw samples from a trained model
    Sample(SampleArgs),
    /// Score data with a trained model: low energy means likely
    Energy(EnergyArgs),
    /// Judge a trained model: its likelihood, its samples, and in the plane its exact density
    Evaluate(EvaluateArgs),
    /// Train a preset with settings varied, over several seeds, and compare at equal cost
    Sweep(SweepArgs),
    /// List runs: how far they are, how they ended, and their figures
    Runs(RunsArgs),
    /// Watch a run in the terminal, while it goes on or afterwards
    Watch(WatchArgs),
    /// Lay runs beside each other on one page: figures, settings that differ, curves, samples
    Compare(CompareArgs),
    /// List the adapters (GPUs and software renderers) that can be used
    Devices(ListArgs),
    /// List the ready-made configurations
    Presets(ListArgs),
    /// Print a whole configuration as TOML, with a comment for every key
    Config(ConfigArgs),
    /// Measure reference networks, their kernels and the machine's own limits on an adapter
    Bench(BenchArgs),
}

/// Where a configuration comes from.
#[derive(Debug, Args)]
pub(super) struct SourceArgs {
    /// A preset's name (see `afterimage presets`) or a TOML file
    #[arg(value_name = "PRESET|FILE.toml")]
    pub(super) source: String,

    /// Change one setting; may be given any number of times
    ///
    /// The key is SECTION.KEY as `afterimage config` prints it. The value is read as TOML, or as a bare text where it
    /// is none: optimiser.rate=1e-3, data.path=~/mnist, network.layers='[{dense=64},{dense=1}]'. An empty value puts the
    /// key back to its default. Keys that no --set and no file of your own sets follow from the others where they must, and
    /// so do those that are set to `auto`; `train` and `config` say which.
    #[arg(long = "set", value_name = "KEY=VALUE", help_heading = "Settings")]
    pub(super) sets: Vec<String>,
}

/// Which trained model a command works with.
#[derive(Debug, Args)]
pub(super) struct ModelArgs {
    /// A run folder (its last checkpoint is taken) or a .safetensors checkpoint
    #[arg(value_name = "RUN|CHECKPOINT")]
    pub(super) model: PathBuf,

    /// Which weights to take: the moving average, or what the optimiser moved last
    #[arg(
        long,
        value_enum,
        value_name = "WHICH",
        default_value_t,
        help_heading = "Model"
    )]
    pub(super) weights: WeightsArg,

    /// For a checkpoint that another program saved: what describes its network and its data
    ///
    /// A run folder, one of its checkpoints, a TOML file or a preset; the last two say the shape of a sample only by
    /// their data, which is opened for it. Default: the run in whose folder the checkpoint lies.
    #[arg(long, value_name = "RUN|CHECKPOINT|FILE.toml", help_heading = "Model")]
    pub(super) config: Option<PathBuf>,

    /// Change one setting of the model's data; may be given any number of times
    ///
    /// As in `train`, for the keys of [data]: data.range=[0,1], data.layout=nhwc, data.limit=100. `sample` reads data.noise,
    /// data.low and data.high.
    #[arg(long = "set", value_name = "data.KEY=VALUE", help_heading = "Model")]
    pub(super) sets: Vec<String>,
}

/// The weights of a run to compute with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum WeightsArg {
    /// Their moving average
    #[default]
    Averaged,
    /// What the optimiser moved last; not in the checkpoints of earlier versions
    Live,
}

impl From<WeightsArg> for Weights {
    fn from(argument: WeightsArg) -> Self {
        match argument {
            WeightsArg::Averaged => Weights::Averaged,
            WeightsArg::Live => Weights::Live,
        }
    }
}

/// Which adapter computes.
#[derive(Debug, Args)]
pub(super) struct AdapterArgs {
    /// The adapter to compute on: part of its name, or its number in `afterimage devices`
    ///
    /// Default: what the environment variable AFTERIMAGE_ADAPTER says, else the fastest kind there is (a discrete GPU,
    /// then an integrated one, then a software renderer).
    #[arg(long, value_name = "NAME|INDEX", help_heading = "Device")]
    pub(super) adapter: Option<String>,

    /// Run the layer kernels of this family, if they compute right on the adapter
    ///
    /// Default: on a GPU those for GPUs; on a software renderer those that are known to suit its version, or else were measured
    /// to, once, which takes some seconds. Which family runs changes results by rounding: `train` writes it down as
    /// run.kernels, and a run that is resumed keeps it. `devices` tells which there will be, and why.
    #[arg(long, value_name = "FAMILY", help_heading = "Device", value_parser = family())]
    pub(super) kernels: Option<KernelFamily>,

    /// Neither use nor keep what was compiled and measured for the adapter
    ///
    /// Default: it is kept in the user's cache folder, or in the one that the environment variable AFTERIMAGE_CACHE
    /// names, so that later runs start sooner. Which family of kernels suits a software renderer that is not known is then
    /// measured in every run, and may come out otherwise; each says what it was.
    #[arg(long, help_heading = "Device")]
    pub(super) no_cache: bool,

    /// Measure again which kernels are the fastest
    ///
    /// Default: on a GPU, `train` and `bench` measure what is not known yet of the layers they meet, for about three
    /// seconds at a time, and keep it; on a software renderer, and in the other commands, what is known is used. Which of
    /// these run changes no result. On a software renderer this also measures the families of kernels again, unless one is
    /// asked for; another one than before changes results by rounding.
    #[arg(long, help_heading = "Device")]
    pub(super) retune: bool,

    /// Neither measure which kernels are the fastest nor use what was measured
    ///
    /// They are then chosen by an estimate, but for their family, which this leaves alone: see --kernels.
    #[arg(long, help_heading = "Device", conflicts_with = "retune")]
    pub(super) no_tune: bool,
}

/// Arguments of the commands that print a list.
#[derive(Debug, Args)]
pub(super) struct ListArgs {
    /// Print the list to stdout as JSON
    #[arg(long)]
    pub(super) json: bool,
}

/// Arguments of `afterimage config`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  afterimage config digits
  afterimage config mnist --set data.path=train-images-idx3-ubyte.gz > mine.toml")]
pub(super) struct ConfigArgs {
    /// The configuration to print.
    #[command(flatten)]
    pub(super) source: SourceArgs,
}

/// Arguments of `afterimage bench`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  afterimage bench                        everything, in a minute or two
  afterimage bench --nets D --json        one network, for programs
  afterimage bench --growth growth.png    does the cost stay flat as the work grows?
benches/compare.py runs this and PyTorch in turn. What the numbers mean: docs/performance.md.")]
pub(super) struct BenchArgs {
    /// The reference networks: D (8×8 digits), M (28×28, as MNIST), C (32×32 colour, as CIFAR-10), P (the plane)
    #[arg(
        long,
        value_name = "NAMES",
        default_value = "D,M,C",
        help_heading = "Work"
    )]
    pub(super) nets: String,

    /// How long to measure each network's work, at least; kernels get a part of it
    #[arg(long, value_name = "S", default_value_t = 1.0, help_heading = "Work", value_parser = seconds)]
    pub(super) seconds: f64,

    /// Only a Langevin step and an update of each network: no ceilings, kernels or full training steps
    #[arg(long, help_heading = "Work")]
    pub(super) brief: bool,

    /// Measure how the cost grows with batch, image side, channels and chain length instead, and draw it
    #[arg(long, value_name = "FILE.png", help_heading = "Work", conflicts_with_all = ["nets", "brief"])]
    pub(super) growth: Option<PathBuf>,

    /// Print the figures to stdout as JSON, one object a line, the first of them about the machine
    #[arg(long, help_heading = "Output")]
    pub(super) json: bool,

    /// The adapter.
    #[command(flatten)]
    pub(super) adapter: AdapterArgs,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_definitions_are_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn train_takes_settings_in_order() {
        let line = "afterimage train digits --set a.b=1 --seed 7 --set c.d=2 --out x --adapter 0 --force -q --json";
        let cli = Cli::try_parse_from(line.split(' ')).unwrap();
        let Command::Train(train) = cli.command else {
            panic!("parsed as {:?}", cli.command);
        };
        assert_eq!(train.source.as_deref(), Some("digits"));
        assert_eq!(train.sets, ["a.b=1", "c.d=2"]);
        assert_eq!(train.seed, Some(7));
        assert_eq!(train.adapter.adapter.as_deref(), Some("0"));
        assert!(train.force && train.quiet && train.json);
    }

    #[test]
    fn evaluate_takes_several_parts() {
        let line = "afterimage evaluate run --only likelihood,density --evaluations 5 --chains 16";
        let cli = Cli::try_parse_from(line.split(' ')).unwrap();
        let Command::Evaluate(evaluate) = cli.command else {
            panic!("parsed as {:?}", cli.command);
        };
        assert_eq!(evaluate.only, [PartArg::Likelihood, PartArg::Density]);
        assert_eq!((evaluate.evaluations, evaluate.chains), (Some(5), Some(16)));
    }

    #[test]
    fn values_out_of_range_are_refused() {
        for line in [
            "afterimage train digits --seed 9223372036854775808",
            "afterimage train digits --seed -1",
            "afterimage sample run --count 0",
            "afterimage sample run --steps 0",
            "afterimage evaluate run --seed -1",
            "afterimage evaluate run --weights best",
            "afterimage evaluate run --only everything",
            "afterimage evaluate run --chains 15",
            "afterimage evaluate run --features-range 0,1",
            "afterimage evaluate run --features a.onnx --features-range 1,0",
            "afterimage evaluate run --features a.onnx --features-range 1",
            "afterimage evaluate run --evaluations 0",
            "afterimage sweep digits --seeds 0",
            "afterimage sweep digits --budget time",
            "afterimage sweep digits --jobs 0",
            "afterimage sweep digits --tasks --collect",
            "afterimage bench --seconds -1",
            "afterimage bench --seconds nan",
            "afterimage bench --growth a.png --brief",
        ] {
            let error = Cli::try_parse_from(line.split(' ')).unwrap_err();
            assert_ne!(error.exit_code(), 0, "{line}");
        }
    }

    #[test]
    fn every_option_has_help() {
        for command in Cli::command().get_subcommands() {
            for argument in command.get_arguments() {
                assert!(
                    argument.get_help().is_some(),
                    "{} {}",
                    command.get_name(),
                    argument.get_id()
                );
            }
        }
    }
}
