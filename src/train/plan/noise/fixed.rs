use super::Noise;
use crate::gpu::Recording;
use crate::method::{FixedNoise, Fresh, GaussianFit, Strategy};
use crate::network::Prepared;
use crate::train::TrainingPlan;

/// A distribution that never changes and needs no chains.
pub(super) struct KnownNoise(pub(super) FixedNoise);

impl Noise for KnownNoise {
    fn setup(&self, r: &mut Recording) {
        self.0.setup(r);
    }

    fn begin(&self, _: &TrainingPlan, _: &mut Recording, _: u64) -> Fresh {
        Fresh::No
    }

    fn draw<'p>(
        &self,
        plan: &'p TrainingPlan,
        r: &mut Recording,
        pool: u64,
        _: usize,
    ) -> Option<Prepared<'p>> {
        let (samples, first, _) = plan.noise_samples();
        self.0.draw(r, pool, samples, first);
        None
    }

    fn energies(&self, plan: &TrainingPlan, r: &mut Recording, _: Option<Prepared<'_>>, _: usize) {
        self.0.energies(r, plan.samples, plan.snapshot_energies);
    }

    fn age(&self, _: &TrainingPlan, step: u64) -> Option<u64> {
        Some(step)
    }

    fn with_strategy(self: Box<Self>, _: Strategy) -> Box<dyn Noise> {
        self
    }

    fn fixed(&self) -> Option<&FixedNoise> {
        Some(&self.0)
    }

    fn set_fit(&mut self, fit: GaussianFit) {
        self.0.set_fit(fit);
    }
}
