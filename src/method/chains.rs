//! Langevin chains, and others, on the energy of a network.

mod pass;
mod steps;

pub use pass::{ChainPass, StepControl};

use super::strategy::Strategy;
use crate::gpu::{Buffer, GpuError, Recording};
use crate::kernels::{
    ChainBatch, ChainStart, ChainSteps, Dynamics, WalkPlan, pack_walk_weights, start_chains,
};
use crate::network::{Architecture, Kernels, Network};
use crate::random::Stream;
use std::cell::RefCell;
use steps::RecordedStep;

/// A batch of Langevin chains, or of another kind of [`Dynamics`], on the energy of one network.
pub struct Chains {
    network: Network,
    /// Where chains are walked instead of run on the network's layers: how, and the weights in the order for it.
    walk: Option<(WalkPlan, Buffer)>,
    dynamics: Dynamics,
    steps: Box<dyn ChainSteps>,
    start: ChainStart,
    batch: ChainBatch,
    /// Where chains that may jump are offered to go, and the energies there.
    jump: Option<(Buffer, Buffer)>,
    /// Steps numbered 0 as they were taken last, since most go on as they began.
    recorded: RefCell<Vec<RecordedStep>>,
}

impl Chains {
    /// Lays out `count` chains whose random numbers come from (`seed`, `stream`).
    ///
    /// # Errors
    /// When the batch exceeds the adapter's image size.
    pub fn new(
        architecture: &Architecture,
        count: usize,
        kernels: impl Into<Kernels>,
        dynamics: impl Into<Dynamics>,
        start: ChainStart,
        (seed, stream): (u64, Stream),
    ) -> Result<Self, GpuError> {
        let network = Network::new(architecture, count, kernels)?;
        Ok(Self::on(network, dynamics, start, (seed, stream)))
    }

    /// As many chains as a batch of `network` has samples. Its workspace may be shared with others that are in use
    /// before or after.
    pub fn on(
        network: Network,
        dynamics: impl Into<Dynamics>,
        start: ChainStart,
        (seed, stream): (u64, Stream),
    ) -> Self {
        let dynamics = dynamics.into();
        let batch = batch_on(&network, stream, seed);
        Chains {
            network,
            walk: None,
            steps: (dynamics.kind.lay_out)(&dynamics, batch),
            jump: (dynamics.jumps.count > 0).then(|| {
                let values = batch.chains * batch.length;
                (
                    Buffer::new("jumps", values),
                    Buffer::new("jump energies", batch.chains),
                )
            }),
            dynamics,
            start,
            batch,
            recorded: RefCell::new(Vec::new()),
        }
    }

    /// The same chains, run by `strategy`; without this, layer by layer. The strategy must be one for the same network.
    /// Only kinds that can walk do, on chains that never jump: all others run layer by layer.
    pub fn with_strategy(mut self, strategy: Strategy) -> Self {
        self.walk = match strategy {
            _ if !self.dynamics.kind.walks || self.jump.is_some() => None,
            Strategy::Layers => None,
            Strategy::Walk(plan) => {
                let packed = Buffer::new("packed weights, walk", plan.packed_words());
                Some((plan, packed))
            }
        };
        self
    }

    /// The network the chains run on.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// The states: (chain, channel, row, column).
    pub fn states(&self) -> Buffer {
        self.batch.x
    }

    /// The energies of the states before the last step of [`Self::advance`]; of the kinds that carry them, after it.
    pub fn energies(&self) -> Buffer {
        self.batch.energies
    }

    /// How they move.
    pub fn dynamics(&self) -> &Dynamics {
        &self.dynamics
    }

    /// Where the kind of sampler has a Metropolis test: one word each, the step size; the sum of the mean acceptance
    /// probabilities of the steps since the last pass of chain 0 began, without those that adapted the step size; the number
    /// of these; the number of those.
    pub fn control(&self) -> Option<Buffer> {
        self.steps.control()
    }

    /// What the kernels are told of them.
    pub(super) fn batch(&self) -> &ChainBatch {
        &self.batch
    }

    /// Must be recorded once before anything else.
    pub fn setup(&self, recording: &mut Recording) {
        if self.walk.is_none() {
            self.network.setup(recording);
        }
        self.setup_control(recording);
    }

    /// The part of [`Self::setup`] that is left where the network is set up already: the step size at its first value.
    pub fn setup_control(&self, recording: &mut Recording) {
        if let Some(control) = self.control() {
            recording.upload_f32(
                control,
                0,
                &[self.dynamics.langevin.step_size, 0.0, 0.0, 0.0],
            );
        }
    }

    /// Makes the chains run on the energy with `parameters`; needed again whenever their values have changed.
    pub fn prepare(&self, recording: &mut Recording, parameters: Buffer) {
        match &self.walk {
            Some((plan, packed)) => pack_walk_weights(recording, plan, parameters, *packed),
            None => self.network.prepare(recording, parameters),
        }
    }

    /// Whether they walk on weights of their own, so that [`Self::prepare`] does not prepare their network.
    pub fn walk_alone(&self) -> bool {
        self.walk.is_some()
    }

    /// Puts the first `count` chains at fresh starts, drawn for `step`; chain i takes the random numbers of chain
    /// `first_chain` + i, so that a large set can be drawn in batches.
    pub fn restart(&self, recording: &mut Recording, step: u32, first_chain: usize, count: usize) {
        if count == 0 {
            return;
        }
        let length = self.batch.length;
        start_chains(
            recording,
            self.start,
            self.start_stream(),
            self.batch.seed,
            step,
            (first_chain * length) as u32,
            count * length,
            self.batch.x,
        );
    }

    /// Chains started for sampling draw their starts from a stream of their own.
    fn start_stream(&self) -> Stream {
        if self.batch.stream == Stream::Sampling {
            Stream::SamplingStart
        } else {
            Stream::ChainStart
        }
    }
}

fn batch_on(network: &Network, stream: Stream, seed: u64) -> ChainBatch {
    let (chains, length) = (network.samples(), network.architecture().input().len());
    ChainBatch {
        chains,
        length,
        stream,
        seed,
        x: Buffer::new("chains", chains * length),
        energies: Buffer::new("chain energies", chains),
        gradient: Buffer::new("chain gradients", chains * length),
    }
}
