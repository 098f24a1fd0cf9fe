mod first_slice;
mod judged;
mod noise;
mod slices;

use self::noise::Noise;
use self::slices::{Staging, equal_parts};
use super::drawing::drawings;
use super::error::TrainError;
use super::look_size::chains_compared;
use super::memory::MemoryAccount;
use super::settings;
use super::ticket::Ticket;
use crate::config::Config;
use crate::gpu::{Buffer, Recording};
use crate::kernels::GaussianMixture;
use crate::kernels::noise::{effective_sample_size, noise_scale};
use crate::method::{
    DataNoise, Draw, FEWEST_RECORDS, Fall, FixedNoise, Fresh, GaussianFit, Objective, Optimiser,
    Probe, Sampler, Snapshot, Strategy,
};
use crate::model;
use crate::network::{Architecture, Kernels, Network};
use crate::purpose::CHAINS;
use crate::shape::Shape;
use std::ops::Range;
use std::sync::Arc;

/// What the noise of a step is judged by after the update.
struct JudgedNoise {
    /// For one slice of the noise, in the workspace of all.
    network: Network,
    samples: Buffer,
    slice: Buffer,
    energies: Buffer,
}

/// An optimiser step as a list of commands. Holds names of buffers, no device.
pub struct TrainingPlan {
    architecture: Architecture,
    snapshot: Snapshot,
    noise: Noise,
    objective: Objective,
    optimiser: Optimiser,
    /// For one slice of data and noise together. The chains, never in use at the same time, share its workspace.
    network: Network,
    /// The step's data, then its noise.
    samples: Buffer,
    live_energies: Buffer,
    snapshot_energies: Buffer,
    /// Where there is more than one slice.
    staging: Option<Staging>,
    /// Where the GPU decides on new noise.
    judged: Option<JudgedNoise>,
    data_noise: DataNoise,
    /// What chains jump to, where they do so to a mixture.
    mixture: Option<Arc<GaussianMixture>>,
    data_count: usize,
    noise_count: usize,
    config: Config,
}

impl TrainingPlan {
    /// Lays out a run of `config` over samples of shape `input`, in slices of equal size of at most `run.slice` samples;
    /// all at once where that key is absent.
    ///
    /// # Errors
    /// When the layers do not fit together or a slice exceeds the adapter's image size.
    pub fn new(
        config: &Config,
        input: Shape,
        kernels: impl Into<Kernels>,
    ) -> Result<Self, TrainError> {
        let architecture = model::architecture(config, input)?;
        let (data_count, seed) = (config.run.batch, config.run.seed);
        let noise_count = data_count * config.objective.noise_ratio;
        let count = data_count + noise_count;
        let slice = equal_parts(count, config.run.slice.unwrap_or(count));
        let network = Network::new(&architecture, slice, kernels)?;
        let parameters = architecture.parameter_count();
        let objective = Objective::new(settings::objective(config), data_count, noise_count);
        let judged = config.is_pooled().then(|| {
            let network = network.for_samples(equal_parts(noise_count, slice));
            let slice = network.samples();
            JudgedNoise {
                network,
                samples: Buffer::new("noise to be judged", slice * input.len()),
                slice: Buffer::new("slice of judged energies", slice),
                energies: Buffer::new("judged energies", noise_count),
            }
        });
        Ok(TrainingPlan {
            snapshot: Snapshot::new(parameters, settings::refresh(config)),
            noise: Noise::new(config, &network)?,
            objective,
            optimiser: Optimiser::new(settings::optimiser(config), parameters),
            network,
            // Several steps may use the same noise.
            samples: Buffer::new("data and noise", count * input.len())
                .of(CHAINS)
                .lasting(),
            live_energies: Buffer::new("live energies", count),
            snapshot_energies: Buffer::new("snapshot energies", count),
            staging: (slice < count).then(|| Staging {
                samples: Buffer::new("slice of samples", slice * input.len()),
                energies: Buffer::new("slice of energies", slice),
                factor: Buffer::new("slice of factors", slice),
            }),
            judged,
            data_noise: DataNoise {
                std: config.data.noise,
                fall: (config.data.noise_start > 0.0).then(|| Fall {
                    start: config.data.noise_start,
                    steps: config.run.steps as f64 * f64::from(config.data.noise_fall),
                }),
                seed,
            },
            mixture: None,
            data_count,
            noise_count,
            config: config.clone(),
            architecture,
        })
    }

    /// The same run with its chains run by `strategy`; without this, layer by layer.
    pub fn with_strategy(mut self, strategy: Strategy) -> Self {
        self.noise = self.noise.with_strategy(strategy);
        self
    }

    /// The same run with these moments of the data for Gaussian noise; see [`Self::needs_fit`].
    pub fn with_fit(mut self, fit: GaussianFit) -> Self {
        self.noise.set_fit(fit);
        self
    }

    /// The same run with this mixture for its chains to jump to, where they do so to one; those of a plan without it stay where they are.
    pub fn with_mixture(mut self, mixture: Arc<GaussianMixture>) -> Self {
        let noise = self.data_noise.std_of(0);
        self.noise = self.noise.with_mixture(Arc::clone(&mixture), noise);
        self.mixture = Some(mixture);
        self
    }

    /// The mixture that chains jump to, if it has one.
    pub(crate) fn mixture(&self) -> Option<&Arc<GaussianMixture>> {
        self.mixture.as_ref()
    }

    /// Whether the noise takes the moments of the data.
    pub fn needs_fit(&self) -> bool {
        self.noise.fixed().is_some_and(FixedNoise::is_gaussian)
    }

    /// The box that uniform noise fills, in every value.
    pub(crate) fn noise_box(&self) -> Option<(f32, f32)> {
        self.noise.fixed()?.bounds()
    }

    /// Chains that run side by side; 0 where the noise needs none.
    pub(crate) fn chain_count(&self) -> usize {
        let sampler = self.noise.sampler();
        sampler.map_or(0, |sampler| sampler.chains().network().samples())
    }

    /// Energy-gradient evaluations up to and with optimiser step `step`, counted from 0; where the GPU [decides](Self::decides), the
    /// fewest there can have been.
    pub(crate) fn gradient_evaluations(&self, step: u64) -> u64 {
        self.evaluations_of(step / self.config.longest_use() + 1)
    }

    /// Whether only the GPU knows how many passes there were: it leaves that in the metrics.
    pub(crate) fn decides(&self) -> bool {
        self.noise.sampler().is_some_and(Sampler::decides)
    }

    /// Energy-gradient evaluations of so many passes.
    pub(crate) fn evaluations_of(&self, passes: u64) -> u64 {
        let sampler = self.noise.sampler();
        sampler.map_or(0, |sampler| passes * sampler.evaluations())
    }

    /// Steps in optimiser step `step`, counted from 0, since the noise distribution last changed; none where only the
    /// GPU knows, which leaves it in the metrics. Fixed noise is as old as the run.
    pub(crate) fn snapshot_age(&self, step: u64) -> Option<u64> {
        self.noise.age(self, step)
    }

    /// What the chains of optimiser step `step` leave for [`Traces`](crate::method::Traces): the buffer, and how many
    /// records of each chain it holds.
    pub(crate) fn trace(&self, step: u64) -> Option<(Buffer, usize)> {
        let moves = step.is_multiple_of(self.config.pool());
        let sampler = self.noise.sampler()?;
        sampler.trace(step / self.config.pool()).filter(|_| moves)
    }

    /// The step size of the chains and their acceptance, where they have a Metropolis test: see [`Chains::control`].
    ///
    /// [`Chains::control`]: crate::method::Chains::control
    pub(crate) fn control(&self) -> Option<Buffer> {
        self.noise.sampler()?.chains().control()
    }

    /// Where up to `most` chains of the replay buffer lie: see [`Sampler::kept`](crate::method::Sampler::kept).
    pub(crate) fn kept_chains(&self, most: usize) -> Option<(Buffer, usize, Vec<Range<usize>>)> {
        self.noise.sampler()?.kept(most)
    }

    /// Begins a probe of `steps` further steps of the last chains on the snapshot that they are from; none where the noise
    /// needs no chains, or the steps are too few to tell anything.
    pub(crate) fn probe(&self, recording: &mut Recording, steps: usize) -> Option<Probe> {
        let snapshot = self.snapshot.parameters();
        let sampler = self.noise.sampler().filter(|_| steps >= FEWEST_RECORDS)?;
        self.noise.recall(self, recording);
        let chains = sampler.chains().prepare(recording, snapshot);
        Some(sampler.probe(recording, chains, steps))
    }

    /// Runs a probe on to its record number `record`.
    pub(crate) fn run_probe(&self, recording: &mut Recording, probe: &Probe, record: usize) {
        if let Some(sampler) = self.noise.sampler() {
            sampler.run_probe(recording, probe, record);
        }
    }

    /// How many chains of each kind are compared after the last step.
    pub(crate) fn chains_compared(&self) -> usize {
        let last = self.config.run.steps.saturating_sub(1);
        let shape = self.architecture.input();
        chains_compared(&self.config, shape, self.gradient_evaluations(last))
    }

    /// The draw of noise number `pool`, of every part at most `groups` groups of chains.
    fn noise_draw(&self, pool: u64, groups: usize) -> Draw {
        Draw {
            pass: pool,
            samples: self.samples,
            data_count: self.data_count,
            groups,
        }
    }

    fn fetch_diagnostics(&self, r: &mut Recording, step: u64) {
        if let Some(control) = self.control() {
            r.fetch(control, 0, control.words(), Ticket::Control.number(step));
        }
        if let Some((trace, _)) = self.trace(step) {
            r.fetch(trace, 0, trace.words(), Ticket::Trace.number(step));
        }
    }

    /// The network that is trained.
    pub fn architecture(&self) -> &Architecture {
        &self.architecture
    }

    /// The workspace of the passes, free between two steps for other uses. Every step prepares its own weights.
    pub(crate) fn network(&self) -> &Network {
        &self.network
    }

    /// The optimiser, with the moving average of the weights.
    pub fn optimiser(&self) -> &Optimiser {
        &self.optimiser
    }

    /// The parameters that are trained.
    pub fn live_parameters(&self) -> Buffer {
        self.snapshot.live()
    }

    /// The snapshot that the noise of optimiser step `step` is drawn from, until the next step is begun: of a mixture the
    /// newest; none where the noise is no model.
    pub fn snapshot(&self, step: u64) -> Option<Buffer> {
        self.noise.parameters(self, step)
    }

    /// Where the energies of the samples of the last step are, first of data and then of noise: under the live weights, and under the
    /// snapshot where the objective compares them.
    pub(crate) fn energies_of_step(&self) -> impl Iterator<Item = Buffer> {
        let snapshot = self.objective.compares().then_some(self.snapshot_energies);
        std::iter::once(self.live_energies).chain(snapshot)
    }

    /// Where the noise samples of the last step are: a buffer, the first word, and how many words.
    pub fn noise_samples(&self) -> (Buffer, usize, usize) {
        let length = self.architecture.input().len();
        let (start, words) = (self.data_count * length, self.noise_count * length);
        (self.samples, start, words)
    }

    /// The buffers that later steps depend on, by name: what a [`TrainingState`](crate::train::TrainingState) holds. Which they are
    /// is said where each is named, by [`Buffer::lasting`]; of those with the same label, all but the first are numbered.
    pub(crate) fn lasting(&self) -> Vec<(String, Buffer)> {
        let mut named: Vec<(String, Buffer)> = Vec::new();
        for buffer in self.first_slice().lasting() {
            let label = buffer.label();
            let before = named.iter().filter(|(_, other)| other.label() == label);
            let name = match before.count() {
                0 => label.to_owned(),
                before => format!("{label} {}", before + 1),
            };
            named.push((name, buffer));
        }
        named
    }

    /// Where the memory goes, known before any of it is taken.
    pub fn memory(&self) -> MemoryAccount {
        let mut beside = drawings(&self.config, &self.network, self.chains_compared());
        beside.push(self.first_probe());
        let mut account = MemoryAccount::of(self.network.samples(), &self.first_slice(), &beside);
        // The samples of a step are in one buffer, but the data among them are no chains.
        let data = 4 * (self.data_count * self.architecture.input().len()) as u64;
        account.chains -= data;
        account.scratch += data;
        account
    }

    /// Records what comes before the first step.
    pub fn setup(&self, initial: &[f32]) -> Recording {
        let mut recording = Recording::new();
        recording.upload_f32(self.snapshot.live(), 0, initial);
        self.optimiser.setup(&mut recording, initial);
        self.network.setup(&mut recording);
        self.noise.setup(&mut recording);
        self.objective.reset(&mut recording);
        recording
    }

    /// Records optimiser step `step`, counted from 0, on the data samples `data`: (sample, channel, row, column).
    /// The step's metrics come back under the ticket `step`.
    pub fn step(&self, step: u64, data: &[f32]) -> Recording {
        self.part_of_step(step, data, usize::MAX)
    }

    /// Where the GPU decides on new noise: how good the noise still is after the update, and what follows from that. Looks at most at
    /// `most` slices of it.
    fn judge_pool(&self, r: &mut Recording, step: u64, most: usize) {
        let (Some(sampler), Some(judged)) = (self.noise.sampler(), &self.judged) else {
            return;
        };
        let length = self.architecture.input().len();
        let (slice, metrics) = (judged.network.samples(), self.objective.metrics());
        let network = judged.network.prepare(r, self.snapshot.live());
        for first in (0..self.noise_count).step_by(slice).take(most) {
            // What a last slice lacks is left of the one before, and counts for nothing.
            let count = slice.min(self.noise_count - first);
            let from = (self.data_count + first) * length;
            r.copy_range(self.samples, from, judged.samples, 0, count * length);
            network.energies(r, judged.samples, judged.slice, false);
            r.copy_range(judged.slice, 0, judged.energies, first, count);
        }
        let (live, snapshot) = (judged.energies, self.snapshot_energies);
        effective_sample_size(r, live, snapshot, self.data_count, metrics);
        self.snapshot.end(r, metrics, true);
        sampler.judge(r, step, &self.snapshot, metrics);
    }

    /// A step with at most `most` of its slices, and of the groups of chains that are drawn from one energy.
    fn part_of_step(&self, step: u64, data: &[f32], most: usize) -> Recording {
        let live = self.snapshot.live();
        let mut recording = Recording::new();
        let r = &mut recording;

        r.upload_f32(self.samples, 0, data);
        let values = self.data_count * self.architecture.input().len();
        self.data_noise.add(r, step, values, self.samples);

        let fresh = self.noise.begin(self, r, step);
        if fresh == Fresh::Yes {
            self.objective.reset(r);
        }
        let pool = match self.decides() {
            true => Some(step),
            false => step
                .is_multiple_of(self.config.pool())
                .then(|| step / self.config.pool()),
        };
        if let (Some(sampler), true) = (self.noise.sampler(), self.data_noise.changes(step)) {
            let chains = sampler.chains();
            chains.set_jump_noise(r, self.data_noise.std_of(step));
        }
        let on_snapshot = pool.and_then(|pool| self.noise.draw(self, r, pool, most));
        self.fetch_diagnostics(r, step);
        // Where the two are the same function, one pass gives the energies of both, and computing them twice would give
        // the same bits.
        let compares = self.objective.compares();
        if fresh != Fresh::Yes && compares {
            self.noise.energies(self, r, on_snapshot, most);
        }
        let network = match on_snapshot {
            Some(network) if fresh == Fresh::Yes => network.with_equal(live),
            _ => self.network.prepare(r, live),
        };
        // The derivatives of one slice only are kept until its factors are known.
        let keep = self.staging.is_none();
        self.energies(r, network, self.live_energies, keep, most);
        if fresh == Fresh::Yes && compares {
            r.copy(self.live_energies, self.snapshot_energies);
        }
        let metrics = self.objective.metrics();
        self.objective
            .weigh(r, self.live_energies, self.snapshot_energies);
        let (_, data, noise) = self.noise_samples();
        noise_scale(r, self.samples, data, noise, metrics);
        if !self.decides() {
            self.snapshot.end(r, metrics, false);
        }

        self.weight_gradient(r, network, most);
        network.finish_gradient(r, self.optimiser.gradient());
        self.optimiser.step(r, step, live, metrics);
        self.network.turn(r, live);
        self.judge_pool(r, step, most);
        self.fetch_judged(r, step);
        let ticket = Ticket::Metrics.number(step);
        self.objective.fetch_metrics(r, ticket);
        self.fetch_candidate(r, step);
        recording
    }
}
