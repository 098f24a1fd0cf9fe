//! `[sampler]`

use super::MOST_SAMPLE_STEPS;
use super::rules::{Conditional, Findings, key};
use crate::config::{BoundsKind, ChainKind, Config, Interval, JumpKind, SamplerConfig, StartKind};
use crate::method::FEWEST_RECORDS;
use crate::words::Word;

const MOST_SAMPLER_STEPS: usize = 10_000;
const MOST_JUMPS: usize = 1000;
const MOST_GAUSSIANS: usize = 64;
const MOST_PASSES: usize = 10_000;
const MOST_LEAPFROG: usize = 1000;
pub(super) const MOST_CHAINS: usize = 1 << 28;

const NO_CHAINS: &str = "fixed noise needs no chains";
const LAW: &str = "its steps would no longer follow the law of the energy";

#[rustfmt::skip]
pub(super) const CONDITIONAL: &[Conditional] = &[
    ("sampler.noise", "sampler.kind", |c| kind_reads(c, "noise"), "set sampler.temperature instead"),
    ("sampler.clip", "sampler.kind", |c| kind_reads(c, "clip"), LAW),
    ("sampler.bounds", "sampler.kind", |c| kind_reads(c, "bounds"), LAW),
    ("sampler.leapfrog", "sampler.kind", |c| kind_reads(c, "leapfrog"), "its steps have no leaps"),
    ("sampler.integrator", "sampler.kind", |c| kind_reads(c, "integrator"), "its steps are of one gradient"),
    ("sampler.friction", "sampler.kind", |c| kind_reads(c, "friction"), "it has no velocity to keep"),
    ("sampler.adapt", "sampler.kind", adapts_or_does_not_ask_to, "it has no acceptance to adapt to"),
    ("sampler.target_acceptance", "sampler.kind", |c| kind_reads(c, "target_acceptance"), "it accepts every step"),
    ("sampler.target_acceptance", "sampler.adapt", |c| c.sampler.adapt != Some(false), "its step size stays as it is"),
    ("sampler.traces", "snapshot.kind", |c| c.snapshot.kind.needs_chains(), "no chains leave traces"),
    ("sampler.traces", "sampler.probe", is_judged, "no other look is taken at the chains, for want of sampler.diagnose or of 4 steps"),
    ("sampler.reuse_threshold", "sampler.reuse", |c| c.sampler.reuse == Interval::Adaptive, "only `adaptive` has a threshold"),
    ("sampler.max_reuse", "sampler.reuse", |c| c.sampler.reuse == Interval::Adaptive, "only `adaptive` has a limit"),
    ("sampler.jump_to", "sampler.jumps", |c| c.sampler.jumps > 0, "no chain jumps"),
    ("sampler.gaussians", "sampler.jump_to", |c| c.sampler.jump_to == JumpKind::Gaussians, "only `gaussians` are so many"),
    ("sampler.data_share", "sampler.start", |c| c.sampler.start == StartKind::Mixture, "only `mixture` has a share from data"),
];

#[rustfmt::skip]
pub(super) const WARNED: &[Conditional] = &[
    ("sampler.chains", "snapshot.kind", |c| c.snapshot.kind.needs_chains(), NO_CHAINS),
    ("sampler.buffer", "snapshot.kind", |c| c.snapshot.kind.needs_chains(), NO_CHAINS),
    ("sampler.buffer", "sampler.chains", |c| c.sampler.chains == ChainKind::Persistent, "only `persistent` chains are kept"),
    ("sampler.restart", "snapshot.kind", |c| c.snapshot.kind.needs_chains(), NO_CHAINS),
    ("sampler.restart", "sampler.chains", |c| c.sampler.chains == ChainKind::Persistent, "all chains start afresh"),
    ("sampler.diagnose", "snapshot.kind", |c| c.snapshot.kind.needs_chains(), NO_CHAINS),
    ("sampler.probe", "snapshot.kind", |c| c.snapshot.kind.needs_chains(), NO_CHAINS),
    ("sampler.start_std", "sampler.start", |c| c.sampler.start != StartKind::Uniform, "no chain starts from a Gaussian"),
];

pub(super) fn validate(sampler: &SamplerConfig, found: &mut Findings) {
    found.count(key!(sampler.steps), MOST_SAMPLER_STEPS);
    found.at_most(key!(sampler.buffer), MOST_CHAINS);
    found.positive(key!(sampler.step_size));
    found.if_given(key!(sampler.noise), Findings::not_negative);
    found.positive(key!(sampler.temperature));
    found.if_given(key!(sampler.anneal), Findings::positive);
    found.count(key!(sampler.leapfrog), MOST_LEAPFROG);
    let stages = sampler.integrator.stages();
    found
        .ensure(
            key!(sampler.leapfrog),
            sampler.leapfrog.is_multiple_of(stages) || !sampler.kind.keys.contains(&"leapfrog"),
            format_args!(
                "be a multiple of {stages}, the gradients of a step by sampler.integrator = {:?}",
                sampler.integrator.name
            ),
        )
        .mended_by(
            "sampler.leapfrog",
            sampler.leapfrog.next_multiple_of(stages),
        );
    found.positive(key!(sampler.friction));
    found.if_given(key!(sampler.target_acceptance), |found, target| {
        let fine = *target.1 > 0.0 && *target.1 < 1.0;
        found.ensure(target, fine, "lie between 0 and 1, without either");
    });
    found.not_negative(key!(sampler.clip));
    found.positive(key!(sampler.start_std));
    found.share(key!(sampler.data_share));
    found.share(key!(sampler.restart));
    found.at_most(key!(sampler.jumps), MOST_JUMPS);
    found.count(key!(sampler.gaussians), MOST_GAUSSIANS);
    found
        .ensure(
            key!(sampler.reuse),
            sampler.reuse != Interval::Every(0),
            "be 1 or above",
        )
        .meant("sampler.reuse", 1_u64);
    found.share(key!(sampler.reuse_threshold));
    found.at_least_one(key!(sampler.max_reuse));
    found.count(key!(sampler.pool), MOST_PASSES);
    found.at_most(key!(sampler.probe), MOST_SAMPLE_STEPS);
}

/// What makes sense only together.
pub(super) fn validate_together(sampler: &SamplerConfig, found: &mut Findings) {
    let jumps = sampler.jumps > 0;
    found
        .ensure(
            key!(sampler.start),
            !jumps || sampler.jump_to != JumpKind::Start || !sampler.start.takes_data(),
            "be gaussian or uniform with sampler.jumps above 0: the density of jumps must be known; or set sampler.jump_to = \"gaussians\"",
        )
        .mended_by("sampler.jumps", 0_usize)
        .mended_by("sampler.start", StartKind::Gaussian);
    for (key, is_plain, plain) in [
        ("sampler.noise", sampler.noise.is_none(), ""),
        ("sampler.clip", sampler.clip == 0.0, "0.0"),
        (
            "sampler.bounds",
            sampler.bounds == BoundsKind::None,
            BoundsKind::None.name(),
        ),
    ] {
        found
            .ensure(
                key!(sampler.jumps),
                !jumps || is_plain,
                format_args!(
                    "be 0 with {key}, under which steps follow another law than the jumps"
                ),
            )
            .mended_by("sampler.jumps", 0_usize)
            .mended_by_default(key, plain);
    }
    let adapts = sampler.kind.is_exact() && sampler.adapt.unwrap_or(true);
    found
        .ensure(
            key!(sampler.anneal),
            sampler.anneal.is_none() || !adapts,
            "be left out, or sampler.adapt = false: the step size would be adapted to chains that are still hot",
        )
        .mended_by("sampler.adapt", false)
        .mended_by("sampler.anneal", None::<f32>);
    let temperature = sampler.temperature;
    let says_how_much = |key: &str| format!("be left out where {key} says how much there is");
    found
        .ensure(
            key!(sampler.noise),
            sampler.noise.is_none() || temperature == 1.0,
            says_how_much("sampler.temperature"),
        )
        .mended_by("sampler.noise", None::<f32>);
    found
        .ensure(
            key!(sampler.noise),
            sampler.noise.is_none() || sampler.anneal.is_none(),
            says_how_much("sampler.anneal"),
        )
        .mended_by("sampler.noise", None::<f32>)
        .mended_by("sampler.anneal", None::<f32>);
    // What is not a number is refused on its own.
    let warms_up = sampler.anneal.is_some_and(|anneal| anneal < temperature);
    found
        .ensure(
            key!(sampler.anneal),
            !warms_up,
            format_args!(
                "be at least sampler.temperature = {temperature:?}, so that chains cool and do not warm up"
            ),
        )
        .mended_by("sampler.anneal", temperature);
    found
        .ensure(
            key!(sampler.steps),
            !adapts || sampler.steps >= 2,
            "be 2 or above to adapt the step size in the first half of them; or set sampler.adapt = false",
        )
        .mended_by("sampler.adapt", false)
        .mended_by("sampler.steps", 2_usize);
    found
        .ensure(
            key!(sampler.start),
            sampler.chains != ChainKind::Data || !sampler.start.takes_data(),
            "be gaussian or uniform, for `sample`, with sampler.chains = data, which starts every chain from data already",
        )
        .mended_by("sampler.start", StartKind::Gaussian)
        .mended_by("sampler.chains", ChainKind::Persistent);
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
