//! `[sampler]`

use super::MOST_SAMPLE_STEPS;
use super::rules::{at_least_one, count, ensure, not_negative, one_of, positive, share};
use crate::config::SamplerConfig;
use crate::config::error::ConfigError;
use crate::kernels::{SAMPLERS, SamplerKind};

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
    one_of(
        "sampler.kind",
        &sampler.kind,
        &SAMPLERS.map(|kind| kind.name),
    )
}

/// What makes sense only together, among values that are read.
pub(super) fn validate_together(sampler: &SamplerConfig) -> Result<(), ConfigError> {
    ensure(
        sampler.noise.is_none() || (sampler.temperature == 1.0 && sampler.anneal.is_none()),
        "sampler.noise",
        &sampler.noise.unwrap_or_default(),
        || "be left out where sampler.temperature or sampler.anneal says how much there is".into(),
    )?;
    let anneal = sampler.anneal.unwrap_or(sampler.temperature);
    ensure(
        anneal >= sampler.temperature,
        "sampler.anneal",
        &anneal,
        || {
            format!(
                "be at least sampler.temperature = {:?}, so that chains cool and do not warm up",
                sampler.temperature
            )
        },
    )?;
    let is_exact = SamplerKind::named(&sampler.kind).is_some_and(SamplerKind::is_exact);
    let adapts = is_exact && sampler.adapt.unwrap_or(true);
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
