//! Chains from given states.

use super::error::ModelError;
use super::sample::{begun, fresh_chains, pass};
use super::stored::Model;
use crate::gpu::{Executor, Recording};
use crate::kernels::Dynamics;
use crate::method::{ChainPass, Strategy};
use crate::network::{Network, trusted_variant, tuned_kernels};

/// Numbers of values from here on belong to no chain that is drawn: samples have at most 2³⁰ values.
const UNDRAWN: usize = 1 << 31;
/// Steps that are handed to the device between two looks at whether to go on.
const STRETCH: usize = 20;
/// States that are denoised at a time.
const DENOISED: usize = 256;

/// Chains that went on for some passes.
pub(crate) struct Passes {
    /// The states after each pass, in the model's scale.
    pub(crate) states: Vec<Vec<f32>>,
    /// Energy-gradient evaluations that they took.
    pub(crate) gradient_evaluations: u64,
}

impl Model {
    /// Runs chains of the model's own sampler from `states`, one from each, for `passes` of as many steps as a pass of training
    /// has. Kinds with a Metropolis test take the step size that training left. Their random numbers are of chains that
    /// [`Self::sample`] never draws, so that the two are independent at one seed. `progress` is told how many passes are done.
    ///
    /// # Errors
    /// When `states` are not whole samples or too many for the adapter, or the GPU fails.
    pub(crate) fn run_on(
        &self,
        executor: &mut Executor,
        states: &[f32],
        passes: usize,
        seed: u64,
        progress: &mut dyn FnMut(usize),
    ) -> Result<Passes, ModelError> {
        let shape = self.architecture.input();
        let given = states.len();
        if given == 0 || !given.is_multiple_of(shape.len()) {
            return Err(ModelError::WrongLength { given, shape });
        }
        let mark = executor.mark();
        let found = self.run_from(executor, states, passes, seed, progress);
        executor.release_since(mark);
        found
    }

    /// Carries chains of the model's own sampler on from `states`, one from each, by `steps` steps, as [`Self::sample`] takes
    /// them from fresh starts: where there is a Metropolis test, with a step size that is adapted in the first half of them.
    /// Gives the states in the end. On a workspace of this model's
    /// architecture that is not in use. The chains are those with the numbers from `first` on, none of which `sample` ever
    /// draws. None where `progress`, which is told how many steps of how many chains are done, says no.
    ///
    /// # Errors
    /// When `states` are not whole samples, or the GPU fails.
    pub(crate) fn carry_on(
        &self,
        executor: &mut Executor,
        workspace: &Network,
        states: &[f32],
        (first, steps): (usize, usize),
        seed: u64,
        progress: &mut dyn FnMut(usize) -> bool,
    ) -> Result<Option<Vec<f32>>, ModelError> {
        let shape = self.architecture.input();
        let (length, given) = (shape.len(), states.len());
        if given == 0 || !given.is_multiple_of(length) {
            return Err(ModelError::WrongLength { given, shape });
        }
        let mark = executor.mark();
        let network = workspace.for_samples(given / length);
        let group = network.samples();
        let strategy = Strategy::trusted(executor, &self.architecture, group)?;
        let chains = fresh_chains(&self.config, network, self.adapted_dynamics(), seed)
            .with_mixture(self.mixture.clone(), self.config.data.noise)
            .with_strategy(strategy);
        let (prepared, recording) = begun(&chains, &self.parameters);
        executor.run(&recording)?;
        let mut ends = Vec::with_capacity(given);
        for (index, some) in states.chunks(group * length).enumerate() {
            let of_group = pass(
                &self.config,
                steps,
                UNDRAWN / length + first + index * group,
            );
            let mut recording = Recording::new();
            // What is computed beyond a last group that is not full is not read.
            recording.upload_f32(chains.states(), 0, some);
            for from in (0..steps).step_by(STRETCH) {
                let until = (from + STRETCH).min(steps);
                prepared.run(&mut recording, &of_group, from..until);
                executor.run(&recording)?;
                // Progress means work done, not work handed over.
                executor.finish()?;
                recording = Recording::new();
                if !progress((until - from) * some.len() / length) {
                    executor.release_since(mark);
                    return Ok(None);
                }
            }
            let words = executor.read_words(chains.states(), 0, some.len())?;
            ends.extend(words.into_iter().map(f32::from_bits));
        }
        executor.release_since(mark);
        Ok(Some(ends))
    }

    /// `states` of chains, denoised as [`Self::sample`] does its last ones: as they are where training added no noise to the
    /// data.
    ///
    /// # Errors
    /// When `states` are not whole samples, or the GPU fails.
    pub(crate) fn denoised(
        &self,
        executor: &mut Executor,
        states: &[f32],
    ) -> Result<Vec<f32>, ModelError> {
        let shape = self.architecture.input();
        let (length, given) = (shape.len(), states.len());
        if !given.is_multiple_of(length) {
            return Err(ModelError::WrongLength { given, shape });
        }
        let noise = self.config.data.noise;
        if noise == 0.0 || given == 0 {
            return Ok(states.to_vec());
        }
        let mark = executor.mark();
        let group = DENOISED.min(given / length);
        let variant = trusted_variant(executor)?;
        let kernels = tuned_kernels(executor, &self.architecture, group, variant)?;
        let network = Network::new(&self.architecture, group, kernels)?;
        // Of chains that take no step nothing is random.
        let chains = fresh_chains(&self.config, network, self.dynamics(), 0)
            .with_mixture(self.mixture.clone(), noise);
        let (prepared, recording) = begun(&chains, &self.parameters);
        executor.run(&recording)?;
        let mut clean = Vec::with_capacity(given);
        for some in states.chunks(group * length) {
            let mut recording = Recording::new();
            recording.upload_f32(chains.states(), 0, some);
            prepared.denoise(&mut recording, noise);
            executor.run(&recording)?;
            let words = executor.read_words(chains.states(), 0, some.len())?;
            clean.extend(words.into_iter().map(f32::from_bits));
        }
        executor.release_since(mark);
        Ok(clean)
    }

    /// The sampler's dynamics, where there is a Metropolis test at the step size that training left.
    pub(super) fn adapted_dynamics(&self) -> Dynamics {
        let mut dynamics = self.dynamics();
        if dynamics.kind.is_exact() {
            dynamics.langevin.step_size = self.step_size();
        }
        dynamics
    }

    fn run_from(
        &self,
        executor: &mut Executor,
        states: &[f32],
        passes: usize,
        seed: u64,
        progress: &mut dyn FnMut(usize),
    ) -> Result<Passes, ModelError> {
        let length = self.architecture.input().len();
        let count = states.len() / length;
        let variant = trusted_variant(executor)?;
        let kernels = tuned_kernels(executor, &self.architecture, count, variant)?;
        let network = Network::new(&self.architecture, count, kernels)?;
        let chains = fresh_chains(&self.config, network, self.adapted_dynamics(), seed)
            .with_mixture(self.mixture.clone(), self.config.data.noise)
            .with_strategy(Strategy::trusted(executor, &self.architecture, count)?);
        let (prepared, mut recording) = begun(&chains, &self.parameters);
        recording.upload_f32(chains.states(), 0, states);
        executor.run(&recording)?;
        let sampler = &self.config.sampler;
        let mut after = Vec::with_capacity(passes);
        for pass in 0..passes {
            let of_pass = ChainPass {
                first_step: (sampler.steps * pass) as u32,
                steps: sampler.steps,
                adapting: 0,
                first_chain: UNDRAWN / length,
                anneal: sampler.anneal,
            };
            let mut recording = Recording::new();
            prepared.run(&mut recording, &of_pass, 0..sampler.steps);
            executor.run(&recording)?;
            after.push(executor.read(chains.states())?);
            progress(pass + 1);
        }
        let evaluations = chains.dynamics().evaluations(sampler.steps);
        Ok(Passes {
            states: after,
            gradient_evaluations: (evaluations * passes * count) as u64,
        })
    }
}
