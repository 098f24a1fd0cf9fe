//! `[sampler]`

use super::MOST_SAMPLE_STEPS;
use super::rules::{Conditional, at_least_one, count, ensure, not_negative, positive, share};
use crate::config::error::ConfigError;
use crate::config::{BoundsKind, ChainKind, Config, SamplerConfig, StartKind};
use crate::words::Word;

const MOST_SAMPLER_STEPS: u64 = 10_000;
const MOST_JUMPS: usize = 1000;
const MOST_LEAPFROG: u64 = 1000;
const MOST_CHAINS: u64 = 1 << 28;

const LAW: &str = "its steps would no longer follow the law of the energy";

#[rustfmt::skip]
pub(super) const CONDITIONAL: &[Conditional] = &[
    ("sampler.noise", "sampler.kind", |c| kind_reads(c, "noise"), "set sampler.temperature instead"),
    ("sampler.clip", "sampler.kind", |c| kind_reads(c, "clip"), LAW),
    ("sampler.bounds", "sampler.kind", |c| kind_reads(c, "bounds"), LAW),
    ("sampler.leapfrog", "sampler.kind", |c| kind_reads(c, "leapfrog"), "its steps have no leaps"),
    ("sampler.friction", "sampler.kind", |c| kind_reads(c, "friction"), "it has no velocity to keep"),
    ("sampler.adapt", "sampler.kind", adapts_or_does_not_ask_to, "it has no acceptance to adapt to"),
    ("sampler.target_acceptance", "sampler.kind", |c| kind_reads(c, "target_acceptance"), "it accepts every step"),
    ("sampler.target_acceptance", "sampler.adapt", |c| c.sampler.adapt != Some(false), "its step size stays as it is"),
    ("sampler.data_share", "sampler.start", |c| c.sampler.start == StartKind::Mixture, "only `mixture` has a share from data"),
];

pub(super) fn validate(sampler: &SamplerConfig) -> Result<(), ConfigError> {
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
        sampler.jumps == 0 || !sampler.start.takes_data(),
        "sampler.start",
        &sampler.start.name(),
        || {
            "be gaussian or uniform with sampler.jumps above 0: the density of jumps must be known"
                .into()
        },
    )?;
    ensure(
        sampler.jumps == 0
            || (sampler.noise.is_none()
                && sampler.clip == 0.0
                && sampler.bounds == BoundsKind::None),
        "sampler.jumps",
        &sampler.jumps,
        || {
            "be 0 with sampler.noise, clip or bounds, under which steps follow another law than the jumps"
                .into()
        },
    )?;
    ensure(
        sampler.anneal.is_none() || !sampler.kind.is_exact() || sampler.adapt == Some(false),
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
    let adapts = sampler.kind.is_exact() && sampler.adapt.unwrap_or(true);
    ensure(
        !adapts || sampler.steps >= 2,
        "sampler.steps",
        &sampler.steps,
        || {
            "be 2 or above to adapt the step size in the first half of them; or set sampler.adapt = false"
            .into()
        },
    )?;
    ensure(
        sampler.chains != ChainKind::Data || !sampler.start.takes_data(),
        "sampler.start",
        &sampler.start.name(),
        || {
            "be gaussian or uniform, for `sample`, with sampler.chains = data, which starts every chain from data already"
                .into()
        },
    )
}

fn kind_reads(config: &Config, key: &str) -> bool {
    config.sampler.kind.keys.contains(&key)
}

/// That nothing is adapted may be said of any kind.
fn adapts_or_does_not_ask_to(config: &Config) -> bool {
    config.sampler.adapt == Some(false) || kind_reads(config, "adapt")
}
