//! What a network does all day: Langevin steps, and updates of its parameters.

use super::Session;
use super::error::BenchError;
use super::figure::{Figure, FigureKind};
use super::kernels::{self, TimedWork};
use super::networks::ReferenceNetwork;
use super::timing::{self, Times};
use crate::gpu::{Buffer, Executor, GpuError, Recording};
use crate::kernels::{AdamSettings, Bounds, ChainStart, LangevinSettings, Variant, start_chains};
use crate::method::{
    ChainPreparation, Chains, Objective, ObjectiveSettings, Optimiser, OptimiserSettings, Schedule,
    Strategy,
};
use crate::network::{Architecture, Initialisation, Network, initial_parameters, tuned_kernels};
use crate::random::Stream;

/// Langevin steps of a full training step.
const FULL_STEPS: usize = 40;
/// The fewest steps of a chain whose cost is divided by its length; the most are those of a full step.
const FEWEST_STEPS: usize = 4;
const SEED: u64 = 1;
const UNIFORM: ChainStart = ChainStart::Uniform {
    low: 0.0,
    high: 1.0,
};

/// Measures a network's work, and unless `brief` also full training steps and the kernels in it all.
pub(super) fn measure(
    session: &mut Session,
    network: &ReferenceNetwork,
    brief: bool,
) -> Result<(), BenchError> {
    let seconds = session.seconds;
    let chain = Chain::new(
        session.executor,
        session.variant,
        &network.architecture,
        network.batch,
    )?;
    let step_flops = network.architecture.flops_per_gradient() * network.batch as u64;
    // As many steps as a real run has, where there is time for them.
    let probe = timing::measure(session.executor, &chain.steps(1), 0.0)?;
    let steps = (seconds / 5.0 / probe.wall.median) as usize;
    let steps = steps.clamp(FEWEST_STEPS, FULL_STEPS);
    let langevin = TimedWork {
        network,
        name: "langevin",
        units: steps,
        recording: chain.steps(steps),
        flops: step_flops,
    };
    let step = langevin.measure(session)?;
    if !brief {
        kernels::measure(session, &langevin, &step)?;
    }

    let update = Update::new(session.executor, session.variant, &chain)?;
    chain.reset(session.executor)?;
    let mut recording = Recording::new();
    update.record(&mut recording);
    let train = TimedWork {
        network,
        name: "train",
        units: 1,
        recording,
        // Forward pass, gradients in the maps and gradients in the weights, over twice the batch.
        flops: 3 * step_flops,
    };
    let updated = train.measure(session)?;
    if brief {
        return Ok(());
    }
    kernels::measure(session, &train, &updated)?;
    chain.reset(session.executor)?;

    let mut recording = Recording::new();
    chain.chains.prepare(&mut recording, chain.parameters);
    recording.append(chain.steps(FULL_STEPS));
    update.take_noise(&mut recording, chain.chains.states());
    update.record(&mut recording);
    let full = TimedWork {
        network,
        name: "full",
        units: 1,
        recording,
        flops: FULL_STEPS as u64 * langevin.flops + train.flops,
    };
    // One run may be longer than there is time for.
    let parts = step.scaled(FULL_STEPS as f64).plus(updated);
    if parts.wall.median > seconds {
        let mut figure = full.figure(session, &parts);
        figure.composed = true;
        session.tell(figure);
    } else {
        full.measure(session)?;
    }
    Ok(())
}

impl TimedWork<'_> {
    /// Measures and tells the time of one unit.
    fn measure(&self, session: &mut Session) -> Result<Times, BenchError> {
        let times = timing::measure(session.executor, &self.recording, session.seconds)?
            .scaled(1.0 / self.units as f64);
        let figure = self.figure(session, &times);
        session.tell(figure);
        Ok(times)
    }

    fn figure(&self, session: &Session, times: &Times) -> Figure {
        let launches = self.recording.launches().values().sum::<usize>();
        let launches = launches as f64 / self.units as f64;
        let figure = Figure::new(session, FigureKind::Network, self.name, times, launches);
        let mut figure = figure.of(self.network);
        figure.rates(session, Some(self.flops), None);
        figure
    }
}

/// A batch of chains on a network with fresh parameters, ready to walk.
pub(super) struct Chain {
    chains: Chains,
    preparation: ChainPreparation,
    parameters: Buffer,
    initial: Vec<f32>,
}

impl Chain {
    pub(super) fn new(
        executor: &mut Executor,
        variant: Variant,
        architecture: &Architecture,
        batch: usize,
    ) -> Result<Self, GpuError> {
        // As in `benches/peer_torch.py`.
        let langevin = LangevinSettings {
            step_size: 1e-3,
            noise: 0.005,
            clip: 0.0,
            bounds: Bounds::None,
        };
        let random = (SEED, Stream::Sampling);
        let kernels = tuned_kernels(executor, architecture, batch, variant)?;
        let chains = Chains::new(architecture, batch, kernels, langevin, UNIFORM, random)?
            .with_strategy(Strategy::trusted(executor, architecture, batch)?);
        let parameters = Buffer::new("parameters", architecture.parameter_count());
        let plain = Initialisation {
            weights: Default::default(),
            zero_head: false,
            first_weight_scale: 1.0,
            first_bias_scale: 1.0,
        };
        let initial = initial_parameters(architecture, &plain, SEED);
        Ok(Chain {
            preparation: start(executor, &chains, parameters, &initial)?,
            chains,
            parameters,
            initial,
        })
    }

    /// Back to the start: kernels that were timed alone have moved the parameters and the states far off.
    fn reset(&self, executor: &mut Executor) -> Result<(), GpuError> {
        start(executor, &self.chains, self.parameters, &self.initial).map(|_| ())
    }

    /// `count` Langevin steps, as a run records them.
    pub(super) fn steps(&self, count: usize) -> Recording {
        let mut recording = Recording::new();
        let chains = self.chains.resume(self.preparation);
        chains.advance(&mut recording, 0, count, 0);
        recording
    }
}

fn start(
    executor: &mut Executor,
    chains: &Chains,
    parameters: Buffer,
    initial: &[f32],
) -> Result<ChainPreparation, GpuError> {
    let mut setup = Recording::new();
    setup.upload_f32(parameters, 0, initial);
    chains.setup(&mut setup);
    let prepared = chains.prepare(&mut setup, parameters);
    chains.restart(&mut setup, 0, 0, chains.network().samples());
    executor.run(&setup)?;
    Ok(prepared.preparation())
}

/// An update of the parameters, for which the noise model has the energy 0, so that the logistic loss is that of
/// `benches/peer_torch.py`: mean softplus(E(data)) + mean softplus(−E(noise)).
struct Update {
    network: Network,
    parameters: Buffer,
    samples: Buffer,
    live_energies: Buffer,
    snapshot_energies: Buffer,
    objective: Objective,
    optimiser: Optimiser,
}

impl Update {
    /// Of the parameters of `chain`, over as many data as noise samples.
    fn new(executor: &mut Executor, variant: Variant, chain: &Chain) -> Result<Self, GpuError> {
        let architecture = chain.chains.network().architecture();
        let batch = chain.chains.network().samples();
        let settings = OptimiserSettings {
            adam: AdamSettings {
                rate: 1e-4,
                beta1: 0.9,
                beta2: 0.999,
                epsilon: 1e-8,
                weight_decay: 0.0,
                gradient_clip: 0.0,
                average: 0.0,
                normalise_gradient: false,
            },
            schedule: Schedule::Constant,
            final_share: 1.0,
            warmup: 0,
            steps: 1,
        };
        let kernels = tuned_kernels(executor, architecture, 2 * batch, variant)?;
        let update = Update {
            network: Network::new(architecture, 2 * batch, kernels)?,
            parameters: chain.parameters,
            samples: Buffer::new("data and noise", 2 * batch * architecture.input().len()),
            live_energies: Buffer::new("live energies", 2 * batch),
            snapshot_energies: Buffer::new("snapshot energies", 2 * batch),
            objective: Objective::new(ObjectiveSettings::default(), batch, batch),
            optimiser: Optimiser::new(settings, chain.parameters.words()),
        };
        let mut setup = Recording::new();
        update.network.setup(&mut setup);
        update.optimiser.setup(&mut setup, &chain.initial);
        let count = update.samples.words();
        let stream = Stream::SamplingStart;
        start_chains(
            &mut setup,
            UNIFORM,
            stream,
            SEED,
            0,
            0,
            count,
            update.samples,
        );
        executor.run(&setup)?;
        Ok(update)
    }

    /// Makes the chains the noise samples.
    fn take_noise(&self, recording: &mut Recording, states: Buffer) {
        recording.copy_range(states, 0, self.samples, states.words(), states.words());
    }

    /// The energies of data and noise with the weights packed anew, the loss, the gradient in the weights, Adam.
    fn record(&self, recording: &mut Recording) {
        let (live, x) = (self.parameters, self.samples);
        let network = self.network.prepare(recording, live);
        network.energies(recording, x, self.live_energies, true);
        self.objective
            .weigh(recording, self.live_energies, self.snapshot_energies);
        let gradient = self.optimiser.gradient();
        network.weight_gradient(recording, x, self.objective.factor(), gradient, false);
        self.optimiser
            .step(recording, 0, live, self.objective.metrics());
    }
}
