//! The noise of a step: its draws and its energies.

use super::TrainingPlan;
use super::slices::equal_parts;
use crate::config::{Config, Interval, SnapshotKind};
use crate::gpu::{Buffer, Recording};
use crate::kernels::GaussianMixture;
use crate::method::{
    FixedNoise, Fresh, GaussianFit, MOST_GAUSSIAN_VALUES, Mixture, Sampler, Strategy,
};
use crate::network::{Network, Prepared};
use crate::train::TrainError;
use crate::train::settings;
use std::sync::Arc;

/// Where the noise comes from. What a kind has beside the snapshot's two buffers is its own; of what all of them share,
/// a plan tells. A plan has one of these, so its size does not matter.
#[allow(clippy::large_enum_variant)]
pub(super) enum Noise {
    /// A distribution that never changes and needs no chains.
    Fixed(FixedNoise),
    /// The model itself, some steps ago.
    Snapshot(Sampler),
    /// The last few snapshots, each of which is loaded into the buffer of the snapshot in its turn; chains in as many
    /// parts as there are components.
    Mixture(Mixture, Sampler),
}

impl Noise {
    /// The noise of a run, whose chains share the workspace of `network`.
    ///
    /// # Errors
    /// When it cannot be had for samples as large.
    pub(super) fn new(config: &Config, network: &Network) -> Result<Self, TrainError> {
        let (run, snapshot) = (&config.run, &config.snapshot);
        let (architecture, seed) = (network.architecture(), run.seed);
        let (count, length) = (
            run.batch * config.objective.noise_ratio,
            architecture.input().len(),
        );
        let sampler = |parts: usize| {
            // Every group is drawn from one part, and all parts give as many.
            let group = equal_parts(count / parts, network.samples());
            let settings = settings::sampler(config);
            let sampler = Sampler::new(network.for_samples(group), count, settings, seed);
            match settings::pool(config) {
                Some(pool) => sampler.pooled(pool),
                None => sampler.in_parts(parts),
            }
        };
        Ok(match (snapshot.kind, snapshot.interval) {
            (SnapshotKind::Gaussian, _) if length > MOST_GAUSSIAN_VALUES => {
                return Err(TrainError::GaussianTooLarge {
                    values: length,
                    most: MOST_GAUSSIAN_VALUES,
                });
            }
            (SnapshotKind::Gaussian, _) => Noise::Fixed(FixedNoise::gaussian(count, length, seed)),
            (SnapshotKind::Uniform, _) => {
                // The data with its noise lies in this box but for one value in 5·10⁸.
                let margin = 6.0 * config.data.noise;
                let (low, high) = (config.data.low - margin, config.data.high + margin);
                Noise::Fixed(FixedNoise::uniform(low, high, count, length, seed))
            }
            (SnapshotKind::Mixture, Interval::Every(interval)) => {
                let (parameters, samples) = (architecture.parameter_count(), run.batch + count);
                let mixture = Mixture::new(snapshot.components, interval, parameters, samples);
                let sampler = sampler(mixture.components());
                Noise::Mixture(mixture, sampler)
            }
            // Configurations have no mixture with an adaptive interval.
            (SnapshotKind::Mixture, Interval::Adaptive)
            | (SnapshotKind::Copy | SnapshotKind::Ema, _) => Noise::Snapshot(sampler(1)),
        })
    }

    /// The same noise with its chains, if it has any, run by `strategy`.
    pub(super) fn with_strategy(self, strategy: Strategy) -> Self {
        match self {
            Noise::Fixed(_) => self,
            Noise::Snapshot(sampler) => Noise::Snapshot(sampler.with_strategy(strategy)),
            Noise::Mixture(mixture, sampler) => {
                Noise::Mixture(mixture, sampler.with_strategy(strategy))
            }
        }
    }

    /// The same noise with a mixture for its chains, if it has any, to jump to.
    pub(super) fn with_mixture(self, law: Arc<GaussianMixture>, noise: f32) -> Self {
        match self {
            Noise::Fixed(_) => self,
            Noise::Snapshot(sampler) => Noise::Snapshot(sampler.with_mixture(law, noise)),
            Noise::Mixture(mixture, sampler) => {
                Noise::Mixture(mixture, sampler.with_mixture(law, noise))
            }
        }
    }

    /// Gives the distribution the moments of the data, if it takes any.
    pub(super) fn set_fit(&mut self, fit: GaussianFit) {
        if let Noise::Fixed(fixed) = self {
            fixed.set_fit(fit);
        }
    }

    /// The distribution, where it is known and never changes.
    pub(super) fn fixed(&self) -> Option<&FixedNoise> {
        match self {
            Noise::Fixed(fixed) => Some(fixed),
            Noise::Snapshot(_) | Noise::Mixture(..) => None,
        }
    }

    /// What draws it by chains.
    pub(super) fn sampler(&self) -> Option<&Sampler> {
        match self {
            Noise::Fixed(_) => None,
            Noise::Snapshot(sampler) | Noise::Mixture(_, sampler) => Some(sampler),
        }
    }

    /// See [`TrainingPlan::snapshot_age`].
    pub(super) fn age(&self, plan: &TrainingPlan, step: u64) -> Option<u64> {
        match self {
            Noise::Fixed(_) => Some(step),
            Noise::Snapshot(_) => plan.snapshot.age(step),
            Noise::Mixture(mixture, _) => Some(mixture.age(step)),
        }
    }

    /// Must be recorded once before anything else.
    pub(super) fn setup(&self, r: &mut Recording) {
        match self {
            Noise::Fixed(fixed) => fixed.setup(r),
            Noise::Snapshot(sampler) | Noise::Mixture(_, sampler) => sampler.setup(r),
        }
    }

    /// Moves the distribution to where it is in optimiser step `step`. What the normaliser is after a refresh that this
    /// tells of is up to the caller.
    pub(super) fn begin(&self, plan: &TrainingPlan, r: &mut Recording, step: u64) -> Fresh {
        let (snapshot, c) = (&plan.snapshot, plan.objective.normaliser());
        match self {
            Noise::Fixed(_) => Fresh::No,
            Noise::Snapshot(_) => snapshot.begin(r, step, c),
            Noise::Mixture(mixture, _) => {
                mixture.begin(r, step, snapshot.live(), c);
                Fresh::No
            }
        }
    }

    /// Draws the noise number `pool`, of the chains at most `most` groups a part. Gives the network of the plan where it
    /// is prepared for the snapshot then.
    pub(super) fn draw<'p>(
        &self,
        plan: &'p TrainingPlan,
        r: &mut Recording,
        pool: u64,
        most: usize,
    ) -> Option<Prepared<'p>> {
        let snapshot = plan.snapshot.parameters();
        match self {
            Noise::Fixed(fixed) => {
                let (samples, first, _) = plan.noise_samples();
                fixed.draw(r, pool, samples, first);
                None
            }
            Noise::Snapshot(sampler) => {
                let chains = sampler.chains().prepare(r, snapshot);
                sampler.draw(r, &plan.noise_draw(pool, most), &mut |_, _| chains);
                Some(chains.prepare_workspace(r, &plan.network))
            }
            Noise::Mixture(mixture, sampler) => {
                let mut prepared = |r: &mut Recording, part| {
                    mixture.load(r, part, snapshot);
                    sampler.chains().prepare(r, snapshot)
                };
                sampler.draw(r, &plan.noise_draw(pool, most), &mut prepared);
                None
            }
        }
    }

    /// The energies of at most `most` slices of all samples under the distribution; `on_snapshot` is the network where it
    /// is prepared for the snapshot.
    pub(super) fn energies(
        &self,
        plan: &TrainingPlan,
        r: &mut Recording,
        on_snapshot: Option<Prepared<'_>>,
        most: usize,
    ) {
        let (snapshot, energies) = (plan.snapshot.parameters(), plan.snapshot_energies);
        match self {
            Noise::Fixed(fixed) => fixed.energies(r, plan.samples, energies),
            Noise::Snapshot(_) => {
                let network = on_snapshot.unwrap_or_else(|| plan.network.prepare(r, snapshot));
                plan.energies(r, network, energies, false, most);
            }
            Noise::Mixture(mixture, _) => {
                for index in 0..mixture.components() {
                    mixture.load(r, index, snapshot);
                    let network = plan.network.prepare(r, snapshot);
                    plan.energies(r, network, mixture.component_energies(), false, most);
                    mixture.keep(r, index);
                }
                mixture.energies(r, energies);
            }
        }
    }

    /// The parameters that the noise of optimiser step `step` is drawn from, of a mixture those of its newest component; none
    /// where it is drawn from no model.
    pub(super) fn parameters(&self, plan: &TrainingPlan, step: u64) -> Option<Buffer> {
        match self {
            Noise::Fixed(_) => None,
            Noise::Snapshot(_) => Some(plan.snapshot.parameters()),
            Noise::Mixture(mixture, _) => Some(mixture.newest(step)),
        }
    }

    /// Which part of the chains is drawn from these, and of how many parts.
    pub(super) fn newest_part(&self, step: u64) -> (usize, usize) {
        match self {
            Noise::Fixed(_) | Noise::Snapshot(_) => (0, 1),
            Noise::Mixture(mixture, _) => (mixture.newest_place(step), mixture.components()),
        }
    }

    /// Makes the snapshot parameters those that the last chains were drawn from.
    pub(super) fn recall(&self, plan: &TrainingPlan, r: &mut Recording) {
        if let Noise::Mixture(mixture, _) = self {
            mixture.load(r, mixture.components() - 1, plan.snapshot.parameters());
        }
    }
}
