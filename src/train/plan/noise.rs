//! The noise of a step: which kind, its draws and its energies.

use super::TrainingPlan;
use crate::gpu::Recording;
use crate::method::{FixedNoise, Fresh, Mixture, Sampler};
use crate::network::Prepared;

/// Where the noise comes from. What a kind has beside the snapshot's two buffers is here.
pub(super) enum Noise {
    Snapshot(Sampler),
    Mixture(Mixture, Sampler),
    Fixed(FixedNoise),
}

impl TrainingPlan {
    /// Moves the noise distribution to where it is in this step, with c at 0 where that is its value.
    pub(super) fn begin(&self, r: &mut Recording, step: u64) -> Fresh {
        let c = self.objective.normaliser();
        let fresh = match &self.noise {
            Noise::Snapshot(_) => self.snapshot.begin(r, step, c),
            Noise::Mixture(..) | Noise::Fixed(_) => Fresh::No,
        };
        if fresh == Fresh::Yes || step == 0 {
            self.objective.reset(r);
        }
        if let Noise::Mixture(mixture, _) = &self.noise {
            mixture.begin(r, step, self.snapshot.live(), c);
        }
        fresh
    }

    /// Draws the noise number `pool`, and gives the network where it is prepared for the snapshot parameters then.
    pub(super) fn draw(&self, r: &mut Recording, pool: u64) -> Option<Prepared<'_>> {
        let (snapshot, samples, data) = (self.snapshot.parameters(), self.samples, self.data_count);
        match &self.noise {
            Noise::Snapshot(sampler) => {
                let chains = sampler.chains().prepare(r, snapshot);
                sampler.draw(r, pool, samples, data, &mut |_, _| chains);
                Some(chains.prepare_workspace(r, &self.network))
            }
            Noise::Mixture(mixture, sampler) => {
                sampler.draw(r, pool, samples, data, &mut |r, part| {
                    mixture.load(r, part, snapshot);
                    sampler.chains().prepare(r, snapshot)
                });
                None
            }
            Noise::Fixed(noise) => {
                noise.draw(r, pool, samples, data * self.architecture.input().len());
                None
            }
        }
    }

    /// The energies of all samples under the noise distribution; `on_snapshot` is the network where it is prepared for the
    /// snapshot parameters.
    pub(super) fn noise_energies(&self, r: &mut Recording, on_snapshot: Option<Prepared<'_>>) {
        let (snapshot, energies) = (self.snapshot.parameters(), self.snapshot_energies);
        match &self.noise {
            Noise::Snapshot(_) => {
                let network = on_snapshot.unwrap_or_else(|| self.network.prepare(r, snapshot));
                self.energies(r, network, energies, false);
            }
            Noise::Mixture(mixture, _) => {
                for index in 0..mixture.components() {
                    mixture.load(r, index, snapshot);
                    let network = self.network.prepare(r, snapshot);
                    self.energies(r, network, mixture.component_energies(), false);
                    mixture.keep(r, index);
                }
                mixture.energies(r, energies);
            }
            Noise::Fixed(noise) => noise.energies(r, self.samples, energies),
        }
    }
}
