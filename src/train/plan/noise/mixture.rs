use super::Noise;
use crate::gpu::Recording;
use crate::method::{Fresh, Mixture, Sampler, Strategy};
use crate::network::Prepared;
use crate::train::TrainingPlan;

/// The last few snapshots, each of which is loaded into the buffer of the snapshot in its turn.
pub(super) struct MixtureNoise {
    pub(super) mixture: Mixture,
    /// In as many parts as there are components.
    pub(super) sampler: Sampler,
}

impl Noise for MixtureNoise {
    fn setup(&self, r: &mut Recording) {
        self.sampler.setup(r);
    }

    fn begin(&self, plan: &TrainingPlan, r: &mut Recording, step: u64) -> Fresh {
        let c = plan.objective.normaliser();
        self.mixture.begin(r, step, plan.snapshot.live(), c);
        Fresh::No
    }

    fn draw<'p>(
        &self,
        plan: &'p TrainingPlan,
        r: &mut Recording,
        pool: u64,
        most: usize,
    ) -> Option<Prepared<'p>> {
        let snapshot = plan.snapshot.parameters();
        let mut prepared = |r: &mut Recording, part| {
            self.mixture.load(r, part, snapshot);
            self.sampler.chains().prepare(r, snapshot)
        };
        let draw = plan.noise_draw(pool, most);
        self.sampler.draw(r, &draw, &mut prepared);
        None
    }

    fn energies(
        &self,
        plan: &TrainingPlan,
        r: &mut Recording,
        _: Option<Prepared<'_>>,
        most: usize,
    ) {
        let (mixture, snapshot) = (&self.mixture, plan.snapshot.parameters());
        for index in 0..mixture.components() {
            mixture.load(r, index, snapshot);
            let network = plan.network.prepare(r, snapshot);
            plan.energies(r, network, mixture.component_energies(), false, most);
            mixture.keep(r, index);
        }
        mixture.energies(r, plan.snapshot_energies);
    }

    fn age(&self, _: &TrainingPlan, step: u64) -> Option<u64> {
        Some(self.mixture.age(step))
    }

    fn sampler(&self) -> Option<&Sampler> {
        Some(&self.sampler)
    }

    fn recall(&self, plan: &TrainingPlan, r: &mut Recording) {
        let last = self.mixture.components() - 1;
        self.mixture.load(r, last, plan.snapshot.parameters());
    }

    fn with_strategy(self: Box<Self>, strategy: Strategy) -> Box<dyn Noise> {
        let MixtureNoise { mixture, sampler } = *self;
        let sampler = sampler.with_strategy(strategy);
        Box::new(MixtureNoise { mixture, sampler })
    }
}
