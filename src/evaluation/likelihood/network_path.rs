//! The path to a network with a Gaussian base, on the GPU.
//!
//! The energy is the sum of what the last layer with weights gives, so that β times the parameters of that layer is β·f, and
//! the chains run on the kernels of the network as it is.

use super::path::{Advanced, Path};
use crate::evaluation::EvaluationError;
use crate::gpu::{Buffer, Executor, Recording};
use crate::kernels::{
    Bounds, ChainStart, Dynamics, HMC, Jumps, LEAPFROG, LangevinSettings, QuadraticBase,
};
use crate::method::{ChainPass, ChainPreparation, Chains, StepControl};
use crate::model::{Model, ModelError};
use crate::network::{
    Architecture, BlockKind, Network, Preparation, trusted_variant, tuned_kernels,
};
use crate::random::{Philox, Stream};
use std::f64::consts::PI;
use std::ops::Range;

/// Leapfrog steps of a transition. On a model by `digits-density` sweeps of as many evaluations had variances of ln w of 0.35
/// with 3, 0.9 with 5 and 1.1 with 10.
const LEAPS: usize = 3;
/// The acceptance that the pilot adapts step sizes to.
const TARGET_ACCEPTANCE: f32 = 0.8;
/// In so few dimensions chains from data are also offered draws from the base: there these are taken often enough to
/// bring modes to their weights, between which no Hamiltonian step goes.
pub(super) const FEW_DIMENSIONS: usize = 4;
/// The first step among the random numbers of samples, far behind those that `sample` takes.
const FIRST_STEP: u32 = 1 << 31;

/// Chains on the GPU and the data that those start from that are to have the model's law.
pub(in crate::evaluation) struct NetworkPath<'a> {
    executor: &'a mut Executor,
    chains: Chains,
    parameters: Buffer,
    /// The last layer with weights, and its parameters at β = 1.
    last: Vec<(usize, Vec<f32>)>,
    /// The β that the chains are prepared for, and with what.
    prepared: Option<(f64, ChainPreparation)>,
    /// f alone: the network without its base.
    potential: Network,
    potential_preparation: Preparation,
    potentials: Buffer,
    /// Where chains are offered to go.
    proposals: Buffer,
    base: QuadraticBase,
    /// (chain, value)
    data: Vec<f32>,
    /// Where chains from there were when they last moved under the model.
    settled: Vec<f32>,
    seed: u64,
    step: u32,
}

/// Where the parameters are that f is proportional to.
///
/// # Errors
/// The reason why there are none.
pub(super) fn proportional(architecture: &Architecture) -> Result<Vec<Range<usize>>, &'static str> {
    if architecture.spectral_norm() {
        return Err(
            "its weights are normalised (network.spectral_norm), so that scaling them changes nothing",
        );
    }
    let blocks = architecture.blocks().iter().rev();
    let last = blocks.map(|block| block.kind).find(BlockKind::has_weights);
    let layers = match last {
        Some(BlockKind::Layer(layer)) => vec![layer],
        Some(BlockKind::Residual(block)) => match block.skip {
            Some(skip) => vec![block.conv2, skip],
            None => {
                return Err(
                    "its last layer adds its input to its output, which no weight scales: end with { dense = 1 }",
                );
            }
        },
        // A network has a layer with weights.
        Some(BlockKind::Pool(_)) | None => Vec::new(),
    };
    let place = |layer: usize| {
        let kind = &architecture.layers()[layer];
        let start = architecture.parameter_offset(layer);
        start..start + kind.weight_len() + kind.outputs()
    };
    Ok(layers.into_iter().map(place).collect())
}

/// How chains move between the base and the model.
pub(super) fn dynamics(jumps: Jumps) -> Dynamics {
    Dynamics {
        kind: &HMC,
        langevin: LangevinSettings {
            step_size: 1.0,
            noise: 0.0,
            clip: 0.0,
            bounds: Bounds::None,
        },
        temperature: 1.0,
        leapfrog: LEAPS,
        integrator: &LEAPFROG,
        friction: 1.0,
        target_acceptance: Some(TARGET_ACCEPTANCE),
        jumps,
    }
}

/// ln Z of the base in so many dimensions.
pub(super) fn log_z_of(base: QuadraticBase, dimensions: usize) -> f64 {
    let variance = f64::from(base.std).powi(2);
    dimensions as f64 / 2.0 * (2.0 * PI * variance).ln()
}

/// A quarter of the base's standard deviation a leap.
pub(super) fn first_step_size_of(base: QuadraticBase) -> f64 {
    f64::from(base.std).powi(2) / 32.0
}

impl<'a> NetworkPath<'a> {
    /// As many chains as there are samples in `data`, from which those start that are to have the model's law.
    ///
    /// # Errors
    /// When there is no such path to the model, or the GPU fails.
    pub(in crate::evaluation) fn new(
        executor: &'a mut Executor,
        model: &Model,
        data: Vec<f32>,
        seed: u64,
    ) -> Result<Self, EvaluationError> {
        let architecture = model.architecture();
        let base = architecture.base().ok_or(EvaluationError::NoBase)?;
        let places =
            proportional(architecture).map_err(|reason| EvaluationError::NoPath { reason })?;
        let length = architecture.input().len();
        let count = data.len() / length;
        let variant = trusted_variant(executor).map_err(ModelError::from)?;
        let kernels = tuned_kernels(executor, architecture, count, variant)?;
        let without_base = architecture.clone().without_base();
        let potential = Network::new(&without_base, count, kernels.clone())?;
        let dynamics = dynamics(Jumps::NONE);
        // Starts are uploaded, so that this one is not taken.
        let start = ChainStart::Gaussian {
            mean: base.mean,
            std: base.std,
        };
        let chains = Chains::new(
            architecture,
            count,
            kernels,
            dynamics,
            start,
            (seed, Stream::Sampling),
        )?;
        let values = model.parameters();
        let parameters = Buffer::new("parameters on the path", values.len());
        let at_model = Buffer::new("parameters", values.len());
        let mut recording = Recording::new();
        chains.setup(&mut recording);
        potential.setup(&mut recording);
        recording.upload_f32(parameters, 0, values);
        recording.upload_f32(at_model, 0, values);
        let potential_preparation = potential.prepare(&mut recording, at_model).preparation();
        executor.run(&recording)?;
        Ok(NetworkPath {
            executor,
            chains,
            parameters,
            last: places
                .into_iter()
                .map(|place| (place.start, values[place].to_vec()))
                .collect(),
            prepared: None,
            potential,
            potential_preparation,
            potentials: Buffer::new("potentials", count),
            proposals: Buffer::new("proposals from the base", count * length),
            base,
            settled: data.clone(),
            data,
            seed,
            step: FIRST_STEP,
        })
    }

    /// The chains from data, (chain, value), after they last moved under the model alone.
    pub(super) fn into_settled(self) -> Vec<f32> {
        self.settled
    }

    /// Draws from the base, (chain, value), with numbers that no other draw takes.
    fn base_draws(&mut self) -> (Vec<f32>, Philox) {
        let mut random = Philox::new(self.seed, Stream::SamplingStart, self.step);
        self.step = self.step.wrapping_add(1);
        let QuadraticBase { mean, std } = self.base;
        let draws = (0..self.data.len()).map(|_| mean + std * random.normal());
        (draws.collect(), random)
    }

    /// f at `states`, which are on the GPU.
    fn potentials_at(
        &mut self,
        mut recording: Recording,
        states: Buffer,
    ) -> Result<Vec<f64>, EvaluationError> {
        let potential = self.potential.resume(self.potential_preparation);
        potential.energies(&mut recording, states, self.potentials, false);
        self.executor.run(&recording)?;
        let words = self.executor.read(self.potentials)?;
        Ok(words.into_iter().map(f64::from).collect())
    }

    fn start_at(&mut self, states: &[f32]) -> Result<Vec<f64>, EvaluationError> {
        let mut recording = Recording::new();
        recording.upload_f32(self.chains.states(), 0, states);
        self.potentials_at(recording, self.chains.states())
    }

    /// Offers every chain an independent draw from the base, which it takes with the probability that leaves the model's
    /// law as it is (Tierney 1994): the base cancels, and exp(f(x) − f(y)) is left.
    fn jump(&mut self, potentials: &[f64]) -> Result<Vec<f64>, EvaluationError> {
        let (proposals, mut random) = self.base_draws();
        let mut recording = Recording::new();
        recording.upload_f32(self.proposals, 0, &proposals);
        let offered = self.potentials_at(recording, self.proposals)?;
        let mut states = self.executor.read(self.chains.states())?;
        let length = self.dimensions();
        let mut after = potentials.to_vec();
        for (chain, (f, offered)) in after.iter_mut().zip(offered).enumerate() {
            // A proposal that is not finite is not taken.
            if f64::from(random.uniform()) < (*f - offered).exp() {
                let own = chain * length..(chain + 1) * length;
                states[own.clone()].copy_from_slice(&proposals[own]);
                *f = offered;
            }
        }
        let mut recording = Recording::new();
        recording.upload_f32(self.chains.states(), 0, &states);
        self.executor.run(&recording)?;
        Ok(after)
    }
}

impl Path for NetworkPath<'_> {
    type Error = EvaluationError;

    fn chains(&self) -> usize {
        self.potentials.words()
    }

    fn dimensions(&self) -> usize {
        self.data.len() / self.chains().max(1)
    }

    fn log_z_base(&self) -> f64 {
        log_z_of(self.base, self.dimensions())
    }

    fn first_step_size(&self) -> f64 {
        first_step_size_of(self.base)
    }

    fn evaluations(&self, steps: usize) -> usize {
        self.chains.dynamics().evaluations(steps) + 1
    }

    fn start_at_base(&mut self) -> Result<Vec<f64>, EvaluationError> {
        let (states, _) = self.base_draws();
        self.start_at(&states)
    }

    fn start_at_model(&mut self) -> Result<Vec<f64>, EvaluationError> {
        let states = self.data.clone();
        self.start_at(&states)
    }

    fn advance(
        &mut self,
        beta: f64,
        step_size: f64,
        steps: usize,
        adapt: bool,
    ) -> Result<Advanced, EvaluationError> {
        let mut recording = Recording::new();
        let prepared = match self.prepared {
            Some((known, preparation)) if known == beta => self.chains.resume(preparation),
            _ => {
                for (offset, values) in &self.last {
                    let scaled = values.iter().map(|value| (f64::from(*value) * beta) as f32);
                    recording.upload_f32(self.parameters, *offset, &scaled.collect::<Vec<_>>());
                }
                self.chains.prepare(&mut recording, self.parameters)
            }
        };
        self.prepared = Some((beta, prepared.preparation()));
        if let Some(control) = self.chains.control() {
            recording.upload_f32(control, 0, &[step_size as f32, 0.0, 0.0, 0.0]);
        }
        let pass = ChainPass {
            first_step: self.step,
            steps,
            adapting: if adapt { steps } else { 0 },
            first_chain: 0,
            anneal: None,
        };
        prepared.run(&mut recording, &pass, 0..steps);
        self.step = self.step.wrapping_add(steps as u32);
        let potentials = self.potentials_at(recording, self.chains.states())?;
        let step_size = match adapt {
            true => StepControl::read(self.executor, self.chains.control())?
                .map_or(step_size, |control| f64::from(control.step_size)),
            false => step_size,
        };
        Ok(Advanced {
            potentials,
            step_size,
        })
    }

    fn settle(&mut self, step_size: f64, steps: usize) -> Result<Vec<f64>, EvaluationError> {
        let moved = self.advance(1.0, step_size, steps, false)?.potentials;
        let after = match self.dimensions() <= FEW_DIMENSIONS {
            true => self.jump(&moved)?,
            false => moved,
        };
        self.settled = self.executor.read(self.chains.states())?;
        Ok(after)
    }
}
