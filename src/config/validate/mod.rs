//! The ranges and enumerations of the configuration's values: a file for each section, and here what makes sense only
//! across sections.

mod data;
mod network;
mod objective;
mod optimiser;
mod rules;
mod run;
mod sampler;
mod snapshot;
mod unread;

use super::error::ConfigError;
use super::{ChainKind, Config, Interval, NormaliserKind, SnapshotKind};
use crate::method::Criterion;
use crate::words::Word;
use rules::{ensure, key};

// Limits called MOST_… are what no machine could hold or finish, so that a slip of the keyboard is an error and not an
// exhausted memory.
const MOST_SAMPLE_STEPS: usize = 1 << 24;

impl Config {
    /// Checks every value against what its key allows.
    ///
    /// What depends on the data, such as a path or a kernel larger than the image, is checked where the data is known.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Value`] for the first value found wrong.
    pub fn validate(&self) -> Result<(), ConfigError> {
        data::validate(&self.data)?;
        network::validate(&self.network)?;
        objective::validate(&self.objective)?;
        snapshot::validate(&self.snapshot)?;
        sampler::validate(&self.sampler)?;
        unread::refuse_unread(self)?;
        sampler::validate_together(&self.sampler)?;
        optimiser::validate(&self.optimiser)?;
        run::validate(&self.run)?;
        self.validate_noise()
    }

    /// What makes sense only together: the kind of noise, its re-use, its batch and the log-normaliser.
    fn validate_noise(&self) -> Result<(), ConfigError> {
        let Config {
            objective,
            snapshot,
            sampler,
            run,
            ..
        } = self;
        let (kind, interval) = (snapshot.kind, snapshot.interval);
        let is_mixture = kind == SnapshotKind::Mixture;
        let diverges = objective.generator == Criterion::ContrastiveDivergence;
        let from_the_live = "with objective.generator = contrastive-divergence, whose noise comes from the live model";
        ensure(
            key!(snapshot.kind),
            !diverges || kind == SnapshotKind::Copy,
            format_args!("be copy {from_the_live}"),
        )?;
        ensure(
            key!(snapshot.interval),
            !diverges || interval == Interval::Every(1),
            format_args!("be 1 {from_the_live}"),
        )?;
        let pool = self.pool();
        ensure(
            key!(sampler.reuse),
            !matches!(interval, Interval::Every(steps) if !steps.is_multiple_of(pool)),
            format_args!(
                "be a divisor of snapshot.interval = {interval:?}, for instance 1, since noise must not outlive its snapshot"
            ),
        )?;
        ensure(
            key!(objective.generator),
            !is_mixture || objective.generator != Criterion::Ranking,
            "be another than ranking with snapshot.kind = \"mixture\", whose components' log Z come from c, which \
             ranking has none of",
        )?;
        let is_zero = objective.normaliser == NormaliserKind::Zero;
        ensure(
            key!(objective.normaliser),
            !is_mixture || !is_zero,
            "be `profiled` or another that is not zero with snapshot.kind = \"mixture\", whose components differ in log Z",
        )?;
        ensure(
            key!(snapshot.max_interval),
            interval != Interval::Adaptive || snapshot.max_interval.is_multiple_of(pool),
            format_args!(
                "be a multiple of sampler.reuse = {pool}, since snapshots last for whole pools"
            ),
        )?;
        let count = run.batch.saturating_mul(objective.noise_ratio);
        ensure(
            key!(snapshot.components),
            !is_mixture || count.is_multiple_of(snapshot.components),
            format_args!("divide run.batch × objective.noise_ratio = {count} noise samples evenly"),
        )?;
        ensure(
            key!(objective.normaliser),
            kind.needs_chains() || !is_zero || objective.generator == Criterion::Ranking,
            format_args!(
                "be `learned` or another that is not zero with snapshot.kind = \"{}\", whose log Z is 0 and the model's is not",
                kind.name()
            ),
        )?;
        // A step draws its chains from the buffer without putting any back, so that it needs one for each noise sample.
        let is_persistent = kind.needs_chains() && sampler.chains == ChainKind::Persistent;
        ensure(
            key!(sampler.buffer),
            !is_persistent || sampler.buffer >= count,
            format_args!(
                "be at least run.batch × objective.noise_ratio = {count} with persistent chains"
            ),
        )
    }
}
