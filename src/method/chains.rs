use super::strategy::Strategy;
use crate::gpu::{Buffer, Frozen, GpuError, Recording};
use crate::kernels::{
    ChainBatch, ChainStart, ChainSteps, Dynamics, LangevinSettings, Moment, WalkArguments,
    WalkPlan, jump_chains, langevin, pack_walk_weights, start_chains, walk_chains,
};
use crate::network::{Architecture, Kernels, Network};
use crate::random::Stream;
use std::cell::RefCell;
use std::ops::Range;

/// A batch of Langevin chains, or of another kind of [`Dynamics`], on the energy of one network.
pub struct Chains {
    network: Network,
    /// Where chains are walked instead of run on the network's layers: how, and the weights in the order for it.
    walk: Option<(WalkPlan, Buffer)>,
    dynamics: Dynamics,
    /// The steps of every kind but plain Langevin dynamics.
    steps: Option<Box<dyn ChainSteps>>,
    start: ChainStart,
    batch: ChainBatch,
    /// Where chains that may jump are offered to go, and the energies there.
    jump: Option<(Buffer, Buffer)>,
    /// Steps numbered 0 as they were taken last, since most go on as they began.
    recorded: RefCell<Vec<RecordedStep>>,
}

/// A step numbered 0 and what it was recorded for.
struct RecordedStep {
    parameters: Buffer,
    first_chain: usize,
    adapt: bool,
    energies: bool,
    frozen: Frozen,
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
            steps: dynamics
                .kind
                .lay_out
                .map(|lay_out| lay_out(&dynamics, batch)),
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
    /// Only plain Langevin chains that never jump walk: all others run layer by layer.
    pub fn with_strategy(mut self, strategy: Strategy) -> Self {
        self.walk = match strategy {
            _ if self.steps.is_some() || self.jump.is_some() => None,
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

    /// The energies of the states before the last step of [`Self::advance`]; of all kinds but plain Langevin steps, after
    /// it.
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
        self.steps.as_ref().and_then(|steps| steps.control())
    }

    /// What the kernels are told of them.
    pub(super) fn batch(&self) -> &ChainBatch {
        &self.batch
    }

    /// Bytes of the states and of what a step needs beside the network.
    pub fn bytes(&self) -> u64 {
        let own = match &self.walk {
            Some((_, packed)) => packed.bytes(),
            None => self.batch.gradient.bytes(),
        };
        let steps = self.steps.as_ref().map_or(0, |steps| steps.bytes());
        let jump = self
            .jump
            .map_or(0, |(states, energies)| states.bytes() + energies.bytes());
        self.batch.x.bytes() + self.batch.energies.bytes() + own + steps + jump
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

    /// Begins a pass, or goes on with step `position` of it, at the states as they are: every kind but plain Langevin
    /// steps carries energies and gradients from here on.
    fn begin(&self, recording: &mut Recording, parameters: Buffer, pass: &Pass, position: usize) {
        let Some(steps) = &self.steps else {
            return;
        };
        self.network.energy_gradient(
            recording,
            parameters,
            self.batch.x,
            Some(self.batch.energies),
            self.batch.gradient,
        );
        if let (Some(control), 0, 0) = (self.control(), pass.first_chain, position) {
            recording.upload_f32(control, 1, &[0.0, 0.0]);
        }
        let moment = Moment {
            step: pass.first_step.wrapping_add(position as u32),
            first_chain: pass.first_chain,
            temperature: pass.temperature(position, self.dynamics.temperature),
            adapt: false,
            energies: false,
        };
        steps.begin(recording, &moment);
    }

    /// The steps `part` of a pass of `pass.steps` steps, which begins with step 0. The temperature falls from
    /// `pass.anneal` to that of the dynamics.
    pub fn run(
        &self,
        recording: &mut Recording,
        parameters: Buffer,
        pass: &Pass,
        part: Range<usize>,
    ) {
        let every = match self.jump {
            Some(_) => self.dynamics.jumps.every.max(1),
            None => pass.steps.max(1),
        };
        let mut start = part.start;
        while start < part.end {
            let end = ((start / every + 1) * every).min(part.end);
            if start.is_multiple_of(every) {
                self.offer_jumps(recording, parameters, pass, start);
                self.begin(recording, parameters, pass, start);
            }
            self.run_on(recording, parameters, pass, start..end);
            start = end;
        }
    }

    /// Offers the chains to jump before step `position` of a pass, where they may.
    fn offer_jumps(
        &self,
        recording: &mut Recording,
        parameters: Buffer,
        pass: &Pass,
        position: usize,
    ) {
        let Some(proposals) = self.jump else {
            return;
        };
        let energies_at = |recording: &mut Recording, x, energies| {
            self.network
                .energies(recording, parameters, x, energies, false);
        };
        energies_at(recording, self.batch.x, self.batch.energies);
        let stream = match self.batch.stream {
            Stream::Sampling => Stream::SamplingJump,
            _ => Stream::Jump,
        };
        let first = pass.first_step.wrapping_add(position as u32);
        for offer in 0..self.dynamics.jumps.count as u32 {
            let moment = Moment {
                step: first
                    .wrapping_mul(self.dynamics.jumps.count as u32)
                    .wrapping_add(offer),
                first_chain: pass.first_chain,
                temperature: pass.temperature(position, self.dynamics.temperature),
                adapt: false,
                energies: true,
            };
            jump_chains(
                recording,
                &self.batch,
                self.start,
                stream,
                &moment,
                proposals,
                &energies_at,
            );
        }
    }

    /// The steps `part` of a pass, between two rows of jumps.
    fn run_on(
        &self,
        recording: &mut Recording,
        parameters: Buffer,
        pass: &Pass,
        part: Range<usize>,
    ) {
        let adapting = match self.dynamics.target_acceptance {
            Some(_) => pass.adapting,
            None => 0,
        };
        let middle = adapting.clamp(part.start, part.end);
        for (part, adapt) in [(part.start..middle, true), (middle..part.end, false)] {
            let step = pass.first_step.wrapping_add(part.start as u32);
            match pass.anneal {
                None => self.replay(
                    recording,
                    parameters,
                    step,
                    part.len(),
                    pass.first_chain,
                    adapt,
                ),
                Some(_) => {
                    for position in part {
                        self.annealed(recording, parameters, pass, position, adapt);
                    }
                }
            }
        }
    }

    /// Moves all chains by `steps` steps, the first of which is number `first_step`: one step is recorded, and replayed
    /// for as long as neither `parameters` nor `first_chain` changes. The step size stays as it is. All kinds but plain
    /// Langevin steps go on with a pass that [`Self::run`] has begun, at the same parameters and states.
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

    fn replay(
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
            adapt,
            energies,
        };
        let mut once = Recording::new();
        self.record(&mut once, parameters, &self.dynamics.langevin, &moment);
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
    fn annealed(
        &self,
        recording: &mut Recording,
        parameters: Buffer,
        pass: &Pass,
        position: usize,
        adapt: bool,
    ) {
        let temperature = pass.temperature(position, self.dynamics.temperature);
        let mut settings = self.dynamics.langevin;
        settings.noise = (2.0 * settings.step_size * temperature).sqrt();
        let step = pass.first_step.wrapping_add(position as u32);
        if self.walk(recording, &settings, step, 1, pass.first_chain) {
            return;
        }
        let moment = Moment {
            step,
            first_chain: pass.first_chain,
            temperature,
            adapt,
            energies: true,
        };
        self.record(recording, parameters, &settings, &moment);
    }

    fn record(
        &self,
        recording: &mut Recording,
        parameters: Buffer,
        settings: &LangevinSettings,
        moment: &Moment,
    ) {
        let energy_gradient = |recording: &mut Recording, x, energies, gradient| {
            self.network
                .energy_gradient(recording, parameters, x, energies, gradient);
        };
        match &self.steps {
            Some(steps) => steps.step(recording, moment, &energy_gradient),
            None => {
                let energies = moment.energies.then_some(self.batch.energies);
                energy_gradient(recording, self.batch.x, energies, self.batch.gradient);
                self.step(recording, settings, moment.step, moment.first_chain);
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
            bounds: self.dynamics.langevin.bounds,
        };
        if self.walk(recording, &settings, 0, 1, 0) {
            return;
        }
        self.network.energy_gradient(
            recording,
            parameters,
            self.batch.x,
            None,
            self.batch.gradient,
        );
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

    /// Chains started for sampling draw their starts from a stream of their own.
    fn start_stream(&self) -> Stream {
        if self.batch.stream == Stream::Sampling {
            Stream::SamplingStart
        } else {
            Stream::ChainStart
        }
    }

    fn step(
        &self,
        recording: &mut Recording,
        settings: &LangevinSettings,
        step: u32,
        first_chain: usize,
    ) {
        let length = self.batch.length;
        langevin(
            recording,
            settings,
            self.batch.stream,
            self.batch.seed,
            step,
            (first_chain * length) as u32,
            self.network.samples() * length,
            self.batch.x,
            self.batch.gradient,
        );
    }
}

/// What [`Chains::control`] holds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepControl {
    pub step_size: f32,
    /// Mean acceptance probability; none where no step was counted.
    pub acceptance: Option<f32>,
}

impl StepControl {
    /// Reads the words of the buffer; none where they are not as many.
    pub fn from_words(words: &[u32]) -> Option<Self> {
        let &[step_size, sum, count, _] = words else {
            return None;
        };
        let [step_size, sum, count] = [step_size, sum, count].map(f32::from_bits);
        Some(StepControl {
            step_size,
            acceptance: (count > 0.0).then(|| sum / count),
        })
    }
}

/// A number of steps in a row from where the chains are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pass {
    /// Number of its first step among the random numbers.
    pub first_step: u32,
    pub steps: usize,
    /// So many steps at its beginning adapt the step size, where the dynamics have an acceptance to adapt to: half of
    /// them, say, so that the last ones are those of an exact kernel.
    pub adapting: usize,
    /// Chain i of the batch takes the random numbers of chain `first_chain` + i.
    pub first_chain: usize,
    /// Temperature of the first step, from which it falls geometrically to that of the last; none: it is the same
    /// throughout.
    pub anneal: Option<f32>,
}

impl Pass {
    /// Of step `position`, where the last one has the temperature `last`.
    fn temperature(&self, position: usize, last: f32) -> f32 {
        let first = self.anneal.unwrap_or(last);
        let share = position as f32 / (self.steps.saturating_sub(1)).max(1) as f32;
        if position + 1 >= self.steps {
            return last;
        }
        first * (last / first).powf(share)
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
