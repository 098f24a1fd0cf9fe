//! `[sampler]`

use super::MOST_SAMPLE_STEPS;
use super::rules::{at_least_one, count, ensure, not_negative, one_of, positive, share};
use crate::config::SamplerConfig;
use crate::config::error::ConfigError;
use crate::kernels::{LANGEVIN, SAMPLERS, SamplerKind};
use std::fmt::{self, Debug};

/// The names that `sampler.chains` takes.
pub const CHAINS: &[&str] = &["persistent", "short_run", "data"];
/// The names that `sampler.bounds` takes.
pub const BOUNDS: &[&str] = &["none", "clamp", "reflect"];
/// The names that `sampler.start` takes.
pub const STARTS: &[&str] = &["gaussian", "uniform", "data", "mixture"];

const MOST_SAMPLER_STEPS: u64 = 10_000;
const MOST_JUMPS: usize = 1000;
const MOST_LEAPFROG: u64 = 1000;
const MOST_CHAINS: u64 = 1 << 28;

pub(super) fn validate(sampler: &SamplerConfig) -> Result<(), ConfigError> {
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

/// A text that messages show as it is.
struct Plain(String);

impl Debug for Plain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
