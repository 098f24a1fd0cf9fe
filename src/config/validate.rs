//! The ranges and enumerations of the configuration's values.

use super::check::{nearest, shortened};
use super::error::ConfigError;
use super::{
    Config, DataConfig, Interval, LayerConfig, NetworkConfig, ObjectiveConfig, OptimiserConfig,
    RunConfig, SamplerConfig, SnapshotConfig,
};
use crate::data::SOURCES;
use crate::kernels::{LANGEVIN, SAMPLERS, SamplerKind};
use crate::method::Criterion;
use std::fmt::{self, Debug};

/// The names that `network.activation` takes.
pub const ACTIVATIONS: &[&str] = &["silu", "leaky_relu", "softplus", "tanh", "identity"];
/// The names that `network.base` takes.
pub const BASES: &[&str] = &["none", "gaussian"];
/// The names that `network.initialisation` takes.
pub const INITIALISATIONS: &[&str] = &["default", "he", "xavier", "orthogonal"];
/// The names that `objective.generator` takes.
pub const GENERATORS: &[&str] = &Criterion::NAMES;
/// The names that `objective.normaliser` takes.
pub const NORMALISERS: &[&str] = &["zero", "learned", "profiled", "importance"];
/// The names that `snapshot.kind` takes.
pub const NOISE_KINDS: &[&str] = &["copy", "ema", "mixture", "gaussian", "uniform"];
/// The names that `sampler.chains` takes.
pub const CHAINS: &[&str] = &["persistent", "short_run", "data"];
/// The names that `sampler.bounds` takes.
pub const BOUNDS: &[&str] = &["none", "clamp", "reflect"];
/// The names that `sampler.start` takes.
pub const STARTS: &[&str] = &["gaussian", "uniform", "data", "mixture"];
/// The names that `optimiser.schedule` takes.
pub const SCHEDULES: &[&str] = &["constant", "cosine", "exponential"];

/// The names that `run.precision` takes.
pub const PRECISIONS: &[&str] = &["full", "mixed"];

// Below, the weights are those of `kl` to a per cent and the loss a difference of large numbers; above, single samples rule.
const SMALLEST_POWER: f32 = 0.01;
const LARGEST_POWER: f32 = 5.0;
/// f32 ends at e⁸⁸; a weight must leave room for factors and sums.
const LARGEST_LOG_WEIGHT: f32 = 60.0;

/// TOML's whole numbers are signed, so that a larger seed could not be written to a file.
const LARGEST_SEED: u64 = i64::MAX as u64;

// What no machine could hold or finish, so that a slip of the keyboard is an error and not an exhausted memory.
const MOST_BATCH: u64 = 1 << 20;
const MOST_NOISE_RATIO: u64 = 1 << 10;
const MOST_COMPONENTS: u64 = 64;
const MOST_SAMPLER_STEPS: u64 = 10_000;
const MOST_JUMPS: usize = 1000;
const MOST_LEAPFROG: u64 = 1000;
const MOST_CHAINS: u64 = 1 << 28;
const MOST_SAMPLES: u64 = 10_000;
const MOST_SAMPLE_STEPS: u64 = 1 << 24;

impl Config {
    /// Checks every value against what its key allows.
    ///
    /// What depends on the data, such as a path or a kernel larger than the image, is checked where the data is known.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Value`] for the first value found wrong.
    pub fn validate(&self) -> Result<(), ConfigError> {
        validate_data(&self.data)?;
        validate_network(&self.network)?;
        validate_objective(&self.objective)?;
        validate_snapshot(&self.snapshot)?;
        validate_sampler(&self.sampler)?;
        validate_optimiser(&self.optimiser)?;
        validate_run(&self.run)?;
        self.validate_noise()?;
        self.validate_buffer()
    }

    /// What makes sense only together: the kind of noise, its re-use, its batch and the log-normaliser.
    fn validate_noise(&self) -> Result<(), ConfigError> {
        let (kind, reuse) = (self.snapshot.kind.as_str(), self.sampler.reuse);
        let generator = Criterion::named(&self.objective.generator);
        let diverges = generator == Some(Criterion::ContrastiveDivergence);
        let from_the_live = "with objective.generator = contrastive-divergence, whose noise comes from the live model";
        ensure(!diverges || kind == "copy", "snapshot.kind", &kind, || {
            format!("be copy {from_the_live}")
        })?;
        ensure(
            !diverges || self.snapshot.interval == Interval::Every(1),
            "snapshot.interval",
            &self.snapshot.interval,
            || format!("be 1 {from_the_live}"),
        )?;
        let needs_one = match (kind, self.snapshot.interval) {
            ("gaussian" | "uniform", _) => Some("is fresh in every step at no cost"),
            ("ema", _) => Some("comes from another distribution in every step"),
            (_, Interval::Every(interval)) if !interval.is_multiple_of(reuse) => {
                Some("must not outlive its snapshot: else make it a divisor of snapshot.interval")
            }
            _ => None,
        };
        ensure(
            reuse == 1 || needs_one.is_none(),
            "sampler.reuse",
            &reuse,
            || {
                let why = needs_one.unwrap_or_default();
                format!("be 1 with snapshot.kind = \"{kind}\", whose noise {why}")
            },
        )?;
        let (count, components) = (
            self.run.batch.saturating_mul(self.objective.noise_ratio),
            self.snapshot.components,
        );
        ensure(
            kind != "mixture" || generator != Some(Criterion::Ranking),
            "objective.generator",
            &self.objective.generator,
            || {
                "be another than ranking with snapshot.kind = \"mixture\", whose components' log Z come from c, which \
                 ranking has none of"
                    .into()
            },
        )?;
        ensure(
            kind != "mixture" || self.objective.normaliser != "zero",
            "objective.normaliser",
            &self.objective.normaliser,
            || {
                "be `profiled` or another that is not zero with snapshot.kind = \"mixture\", whose components differ in log Z"
                    .into()
            },
        )?;
        ensure(
            self.snapshot.interval != Interval::Adaptive
                || self.snapshot.max_interval.is_multiple_of(reuse),
            "snapshot.max_interval",
            &self.snapshot.max_interval,
            || {
                format!(
                    "be a multiple of sampler.reuse = {reuse}, since snapshots last for whole pools"
                )
            },
        )?;
        ensure(
            kind != "mixture" || count.is_multiple_of(components),
            "snapshot.components",
            &components,
            || format!("divide run.batch × objective.noise_ratio = {count} noise samples evenly"),
        )?;
        ensure(
            !matches!(kind, "gaussian" | "uniform")
                || self.objective.normaliser != "zero"
                || generator == Some(Criterion::Ranking),
            "objective.normaliser",
            &self.objective.normaliser,
            || {
                format!(
                    "be `learned` or another that is not zero with snapshot.kind = \"{kind}\", whose log Z is 0 and the \
                     model's is not"
                )
            },
        )
    }

    /// A step draws its chains from the buffer without putting any back, so that it needs one for each noise sample.
    fn validate_buffer(&self) -> Result<(), ConfigError> {
        let (batch, ratio) = (self.run.batch, self.objective.noise_ratio);
        let needed = batch.saturating_mul(ratio);
        let has_chains = !matches!(self.snapshot.kind.as_str(), "gaussian" | "uniform");
        ensure(
            !has_chains || self.sampler.chains != "persistent" || self.sampler.buffer >= needed,
            "sampler.buffer",
            &self.sampler.buffer,
            || {
                format!(
                    "be at least run.batch × objective.noise_ratio = {needed} with persistent chains"
                )
            },
        )
    }
}

fn validate_data(data: &DataConfig) -> Result<(), ConfigError> {
    one_of("data.source", &data.source, SOURCES)?;
    finite("data.low", data.low)?;
    finite("data.high", data.high)?;
    ensure(data.low < data.high, "data.low", &data.low, || {
        format!("lie below data.high = {:?}", data.high)
    })?;
    not_negative("data.noise", data.noise)
}

fn validate_network(network: &NetworkConfig) -> Result<(), ConfigError> {
    ensure(
        !network.layers.is_empty(),
        "network.layers",
        &network.layers,
        || "have at least one layer, for instance [{ dense = 1 }]".into(),
    )?;
    let mut dense_before = false;
    for (index, layer) in network.layers.iter().enumerate() {
        let key = |name: &str| format!("network.layers[{index}].{name}");
        match *layer {
            LayerConfig::Conv {
                conv,
                kernel,
                stride,
                padding,
            } => {
                at_least_one(&key("conv"), conv as u64)?;
                at_least_one(&key("kernel"), kernel as u64)?;
                at_least_one(&key("stride"), stride as u64)?;
                ensure(padding < kernel, &key("padding"), &padding, || {
                    format!(
                        "be less than the kernel's size {kernel}, or outputs would see only padding"
                    )
                })?;
                before_dense(dense_before, &key("conv"), &conv)?;
            }
            LayerConfig::Dense { dense } => {
                at_least_one(&key("dense"), dense as u64)?;
                dense_before = true;
            }
            LayerConfig::Residual {
                residual,
                kernel,
                pool,
            } => {
                at_least_one(&key("residual"), residual as u64)?;
                ensure(kernel % 2 == 1, &key("kernel"), &kernel, || {
                    "be odd, so that both branches of the block keep the size of the image".into()
                })?;
                at_least_one(&key("pool"), pool as u64)?;
                before_dense(dense_before, &key("residual"), &residual)?;
            }
            LayerConfig::Pool { pool } => {
                at_least_one(&key("pool"), pool as u64)?;
                before_dense(dense_before, &key("pool"), &pool)?;
            }
            LayerConfig::GlobalSum { global_sum } => {
                ensure(global_sum, &key("global_sum"), &global_sum, || {
                    "be true, or the layer be left out".into()
                })?;
                before_dense(dense_before, &key("global_sum"), &global_sum)?;
            }
        }
    }
    let is_pooling = |layer: &LayerConfig| {
        matches!(
            layer,
            LayerConfig::Pool { .. } | LayerConfig::GlobalSum { .. }
        )
    };
    let last = network.layers.iter().rfind(|layer| !is_pooling(layer));
    ensure(last.is_some(), "network.layers", &network.layers, || {
        "have something to learn: a conv, dense or residual layer".into()
    })?;
    let residual_head = matches!(last, Some(LayerConfig::Residual { .. }));
    ensure(
        !(network.zero_head && residual_head),
        "network.zero_head",
        &network.zero_head,
        || {
            "be false where a residual block is the last layer with weights, since its skip is not zero: put { dense = 1 } or a conv behind it"
                .into()
        },
    )?;
    ensure(
        !(network.zero_head && network.spectral_norm),
        "network.zero_head",
        &network.zero_head,
        || "be false with network.spectral_norm, which cannot normalise a weight of zeros".into(),
    )?;
    let scale = network.first_weight_scale;
    ensure(
        scale == 1.0 || !network.spectral_norm,
        "network.first_weight_scale",
        &scale,
        || "be 1 with network.spectral_norm, which divides it out again".into(),
    )?;
    one_of("network.activation", &network.activation, ACTIVATIONS)?;
    share("network.slope", network.slope)?;
    one_of("network.base", &network.base, BASES)?;
    finite("network.base_mean", network.base_mean)?;
    positive("network.base_std", network.base_std)?;
    one_of(
        "network.initialisation",
        &network.initialisation,
        INITIALISATIONS,
    )?;
    positive("network.first_weight_scale", network.first_weight_scale)?;
    not_negative("network.first_bias_scale", network.first_bias_scale)
}

fn validate_snapshot(snapshot: &SnapshotConfig) -> Result<(), ConfigError> {
    one_of("snapshot.kind", &snapshot.kind, NOISE_KINDS)?;
    match snapshot.interval {
        Interval::Every(steps) => at_least_one("snapshot.interval", steps)?,
        Interval::Adaptive => ensure(
            snapshot.kind == "copy",
            "snapshot.interval",
            &snapshot.interval,
            || format!("be a number with snapshot.kind = \"{}\"", snapshot.kind),
        )?,
    }
    share("snapshot.ess_threshold", snapshot.ess_threshold)?;
    at_least_one("snapshot.max_interval", snapshot.max_interval)?;
    decay("snapshot.decay", snapshot.decay)?;
    count("snapshot.components", snapshot.components, MOST_COMPONENTS)
}

fn before_dense<T: Debug>(dense_before: bool, key: &str, given: &T) -> Result<(), ConfigError> {
    ensure(!dense_before, key, given, || {
        "come before every dense layer, since those flatten the image".into()
    })
}

fn validate_objective(objective: &ObjectiveConfig) -> Result<(), ConfigError> {
    one_of("objective.generator", &objective.generator, GENERATORS)?;
    count(
        "objective.noise_ratio",
        objective.noise_ratio,
        MOST_NOISE_RATIO,
    )?;
    one_of("objective.normaliser", &objective.normaliser, NORMALISERS)?;
    let why = match Criterion::named(&objective.generator) {
        Some(Criterion::Ranking) => "cancels",
        Some(Criterion::ContrastiveDivergence) => "does not occur",
        _ => "",
    };
    ensure(
        why.is_empty() || objective.normaliser == "zero",
        "objective.normaliser",
        &objective.normaliser,
        || {
            format!(
                "be `zero` with objective.generator = {}, where the log-normaliser difference {why}",
                objective.generator
            )
        },
    )?;
    positive("objective.normaliser_rate", objective.normaliser_rate)?;
    decay("objective.normaliser_decay", objective.normaliser_decay)?;
    within(
        "objective.power",
        objective.power,
        SMALLEST_POWER,
        LARGEST_POWER,
    )?;
    // The steepest of the other weights is r².
    let steepest = match objective.generator.as_str() {
        "power" => (1.0 + objective.power).max(2.0),
        _ => 2.0,
    };
    ensure(
        objective.clamp > 0.0 && steepest * objective.clamp <= LARGEST_LOG_WEIGHT,
        "objective.clamp",
        &objective.clamp,
        || {
            let most = LARGEST_LOG_WEIGHT / steepest;
            format!("be above 0 and at most {most}, or weights would overflow")
        },
    )?;
    not_negative("objective.energy_l2", objective.energy_l2)
}

fn validate_sampler(sampler: &SamplerConfig) -> Result<(), ConfigError> {
    one_of("sampler.chains", &sampler.chains, CHAINS)?;
    count("sampler.steps", sampler.steps, MOST_SAMPLER_STEPS)?;
    ensure(
        sampler.buffer as u64 <= MOST_CHAINS,
        "sampler.buffer",
        &sampler.buffer,
        || format!("be at most {MOST_CHAINS}"),
    )?;
    positive("sampler.step_size", sampler.step_size)?;
    not_negative("sampler.noise", sampler.noise.unwrap_or(0.0))?;
    positive("sampler.temperature", sampler.temperature)?;
    positive("sampler.anneal", sampler.anneal.unwrap_or(1.0))?;
    count("sampler.leapfrog", sampler.leapfrog, MOST_LEAPFROG)?;
    positive("sampler.friction", sampler.friction)?;
    let target = sampler.target_acceptance.unwrap_or(0.5);
    ensure(
        target > 0.0 && target < 1.0,
        "sampler.target_acceptance",
        &target,
        || "lie between 0 and 1, without either".into(),
    )?;
    not_negative("sampler.clip", sampler.clip)?;
    one_of("sampler.bounds", &sampler.bounds, BOUNDS)?;
    one_of("sampler.start", &sampler.start, STARTS)?;
    positive("sampler.start_std", sampler.start_std)?;
    share("sampler.data_share", sampler.data_share)?;
    share("sampler.restart", sampler.restart)?;
    ensure(
        sampler.jumps <= MOST_JUMPS,
        "sampler.jumps",
        &sampler.jumps,
        || format!("be at most {MOST_JUMPS}"),
    )?;
    ensure(
        sampler.jumps == 0 || matches!(sampler.start.as_str(), "gaussian" | "uniform"),
        "sampler.start",
        &sampler.start,
        || {
            "be gaussian or uniform with sampler.jumps above 0: the density of jumps must be known"
                .into()
        },
    )?;
    ensure(
        sampler.jumps == 0
            || (sampler.noise.is_none() && sampler.clip == 0.0 && sampler.bounds == "none"),
        "sampler.jumps",
        &sampler.jumps,
        || {
            "be 0 with sampler.noise, clip or bounds, under which steps follow another law than the jumps"
                .into()
        },
    )?;
    ensure(
        sampler.anneal.is_none()
            || SamplerKind::named(&sampler.kind).is_none_or(|kind| !kind.is_exact())
            || sampler.adapt == Some(false),
        "sampler.anneal",
        &sampler.anneal.unwrap_or_default(),
        || {
            "be left out, or sampler.adapt = false: the step size would be adapted to chains that are still hot".into()
        },
    )?;
    at_least_one("sampler.reuse", sampler.reuse)?;
    ensure(
        sampler.probe as u64 <= MOST_SAMPLE_STEPS,
        "sampler.probe",
        &sampler.probe,
        || format!("be at most {MOST_SAMPLE_STEPS}"),
    )?;
    validate_kind(sampler)
}

/// Refuses what makes no sense together.
fn validate_kind(sampler: &SamplerConfig) -> Result<(), ConfigError> {
    let kinds = SAMPLERS.map(|kind| kind.name);
    one_of("sampler.kind", &sampler.kind, &kinds)?;
    let kind = SamplerKind::named(&sampler.kind).unwrap_or(&LANGEVIN);
    let default = SamplerConfig::default();
    let law = "its steps would no longer follow the law of the energy";
    // The keys that not every kind reads: whether they are left alone, and what a kind without them would make of them.
    for (key, is_default, given, why) in [
        (
            "noise",
            sampler.noise.is_none(),
            format!("{:?}", sampler.noise.unwrap_or_default()),
            "set sampler.temperature instead",
        ),
        (
            "clip",
            sampler.clip == 0.0,
            format!("{:?}", sampler.clip),
            law,
        ),
        (
            "bounds",
            sampler.bounds == "none",
            format!("{:?}", sampler.bounds),
            law,
        ),
        (
            "leapfrog",
            sampler.leapfrog == default.leapfrog,
            sampler.leapfrog.to_string(),
            "its steps have no leaps",
        ),
        (
            "friction",
            sampler.friction == default.friction,
            format!("{:?}", sampler.friction),
            "it has no velocity to keep",
        ),
        (
            "adapt",
            sampler.adapt != Some(true),
            format!("{:?}", sampler.adapt.unwrap_or_default()),
            "it has no acceptance to adapt to",
        ),
        (
            "target_acceptance",
            sampler.target_acceptance.is_none(),
            format!("{:?}", sampler.target_acceptance.unwrap_or_default()),
            "it accepts every step",
        ),
    ] {
        ensure(
            is_default || kind.keys.contains(&key),
            &format!("sampler.{key}"),
            &Plain(given),
            || format!("be left out with sampler.kind = {}: {why}", kind.name),
        )?;
    }
    ensure(
        sampler.noise.is_none() || (sampler.temperature == 1.0 && sampler.anneal.is_none()),
        "sampler.noise",
        &sampler.noise.unwrap_or_default(),
        || "be left out where sampler.temperature or sampler.anneal says how much there is".into(),
    )?;
    let adapts = kind.is_exact() && sampler.adapt.unwrap_or(true);
    ensure(
        adapts || sampler.target_acceptance.is_none(),
        "sampler.target_acceptance",
        &sampler.target_acceptance.unwrap_or_default(),
        || "be left out with sampler.adapt = false".into(),
    )?;
    ensure(
        !adapts || sampler.steps >= 2,
        "sampler.steps",
        &sampler.steps,
        || {
            "be 2 or above to adapt the step size in the first half of them; or set sampler.adapt = false"
            .into()
        },
    )?;
    let starts_from_data = matches!(sampler.start.as_str(), "data" | "mixture");
    ensure(
        sampler.chains != "data" || !starts_from_data,
        "sampler.start",
        &sampler.start,
        || {
            "be gaussian or uniform, for `sample`, with sampler.chains = data, which starts every chain from data already"
                .into()
        },
    )
}

fn validate_optimiser(optimiser: &OptimiserConfig) -> Result<(), ConfigError> {
    positive("optimiser.rate", optimiser.rate)?;
    one_of("optimiser.schedule", &optimiser.schedule, SCHEDULES)?;
    share("optimiser.final_rate", optimiser.final_rate)?;
    ensure(
        optimiser.schedule != "exponential" || optimiser.final_rate > 0.0,
        "optimiser.final_rate",
        &optimiser.final_rate,
        || "be above 0 with the exponential schedule, which never reaches 0".into(),
    )?;
    decay("optimiser.beta1", optimiser.beta1)?;
    decay("optimiser.beta2", optimiser.beta2)?;
    positive("optimiser.epsilon", optimiser.epsilon)?;
    not_negative("optimiser.weight_decay", optimiser.weight_decay)?;
    not_negative("optimiser.gradient_clip", optimiser.gradient_clip)?;
    decay("optimiser.average", optimiser.average)
}

fn validate_run(run: &RunConfig) -> Result<(), ConfigError> {
    at_least_one("run.steps", run.steps)?;
    count("run.batch", run.batch, MOST_BATCH)?;
    at_least_one("run.slice", run.slice.unwrap_or(1) as u64)?;
    at_least_one("run.memory", run.memory.unwrap_or(1))?;
    one_of("run.precision", &run.precision, PRECISIONS)?;
    ensure(run.seed <= LARGEST_SEED, "run.seed", &run.seed, || {
        format!("be at most {LARGEST_SEED}")
    })?;
    count("run.samples", run.samples, MOST_SAMPLES)?;
    count("run.sample_steps", run.sample_steps, MOST_SAMPLE_STEPS)
}

/// A text that messages show as it is.
struct Plain(String);

impl Debug for Plain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Refuses `given` unless it is `fine`; `allowed` completes the sentence "it must …".
fn ensure<T: Debug>(
    fine: bool,
    key: &str,
    given: &T,
    allowed: impl FnOnce() -> String,
) -> Result<(), ConfigError> {
    if fine {
        return Ok(());
    }
    Err(ConfigError::Value {
        key: key.into(),
        given: shortened(format!("{given:?}").chars()),
        allowed: allowed(),
    })
}

fn one_of(key: &str, given: &str, choices: &[&str]) -> Result<(), ConfigError> {
    ensure(choices.contains(&given), key, &given, || match choices {
        [only] => format!("be `{only}`"),
        _ => format!(
            "be one of {}; did you mean `{}`?",
            choices.join(", "),
            nearest(given, choices)
        ),
    })
}

fn at_least_one(key: &str, given: u64) -> Result<(), ConfigError> {
    ensure(given >= 1, key, &given, || "be 1 or above".into())
}

/// A number of things that must be held or done.
fn count(key: &str, given: usize, most: u64) -> Result<(), ConfigError> {
    ensure((1..=most).contains(&(given as u64)), key, &given, || {
        format!("lie between 1 and {most}")
    })
}

// The comparisons below are written so that NaN fails each of them.

fn finite(key: &str, given: f32) -> Result<(), ConfigError> {
    ensure(given.is_finite(), key, &given, || {
        "be a finite number".into()
    })
}

fn positive(key: &str, given: f32) -> Result<(), ConfigError> {
    ensure(given > 0.0 && given.is_finite(), key, &given, || {
        "be a finite number above 0".into()
    })
}

fn not_negative(key: &str, given: f32) -> Result<(), ConfigError> {
    ensure(given >= 0.0 && given.is_finite(), key, &given, || {
        "be a finite number, 0 or above".into()
    })
}

fn within(key: &str, given: f32, low: f32, high: f32) -> Result<(), ConfigError> {
    ensure((low..=high).contains(&given), key, &given, || {
        format!("lie between {low} and {high}")
    })
}

/// A share lies in [0, 1].
fn share(key: &str, given: f32) -> Result<(), ConfigError> {
    ensure((0.0..=1.0).contains(&given), key, &given, || {
        "lie between 0 and 1".into()
    })
}

/// The decay of a moving average lies in [0, 1).
fn decay(key: &str, given: f32) -> Result<(), ConfigError> {
    ensure((0.0..1.0).contains(&given), key, &given, || {
        "be 0 or above and below 1".into()
    })
}
