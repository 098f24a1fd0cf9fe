//! What makes sense only across sections: the kind of noise, its re-use, its batch and the log-normaliser.

use super::rules::{Findings, key};
use super::sampler::MOST_CHAINS;
use crate::config::{
    ChainKind, Config, Interval, NormaliserKind, ObjectiveConfig, SnapshotConfig, SnapshotKind,
    StartKind,
};
use crate::method::Criterion;
use crate::words::Word;

/// The normaliser where c cannot stay 0: it needs no setting of its own, and is what docs/recipes.md compared.
const NORMALISER: NormaliserKind = NormaliserKind::Profiled;

pub(super) fn validate(config: &Config, found: &mut Findings) {
    validate_source(&config.objective, &config.snapshot, found);
    validate_interval(config, found);
    validate_pool(config, found);
    validate_normaliser(&config.objective, &config.snapshot, found);
    validate_counts(config, found);
}

/// What contrastive divergence takes its noise from.
fn validate_source(objective: &ObjectiveConfig, snapshot: &SnapshotConfig, found: &mut Findings) {
    let diverges = objective.generator == Criterion::ContrastiveDivergence;
    let from_the_live =
        "with objective.generator = contrastive-divergence, whose noise comes from the live model";
    found
        .ensure(
            key!(snapshot.kind),
            !diverges || snapshot.kind == SnapshotKind::Copy,
            format_args!("be copy {from_the_live}"),
        )
        .mended_by("snapshot.kind", SnapshotKind::Copy);
    found
        .ensure(
            key!(snapshot.interval),
            !diverges || snapshot.interval == Interval::Every(1),
            format_args!("be 1 {from_the_live}"),
        )
        .mended_by("snapshot.interval", 1_u64);
}

/// How long a snapshot and its noise last.
fn validate_interval(config: &Config, found: &mut Findings) {
    let Config {
        objective,
        snapshot,
        sampler,
        ..
    } = config;
    let (kind, interval, pool) = (snapshot.kind, snapshot.interval, config.pool());
    found
        .ensure(
            key!(snapshot.interval),
            interval != Interval::Adaptive || kind == SnapshotKind::Copy,
            format_args!("be a number with snapshot.kind = \"{}\"", kind.name()),
        )
        .mended_by("snapshot.interval", pool)
        .mended_by("snapshot.kind", SnapshotKind::Copy);
    let is_free = objective.generator != Criterion::ContrastiveDivergence;
    match interval {
        Interval::Every(steps) => {
            found
                .ensure(
                    key!(sampler.reuse),
                    steps.is_multiple_of(pool),
                    format_args!(
                        "be a divisor of snapshot.interval = {interval:?}, since noise must not outlive its snapshot"
                    ),
                )
                .mended_by("sampler.reuse", divisor(steps, pool))
                .mended_if(is_free, "snapshot.interval", multiple(steps, pool));
        }
        Interval::Adaptive => {
            let most = snapshot.max_interval;
            found
                .ensure(
                    key!(snapshot.max_interval),
                    most.is_multiple_of(pool),
                    format_args!(
                        "be a multiple of sampler.reuse = {pool}, since snapshots last for whole pools"
                    ),
                )
                .mended_by("snapshot.max_interval", multiple(most, pool))
                .mended_by("sampler.reuse", divisor(most, pool));
        }
    }
}

/// What a pool of noise that the GPU keeps count of needs.
fn validate_pool(config: &Config, found: &mut Findings) {
    let Config {
        snapshot, sampler, ..
    } = config;
    let is_adaptive = sampler.reuse == Interval::Adaptive;
    let is_copy = snapshot.kind == SnapshotKind::Copy;
    let asked = match is_adaptive {
        true => "sampler.reuse = adaptive",
        false => "sampler.pool above 1",
    };
    found
        .ensure(
            key!(sampler.reuse),
            is_copy || !is_adaptive,
            format_args!(
                "be a number with snapshot.kind = \"{}\"",
                snapshot.kind.name()
            ),
        )
        .mended_by("sampler.reuse", 1_u64)
        .mended_by("snapshot.kind", SnapshotKind::Copy);
    found
        .ensure(
            key!(sampler.pool),
            is_copy || sampler.pool <= 1,
            format_args!(
                "be 1 with snapshot.kind = \"{}\", which has changed since older passes",
                snapshot.kind.name()
            ),
        )
        .mended_by("sampler.pool", 1_usize)
        .mended_by("snapshot.kind", SnapshotKind::Copy);
    let diverges = config.objective.generator == Criterion::ContrastiveDivergence;
    found
        .ensure(
            key!(sampler.reuse),
            !is_adaptive || !diverges,
            "be 1 with objective.generator = contrastive-divergence, which weighs no sample",
        )
        .mended_by("sampler.reuse", 1_u64);
    found
        .ensure(
            key!(snapshot.interval),
            !is_adaptive || diverges || snapshot.interval != Interval::Every(1),
            "be adaptive or above 1 with sampler.reuse = adaptive, since no noise outlives its snapshot",
        )
        .mended_by("snapshot.interval", Interval::Adaptive)
        .mended_by("sampler.reuse", 1_u64);
    let pooled = config.is_pooled();
    found
        .ensure(
            key!(sampler.chains),
            !pooled || sampler.chains != ChainKind::Data,
            format_args!("be persistent or short_run with {asked}: data are another in every step"),
        )
        .mended_by("sampler.chains", ChainKind::Persistent);
    found
        .ensure(
            key!(sampler.start),
            !pooled || !sampler.start.takes_data(),
            format_args!("be gaussian or uniform with {asked}: data are another in every step"),
        )
        .mended_by("sampler.start", StartKind::Gaussian);
    found
        .ensure(
            key!(sampler.diagnose),
            !pooled || sampler.diagnose == 0,
            format_args!("be 0 with {asked}, since only the GPU knows which steps have a pass; sampler.probe looks at the chains"),
        )
        .mended_by("sampler.diagnose", 0_u64);
}

/// Where c cannot stay 0.
fn validate_normaliser(
    objective: &ObjectiveConfig,
    snapshot: &SnapshotConfig,
    found: &mut Findings,
) {
    let kind = snapshot.kind;
    let is_mixture = kind == SnapshotKind::Mixture;
    found
        .ensure(
            key!(objective.generator),
            !is_mixture || objective.generator != Criterion::Ranking,
            "be another than ranking with snapshot.kind = \"mixture\", whose components' log Z come from c, which \
             ranking has none of",
        )
        .mended_by("objective.generator", ObjectiveConfig::default().generator)
        .mended_by("snapshot.kind", SnapshotKind::Copy);
    // The others have no c, which `objective.rs` insists on.
    let is_zero = matches!(objective.generator, Criterion::Bregman(_))
        && objective.normaliser == NormaliserKind::Zero;
    found
        .ensure(
            key!(objective.normaliser),
            !is_mixture || !is_zero,
            "be `profiled` or another that is not zero with snapshot.kind = \"mixture\", whose components differ in log Z",
        )
        .mended_by("objective.normaliser", NORMALISER);
    found
        .ensure(
            key!(objective.normaliser),
            kind.needs_chains() || !is_zero,
            format_args!(
                "be `profiled` or another that is not zero with snapshot.kind = \"{}\", whose log Z is 0 and the model's is not",
                kind.name()
            ),
        )
        .mended_by("objective.normaliser", NORMALISER);
}

/// Noise samples of a step, and what must go into them or hold them.
fn validate_counts(config: &Config, found: &mut Findings) {
    let Config {
        objective,
        snapshot,
        sampler,
        run,
        ..
    } = config;
    let (ratio, components) = (objective.noise_ratio, snapshot.components.max(1));
    let count = run.batch.saturating_mul(ratio);
    let evenly = divisor(count as u64, components as u64);
    let whole = multiple(run.batch as u64, components as u64);
    found
        .ensure(
            key!(snapshot.components),
            snapshot.kind != SnapshotKind::Mixture || count.is_multiple_of(components),
            format_args!("divide run.batch × objective.noise_ratio = {count} noise samples evenly"),
        )
        // A mixture of one is a copy.
        .mended_if(evenly > 1, "snapshot.components", evenly)
        .mended_by("run.batch", whole);
    // A step draws its chains from the buffer without putting any back, so that it needs one for each noise sample.
    let is_persistent = snapshot.kind.needs_chains() && sampler.chains == ChainKind::Persistent;
    found
        .ensure(
            key!(sampler.buffer),
            !is_persistent || sampler.buffer >= count,
            format_args!(
                "be at least run.batch × objective.noise_ratio = {count} with persistent chains"
            ),
        )
        .mended_if(count <= MOST_CHAINS, "sampler.buffer", count);
}

/// The largest divisor of `whole` that is at most `most`.
fn divisor(whole: u64, most: u64) -> u64 {
    // Settings beyond this are refused by their range or mean no re-use that a run could have.
    const MOST_TRIED: u64 = 1 << 20;
    let candidates = (1..=most.min(MOST_TRIED)).rev();
    candidates
        .into_iter()
        .find(|part| whole.is_multiple_of(*part))
        .unwrap_or(1)
}

/// The smallest multiple of `part` that is at least `least`.
fn multiple(least: u64, part: u64) -> u64 {
    least.max(1).checked_next_multiple_of(part).unwrap_or(part)
}
