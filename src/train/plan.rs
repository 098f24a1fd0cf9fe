use super::drawing::drawing_bytes;
use super::error::TrainError;
use super::memory::MemoryAccount;
use crate::config::Config;
use crate::gpu::{Buffer, Recording};
use crate::method::{DataNoise, Objective, Optimiser, Sampler, Snapshot, Strategy};
use crate::model;
use crate::network::{Architecture, Kernels, Network};
use crate::shape::Shape;

/// An optimiser step as a list of commands. Holds names of buffers, no device.
pub struct TrainingPlan {
    architecture: Architecture,
    snapshot: Snapshot,
    sampler: Sampler,
    objective: Objective,
    optimiser: Optimiser,
    /// For one slice of data and noise together. The chains, never in use at the same time, share its workspace.
    network: Network,
    /// The step's data, then its noise.
    samples: Buffer,
    live_energies: Buffer,
    stale_energies: Buffer,
    /// Where there is more than one slice.
    staging: Option<Staging>,
    data_noise: DataNoise,
    data_count: usize,
    noise_count: usize,
    drawing_bytes: u64,
}

/// What the network reads and writes of one slice, since kernels start at the first word of a buffer. A last slice that
/// is not full is filled up with samples of the one before, which count for nothing.
struct Staging {
    samples: Buffer,
    energies: Buffer,
    factor: Buffer,
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
        let chains = network.for_samples(equal_parts(noise_count, slice));
        let parameters = architecture.parameter_count();
        let objective = Objective::new(
            model::generator(config),
            model::normaliser(config),
            config.objective.energy_l2,
            data_count,
            noise_count,
        );
        Ok(TrainingPlan {
            snapshot: Snapshot::new(parameters, config.snapshot.interval),
            sampler: Sampler::new(chains, noise_count, model::sampler(config), seed),
            objective,
            optimiser: Optimiser::new(model::optimiser(config), parameters),
            network,
            samples: Buffer::new("data and noise", count * input.len()),
            live_energies: Buffer::new("live energies", count),
            stale_energies: Buffer::new("stale energies", count),
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
            drawing_bytes: drawing_bytes(config, input, parameters, slice),
            architecture,
        })
    }

    /// The same run with its chains run by `strategy`; without this, layer by layer.
    pub fn with_strategy(mut self, strategy: Strategy) -> Self {
        self.sampler = self.sampler.with_strategy(strategy);
        self
    }

    /// Chains of a step.
    pub fn chain_count(&self) -> usize {
        self.sampler.chains().network().samples()
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
        MemoryAccount {
            slice: self.network.samples(),
            parameters: self.snapshot.live().bytes(),
            optimiser: self.optimiser.bytes(),
            maps: self.network.map_bytes(),
            packed_weights: self.network.packed_bytes(),
            scratch: self.network.partial_bytes()
                + self.sampler.chains().bytes()
                + 4 * data_words as u64
                + self.objective.bytes()
                + self.live_energies.bytes()
                + self.stale_energies.bytes()
                + staging,
            snapshot: self.snapshot.stale().bytes(),
            chains: 4 * noise_words as u64 + self.sampler.replay_bytes(),
            drawing: self.drawing_bytes,
        }
    }

    /// Records what comes before the first step.
    pub fn setup(&self, initial: &[f32]) -> Recording {
        let mut recording = Recording::new();
        recording.upload_f32(self.snapshot.live(), 0, initial);
        self.optimiser.setup(&mut recording, initial);
        self.network.setup(&mut recording);
        self.sampler.setup(&mut recording);
        recording
    }

    /// Records optimiser step `step`, counted from 0, on the data samples `data`: (sample, channel, row, column).
    /// The step's metrics come back under the ticket `step`.
    pub fn step(&self, step: u64, data: &[f32]) -> Recording {
        let (live, stale) = (self.snapshot.live(), self.snapshot.stale());
        let mut recording = Recording::new();
        let r = &mut recording;

        r.upload_f32(self.samples, 0, data);
        self.data_noise.add(r, step, data.len(), self.samples);

        let fresh = self.snapshot.is_due(step);
        if fresh {
            self.snapshot.refresh(r);
            self.objective.reset(r);
        }
        self.sampler.chains().prepare(r, stale);
        self.sampler
            .draw(r, stale, step, self.samples, self.data_count);
        if self.sampler.chains().walk_alone() {
            self.network.prepare(r, stale);
        }

        if !fresh {
            self.energies(r, stale, self.stale_energies, false);
            self.network.prepare(r, live);
        }
        // The derivatives of one slice only are kept until its factors are known.
        let keep = self.staging.is_none();
        self.energies(r, live, self.live_energies, keep);
        if fresh {
            // The two are the same function now, prepared once; computing it twice would give the same bits.
            r.copy(self.live_energies, self.stale_energies);
        }
        self.objective
            .weigh(r, self.live_energies, self.stale_energies);

        let gradient = self.optimiser.gradient();
        match &self.staging {
            None => {
                let factor = self.objective.factor();
                self.network
                    .weight_gradient(r, live, self.samples, factor, gradient, false);
            }
            Some(staging) => {
                for start in self.slices() {
                    self.slice_gradient(r, staging, start);
                }
            }
        }
        self.network.finish_gradient(r, live, gradient);
        self.optimiser.step(r, step, live, self.objective.metrics());
        self.network.turn(r, live);
        self.objective.fetch_metrics(r, step);
        recording
    }

    /// Records what a step does with its first slice and its first group of chains: everything that a step uses, at a
    /// length that does not grow with the number of slices.
    pub(super) fn first_slice(&self) -> Recording {
        let (live, stale) = (self.snapshot.live(), self.snapshot.stale());
        let mut recording = self.setup(&[]);
        let r = &mut recording;
        self.snapshot.refresh(r);
        self.network.prepare(r, stale);
        self.sampler.chains().prepare(r, stale);
        self.sampler
            .draw_group(r, stale, 0, self.samples, self.data_count, 0);
        match &self.staging {
            None => {
                let (factor, gradient) = (self.objective.factor(), self.optimiser.gradient());
                self.network
                    .energies(r, live, self.samples, self.live_energies, true);
                self.network
                    .weight_gradient(r, live, self.samples, factor, gradient, false);
            }
            Some(staging) => {
                self.slice_energies(r, staging, live, self.live_energies, 0);
                self.slice_gradient(r, staging, 0);
            }
        }
        self.objective
            .weigh(r, self.live_energies, self.stale_energies);
        self.network
            .finish_gradient(r, live, self.optimiser.gradient());
        self.optimiser.step(r, 0, live, self.objective.metrics());
        self.network.turn(r, live);
        recording
    }

    /// `energies` of all samples under `parameters`, for which the network is prepared.
    fn energies(&self, r: &mut Recording, parameters: Buffer, energies: Buffer, keep: bool) {
        match &self.staging {
            None => self
                .network
                .energies(r, parameters, self.samples, energies, keep),
            Some(staging) => {
                for start in self.slices() {
                    self.slice_energies(r, staging, parameters, energies, start);
                }
            }
        }
    }

    fn slice_energies(
        &self,
        r: &mut Recording,
        staging: &Staging,
        parameters: Buffer,
        energies: Buffer,
        start: usize,
    ) {
        let count = self.stage(r, staging, start);
        self.network
            .energies(r, parameters, staging.samples, staging.energies, false);
        r.copy_range(staging.energies, 0, energies, start, count);
    }

    /// Adds the gradient of the slice that starts with sample `start` to those before it.
    fn slice_gradient(&self, r: &mut Recording, staging: &Staging, start: usize) {
        let count = self.stage(r, staging, start);
        r.copy_range(self.objective.factor(), start, staging.factor, 0, count);
        let missing = self.network.samples() - count;
        if missing > 0 {
            r.upload_f32(staging.factor, count, &vec![0.0; missing]);
        }
        let (live, gradient) = (self.snapshot.live(), self.optimiser.gradient());
        self.network.derivatives(r, live, staging.samples);
        let (x, factor) = (staging.samples, staging.factor);
        self.network
            .weight_gradient(r, live, x, factor, gradient, start > 0);
    }

    /// Brings the samples of a slice to where the network reads them, and says how many there are.
    fn stage(&self, r: &mut Recording, staging: &Staging, start: usize) -> usize {
        let length = self.architecture.input().len();
        let all = self.data_count + self.noise_count;
        let count = self.network.samples().min(all - start);
        let (from, to) = (self.samples, staging.samples);
        r.copy_range(from, start * length, to, 0, count * length);
        count
    }

    /// The first sample of every slice.
    fn slices(&self) -> impl Iterator<Item = usize> {
        (0..self.data_count + self.noise_count).step_by(self.network.samples())
    }
}

/// The size of the fewest parts of at most `most` that `count` can be cut into, all but the last of that size.
fn equal_parts(count: usize, most: usize) -> usize {
    let parts = count.div_ceil(most.clamp(1, count.max(1)));
    count.div_ceil(parts.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_as_equal_and_as_few_as_can_be() {
        for (count, most, size) in [
            (256, 256, 256),
            (256, 1000, 256),
            (256, 100, 86),
            (256, 1, 1),
            (7, 6, 4),
            (1, 1, 1),
        ] {
            assert_eq!(equal_parts(count, most), size, "{count} by {most}");
        }
    }
}
