//! `[sampler]`

use super::MOST_SAMPLE_STEPS;
use super::rules::{
    Conditional, at_least_one, at_most, count, ensure, if_given, key, not_negative, positive, share,
};
use crate::config::error::ConfigError;
use crate::config::{BoundsKind, ChainKind, Config, SamplerConfig, StartKind};
use crate::method::FEWEST_RECORDS;

const MOST_SAMPLER_STEPS: usize = 10_000;
const MOST_JUMPS: usize = 1000;
const MOST_LEAPFROG: usize = 1000;
const MOST_CHAINS: usize = 1 << 28;

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
    ("sampler.traces", "snapshot.kind", |c| c.snapshot.kind.needs_chains(), "no chains leave traces"),
    ("sampler.traces", "sampler.probe", is_judged, "no other look is taken at the chains, for want of sampler.diagnose or of 4 steps"),
    ("sampler.data_share", "sampler.start", |c| c.sampler.start == StartKind::Mixture, "only `mixture` has a share from data"),
];

pub(super) fn validate(sampler: &SamplerConfig) -> Result<(), ConfigError> {
    count(key!(sampler.steps), MOST_SAMPLER_STEPS)?;
    at_most(key!(sampler.buffer), MOST_CHAINS)?;
    positive(key!(sampler.step_size))?;
    if_given(key!(sampler.noise), not_negative)?;
    positive(key!(sampler.temperature))?;
    if_given(key!(sampler.anneal), positive)?;
    count(key!(sampler.leapfrog), MOST_LEAPFROG)?;
    positive(key!(sampler.friction))?;
    if_given(key!(sampler.target_acceptance), |target| {
        let fine = *target.1 > 0.0 && *target.1 < 1.0;
        ensure(target, fine, "lie between 0 and 1, without either")
    })?;
    not_negative(key!(sampler.clip))?;
    positive(key!(sampler.start_std))?;
    share(key!(sampler.data_share))?;
    share(key!(sampler.restart))?;
    at_most(key!(sampler.jumps), MOST_JUMPS)?;
    ensure(
        key!(sampler.start),
        sampler.jumps == 0 || !sampler.start.takes_data(),
        "be gaussian or uniform with sampler.jumps above 0: the density of jumps must be known",
    )?;
    let is_plain =
        sampler.noise.is_none() && sampler.clip == 0.0 && sampler.bounds == BoundsKind::None;
    ensure(
        key!(sampler.jumps),
        sampler.jumps == 0 || is_plain,
        "be 0 with sampler.noise, clip or bounds, under which steps follow another law than the jumps",
    )?;
    ensure(
        key!(sampler.anneal),
        sampler.anneal.is_none() || !sampler.kind.is_exact() || sampler.adapt == Some(false),
        "be left out, or sampler.adapt = false: the step size would be adapted to chains that are still hot",
    )?;
    at_least_one(key!(sampler.reuse))?;
    at_most(key!(sampler.probe), MOST_SAMPLE_STEPS)
}

/// What makes sense only together, among values that are read.
pub(super) fn validate_together(sampler: &SamplerConfig) -> Result<(), ConfigError> {
    let temperature = sampler.temperature;
    ensure(
        key!(sampler.noise),
        sampler.noise.is_none() || (temperature == 1.0 && sampler.anneal.is_none()),
        "be left out where sampler.temperature or sampler.anneal says how much there is",
    )?;
    ensure(
        key!(sampler.anneal),
        sampler.anneal.is_none_or(|anneal| anneal >= temperature),
        format_args!(
            "be at least sampler.temperature = {temperature:?}, so that chains cool and do not warm up"
        ),
    )?;
    let adapts = sampler.kind.is_exact() && sampler.adapt.unwrap_or(true);
    ensure(
        key!(sampler.steps),
        !adapts || sampler.steps >= 2,
        "be 2 or above to adapt the step size in the first half of them; or set sampler.adapt = false",
    )?;
    ensure(
        key!(sampler.start),
        sampler.chains != ChainKind::Data || !sampler.start.takes_data(),
        "be gaussian or uniform, for `sample`, with sampler.chains = data, which starts every chain from data already",
    )
}

/// Whether a look is taken at the chains, by the probe or along a pass.
fn is_judged(config: &Config) -> bool {
    let sampler = &config.sampler;
    let passes = if sampler.diagnose > 0 {
        sampler.steps
    } else {
        0
    };
    sampler.probe.max(passes) >= FEWEST_RECORDS
}

fn kind_reads(config: &Config, key: &str) -> bool {
    config.sampler.kind.keys.contains(&key)
}

/// That nothing is adapted may be said of any kind.
fn adapts_or_does_not_ask_to(config: &Config) -> bool {
    config.sampler.adapt == Some(false) || kind_reads(config, "adapt")
}
