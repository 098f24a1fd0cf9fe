//! Chains that are looked at on the way.

use super::error::ModelError;
use super::sample::{begun, fresh_chains};
use super::stored::Model;
use crate::gpu::{Buffer, Executor, Recording};
use crate::kernels::{Dynamics, LANGEVIN, LangevinSettings};
use crate::method::{ChainPass, ChainPreparation, Chains, Strategy};
use crate::network::{Network, trusted_variant, tuned_kernels};
use std::ops::Range;

/// Chains of a model's own sampler that are carried on bit by bit, as [`Model::sample`] runs them from start to end: for whoever shows
/// them meanwhile, or wants some values held.
pub struct RunningChains {
    chains: Chains,
    preparation: ChainPreparation,
    /// Standard deviation of the noise that training added to the data.
    noise: f32,
    /// The steps that are done.
    steps: u32,
    /// Whether the next step is the first after something else has moved the states.
    moved: bool,
    /// What the states are while they are looked at.
    aside: Buffer,
    held: Option<Held>,
}

/// Values that do not move.
struct Held {
    /// Of all chains.
    values: Buffer,
    /// Where they are, of all chains.
    places: Vec<Range<usize>>,
}

impl Model {
    /// `count` chains at fresh starts, which depend on `seed` alone. Where there is a Metropolis test, at the step size that training
    /// left.
    ///
    /// # Errors
    /// When there are no chains or too many for the adapter, or the GPU fails.
    pub fn running_chains(
        &self,
        executor: &mut Executor,
        count: usize,
        seed: u64,
    ) -> Result<RunningChains, ModelError> {
        self.chains_by(executor, self.adapted_dynamics(), count, seed)
    }

    /// As [`Self::running_chains`], for samples of which some values are known: the chains sample the others given these, by Langevin
    /// steps, which move every value by itself, so that to put the known ones back after every step is to have never moved them. A
    /// Metropolis test would be one of the whole sample.
    ///
    /// `sample` holds one sample in the model's scale, and `is_known` says of each of its values whether it is held; the others start
    /// afresh.
    ///
    /// # Errors
    /// As above, or when the two are not of one sample.
    pub fn filling_chains(
        &self,
        executor: &mut Executor,
        count: usize,
        seed: u64,
        sample: &[f32],
        is_known: &[bool],
    ) -> Result<RunningChains, ModelError> {
        let shape = self.architecture.input();
        for given in [sample.len(), is_known.len()] {
            if given != shape.len() {
                return Err(ModelError::WrongLength { given, shape });
            }
        }
        let own = self.adapted_dynamics();
        let step_size = own.langevin.step_size;
        let langevin = LangevinSettings {
            step_size,
            // Models that were trained by Langevin steps of another noise have learnt the law of those.
            noise: match own.kind.name == LANGEVIN.name {
                true => own.langevin.noise,
                false => (2.0 * step_size * own.temperature).sqrt(),
            },
            ..own.langevin
        };
        let dynamics = Dynamics {
            kind: &LANGEVIN,
            temperature: own.temperature,
            ..langevin.into()
        };
        let mut chains = self.chains_by(executor, dynamics, count, seed)?;
        chains.hold(executor, sample, is_known)?;
        Ok(chains)
    }

    fn chains_by(
        &self,
        executor: &mut Executor,
        dynamics: Dynamics,
        count: usize,
        seed: u64,
    ) -> Result<RunningChains, ModelError> {
        if count == 0 {
            return Err(ModelError::OutOfRange {
                what: "a number of chains",
                given: 0,
                advice: "run at least one",
            });
        }
        let variant = trusted_variant(executor)?;
        let kernels = tuned_kernels(executor, &self.architecture, count, variant)?;
        let network = Network::new(&self.architecture, count, kernels)?;
        let chains = fresh_chains(&self.config, network, dynamics, seed)
            .with_mixture(self.mixture.clone(), self.config.data.noise)
            .with_strategy(Strategy::trusted(executor, &self.architecture, count)?);
        let (prepared, mut recording) = begun(&chains, &self.parameters);
        let preparation = prepared.preparation();
        chains.restart(&mut recording, 0, 0, count);
        executor.run(&recording)?;
        Ok(RunningChains {
            aside: Buffer::new("chains, aside", chains.states().words()),
            chains,
            preparation,
            noise: self.config.data.noise,
            steps: 0,
            moved: true,
            held: None,
        })
    }
}

impl RunningChains {
    /// The steps that have been handed to the GPU.
    pub fn steps(&self) -> u32 {
        self.steps
    }

    /// Carries the chains on by `steps` steps. Does not wait for them.
    ///
    /// # Errors
    /// What the GPU reported.
    pub fn run(&mut self, executor: &mut Executor, steps: u32) -> Result<(), ModelError> {
        let mut recording = Recording::new();
        // Values that are held have to be put back before the next step.
        let stretch = match self.held {
            Some(_) => 1,
            None => steps.max(1),
        };
        for done in (0..steps).step_by(stretch as usize) {
            self.record(&mut recording, self.steps.wrapping_add(done), stretch);
        }
        executor.run(&recording)?;
        self.steps = self.steps.wrapping_add(steps);
        Ok(())
    }

    fn record(&mut self, recording: &mut Recording, first_step: u32, steps: u32) {
        let prepared = self.chains.resume(self.preparation);
        let moved = std::mem::take(&mut self.moved);
        let jumps = self.chains.dynamics().jumps.count > 0;
        if moved || jumps {
            // As the first of a pass, before which there is what steps carry, and chains are offered to jump.
            let pass = ChainPass {
                first_step,
                steps: steps as usize,
                adapting: 0,
                first_chain: 0,
                anneal: None,
            };
            prepared.run(recording, &pass, 0..pass.steps);
        } else {
            prepared.advance(recording, first_step, steps as usize, 0);
        }
        self.put_back(recording);
    }

    fn put_back(&self, recording: &mut Recording) {
        let Some(held) = &self.held else { return };
        for place in &held.places {
            recording.copy_range(
                held.values,
                place.start,
                self.chains.states(),
                place.start,
                place.len(),
            );
        }
    }

    fn hold(
        &mut self,
        executor: &mut Executor,
        sample: &[f32],
        is_known: &[bool],
    ) -> Result<(), ModelError> {
        let count = self.chains.network().samples();
        let values = Buffer::new("held values", count * sample.len());
        let all = is_known.iter().cycle().take(count * sample.len());
        let mut places: Vec<Range<usize>> = Vec::new();
        for (place, _) in all.enumerate().filter(|(_, is_known)| **is_known) {
            match places.last_mut() {
                Some(last) if last.end == place => last.end += 1,
                _ => places.push(place..place + 1),
            }
        }
        self.held = Some(Held { values, places });
        let mut recording = Recording::new();
        recording.upload_f32(values, 0, &sample.repeat(count));
        self.put_back(&mut recording);
        Ok(executor.run(&recording)?)
    }

    /// The states of all chains: (chain, channel, row, column), in the model's scale. Where training added noise to the data they are
    /// denoised as [`Model::sample`] denoises its samples, but for values that are held; the chains go on from what they were. Waits
    /// for the GPU where one can.
    ///
    /// # Errors
    /// What the GPU reported.
    pub async fn look_async(&mut self, executor: &mut Executor) -> Result<Vec<f32>, ModelError> {
        let states = self.chains.states();
        if self.noise == 0.0 {
            return Ok(executor.read_async(states).await?);
        }
        let mut recording = Recording::new();
        recording.copy(states, self.aside);
        self.chains
            .resume(self.preparation)
            .denoise(&mut recording, self.noise);
        self.put_back(&mut recording);
        executor.run(&recording)?;
        let looked_at = executor.read_async(states).await?;
        let mut recording = Recording::new();
        recording.copy(self.aside, states);
        executor.run(&recording)?;
        self.moved = true;
        Ok(looked_at)
    }
}
