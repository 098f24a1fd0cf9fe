//! What is asked of a trained model.

use super::values::{seed, two_numbers};
use super::{AdapterArgs, ModelArgs};
use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// Arguments of `afterimage sample`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  afterimage sample runs/digits
  afterimage sample runs/digits --count 100 --steps 1000 --out digits.png
  afterimage sample runs/digits --out chain.gif
  afterimage sample runs/digits --steps-shown 8 --energies --out chains.png")]
pub(in crate::cli) struct SampleArgs {
    /// The model.
    #[command(flatten)]
    pub(in crate::cli) model: ModelArgs,

    /// How many samples to draw, each from a chain of its own
    ///
    /// Default: the run's run.samples.
    #[arg(long, value_name = "N", help_heading = "Sampling", value_parser = clap::value_parser!(u64).range(1..))]
    pub(in crate::cli) count: Option<u64>,

    /// Sampler steps from a fresh start
    ///
    /// Default: the run's run.sample_steps.
    #[arg(long, value_name = "N", help_heading = "Sampling", value_parser = clap::value_parser!(u64).range(1..))]
    pub(in crate::cli) steps: Option<u64>,

    /// Seed of every random number, a whole number from 0
    ///
    /// Default: the run's run.seed.
    #[arg(long, value_name = "N", help_heading = "Sampling", value_parser = seed())]
    pub(in crate::cli) seed: Option<u64>,

    /// The file to write: .png (a grid), .npy (the values, as the model sees them) or .gif (how the chains get there)
    ///
    /// Default: samples.png in the current folder.
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub(in crate::cli) out: Option<PathBuf>,

    /// Show each chain at N times, from its start to its end: a row of pictures, or in the plane a path over the landscape
    ///
    /// --count says how many chains, by default up to 8. Where training added noise to the data, a
    /// last column shows the states after they are denoised.
    #[arg(long, value_name = "N", help_heading = "Output", value_parser = clap::value_parser!(u64).range(2..=64), conflicts_with = "interpolate")]
    pub(in crate::cli) steps_shown: Option<u64>,

    /// Show N pictures on the straight line from one sample to another, with their energies
    ///
    /// A row for each two samples; --count says how many rows, by default up to 8.
    #[arg(long, value_name = "N", help_heading = "Output", value_parser = clap::value_parser!(u64).range(3..=64))]
    pub(in crate::cli) interpolate: Option<u64>,

    /// Write the energy of each picture below it
    #[arg(long, help_heading = "Output")]
    pub(in crate::cli) energies: bool,

    /// Show no progress; errors and warnings still appear
    #[arg(long, short, help_heading = "Output")]
    pub(in crate::cli) quiet: bool,

    /// Print a JSON summary to stdout: the file, the settings and the energies
    #[arg(long, help_heading = "Output")]
    pub(in crate::cli) json: bool,

    /// The adapter.
    #[command(flatten)]
    pub(in crate::cli) adapter: AdapterArgs,
}

/// Arguments of `afterimage energy`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  afterimage energy runs/digits digits
  afterimage energy runs/mnist t10k-images-idx3-ubyte.gz --out energies.csv
  afterimage energy runs/digits digits --out most-and-least-probable.png
  afterimage energy runs/8gaussians points.npy --json")]
pub(in crate::cli) struct EnergyArgs {
    /// The model.
    #[command(flatten)]
    pub(in crate::cli) model: ModelArgs,

    /// The data to score: a file, a folder of pictures, or the name of a source that needs neither (digits, moons, …)
    ///
    /// Its kind is told by its content; --set data.source=KIND forces one. Its values are scaled as the model's training
    /// data was, or taken as the model's own where only that fits; where both would, --set data.range says it. What was
    /// decided is printed. The noise added in training is left out. Of generated data, which have no end, 10,000 samples
    /// are scored.
    #[arg(value_name = "DATA")]
    pub(in crate::cli) data: String,

    /// The file to write, one energy a sample in the order of the data: .npy or .csv; or .png, a picture
    ///
    /// The picture has the 30 samples of lowest and the 30 of highest energy, in order, each with its energy.
    /// The columns of .csv are index (from 0), energy, and of pictures file (its path from DATA) and class (the folder in
    /// DATA that it lies in; only where there is one).
    ///
    /// Default: none; a summary of the energies is printed.
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub(in crate::cli) out: Option<PathBuf>,

    /// Print the summary to stdout as JSON
    #[arg(long, help_heading = "Output")]
    pub(in crate::cli) json: bool,

    /// The adapter.
    #[command(flatten)]
    pub(in crate::cli) adapter: AdapterArgs,
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
  afterimage evaluate runs/digits/checkpoints/005000.safetensors --out elsewhere
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
pub(in crate::cli) struct EvaluateArgs {
    /// The model.
    #[command(flatten)]
    pub(in crate::cli) model: ModelArgs,

    /// What to evaluate, and nothing else; several with commas
    ///
    /// Default: density where the data is a generated planar set, whose density is known; else samples,
    /// stability, and likelihood where the model has a Gaussian base; and outside with --against.
    #[arg(long, value_enum, value_name = "PART", value_delimiter = ',')]
    pub(in crate::cli) only: Vec<PartArg>,

    /// density: the largest estimated error in nats, from 1e-6 to 0.1
    ///
    /// It holds for log Z, the likelihood, the entropies and KL(data‖model); KL(model‖data) and the total variation have
    /// kinks in their integrands, converge more slowly, and say their errors.
    #[arg(long, value_name = "NATS", default_value_t = 1e-4)]
    pub(in crate::cli) tolerance: f64,

    /// likelihood: the most energy-gradient evaluations to spend on log Z
    ///
    /// Fewer are spent where fewer do. Default: a million.
    #[arg(long, value_name = "N", help_heading = "Sampling", value_parser = clap::value_parser!(u64).range(1..))]
    pub(in crate::cli) evaluations: Option<u64>,

    /// likelihood: how many chains are annealed at once, from 16
    ///
    /// With more chains intervals are narrower; for as many evaluations each is annealed faster, and log Z more often not
    /// valid. Default: 32.
    #[arg(long, value_name = "N", help_heading = "Sampling", value_parser = clap::value_parser!(u64).range(16..=65_536))]
    pub(in crate::cli) chains: Option<u64>,

    /// density, samples: how many samples to draw with the checkpoint's own sampler settings; density: 0 for none
    ///
    /// Default: the run's run.samples for density, 1000 for samples.
    #[arg(
        long = "samples",
        visible_alias = "count",
        value_name = "N",
        help_heading = "Sampling"
    )]
    pub(in crate::cli) count: Option<u64>,

    /// Other data to evaluate on, all of them: outputs call them named data, and take them as unseen
    ///
    /// A file, a folder, or a source that needs none, as for `afterimage energy`, and read in the same way. The report goes to
    /// evaluation-NAME.json, where NAME is what they are called. What the run was trained on, by its checksum also elsewhere, is
    /// evaluated as without --data. Default: what the run has held out of its own data (data.held_out), else its training data.
    #[arg(long, value_name = "DATA")]
    pub(in crate::cli) data: Option<String>,

    /// samples, stability: compare in the features of this network, an ONNX file, in place of the built-in ones
    ///
    /// One input of 32-bit floats, samples × channels × height × width for any or a fixed number of samples, and one output,
    /// samples first, of which all else is features.
    #[arg(long, value_name = "FILE.onnx")]
    pub(in crate::cli) features: Option<PathBuf>,

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
    pub(in crate::cli) features_range: Option<[f32; 2]>,

    /// outside: other data, of the same shape as the model's
    ///
    /// A file, a folder, or a source that needs none, as for `afterimage energy`.
    #[arg(long, value_name = "DATA")]
    pub(in crate::cli) against: Option<String>,

    /// Seed of all chains and of the noise on data, for density also of the points that are scored; a whole number from 0
    ///
    /// Points of a generated set that the other parts are of are drawn with the run's run.seed. Default: that one.
    #[arg(long, value_name = "N", help_heading = "Sampling", value_parser = seed())]
    pub(in crate::cli) seed: Option<u64>,

    /// A folder for all files, or the picture of density (.png): both densities, the energy and the samples
    ///
    /// A folder, which is made, gets evaluation.json (with --data, too), evaluation.png, neighbours.png and stability.png, and of a
    /// run report.html, its page with these. Beside NAME.png the other pictures are NAME-neighbours.png and NAME-stability.png.
    /// Default: the run folder; where a checkpoint is named nothing is written.
    #[arg(long, value_name = "DIR|NAME.png", help_heading = "Output")]
    pub(in crate::cli) out: Option<PathBuf>,

    /// Show no progress and no table; errors and warnings still appear
    #[arg(long, short, help_heading = "Output")]
    pub(in crate::cli) quiet: bool,

    /// Print the figures to stdout as one JSON object
    #[arg(long, help_heading = "Output")]
    pub(in crate::cli) json: bool,

    /// The adapter.
    #[command(flatten)]
    pub(in crate::cli) adapter: AdapterArgs,
}

/// A part of an evaluation, in the order in which they are done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(in crate::cli) enum PartArg {
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
