//! Langevin chains, and others, on the energy of a network.

mod pass;
mod steps;

pub use pass::{ChainPass, StepControl};

use super::strategy::Strategy;
use crate::gpu::{Buffer, GpuError, Recording};
use crate::kernels::{
    ChainBatch, ChainStart, ChainSteps, Dynamics, GaussianMixture, JumpLaw, MixtureJumps,
    MixtureSize, WalkPlan, pack_walk_weights, start_chains,
};
use crate::network::{Architecture, Kernels, Network, Preparation, Prepared};
use crate::random::Stream;
use std::cell::RefCell;
use std::sync::Arc;
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
    /// Where chains that may jump are offered to go.
    jump: Option<Offers>,
    /// The mixture that they jump to, and the standard deviation of the noise that its draws have beside it.
    mixture: Option<(Arc<GaussianMixture>, f32)>,
    /// Steps numbered 0 as they were taken last, since most go on as they began.
    recorded: RefCell<Vec<RecordedStep>>,
}

/// Where chains are offered to go. A batch of them has one of these, so its size does not matter.
#[allow(clippy::large_enum_variant)]
#[derive(Clone, Copy)]
enum Offers {
    /// To where fresh chains start: the states, and the energies there.
    Start(Buffer, Buffer),
    Mixture(MixtureJumps),
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
    pub(crate) fn on(
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
                let states = Buffer::new("jumps", batch.chains * batch.length);
                let energies = Buffer::new("jump energies", batch.chains);
                match dynamics.jumps.law {
                    JumpLaw::Start => Offers::Start(states, energies),
                    JumpLaw::Mixture { components } => {
                        let length = batch.length;
                        let size = MixtureSize { components, length };
                        let jumps = MixtureJumps::new(size, batch.chains, (states, energies));
                        Offers::Mixture(jumps)
                    }
                }
            }),
            mixture: None,
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

    /// The same chains with a mixture to jump to, of as many components as their dynamics say, where these ask for one:
    /// needed before [`Self::setup`] there. Training adds noise of the standard deviation `noise` to its data, and as much
    /// is added to draws.
    pub fn with_mixture(mut self, mixture: Option<Arc<GaussianMixture>>, noise: f32) -> Self {
        self.mixture = mixture.map(|mixture| (mixture, noise));
        self
    }

    /// From here on draws of the mixture have noise of this standard deviation.
    pub(crate) fn set_jump_noise(&self, recording: &mut Recording, noise: f32) {
        if let Some(Offers::Mixture(jumps)) = &self.jump {
            jumps.law.upload(recording, None, noise);
        }
    }

    /// The network the chains run on.
    pub(crate) fn network(&self) -> &Network {
        &self.network
    }

    /// The states: (chain, channel, row, column).
    pub fn states(&self) -> Buffer {
        self.batch.x
    }

    /// The energies of the states before the last step of [`PreparedChains::advance`]; of the kinds that carry them, after it.
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

    /// The part of [`Self::setup`] that is left where the network is set up already: the step size at its first value, and
    /// the mixture.
    pub(crate) fn setup_control(&self, recording: &mut Recording) {
        if let Some(Offers::Mixture(jumps)) = &self.jump {
            let (mixture, noise) = match &self.mixture {
                Some((mixture, noise)) => (Some(mixture.as_ref()), *noise),
                // Of a plan that is only measured.
                None => (None, 0.0),
            };
            jumps.law.upload(recording, mixture, noise);
        }
        if let Some(control) = self.control() {
            recording.upload_f32(
                control,
                0,
                &[self.dynamics.langevin.step_size, 0.0, 0.0, 0.0],
            );
        }
    }

    /// Makes the chains run on the energy with `parameters`; needed again whenever their values have changed.
    pub fn prepare(&self, recording: &mut Recording, parameters: Buffer) -> PreparedChains<'_> {
        let preparation = match &self.walk {
            Some((plan, packed)) => {
                pack_walk_weights(recording, plan, parameters, *packed);
                PreparedFor::Walk(parameters)
            }
            None => {
                let network = self.network.prepare(recording, parameters);
                PreparedFor::Layers(network.preparation())
            }
        };
        self.resume(ChainPreparation(preparation))
    }

    /// Goes on with what has been prepared before, as `Network::resume` does.
    pub fn resume(&self, preparation: ChainPreparation) -> PreparedChains<'_> {
        PreparedChains {
            chains: self,
            preparation,
        }
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

/// What chains were prepared for, to go on with in other recordings: see [`Chains::resume`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChainPreparation(PreparedFor);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum PreparedFor {
    /// Those that walk: the parameters of which they have a copy of their own.
    Walk(Buffer),
    /// And those that run on their network.
    Layers(Preparation),
}

/// Chains that are prepared for some parameters: their steps.
#[derive(Clone, Copy)]
pub struct PreparedChains<'a> {
    chains: &'a Chains,
    preparation: ChainPreparation,
}

impl<'a> PreparedChains<'a> {
    /// They themselves.
    pub(crate) fn chains(&self) -> &'a Chains {
        self.chains
    }

    /// What they were prepared for.
    pub fn preparation(&self) -> ChainPreparation {
        self.preparation
    }

    /// The whole `workspace`, of which the chains' network is one for fewer samples, prepared for the same parameters. There
    /// is something left to do only where the chains walk on weights of their own.
    pub(crate) fn prepare_workspace<'n>(
        &self,
        recording: &mut Recording,
        workspace: &'n Network,
    ) -> Prepared<'n> {
        match self.preparation.0 {
            PreparedFor::Walk(parameters) => workspace.prepare(recording, parameters),
            PreparedFor::Layers(preparation) => workspace.resume(preparation),
        }
    }

    /// What they run on, unless they walk.
    fn network(&self) -> Option<Prepared<'a>> {
        match self.preparation.0 {
            PreparedFor::Walk(_) => None,
            PreparedFor::Layers(preparation) => Some(self.chains.network.resume(preparation)),
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
        // Chains that fill up a last group go on from where they are.
        x: Buffer::new("chains", chains * length).lasting(),
        energies: Buffer::new("chain energies", chains),
        gradient: Buffer::new("chain gradients", chains * length),
    }
}
