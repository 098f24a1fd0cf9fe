use super::strategy::Strategy;
use crate::gpu::{Buffer, Frozen, GpuError, Recording};
use crate::kernels::{
    ChainStart, LangevinSettings, WalkArguments, WalkPlan, langevin, pack_walk_weights,
    start_chains, walk_chains,
};
use crate::network::{Architecture, Kernels, Network};
use crate::random::Stream;
use std::cell::RefCell;

/// A batch of Langevin chains on the energy of one network.
pub struct Chains {
    network: Network,
    /// Where chains are walked instead of run on the network's layers: how, and the weights in the order for it.
    walk: Option<(WalkPlan, Buffer)>,
    langevin: LangevinSettings,
    start: ChainStart,
    stream: Stream,
    seed: u64,
    x: Buffer,
    energies: Buffer,
    gradient: Buffer,
    /// The steps taken last, since most go on as they began.
    steps: RefCell<Option<RecordedSteps>>,
}

/// A Langevin step numbered 0, without energies and with them, and what it was recorded for.
#[derive(Clone)]
struct RecordedSteps {
    parameters: Buffer,
    first_chain: usize,
    quiet: Frozen,
    last: Frozen,
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
        langevin: LangevinSettings,
        start: ChainStart,
        (seed, stream): (u64, Stream),
    ) -> Result<Self, GpuError> {
        let network = Network::new(architecture, count, kernels)?;
        Ok(Self::on(network, langevin, start, (seed, stream)))
    }

    /// As many chains as a batch of `network` has samples. Its workspace may be shared with others that are in use
    /// before or after.
    pub fn on(
        network: Network,
        langevin: LangevinSettings,
        start: ChainStart,
        (seed, stream): (u64, Stream),
    ) -> Self {
        let count = network.samples();
        let values = count * network.architecture().input().len();
        Chains {
            network,
            walk: None,
            langevin,
            start,
            stream,
            seed,
            x: Buffer::new("chains", values),
            energies: Buffer::new("chain energies", count),
            gradient: Buffer::new("chain gradients", values),
            steps: RefCell::new(None),
        }
    }

    /// The same chains, run by `strategy`; without this, layer by layer. The strategy must be one for the same network.
    pub fn with_strategy(mut self, strategy: Strategy) -> Self {
        self.walk = match strategy {
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
        self.x
    }

    /// The energies of the states before the last step of [`Self::advance`].
    pub fn energies(&self) -> Buffer {
        self.energies
    }

    /// Bytes of the states and of what a step needs beside the network.
    pub fn bytes(&self) -> u64 {
        let own = match &self.walk {
            Some((_, packed)) => packed.bytes(),
            None => self.gradient.bytes(),
        };
        self.x.bytes() + self.energies.bytes() + own
    }

    /// Must be recorded once before anything else.
    pub fn setup(&self, recording: &mut Recording) {
        if self.walk.is_none() {
            self.network.setup(recording);
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
        let length = self.sample_length();
        start_chains(
            recording,
            self.start,
            self.start_stream(),
            self.seed,
            step,
            (first_chain * length) as u32,
            count * length,
            self.x,
        );
    }

    /// Moves all chains by `steps` Langevin steps, the first of which is number `first_step`: one step is recorded, and
    /// replayed for as long as neither `parameters` nor `first_chain` changes.
    pub fn advance(
        &self,
        recording: &mut Recording,
        parameters: Buffer,
        first_step: u32,
        steps: usize,
        first_chain: usize,
    ) {
        if steps == 0 || self.walk(recording, &self.langevin, first_step, steps, first_chain) {
            return;
        }
        let recorded = self.recorded_steps(parameters, first_chain);
        // Nobody sees the energies on the way.
        let quiet = steps as u32 - 1;
        if quiet > 0 {
            recording.replay(&recorded.quiet, first_step, quiet);
        }
        recording.replay(&recorded.last, first_step.wrapping_add(quiet), 1);
    }

    fn recorded_steps(&self, parameters: Buffer, first_chain: usize) -> RecordedSteps {
        let mut steps = self.steps.borrow_mut();
        match &*steps {
            Some(known) if (known.parameters, known.first_chain) == (parameters, first_chain) => {
                known.clone()
            }
            _ => {
                let record = |energies| {
                    let mut once = Recording::new();
                    self.network.energy_gradient(
                        &mut once,
                        parameters,
                        self.x,
                        energies,
                        self.gradient,
                    );
                    self.step(&mut once, &self.langevin, 0, first_chain);
                    once.freeze()
                };
                steps
                    .insert(RecordedSteps {
                        parameters,
                        first_chain,
                        quiet: record(None),
                        last: record(Some(self.energies)),
                    })
                    .clone()
            }
        }
    }

    /// Replaces every state of data with Gaussian noise of standard deviation `std` by the mean of the clean data it
    /// may have come from, x − std²·∇E(x) (Robbins 1956; Miyasawa 1961), up to the model's error.
    pub fn denoise(&self, recording: &mut Recording, parameters: Buffer, std: f32) {
        let settings = LangevinSettings {
            step_size: std * std,
            noise: 0.0,
            clip: 0.0,
            bounds: self.langevin.bounds,
        };
        if self.walk(recording, &settings, 0, 1, 0) {
            return;
        }
        self.network
            .energy_gradient(recording, parameters, self.x, None, self.gradient);
        self.step(recording, &settings, 0, 0);
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
            stream: self.stream,
            seed: self.seed,
            first_element: (first_chain * self.sample_length()) as u32,
            samples: self.network.samples(),
            packed: *packed,
            x: self.x,
            energies: self.energies,
        };
        walk_chains(recording, plan, &arguments, first_step, steps);
        true
    }

    /// Chains started for sampling draw their starts from a stream of their own.
    fn start_stream(&self) -> Stream {
        if self.stream == Stream::Sampling {
            Stream::SamplingStart
        } else {
            Stream::ChainStart
        }
    }

    fn sample_length(&self) -> usize {
        self.network.architecture().input().len()
    }

    fn step(
        &self,
        recording: &mut Recording,
        settings: &LangevinSettings,
        step: u32,
        first_chain: usize,
    ) {
        let length = self.sample_length();
        langevin(
            recording,
            settings,
            self.stream,
            self.seed,
            step,
            (first_chain * length) as u32,
            self.network.samples() * length,
            self.x,
            self.gradient,
        );
    }
}
