//! The command line: what can be typed, and the help that says so.
//!
//! Everything for a person goes to stderr; what a program may want to read goes to stdout, and only on `--json`
//! (or where printing it is all that a command does).

use crate::kernels::KernelFamily;
use crate::model::Weights;
use crate::page::MOST_COMPARED;
use crate::words::Word;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// The largest seed: a run's configuration is TOML, whose whole numbers are signed.
const LARGEST_SEED: u64 = i64::MAX as u64;

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

/// `afterimage runs`
#[derive(Debug, Args)]
pub(super) struct RunsArgs {
    /// The folder that the runs lie in, at most three folders deep
    ///
    /// Of runs that were evaluated, by `afterimage evaluate`, the table has what was found. Whoever wrote last stands last.
    #[arg(value_name = "DIR", default_value = "runs")]
    pub(super) folder: PathBuf,

    /// Print the runs as JSON to stdout, with all figures that `sweep` compares
    #[arg(long, help_heading = "Output")]
    pub(super) json: bool,
}

/// `afterimage watch`
#[derive(Debug, Args)]
#[command(after_help = "\
Keys: q leaves (the run goes on), left and right show other curves, l changes their scale, h helps. Where there is no terminal to
draw on, a line every five seconds until the run ends.")]
pub(super) struct WatchArgs {
    /// A run folder
    ///
    /// Curves of its metrics, its newest picture, how far it is, and at its end what it says of itself: by what lies in the folder, so
    /// that nothing of it changes the run.
    #[arg(value_name = "RUN")]
    pub(super) run: PathBuf,
}

/// `afterimage compare`
#[derive(Debug, Args)]
pub(super) struct CompareArgs {
    /// Run folders, two to six
    #[arg(value_name = "RUN", required = true, num_args = 2..=MOST_COMPARED)]
    pub(super) runs: Vec<PathBuf>,

    /// The page to write
    #[arg(
        long,
        value_name = "FILE.html",
        default_value = "comparison.html",
        help_heading = "Output"
    )]
    pub(super) out: PathBuf,
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
pub(super) struct TrainArgs {
    /// A preset's name (see `afterimage presets`) or a TOML file
    #[arg(value_name = "PRESET|FILE.toml", required_unless_present = "resume")]
    pub(super) source: Option<String>,

    /// Change one setting; may be given any number of times
    ///
    /// The key is SECTION.KEY as `afterimage config` prints it. The value is read as TOML, or as a bare text where it
    /// is none: optimiser.rate=1e-3, data.path=~/mnist, network.layers='[{dense=64},{dense=1}]'. An empty value puts the
    /// key back to its default. Keys that no --set and no file of your own sets follow from the others where they must, and
    /// so do those that are set to `auto`; `train` and `config` say which.
    #[arg(long = "set", value_name = "KEY=VALUE", help_heading = "Settings")]
    pub(super) sets: Vec<String>,

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
    pub(super) resume: Option<PathBuf>,

    /// Seed of every random number, a whole number from 0
    ///
    /// The same seed on the same adapter gives the same bits. Short for --set run.seed=N, and stronger than it.
    /// Default: the configuration's.
    #[arg(long, value_name = "N", help_heading = "Settings", value_parser = seed())]
    pub(super) seed: Option<u64>,

    /// The run folder to create, with the folders it lies in
    ///
    /// Default: the first of runs/NAME, runs/NAME-2, … that does not exist yet, where NAME is the preset's or the
    /// file's. With --force it is runs/NAME.
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    pub(super) out: Option<PathBuf>,

    /// Replace the run in the run folder, if there is one
    ///
    /// What an earlier run wrote there is removed; other files stay. Without --force, a folder that holds anything is
    /// an error and nothing is written.
    #[arg(long, help_heading = "Output")]
    pub(super) force: bool,

    /// Show no progress; errors and warnings still appear
    #[arg(long, short, help_heading = "Output")]
    pub(super) quiet: bool,

    /// Draw the run in the terminal: curves, newest samples, what it does and how long it will take
    ///
    /// As `afterimage watch` does, with keys for the run: p pauses, s draws samples now, c writes a checkpoint now, q stops; left and
    /// right show other curves, l changes their scale, h helps. None but stop changes a bit of the run. It stays until a key is
    /// pressed. Where there is no terminal to draw on, plain lines.
    #[arg(long, help_heading = "Output", conflicts_with_all = ["quiet", "json"])]
    pub(super) ui: bool,

    /// Print the metrics of every step to stdout, one JSON object a line, as in the run's metrics.jsonl
    #[arg(long, help_heading = "Output")]
    pub(super) json: bool,

    /// The adapter.
    #[command(flatten)]
    pub(super) adapter: AdapterArgs,
}

/// Arguments of `afterimage sample`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  afterimage sample runs/digits
  afterimage sample runs/digits --count 100 --steps 1000 --out digits.png
  afterimage sample runs/digits --out chain.gif
  afterimage sample runs/digits --steps-shown 8 --energies --out chains.png")]
pub(super) struct SampleArgs {
    /// The model.
    #[command(flatten)]
    pub(super) model: ModelArgs,

    /// How many samples to draw, each from a chain of its own
    ///
    /// Default: the run's run.samples.
    #[arg(long, value_name = "N", help_heading = "Sampling", value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) count: Option<u64>,

    /// Sampler steps from a fresh start
    ///
    /// Default: the run's run.sample_steps.
    #[arg(long, value_name = "N", help_heading = "Sampling", value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) steps: Option<u64>,

    /// Seed of every random number, a whole number from 0
    ///
    /// Default: the run's run.seed.
    #[arg(long, value_name = "N", help_heading = "Sampling", value_parser = seed())]
    pub(super) seed: Option<u64>,

    /// The file to write: .png (a grid), .npy (the values, as the model sees them) or .gif (how the chains get there)
    ///
    /// Default: samples.png in the current folder.
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub(super) out: Option<PathBuf>,

    /// Show each chain at N times, from its start to its end: a row of pictures, or in the plane a path over the landscape
    ///
    /// --count says how many chains, by default up to 8. Where training added noise to the data, a
    /// last column shows the states after they are denoised.
    #[arg(long, value_name = "N", help_heading = "Output", value_parser = clap::value_parser!(u64).range(2..=64), conflicts_with = "interpolate")]
    pub(super) steps_shown: Option<u64>,

    /// Show N pictures on the straight line from one sample to another, with their energies
    ///
    /// A row for each two samples; --count says how many rows, by default up to 8.
    #[arg(long, value_name = "N", help_heading = "Output", value_parser = clap::value_parser!(u64).range(3..=64))]
    pub(super) interpolate: Option<u64>,

    /// Write the energy of each picture below it
    #[arg(long, help_heading = "Output")]
    pub(super) energies: bool,

    /// Show no progress; errors and warnings still appear
    #[arg(long, short, help_heading = "Output")]
    pub(super) quiet: bool,

    /// Print a JSON summary to stdout: the file, the settings and the energies
    #[arg(long, help_heading = "Output")]
    pub(super) json: bool,

    /// The adapter.
    #[command(flatten)]
    pub(super) adapter: AdapterArgs,
}

/// Arguments of `afterimage energy`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  afterimage energy runs/digits digits
  afterimage energy runs/mnist t10k-images-idx3-ubyte.gz --out energies.csv
  afterimage energy runs/8gaussians points.npy --json")]
pub(super) struct EnergyArgs {
    /// The model.
    #[command(flatten)]
    pub(super) model: ModelArgs,

    /// The data to score: a file, a folder of pictures, or the name of a source that needs neither (digits, moons, …)
    ///
    /// Its kind is told by its content; --set data.source=KIND forces one. Its values are scaled as the model's training
    /// data was, or taken as the model's own where only that fits; where both would, --set data.range says it. What was
    /// decided is printed. The noise added in training is left out. Of generated data, which have no end, 10,000 samples
    /// are scored.
    #[arg(value_name = "DATA")]
    pub(super) data: String,

    /// The file to write, one energy a sample in the order of the data: .npy or .csv
    ///
    /// The columns of .csv are index (from 0), energy, and of pictures file (its path from DATA) and class (the folder in
    /// DATA that it lies in; only where there is one).
    ///
    /// Default: none; a summary of the energies is printed.
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub(super) out: Option<PathBuf>,

    /// Print the summary to stdout as JSON
    #[arg(long, help_heading = "Output")]
    pub(super) json: bool,

    /// The adapter.
    #[command(flatten)]
    pub(super) adapter: AdapterArgs,
}

/// Arguments of `afterimage evaluate`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  afterimage evaluate runs/digits
  afterimage evaluate runs/digits --evaluations 4000000 --json | jq .likelihood.log_z
  afterimage evaluate runs/8gaussians
  afterimage evaluate runs/digits --only samples --samples 1000
  afterimage evaluate runs/cifar10 --only samples --features inception.onnx
  afterimage evaluate runs/digits/checkpoints/000600.safetensors --out after-600
  afterimage evaluate runs/mnist --only outside --against data/fashion
  afterimage evaluate runs/8gaussians --only density,likelihood
  afterimage evaluate runs/rings --weights live --samples 10000 --out live.png

The JSON is one object, also written to evaluation.json in a run folder, after each part and beside earlier parts of the
same weights and data. Its main keys are here; docs/evaluation.md has all of them, what they mean and how they come about.
In nats where nothing else is said; p is the data density with the noise of training, q the model's:
  source, data_noise, weights, step   what was evaluated; weights_crc32, data (all of [data] as they were read) and
                                      data_record (counts and checksums of training and held_out) say it
                                      exactly; named_data with --data, its range the raw values of
                                      data.low and data.high
Of the part density:
  log_z                               ln Z of q = exp(−E)/Z
  nll, data_entropy, model_entropy    −E_p ln q, −E_p ln p, −E_q ln q
  kl_data_model                       E_p ln p/q = nll − data_entropy
  kl_model_data                       E_q ln q/p; null where infinite, which kl_model_data_is then says
  total_variation                     ½ ∫ |p − q|, from 0 to 1
  mass_off_data                       share of q where p is 0
  grid                                tolerance, half_width, cell, cells, and the estimated errors: error of all but
                                      those with kl_model_data_error and total_variation_error
  data_sample                         count, nll, standard_error of −ln q of fresh data
  samples                             count, lost, steps, seed, sampler, mode_coverage; null with --samples 0
  model_mode_coverage                 share of modes with at least a quarter of their due weight, as in samples
  modes                               name, and the weight of data (due), model and samples nearest to it
Of the part likelihood, in the object likelihood, where what does not hold is null:
  valid, not_valid                    whether log Z is one to believe; if not, why and what would help
  log_z                               value, standard_error and interval (95 %) of ln Z
  log_z_at_least                      what ln Z is above with 95 %, valid or not
  estimates                           from_base, from_model (value, valid or not; log_z, effective_chains,
                                      log_weight_variance) and bennett (value, log_z, overlap);
                                      telescoped (value, log_z, upward, downward, least_overlap, laws, snapshots,
                                      snapshots_used, records, not_valid), null where the run kept no snapshots
  data                                source, which, count, not_valid, noise; negative_energy, log_likelihood (nats a sample),
                                      log_likelihood_at_most, bits_per_dimension, gaussian_fitted_to_scored_data
                                      and gaussian_not_valid, dequantised (negative_energy, bits_per_dimension), and
                                      comparison: name (gaussian, kernel density), training, bandwidth, log_likelihood,
                                      bits_per_dimension, difference of the model's from it, not_valid;
                                      comparison_not_valid where there is none
  method                              chains, temperatures, equilibration, path_length, evaluations, seed
  cost                                part, evaluations, seconds of each part
Of the part samples, in the object sample_quality, where {\"not_valid\": reason} stands for what cannot be told:
  chains, count, lost, steps, seed    fresh chains, how many, how many ran away, steps of each
  sampler, step_size, acceptance      how they were drawn, in gradient_evaluations
  data_is                             which data: held-out data where the run has 1,000, else training data; or named data
  features, feature_network           digits_classifier, mnist_classifier, onnx or pixels: what samples are compared with data
                                      by; of --features file, crc32 and range
  distances                           data, samples, compared (points of each set), dimensions; value, standard_error,
                                      floor and floor_standard_error of frechet_distance, kernel_distance,
                                      sliced_wasserstein, precision, recall, density and coverage; two_sample: accuracy
                                      and interval (95 %) of a classifier that tells them apart, right of count, floor
  classes                             shares of each class among samples and data; null without a classifier
  stein                               states and data: squared, standard_error, p_value, bootstraps, length
  buffer                              the same of the replay buffer's chains: count, of, lost, gradient_evaluations, and the
                                      keys around it; null where none were kept
  nearest, nearest_is                 median, floor, copying (value, standard_error) of samples, training, held_out; what
                                      the last are, as data_is
Of the part stability, in the object stability:
  data_is                             which data chains begin at: held-out data where the run has 128
  chains, passes, steps, seed         chains from data, passes, and steps of a pass
  energies, deviation                 mean energy at the data and after each pass; its spread over the data
  stable, unstable_is                 whether no chain ran away or left the data's energies; if one did, how
  features, feature_network           what these are compared by, as above
  fresh_against_data, told_apart      discrepancy, energy_difference, p_value and permutations of a test whether fresh
                                      chains and those from data are of one distribution; whether they are not, at 1 %
Of the part outside, in the object outside:
  source, inside, outside             the other data, and how many samples of the model's own (inside_is) and of them
  record, seed                        count and crc32 of the other data, of the noise added to both
  auroc                               value, standard_error
And arguments and pictures            of each part: what asks for it again behind the run, and the file it wrote
    seconds                           of the parts samples, stability and outside
A part that failed and that --only did not name is {\"not_valid\": reason} under its key (density under density).")]
pub(super) struct EvaluateArgs {
    /// The model.
    #[command(flatten)]
    pub(super) model: ModelArgs,

    /// What to evaluate, and nothing else; several with commas
    ///
    /// Default: density where the data is a generated planar set, whose density is known; else samples,
    /// stability, and likelihood where the model has a Gaussian base; and outside with --against.
    #[arg(long, value_enum, value_name = "PART", value_delimiter = ',')]
    pub(super) only: Vec<PartArg>,

    /// density: the largest estimated error in nats, from 1e-6 to 0.1
    ///
    /// It holds for log Z, the likelihood, the entropies and KL(data‖model); KL(model‖data) and the total variation have
    /// kinks in their integrands, converge more slowly, and say their errors.
    #[arg(long, value_name = "NATS", default_value_t = 1e-4)]
    pub(super) tolerance: f64,

    /// likelihood: the most energy-gradient evaluations to spend on log Z
    ///
    /// Fewer are spent where fewer do. Default: a million.
    #[arg(long, value_name = "N", help_heading = "Sampling", value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) evaluations: Option<u64>,

    /// likelihood: how many chains are annealed at once, from 16
    ///
    /// With more chains intervals are narrower; for as many evaluations each is annealed faster, and log Z more often not
    /// valid. Default: 32.
    #[arg(long, value_name = "N", help_heading = "Sampling", value_parser = clap::value_parser!(u64).range(16..=65_536))]
    pub(super) chains: Option<u64>,

    /// density, samples: how many samples to draw with the checkpoint's own sampler settings; density: 0 for none
    ///
    /// Default: the run's run.samples for density, 1000 for samples.
    #[arg(
        long = "samples",
        visible_alias = "count",
        value_name = "N",
        help_heading = "Sampling"
    )]
    pub(super) count: Option<u64>,

    /// Other data to evaluate on, all of them: outputs call them named data, and take them as unseen
    ///
    /// A file, a folder, or a source that needs none, as for `afterimage energy`, and read in the same way. The report goes to
    /// evaluation-NAME.json, where NAME is what they are called. What the run was trained on, by its checksum also elsewhere, is
    /// evaluated as without --data. Default: what the run has held out of its own data (data.held_out), else its training data.
    #[arg(long, value_name = "DATA")]
    pub(super) data: Option<String>,

    /// samples, stability: compare in the features of this network, an ONNX file, in place of the built-in ones
    ///
    /// One input of 32-bit floats, samples × channels × height × width for any or a fixed number of samples, and one output,
    /// samples first, of which all else is features.
    #[arg(long, value_name = "FILE.onnx")]
    pub(super) features: Option<PathBuf>,

    /// What the feature network takes for black and for white: data.low and data.high become these
    ///
    /// Networks with ImageNet's mean and deviation inside take 0,1. Default: 0,1.
    #[arg(
        long,
        value_name = "LOW,HIGH",
        value_parser = two_numbers,
        allow_hyphen_values = true,
        requires = "features"
    )]
    pub(super) features_range: Option<[f32; 2]>,

    /// outside: other data, of the same shape as the model's
    ///
    /// A file, a folder, or a source that needs none, as for `afterimage energy`.
    #[arg(long, value_name = "DATA")]
    pub(super) against: Option<String>,

    /// Seed of all chains and of the noise on data, for density also of the points that are scored; a whole number from 0
    ///
    /// Points of a generated set that the other parts are of are drawn with the run's run.seed. Default: that one.
    #[arg(long, value_name = "N", help_heading = "Sampling", value_parser = seed())]
    pub(super) seed: Option<u64>,

    /// A folder for all files, or the picture of density (.png): both densities, the energy and the samples
    ///
    /// A folder, which is made, gets evaluation.json (with --data, too), evaluation.png, neighbours.png and stability.png, and of a
    /// run report.html, its page with these. Beside NAME.png the other pictures are NAME-neighbours.png and NAME-stability.png.
    /// Default: the run folder; where a checkpoint is named nothing is written.
    #[arg(long, value_name = "DIR|NAME.png", help_heading = "Output")]
    pub(super) out: Option<PathBuf>,

    /// Show no progress and no table; errors and warnings still appear
    #[arg(long, short, help_heading = "Output")]
    pub(super) quiet: bool,

    /// Print the figures to stdout as one JSON object
    #[arg(long, help_heading = "Output")]
    pub(super) json: bool,

    /// The adapter.
    #[command(flatten)]
    pub(super) adapter: AdapterArgs,
}

/// A part of an evaluation, in the order in which they are done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(super) enum PartArg {
    /// In the plane: the exact density of the data against the model's, by quadrature
    Density,
    /// In any dimension: log Z by annealed chains, and the likelihood of the data
    Likelihood,
    /// Fresh samples against the data and the model: distances with their floors and errors
    Samples,
    /// Whether chains from data stay with them for 100 passes of the run's sampler, and fresh ones come there, too
    Stability,
    /// How well the energy tells other data (--against) from the model's own
    Outside,
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
pub(super) struct SweepArgs {
    /// The configuration to vary.
    #[command(flatten)]
    pub(super) source: SourceArgs,

    /// Vary one setting; several times for all combinations
    ///
    /// Values as behind --set. A value with a comma in it goes in brackets or quotes, as in TOML.
    #[arg(long, value_name = "KEY=VALUE,VALUE,…", help_heading = "Cells")]
    pub(super) vary: Vec<String>,

    /// Add a row of its own, with or without a name; may be given any number of times
    ///
    /// What it sets is stronger than --set, and no budget changes it: a row's own run.steps and sampler.reuse stay.
    #[arg(
        long = "row",
        value_name = "[NAME: ]KEY=VALUE,…",
        help_heading = "Cells"
    )]
    pub(super) rows: Vec<String>,

    /// How many seeds each row is trained with: 1 to N
    #[arg(long, value_name = "N", default_value_t = 3, help_heading = "Cells", value_parser = clap::value_parser!(u64).range(1..=1000))]
    pub(super) seeds: u64,

    /// What all rows spend equally
    #[arg(
        long,
        value_enum,
        value_name = "BUDGET",
        default_value_t,
        help_heading = "Cells"
    )]
    pub(super) budget: BudgetArg,

    /// --budget gradients: the most updates on one pool of noise
    ///
    /// As many as fit, at most this: the largest divisor of snapshot.interval, or of snapshot.max_interval where that is
    /// adaptive.
    #[arg(long, value_name = "N", default_value_t = 10, help_heading = "Cells", value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) most_reuse: u64,

    /// What to evaluate of each cell, and nothing else; several with commas
    ///
    /// Default: what `afterimage evaluate` does.
    #[arg(
        long,
        value_enum,
        value_name = "PART",
        value_delimiter = ',',
        help_heading = "Evaluation"
    )]
    pub(super) only: Vec<PartArg>,

    /// As in `afterimage evaluate`: how many samples to draw
    #[arg(long = "samples", value_name = "N", help_heading = "Evaluation")]
    pub(super) count: Option<u64>,

    /// As in `afterimage evaluate`: the largest estimated error of density, in nats
    #[arg(long, value_name = "NATS", help_heading = "Evaluation", value_parser = tolerance)]
    pub(super) tolerance: Option<f64>,

    /// As in `afterimage evaluate`: the most energy-gradient evaluations to spend on log Z
    #[arg(long, value_name = "N", help_heading = "Evaluation", value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) evaluations: Option<u64>,

    /// The sweep's folder, made or gone on with
    ///
    /// Default: runs/NAME-sweep, where NAME is the preset's or the file's.
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    pub(super) out: Option<PathBuf>,

    /// Do cells again that the folder has with other settings
    ///
    /// Without it they are an error, before anything is trained.
    #[arg(long, help_heading = "Output", conflicts_with_all = ["tasks", "collect"])]
    pub(super) force: bool,

    /// Cells at a time
    ///
    /// Several share the processors: a software renderer gets as many threads for each as there are processors for it,
    /// unless LP_NUM_THREADS says so.
    #[arg(long, value_name = "N", default_value_t = 1, help_heading = "Work", value_parser = jobs)]
    pub(super) jobs: usize,

    /// Do nothing, and print a command to stdout for each cell that is still to be done
    ///
    /// They can be called from any folder and in any order, also at the same time, on machines that share DIR.
    #[arg(long, help_heading = "Work", conflicts_with_all = ["collect", "cell"])]
    pub(super) tasks: bool,

    /// Train nothing, and write what the finished cells say together
    #[arg(long, help_heading = "Work", conflicts_with = "cell")]
    pub(super) collect: bool,

    /// Do this cell alone, and compare nothing
    #[arg(long, value_name = "NAME", help_heading = "Work")]
    pub(super) cell: Option<String>,

    /// Show no progress; errors still appear
    #[arg(long, short, help_heading = "Output")]
    pub(super) quiet: bool,

    /// Print what came out to stdout, one JSON object a cell
    #[arg(long, help_heading = "Output")]
    pub(super) json: bool,

    /// The adapter.
    #[command(flatten)]
    pub(super) adapter: AdapterArgs,
}

/// What the rows of a sweep spend equally.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum BudgetArg {
    /// Optimiser steps; noise is used once
    #[default]
    Steps,
    /// Energy-gradient evaluations, those of the preset's steps at a pass each; noise is used again as far as its snapshot
    /// lasts, for as many more optimiser steps
    Gradients,
    /// Each of the two
    Both,
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
    /// The reference networks: D (8×8 digits), M (28×28, as MNIST), C (32×32 colour, as CIFAR-10)
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

/// Reads a family of kernels.
fn family() -> impl TypedValueParser<Value = KernelFamily> {
    PossibleValuesParser::new(KernelFamily::names())
        .try_map(|name| KernelFamily::named(&name).ok_or("is no family of kernels"))
}

/// Reads a seed that a run's configuration can hold.
fn seed() -> clap::builder::RangedU64ValueParser<u64> {
    clap::value_parser!(u64).range(..=LARGEST_SEED)
}

/// Reads two numbers with a comma between them.
fn two_numbers(text: &str) -> Result<[f32; 2], String> {
    let number = |text: &str| {
        text.trim()
            .parse()
            .ok()
            .filter(|number: &f32| number.is_finite())
    };
    let pair = text.split_once(',');
    let pair = pair.and_then(|(low, high)| Some([number(low)?, number(high)?]));
    pair.filter(|[low, high]| low < high)
        .ok_or_else(|| "it must be two numbers, the lower first, as 0,1 or -1,1".into())
}

/// Reads an error that `afterimage evaluate` can promise.
fn tolerance(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(nats) if (1e-6..=0.1).contains(&nats) => Ok(nats),
        _ => Err("it must be a number from 1e-6 to 0.1".into()),
    }
}

/// Reads how many processes run at a time.
fn jobs(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(jobs) if (1..=1024).contains(&jobs) => Ok(jobs),
        _ => Err("it must be a whole number from 1 to 1024".into()),
    }
}

/// Reads a time that can be waited for.
fn seconds(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(seconds) if (0.0..=3600.0).contains(&seconds) => Ok(seconds),
        _ => Err("it must be a number of seconds from 0 to 3600".into()),
    }
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
