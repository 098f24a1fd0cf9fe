//! Steps: each recorded once and replayed, or recorded anew where its temperature is its own.

use super::{ChainPass, ChainPreparation, PreparedChains};
use crate::gpu::{Frozen, Recording};
use crate::kernels::{LangevinSettings, Moment, WalkArguments, langevin, walk_chains};
use crate::network::Prepared;

/// A step numbered 0 and what it was recorded for.
pub(super) struct RecordedStep {
    preparation: ChainPreparation,
    first_chain: usize,
    adapt: bool,
    energies: bool,
    frozen: Frozen,
}

impl<'a> PreparedChains<'a> {
    /// Moves all chains by `steps` steps, the first of which is number `first_step`: one step is recorded, and replayed
    /// for as long as neither the parameters nor `first_chain` change. The step size stays as it is. Kinds that carry
    /// energies and gradients go on with a pass that [`Self::run`] has begun, at the same parameters and states.
    pub fn advance(
        &self,
        recording: &mut Recording,
        first_step: u32,
        steps: usize,
        first_chain: usize,
    ) {
        self.replay(recording, first_step, steps, first_chain, false);
    }

    pub(super) fn replay(
        &self,
        recording: &mut Recording,
        first_step: u32,
        steps: usize,
        first_chain: usize,
        adapt: bool,
    ) {
        let langevin = &self.chains.dynamics.langevin;
        if steps == 0 {
            return;
        }
        let network = self.walk(recording, langevin, first_step, steps, first_chain);
        let Some(network) = network else { return };
        let recorded = |energies| self.recorded_step(network, first_chain, adapt, energies);
        // Nobody sees the energies on the way.
        let quiet = steps as u32 - 1;
        if quiet > 0 {
            recording.replay(&recorded(false), first_step, quiet);
        }
        recording.replay(&recorded(true), first_step.wrapping_add(quiet), 1);
    }

    fn recorded_step(
        &self,
        network: Prepared<'_>,
        first_chain: usize,
        adapt: bool,
        energies: bool,
    ) -> Frozen {
        let mut known = self.chains.recorded.borrow_mut();
        known
            .retain(|step| (step.preparation, step.first_chain) == (self.preparation, first_chain));
        let same = |step: &&RecordedStep| (step.adapt, step.energies) == (adapt, energies);
        if let Some(step) = known.iter().find(same) {
            return step.frozen.clone();
        }
        let moment = Moment {
            step: 0,
            first_chain,
            temperature: self.chains.dynamics.temperature,
            annealed: false,
            adapt,
            energies,
        };
        let mut once = Recording::new();
        self.record(&mut once, network, &moment);
        let frozen = once.freeze();
        known.push(RecordedStep {
            preparation: self.preparation,
            first_chain,
            adapt,
            energies,
            frozen: frozen.clone(),
        });
        frozen
    }

    /// Step `position` of an annealed pass, at the temperature of its own: recorded each time, for a replay changes
    /// nothing but the step's number.
    pub(super) fn annealed(
        &self,
        recording: &mut Recording,
        pass: &ChainPass,
        position: usize,
        adapt: bool,
    ) {
        let dynamics = &self.chains.dynamics;
        let moment = Moment {
            adapt,
            energies: true,
            ..pass.moment(position, dynamics)
        };
        let settings = dynamics.langevin.at_temperature(moment.temperature);
        let network = self.walk(recording, &settings, moment.step, 1, pass.first_chain);
        if let Some(network) = network {
            self.record(recording, network, &moment);
        }
    }

    fn record(&self, recording: &mut Recording, network: Prepared<'_>, moment: &Moment) {
        let energy_gradient = |recording: &mut Recording, x, energies, gradient| {
            network.energy_gradient(recording, x, energies, gradient);
        };
        self.chains.steps.step(recording, moment, &energy_gradient);
    }

    /// Replaces every state of data with Gaussian noise of standard deviation `std` by the mean of the clean data it
    /// may have come from, x − std²·∇E(x) (Robbins 1956; Miyasawa 1961), up to the model's error.
    pub fn denoise(&self, recording: &mut Recording, std: f32) {
        let settings = LangevinSettings {
            step_size: std * std,
            noise: 0.0,
            clip: 0.0,
            bounds: self.chains.dynamics.langevin.bounds,
        };
        let Some(network) = self.walk(recording, &settings, 0, 1, 0) else {
            return;
        };
        let batch = &self.chains.batch;
        network.energy_gradient(recording, batch.x, None, batch.gradient);
        langevin(recording, &settings, batch, 0, 0);
    }

    /// The steps of chains that walk; for others, the network to run them on.
    fn walk(
        &self,
        recording: &mut Recording,
        settings: &LangevinSettings,
        first_step: u32,
        steps: usize,
        first_chain: usize,
    ) -> Option<Prepared<'a>> {
        let Some((plan, packed)) = &self.chains.walk else {
            return self.network();
        };
        let batch = &self.chains.batch;
        let arguments = WalkArguments {
            settings,
            stream: batch.stream,
            seed: batch.seed,
            first_element: (first_chain * batch.length) as u32,
            samples: batch.chains,
            packed: *packed,
            x: batch.x,
            energies: batch.energies,
        };
        walk_chains(recording, plan, &arguments, first_step, steps);
        None
    }
}
