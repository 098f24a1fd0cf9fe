//! The noise of a step: its draws and its energies, a kind a file.

mod fixed;
mod mixture;
mod snapshot;

use super::TrainingPlan;
use super::slices::equal_parts;
use crate::config::Config;
use crate::gpu::Recording;
use crate::method::{FixedNoise, Fresh, GaussianFit, MOST_GAUSSIAN_VALUES, Sampler, Strategy};
use crate::network::{Network, Prepared};
use crate::train::TrainError;
use crate::train::settings;
use fixed::KnownNoise;
use mixture::MixtureNoise;
use snapshot::SnapshotNoise;

/// Where the noise comes from. What a kind has beside the snapshot's two buffers is its own; of what all of them share,
/// `plan` tells.
pub(super) trait Noise {
    /// Must be recorded once before anything else.
    fn setup(&self, r: &mut Recording);

    /// Moves the distribution to where it is in optimiser step `step`. What the normaliser is after a refresh that this
    /// tells of is up to the caller.
    fn begin(&self, plan: &TrainingPlan, r: &mut Recording, step: u64) -> Fresh;

    /// Draws the noise number `pool`, of the chains at most `most` groups a part. Gives the network of the plan where it is
    /// prepared for the snapshot then.
    fn draw<'p>(
        &self,
        plan: &'p TrainingPlan,
        r: &mut Recording,
        pool: u64,
        most: usize,
    ) -> Option<Prepared<'p>>;

    /// The energies of at most `most` slices of all samples under the distribution; `on_snapshot` is the network where it
    /// is prepared for the snapshot.
    fn energies(
        &self,
        plan: &TrainingPlan,
        r: &mut Recording,
        on_snapshot: Option<Prepared<'_>>,
        most: usize,
    );

    /// See [`TrainingPlan::snapshot_age`].
    fn age(&self, plan: &TrainingPlan, step: u64) -> Option<u64>;

    /// What draws it by chains.
    fn sampler(&self) -> Option<&Sampler> {
        None
    }

    /// Makes the snapshot parameters those that the last chains were drawn from.
    fn recall(&self, _plan: &TrainingPlan, _r: &mut Recording) {}

    /// The same noise with its chains, if it has any, run by `strategy`.
    fn with_strategy(self: Box<Self>, strategy: Strategy) -> Box<dyn Noise>;

    /// The distribution, where it is known and never changes.
    fn fixed(&self) -> Option<&FixedNoise> {
        None
    }

    /// Gives the distribution the moments of the data, if it takes any.
    fn set_fit(&mut self, _fit: GaussianFit) {}
}

/// The noise of a run, whose chains share the workspace of `network`.
///
/// # Errors
/// When it cannot be had for samples as large.
pub(super) fn new(config: &Config, network: &Network) -> Result<Box<dyn Noise>, TrainError> {
    let (architecture, data_count) = (network.architecture(), config.run.batch);
    let noise_count = data_count * config.objective.noise_ratio;
    let length = architecture.input().len();
    if let Some(fixed) = settings::fixed_noise(config, noise_count, length) {
        if fixed.is_gaussian() && length > MOST_GAUSSIAN_VALUES {
            return Err(TrainError::GaussianTooLarge {
                values: length,
                most: MOST_GAUSSIAN_VALUES,
            });
        }
        return Ok(Box::new(KnownNoise(fixed)));
    }
    let sampler = |parts: usize| {
        // Every group is drawn from one part, and all parts give as many.
        let group = equal_parts(noise_count / parts, network.samples());
        let (network, settings) = (network.for_samples(group), settings::sampler(config));
        Sampler::new(network, noise_count, settings, config.run.seed).in_parts(parts)
    };
    let (parameters, count) = (architecture.parameter_count(), data_count + noise_count);
    Ok(match settings::mixture(config, parameters, count) {
        Some(mixture) => {
            let sampler = sampler(mixture.components());
            Box::new(MixtureNoise { mixture, sampler })
        }
        None => Box::new(SnapshotNoise(sampler(1))),
    })
}
