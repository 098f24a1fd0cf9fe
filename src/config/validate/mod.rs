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
use rules::ensure;

// Limits called MOST_… are what no machine could hold or finish, so that a slip of the keyboard is an error and not an
// exhausted memory.
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
        data::validate(&self.data)?;
        network::validate(&self.network)?;
        objective::validate(&self.objective)?;
        snapshot::validate(&self.snapshot)?;
        sampler::validate(&self.sampler)?;
        unread::refuse_unread(self)?;
        sampler::validate_together(&self.sampler)?;
        optimiser::validate(&self.optimiser)?;
        run::validate(&self.run)?;
        self.validate_noise()?;
        self.validate_buffer()
    }

    /// What makes sense only together: the kind of noise, its re-use, its batch and the log-normaliser.
    fn validate_noise(&self) -> Result<(), ConfigError> {
        let kind = self.snapshot.kind;
        let (generator, normaliser) = (self.objective.generator, self.objective.normaliser);
        let diverges = generator == Criterion::ContrastiveDivergence;
        let from_the_live = "with objective.generator = contrastive-divergence, whose noise comes from the live model";
        ensure(
            !diverges || kind == SnapshotKind::Copy,
            "snapshot.kind",
            &kind.name(),
            || format!("be copy {from_the_live}"),
        )?;
        ensure(
            !diverges || self.snapshot.interval == Interval::Every(1),
            "snapshot.interval",
            &self.snapshot.interval,
            || format!("be 1 {from_the_live}"),
        )?;
        if let Interval::Every(interval) = self.snapshot.interval {
            let pool = self.pool();
            ensure(
                interval.is_multiple_of(pool),
                "sampler.reuse",
                &pool,
                || {
                    format!(
                        "be a divisor of snapshot.interval = {interval}, for instance 1, since noise must not outlive its snapshot"
                    )
                },
            )?;
        }
        let (count, components) = (
            self.run.batch.saturating_mul(self.objective.noise_ratio),
            self.snapshot.components,
        );
        ensure(
            kind != SnapshotKind::Mixture || generator != Criterion::Ranking,
            "objective.generator",
            &generator.name(),
            || {
                "be another than ranking with snapshot.kind = \"mixture\", whose components' log Z come from c, which \
                 ranking has none of"
                    .into()
            },
        )?;
        ensure(
            kind != SnapshotKind::Mixture || normaliser != NormaliserKind::Zero,
            "objective.normaliser",
            &normaliser.name(),
            || {
                "be `profiled` or another that is not zero with snapshot.kind = \"mixture\", whose components differ in log Z"
                    .into()
            },
        )?;
        ensure(
            self.snapshot.interval != Interval::Adaptive
                || self.snapshot.max_interval.is_multiple_of(self.pool()),
            "snapshot.max_interval",
            &self.snapshot.max_interval,
            || {
                format!(
                    "be a multiple of sampler.reuse = {}, since snapshots last for whole pools",
                    self.pool()
                )
            },
        )?;
        ensure(
            kind != SnapshotKind::Mixture || count.is_multiple_of(components),
            "snapshot.components",
            &components,
            || format!("divide run.batch × objective.noise_ratio = {count} noise samples evenly"),
        )?;
        ensure(
            kind.needs_chains()
                || normaliser != NormaliserKind::Zero
                || generator == Criterion::Ranking,
            "objective.normaliser",
            &normaliser.name(),
            || {
                format!(
                    "be `learned` or another that is not zero with snapshot.kind = \"{}\", whose log Z is 0 and the model's is not",
                    kind.name()
                )
            },
        )
    }

    /// A step draws its chains from the buffer without putting any back, so that it needs one for each noise sample.
    fn validate_buffer(&self) -> Result<(), ConfigError> {
        let (batch, ratio) = (self.run.batch, self.objective.noise_ratio);
        let needed = batch.saturating_mul(ratio);
        let is_persistent =
            self.snapshot.kind.needs_chains() && self.sampler.chains == ChainKind::Persistent;
        ensure(
            !is_persistent || self.sampler.buffer >= needed,
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
