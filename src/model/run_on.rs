//! Chains from given states.

use super::error::ModelError;
use super::sample::{begun, fresh_chains};
use super::stored::Model;
use crate::gpu::{Executor, Recording};
use crate::method::{ChainPass, Strategy};
use crate::network::{Network, trusted_variant, tuned_kernels};

/// Numbers of values from here on belong to no chain that is drawn: samples have at most 2³⁰ values.
const UNDRAWN: usize = 1 << 31;

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
        let mut dynamics = self.config.dynamics();
        if dynamics.kind.is_exact() {
            dynamics.langevin.step_size = self.step_size();
        }
        let chains = fresh_chains(&self.config, network, dynamics, seed)
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
