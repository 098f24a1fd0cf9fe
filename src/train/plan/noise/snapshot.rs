use super::Noise;
use crate::gpu::Recording;
use crate::method::{Fresh, Sampler, Strategy};
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

    fn draw(&self, plan: &TrainingPlan, r: &mut Recording, pool: u64, most: usize) -> bool {
        let (snapshot, chains) = (plan.snapshot.parameters(), self.0.chains());
        chains.prepare(r, snapshot);
        let draw = plan.noise_draw(pool, most);
        self.0.draw(r, snapshot, &draw, &mut |_, _| ());
        if chains.walk_alone() {
            plan.network.prepare(r, snapshot);
        }
        true
    }

    fn energies(&self, plan: &TrainingPlan, r: &mut Recording, prepared: bool, most: usize) {
        let snapshot = plan.snapshot.parameters();
        if !prepared {
            plan.network.prepare(r, snapshot);
        }
        plan.energies(r, snapshot, plan.snapshot_energies, false, most);
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
