//! The way that training took to a network with a Gaussian base, on the GPU.
//!
//! Laws are parameters. The base is those of the first snapshot on the way with its last layer with weights at 0, so that the
//! network gives 0; what is between two kept ones is weighted between them, and as legitimate a law as they are.

use super::network_path::{FEW_DIMENSIONS, dynamics, first_step_size_of, log_z_of, proportional};
use super::telescope::APART;
use super::trail::Trail;
use crate::evaluation::EvaluationError;
use crate::gpu::{Buffer, Executor, Recording};
use crate::kernels::{ChainStart, JumpLaw, Jumps, QuadraticBase};
use crate::method::{ChainPass, ChainPreparation, Chains, StepControl};
use crate::model::{Model, ModelError};
use crate::network::{Network, trusted_variant, tuned_kernels};
use crate::random::{Philox, Stream};
use std::ops::Range;

/// The first step among the random numbers of samples, behind those of annealed chains.
const FIRST_STEP: u32 = 3 << 30;
/// Where samples have few values, chains are offered so many independent draws from the base before every third transition,
/// which bring modes to their weights that no Hamiltonian step goes between.
const OFFERS: usize = 2;
/// Records whose energies are computed in one submission.
const RECORDS: usize = 64;

/// Chains on the GPU, and the parameters of all kept laws.
pub(in crate::evaluation) struct NetworkTrail<'a> {
    executor: &'a mut Executor,
    chains: Chains,
    parameters: Buffer,
    /// The place that the chains are prepared for, and with what.
    prepared: Option<(f64, ChainPreparation)>,
    /// f alone: the network without its base.
    potential: Network,
    potential_parameters: Buffer,
    /// States whose energies are asked for, those energies, and all of one submission.
    looked_at: Buffer,
    potentials: Buffer,
    found: Buffer,
    base: QuadraticBase,
    /// The parameters of the snapshots, and those of the model.
    kept: Vec<Vec<f32>>,
    /// Where those of the last layer with weights are.
    last: Vec<Range<usize>>,
    /// The parameters of the laws at 0, 1, 2 and so on.
    knots: Vec<Vec<f32>>,
    /// Places of the model's law: (chain, value).
    starts: Vec<f32>,
    seed: u64,
    step: u32,
}

impl<'a> NetworkTrail<'a> {
    /// As many chains as there are samples in `starts`, which are places of the model's law, past the laws whose parameters
    /// `kept` holds, to the model.
    ///
    /// # Errors
    /// When there is no base to begin at, a snapshot is not of the model's network, or the GPU fails.
    pub(in crate::evaluation) fn new(
        executor: &'a mut Executor,
        model: &Model,
        kept: &[Vec<f32>],
        starts: Vec<f32>,
        seed: u64,
    ) -> Result<Self, EvaluationError> {
        let architecture = model.architecture();
        let base = architecture.base().ok_or(EvaluationError::NoBase)?;
        let last =
            proportional(architecture).map_err(|reason| EvaluationError::NoPath { reason })?;
        let count = architecture.parameter_count();
        if let Some(other) = kept.iter().find(|values| values.len() != count) {
            return Err(EvaluationError::Model(ModelError::WrongTensor {
                name: "all parameters of a snapshot".into(),
                wanted: vec![count],
                found: format!("there are {} values", other.len()),
            }));
        }
        let mut all = kept.to_vec();
        all.push(model.parameters().to_vec());

        let length = architecture.input().len();
        let count = starts.len() / length;
        let variant = trusted_variant(executor).map_err(ModelError::from)?;
        let kernels = tuned_kernels(executor, architecture, count, variant)?;
        let without_base = architecture.clone().without_base();
        let potential = Network::new(&without_base, count, kernels.clone())?;
        let jumps = match length <= FEW_DIMENSIONS {
            true => Jumps {
                count: OFFERS,
                every: APART,
                law: JumpLaw::Start,
            },
            false => Jumps::NONE,
        };
        let start = ChainStart::Gaussian {
            mean: base.mean,
            std: base.std,
        };
        let chains = Chains::new(
            architecture,
            count,
            kernels,
            dynamics(jumps),
            start,
            (seed, Stream::Sampling),
        )?;
        let mut recording = Recording::new();
        chains.setup(&mut recording);
        potential.setup(&mut recording);
        executor.run(&recording)?;
        let parameters = architecture.parameter_count();
        let mut trail = NetworkTrail {
            executor,
            chains,
            parameters: Buffer::new("parameters on the trail", parameters),
            prepared: None,
            potential,
            potential_parameters: Buffer::new("parameters of potentials", parameters),
            looked_at: Buffer::new("recorded states", count * length),
            potentials: Buffer::new("potentials", count),
            found: Buffer::new("potentials of records", RECORDS * count),
            base,
            kept: all,
            last,
            knots: Vec::new(),
            starts,
            seed,
            step: FIRST_STEP,
        };
        trail.lead_past(&(0..kept.len()).collect::<Vec<_>>());
        Ok(trail)
    }

    /// The parameters at `place`.
    fn at(&self, place: f64) -> Vec<f32> {
        let last = self.knots.len() - 1;
        let knot = (place.floor() as usize).min(last);
        let share = place - knot as f64;
        let (from, to) = (&self.knots[knot], &self.knots[(knot + 1).min(last)]);
        let between = |(from, to): (&f32, &f32)| {
            (f64::from(*from) * (1.0 - share) + f64::from(*to) * share) as f32
        };
        from.iter().zip(to).map(between).collect()
    }

    fn put(&mut self, states: &[f32]) -> Result<(), EvaluationError> {
        let mut recording = Recording::new();
        recording.upload_f32(self.chains.states(), 0, states);
        Ok(self.executor.run(&recording)?)
    }
}

impl Trail for NetworkTrail<'_> {
    type Error = EvaluationError;
    /// (chain, value)
    type States = Vec<f32>;

    fn chains(&self) -> usize {
        self.potentials.words()
    }

    fn log_z_base(&self) -> f64 {
        log_z_of(self.base, self.starts.len() / self.chains().max(1))
    }

    fn first_step_size(&self) -> f64 {
        first_step_size_of(self.base)
    }

    fn kept(&self) -> usize {
        self.kept.len() - 1
    }

    fn lead_past(&mut self, kept: &[usize]) {
        let model = self.kept.len() - 1;
        let chosen = kept.iter().chain([&model]);
        self.knots = chosen.map(|index| self.kept[*index].clone()).collect();
        let mut base = self.knots[0].clone();
        for place in &self.last {
            base[place.clone()].fill(0.0);
        }
        self.knots.insert(0, base);
        self.prepared = None;
    }

    fn knots(&self) -> usize {
        self.knots.len() - 1
    }

    fn evaluations(&self, steps: usize) -> usize {
        self.chains.dynamics().evaluations(steps)
    }

    fn start_at_base(&mut self) -> Result<(), EvaluationError> {
        let mut random = Philox::new(self.seed, Stream::SamplingStart, self.step);
        self.step = self.step.wrapping_add(1);
        let QuadraticBase { mean, std } = self.base;
        let draws = (0..self.starts.len()).map(|_| mean + std * random.normal());
        self.put(&draws.collect::<Vec<f32>>())
    }

    fn start_at_model(&mut self) -> Result<(), EvaluationError> {
        let starts = self.starts.clone();
        self.put(&starts)
    }

    fn advance(
        &mut self,
        place: f64,
        step_size: f64,
        steps: usize,
        adapt: bool,
    ) -> Result<f64, EvaluationError> {
        let mut recording = Recording::new();
        let prepared = match self.prepared {
            Some((known, preparation)) if known == place => self.chains.resume(preparation),
            _ => {
                recording.upload_f32(self.parameters, 0, &self.at(place));
                self.chains.prepare(&mut recording, self.parameters)
            }
        };
        self.prepared = Some((place, prepared.preparation()));
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
        self.executor.run(&recording)?;
        match adapt {
            true => Ok(StepControl::read(self.executor, self.chains.control())?
                .map_or(step_size, |control| f64::from(control.step_size))),
            false => Ok(step_size),
        }
    }

    fn states(&mut self) -> Result<Vec<f32>, EvaluationError> {
        Ok(self.executor.read(self.chains.states())?)
    }

    fn potentials(
        &mut self,
        states: &[Vec<f32>],
        place: f64,
    ) -> Result<Vec<Vec<f64>>, EvaluationError> {
        let chains = self.chains();
        let mut potentials = Vec::with_capacity(states.len());
        for states in states.chunks(RECORDS) {
            let mut recording = Recording::new();
            recording.upload_f32(self.potential_parameters, 0, &self.at(place));
            let network = self
                .potential
                .prepare(&mut recording, self.potential_parameters);
            for (record, states) in states.iter().enumerate() {
                recording.upload_f32(self.looked_at, 0, states);
                network.energies(&mut recording, self.looked_at, self.potentials, false);
                recording.copy_range(self.potentials, 0, self.found, record * chains, chains);
            }
            self.executor.run(&recording)?;
            let words = self
                .executor
                .read_words(self.found, 0, states.len() * chains)?;
            let values: Vec<f64> = words
                .into_iter()
                .map(|word| f64::from(f32::from_bits(word)))
                .collect();
            potentials.extend(values.chunks(chains).map(<[f64]>::to_vec));
        }
        Ok(potentials)
    }
}
