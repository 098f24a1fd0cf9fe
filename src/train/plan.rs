mod first_slice;
mod noise;
mod slices;

use self::noise::Noise;
use self::slices::{Staging, equal_parts};
use super::drawing::drawing_bytes;
use super::error::TrainError;
use super::memory::MemoryAccount;
use crate::config::Config;
use crate::gpu::{Buffer, Recording};
use crate::method::{
    DataNoise, FEWEST_RECORDS, Fresh, GaussianFit, MOST_GAUSSIAN_VALUES, Objective, Optimiser,
    Probe, Sampler, Snapshot, Strategy,
};
use crate::model;
use crate::network::{Architecture, Kernels, Network};
use crate::shape::Shape;

/// The chains' [`StepControl`](crate::method::StepControl) comes back under the number of the step with this bit.
pub(super) const CONTROL: u64 = 1 << 61;
/// And with this one, where a step has it, the trace for [`Diagnostics`](crate::method::Diagnostics).
pub(super) const TRACE: u64 = 1 << 60;

/// An optimiser step as a list of commands. Holds names of buffers, no device.
pub struct TrainingPlan {
    architecture: Architecture,
    snapshot: Snapshot,
    noise: Noise,
    /// Steps that share one draw of the noise.
    reuse: u64,
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
    data_noise: DataNoise,
    data_count: usize,
    noise_count: usize,
    probe_steps: usize,
    drawing_bytes: u64,
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
        let sampler = |group| {
            let chains = network.for_samples(group);
            Sampler::new(chains, noise_count, model::sampler(config), seed)
        };
        let fixed = model::fixed_noise(config, noise_count, input.len());
        let mixture = model::mixture(config, parameters, count);
        let noise = match (fixed, mixture) {
            (Some(fixed), _) if fixed.is_gaussian() && input.len() > MOST_GAUSSIAN_VALUES => {
                return Err(TrainError::GaussianTooLarge {
                    values: input.len(),
                    most: MOST_GAUSSIAN_VALUES,
                });
            }
            (Some(fixed), _) => Noise::Fixed(fixed),
            (None, Some(mixture)) => {
                // Every group is drawn from one component, and all components give as many.
                let parts = mixture.components();
                let group = equal_parts(noise_count / parts, slice);
                Noise::Mixture(mixture, sampler(group).in_parts(parts))
            }
            (None, None) => Noise::Snapshot(sampler(equal_parts(noise_count, slice))),
        };
        let objective = Objective::new(model::objective(config), data_count, noise_count);
        Ok(TrainingPlan {
            snapshot: Snapshot::new(parameters, model::refresh(config)),
            noise,
            reuse: config.pool(),
            objective,
            optimiser: Optimiser::new(model::optimiser(config), parameters),
            network,
            samples: Buffer::new("data and noise", count * input.len()),
            live_energies: Buffer::new("live energies", count),
            snapshot_energies: Buffer::new("snapshot energies", count),
            staging: (slice < count).then(|| Staging {
                samples: Buffer::new("slice of samples", slice * input.len()),
                energies: Buffer::new("slice of energies", slice),
                factor: Buffer::new("slice of factors", slice),
            }),
            data_noise: DataNoise {
                std: config.data.noise,
                seed,
            },
            data_count,
            noise_count,
            probe_steps: config.sampler.probe,
            drawing_bytes: drawing_bytes(config, input, parameters, slice),
            architecture,
        })
    }

    /// The same run with its chains run by `strategy`; without this, layer by layer.
    pub fn with_strategy(mut self, strategy: Strategy) -> Self {
        self.noise = match self.noise {
            Noise::Snapshot(sampler) => Noise::Snapshot(sampler.with_strategy(strategy)),
            Noise::Mixture(mixture, sampler) => {
                Noise::Mixture(mixture, sampler.with_strategy(strategy))
            }
            fixed @ Noise::Fixed(_) => fixed,
        };
        self
    }

    /// The same run with these moments of the data for Gaussian noise; see [`Self::needs_fit`].
    pub fn with_fit(mut self, fit: GaussianFit) -> Self {
        if let Noise::Fixed(noise) = self.noise {
            self.noise = Noise::Fixed(noise.with_fit(fit));
        }
        self
    }

    /// Whether the noise takes the moments of the data.
    pub fn needs_fit(&self) -> bool {
        matches!(&self.noise, Noise::Fixed(noise) if noise.is_gaussian())
    }

    /// The box that uniform noise fills, in every value.
    pub fn noise_box(&self) -> Option<(f32, f32)> {
        match &self.noise {
            Noise::Fixed(noise) => noise.bounds(),
            Noise::Snapshot(_) | Noise::Mixture(..) => None,
        }
    }

    /// Chains that run side by side; 0 where the noise needs none.
    pub fn chain_count(&self) -> usize {
        self.sampler()
            .map_or(0, |sampler| sampler.chains().network().samples())
    }

    /// Energy-gradient evaluations up to and with optimiser step `step`, counted from 0.
    pub fn gradient_evaluations(&self, step: u64) -> u64 {
        let passes = step / self.reuse + 1;
        self.sampler()
            .map_or(0, |sampler| passes * sampler.evaluations())
    }

    /// Steps in optimiser step `step`, counted from 0, since the noise distribution last changed; none where only the
    /// GPU knows, which leaves it in the metrics. Fixed noise is as old as the run.
    pub fn snapshot_age(&self, step: u64) -> Option<u64> {
        match &self.noise {
            Noise::Snapshot(_) => self.snapshot.age(step),
            Noise::Mixture(mixture, _) => Some(mixture.age(step)),
            Noise::Fixed(_) => Some(step),
        }
    }

    /// What the chains of optimiser step `step` leave for [`Diagnostics::from_trace`]: the buffer, and how many records of
    /// each chain it holds.
    ///
    /// [`Diagnostics::from_trace`]: crate::method::Diagnostics::from_trace
    pub fn trace(&self, step: u64) -> Option<(Buffer, usize)> {
        let moves = step.is_multiple_of(self.reuse);
        self.sampler()?.trace(step / self.reuse).filter(|_| moves)
    }

    /// The step size of the chains and their acceptance, where they have a Metropolis test: see [`Chains::control`].
    ///
    /// [`Chains::control`]: crate::method::Chains::control
    pub fn control(&self) -> Option<Buffer> {
        self.sampler()?.chains().control()
    }

    /// Begins a probe of `steps` further steps of the last chains on the snapshot that they are from; none where the noise
    /// needs no chains, or the steps are too few to tell anything.
    pub fn probe(&self, recording: &mut Recording, steps: usize) -> Option<Probe> {
        let snapshot = self.snapshot.parameters();
        let sampler = self.sampler().filter(|_| steps >= FEWEST_RECORDS)?;
        if let Noise::Mixture(mixture, _) = &self.noise {
            mixture.load(recording, mixture.components() - 1, snapshot);
        }
        let chains = sampler.chains().prepare(recording, snapshot);
        Some(sampler.probe(recording, chains, steps))
    }

    /// Runs a probe on to its record number `record`.
    pub fn run_probe(&self, recording: &mut Recording, probe: &Probe, record: usize) {
        if let Some(sampler) = self.sampler() {
            sampler.run_probe(recording, probe, record);
        }
    }

    fn fetch_diagnostics(&self, r: &mut Recording, step: u64) {
        if let Some(control) = self.control() {
            r.fetch(control, 0, control.words(), CONTROL | step);
        }
        if let Some((trace, _)) = self.trace(step) {
            r.fetch(trace, 0, trace.words(), TRACE | step);
        }
    }

    fn sampler(&self) -> Option<&Sampler> {
        match &self.noise {
            Noise::Snapshot(sampler) | Noise::Mixture(_, sampler) => Some(sampler),
            Noise::Fixed(_) => None,
        }
    }

    /// The network that is trained.
    pub fn architecture(&self) -> &Architecture {
        &self.architecture
    }

    /// The workspace of the passes, free between two steps for other uses. Every step prepares its own weights.
    pub fn network(&self) -> &Network {
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

    /// Where the noise samples of the last step are: a buffer, the first word, and how many words.
    pub fn noise_samples(&self) -> (Buffer, usize, usize) {
        let length = self.architecture.input().len();
        let (start, words) = (self.data_count * length, self.noise_count * length);
        (self.samples, start, words)
    }

    /// Where the memory goes, known before any of it is taken.
    pub fn memory(&self) -> MemoryAccount {
        let (_, data_words, noise_words) = self.noise_samples();
        let staging = self.staging.as_ref().map_or(0, |staging| {
            staging.samples.bytes() + staging.energies.bytes() + staging.factor.bytes()
        });
        let (chains, replay) = self.sampler().map_or((0, 0), |sampler| {
            let chains = sampler.chains().bytes() + sampler.trace_bytes();
            (chains, sampler.replay_bytes())
        });
        let snapshot = self.snapshot.bytes();
        let (snapshot, noise) = match &self.noise {
            Noise::Snapshot(_) => (snapshot, 0),
            Noise::Mixture(mixture, _) => (
                snapshot + mixture.parameter_bytes(),
                mixture.scratch_bytes(),
            ),
            Noise::Fixed(noise) => (0, noise.bytes()),
        };
        let probe = match (self.sampler(), self.probe_steps) {
            (Some(sampler), steps @ FEWEST_RECORDS..) => sampler.probe_bytes(steps),
            _ => 0,
        };
        MemoryAccount {
            slice: self.network.samples(),
            parameters: self.snapshot.live().bytes(),
            optimiser: self.optimiser.bytes(),
            maps: self.network.map_bytes(),
            packed_weights: self.network.packed_bytes(),
            scratch: self.network.partial_bytes()
                + chains
                + 4 * data_words as u64
                + self.objective.bytes()
                + self.live_energies.bytes()
                + self.snapshot_energies.bytes() * u64::from(self.objective.compares())
                + noise
                + staging,
            snapshot,
            chains: 4 * noise_words as u64 + replay,
            drawing: self.drawing_bytes.max(probe),
        }
    }

    /// Records what comes before the first step.
    pub fn setup(&self, initial: &[f32]) -> Recording {
        let mut recording = Recording::new();
        recording.upload_f32(self.snapshot.live(), 0, initial);
        self.optimiser.setup(&mut recording, initial);
        self.network.setup(&mut recording);
        match &self.noise {
            Noise::Snapshot(sampler) | Noise::Mixture(_, sampler) => sampler.setup(&mut recording),
            Noise::Fixed(noise) => noise.setup(&mut recording),
        }
        recording
    }

    /// Records optimiser step `step`, counted from 0, on the data samples `data`: (sample, channel, row, column).
    /// The step's metrics come back under the ticket `step`.
    pub fn step(&self, step: u64, data: &[f32]) -> Recording {
        let live = self.snapshot.live();
        let mut recording = Recording::new();
        let r = &mut recording;

        r.upload_f32(self.samples, 0, data);
        self.data_noise.add(r, step, data.len(), self.samples);

        let fresh = self.begin(r, step);
        let pool = step.is_multiple_of(self.reuse).then(|| step / self.reuse);
        let on_snapshot = pool.and_then(|pool| self.draw(r, pool));
        self.fetch_diagnostics(r, step);
        // Where the two are the same function, one pass gives the energies of both, and computing them twice would give
        // the same bits.
        let compares = self.objective.compares();
        if fresh != Fresh::Yes && compares {
            self.noise_energies(r, on_snapshot);
        }
        let network = match on_snapshot {
            Some(network) if fresh == Fresh::Yes => network.with_equal(live),
            _ => self.network.prepare(r, live),
        };
        // The derivatives of one slice only are kept until its factors are known.
        let keep = self.staging.is_none();
        self.energies(r, network, self.live_energies, keep);
        if fresh == Fresh::Yes && compares {
            r.copy(self.live_energies, self.snapshot_energies);
        }
        self.objective
            .weigh(r, self.live_energies, self.snapshot_energies);
        self.snapshot.end(r, self.objective.metrics());

        let gradient = self.optimiser.gradient();
        match &self.staging {
            None => {
                let factor = self.objective.factor();
                network.weight_gradient(r, self.samples, factor, gradient, false);
            }
            Some(staging) => {
                for start in self.slices() {
                    self.slice_gradient(r, network, staging, start);
                }
            }
        }
        network.finish_gradient(r, gradient);
        self.optimiser.step(r, step, live, self.objective.metrics());
        self.network.turn(r, live);
        self.objective.fetch_metrics(r, step);
        recording
    }
}
