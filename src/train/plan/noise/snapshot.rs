use super::Noise;
use crate::gpu::Recording;
use crate::method::{Fresh, Sampler, Strategy};
use crate::network::Prepared;
use crate::train::TrainingPlan;

/// The model itself, some steps ago.
pub(super) struct SnapshotNoise(pub(super) Sampler);

impl Noise for SnapshotNoise {
    fn setup(&self, r: &mut Recording) {
        self.0.setup(r);
    }

    fn begin(&self, plan: &TrainingPlan, r: &mut Recording, step: u64) -> Fresh {
        plan.snapshot.begin(r, step, plan.objective.normaliser())
    }

    fn draw<'p>(
        &self,
        plan: &'p TrainingPlan,
        r: &mut Recording,
        pool: u64,
        most: usize,
    ) -> Option<Prepared<'p>> {
        let chains = self.0.chains().prepare(r, plan.snapshot.parameters());
        let draw = plan.noise_draw(pool, most);
        self.0.draw(r, &draw, &mut |_, _| chains);
        Some(chains.prepare_workspace(r, &plan.network))
    }

    fn energies(
        &self,
        plan: &TrainingPlan,
        r: &mut Recording,
        on_snapshot: Option<Prepared<'_>>,
        most: usize,
    ) {
        let network = match on_snapshot {
            Some(network) => network,
            None => plan.network.prepare(r, plan.snapshot.parameters()),
        };
        plan.energies(r, network, plan.snapshot_energies, false, most);
    }

    fn age(&self, plan: &TrainingPlan, step: u64) -> Option<u64> {
        plan.snapshot.age(step)
    }

    fn sampler(&self) -> Option<&Sampler> {
        Some(&self.0)
    }

    fn with_strategy(self: Box<Self>, strategy: Strategy) -> Box<dyn Noise> {
        Box::new(SnapshotNoise(self.0.with_strategy(strategy)))
    }
}
