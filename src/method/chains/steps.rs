//! Steps: each recorded once and replayed, or recorded anew where its temperature is its own.

use super::{ChainPass, Chains};
use crate::gpu::{Buffer, Frozen, Recording};
use crate::kernels::{LangevinSettings, Moment, WalkArguments, langevin, walk_chains};

/// A step numbered 0 and what it was recorded for.
pub(super) struct RecordedStep {
    parameters: Buffer,
    first_chain: usize,
    adapt: bool,
    energies: bool,
    frozen: Frozen,
}

impl Chains {
    /// Moves all chains by `steps` steps, the first of which is number `first_step`: one step is recorded, and replayed
    /// for as long as neither `parameters` nor `first_chain` changes. The step size stays as it is. Kinds that carry
    /// energies and gradients go on with a pass that [`Self::run`] has begun, at the same parameters and states.
    pub fn advance(
        &self,
        recording: &mut Recording,
        parameters: Buffer,
        first_step: u32,
        steps: usize,
        first_chain: usize,
    ) {
        self.replay(recording, parameters, first_step, steps, first_chain, false);
    }

    pub(super) fn replay(
        &self,
        recording: &mut Recording,
        parameters: Buffer,
        first_step: u32,
        steps: usize,
        first_chain: usize,
        adapt: bool,
    ) {
        let langevin = &self.dynamics.langevin;
        if steps == 0 || self.walk(recording, langevin, first_step, steps, first_chain) {
            return;
        }
        let recorded = |energies| self.recorded_step(parameters, first_chain, adapt, energies);
        // Nobody sees the energies on the way.
        let quiet = steps as u32 - 1;
        if quiet > 0 {
            recording.replay(&recorded(false), first_step, quiet);
        }
        recording.replay(&recorded(true), first_step.wrapping_add(quiet), 1);
    }

    fn recorded_step(
        &self,
        parameters: Buffer,
        first_chain: usize,
        adapt: bool,
        energies: bool,
    ) -> Frozen {
        let mut known = self.recorded.borrow_mut();
        known.retain(|step| (step.parameters, step.first_chain) == (parameters, first_chain));
        let same = |step: &&RecordedStep| (step.adapt, step.energies) == (adapt, energies);
        if let Some(step) = known.iter().find(same) {
            return step.frozen.clone();
        }
        let moment = Moment {
            step: 0,
            first_chain,
            temperature: self.dynamics.temperature,
            annealed: false,
            adapt,
            energies,
        };
        let mut once = Recording::new();
        self.record(&mut once, parameters, &moment);
        let frozen = once.freeze();
        known.push(RecordedStep {
            parameters,
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
        parameters: Buffer,
        pass: &ChainPass,
        position: usize,
        adapt: bool,
    ) {
        let temperature = pass.temperature(position, self.dynamics.temperature);
        let settings = self.dynamics.langevin.at_temperature(temperature);
        let step = pass.first_step.wrapping_add(position as u32);
        if self.walk(recording, &settings, step, 1, pass.first_chain) {
            return;
        }
        let moment = Moment {
            step,
            first_chain: pass.first_chain,
            temperature,
            annealed: true,
            adapt,
            energies: true,
        };
        self.record(recording, parameters, &moment);
    }

    fn record(&self, recording: &mut Recording, parameters: Buffer, moment: &Moment) {
        let energy_gradient = |recording: &mut Recording, x, energies, gradient| {
            self.network
                .energy_gradient(recording, parameters, x, energies, gradient);
        };
        self.steps.step(recording, moment, &energy_gradient);
    }

    /// Replaces every state of data with Gaussian noise of standard deviation `std` by the mean of the clean data it
    /// may have come from, x − std²·∇E(x) (Robbins 1956; Miyasawa 1961), up to the model's error.
    pub fn denoise(&self, recording: &mut Recording, parameters: Buffer, std: f32) {
        let settings = LangevinSettings {
            step_size: std * std,
            noise: 0.0,
            clip: 0.0,
            bounds: self.dynamics.langevin.bounds,
        };
        if self.walk(recording, &settings, 0, 1, 0) {
            return;
        }
        let batch = &self.batch;
        self.network
            .energy_gradient(recording, parameters, batch.x, None, batch.gradient);
        langevin(recording, &settings, batch, 0, 0);
    }

    /// Whether these chains are walked, and if so, the steps.
    fn walk(
        &self,
        recording: &mut Recording,
        settings: &LangevinSettings,
        first_step: u32,
        steps: usize,
        first_chain: usize,
    ) -> bool {
        let Some((plan, packed)) = &self.walk else {
            return false;
        };
        let arguments = WalkArguments {
            settings,
            stream: self.batch.stream,
            seed: self.batch.seed,
            first_element: (first_chain * self.batch.length) as u32,
            samples: self.network.samples(),
            packed: *packed,
            x: self.batch.x,
            energies: self.batch.energies,
        };
        walk_chains(recording, plan, &arguments, first_step, steps);
        true
    }
}
