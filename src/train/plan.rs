use super::error::TrainError;
use super::memory::MemoryAccount;
use crate::config::Config;
use crate::gpu::{Buffer, Recording};
use crate::method::{DataNoise, Objective, Optimiser, Sampler, Snapshot, Strategy};
use crate::model;
use crate::network::{Architecture, Network, Variant};
use crate::shape::Shape;

/// An optimiser step as a list of commands. Holds names of buffers, no device.
pub struct TrainingPlan {
    architecture: Architecture,
    snapshot: Snapshot,
    sampler: Sampler,
    objective: Objective,
    optimiser: Optimiser,
    /// For data and noise together.
    network: Network,
    samples: Buffer,
    live_energies: Buffer,
    stale_energies: Buffer,
    data_noise: DataNoise,
    data_count: usize,
}

impl TrainingPlan {
    /// Lays out a run of `config` over samples of shape `input`.
    ///
    /// # Errors
    /// When the layers do not fit together or a batch exceeds the adapter's limits.
    pub fn new(config: &Config, input: Shape, variant: Variant) -> Result<Self, TrainError> {
        let architecture = model::architecture(config, input)?;
        let (data_count, seed) = (config.run.batch, config.run.seed);
        let noise_count = data_count * config.objective.noise_ratio;
        let count = data_count + noise_count;
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
            sampler: Sampler::new(
                &architecture,
                noise_count,
                variant,
                model::sampler(config),
                seed,
            )?,
            objective,
            optimiser: Optimiser::new(model::optimiser(config), parameters),
            network: Network::new(&architecture, count, variant)?,
            samples: Buffer::new("data and noise", count * input.len()),
            live_energies: Buffer::new("live energies", count),
            stale_energies: Buffer::new("stale energies", count),
            data_noise: DataNoise {
                std: config.data.noise,
                seed,
            },
            data_count,
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

    /// The optimiser, with the moving average of the weights.
    pub fn optimiser(&self) -> &Optimiser {
        &self.optimiser
    }

    /// The parameters that are trained.
    pub fn live_parameters(&self) -> Buffer {
        self.snapshot.live()
    }

    /// The noise samples of the last step.
    pub fn noise_samples(&self) -> Buffer {
        self.sampler.chains().states()
    }

    /// Where the memory goes.
    pub fn memory(&self) -> MemoryAccount {
        let workspace = self.network.training_bytes()
            + self.sampler.chains().workspace_bytes()
            + self.samples.bytes()
            + self.objective.bytes()
            + self.live_energies.bytes()
            + self.stale_energies.bytes();
        MemoryAccount {
            parameters: self.snapshot.live().bytes(),
            optimiser: self.optimiser.bytes(),
            workspace,
            snapshot: self.snapshot.stale().bytes(),
            chains: self.sampler.chain_bytes(),
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
            self.sampler.chains().prepare(r, stale);
        }
        self.sampler
            .draw(r, stale, step, self.samples, self.data_count);
        let noise = self.noise_samples();
        r.copy_range(noise, 0, self.samples, data.len(), noise.words());

        if !fresh {
            self.network.prepare(r, stale);
            self.network
                .energies(r, stale, self.samples, self.stale_energies, false);
        }
        self.network.prepare(r, live);
        self.network
            .energies(r, live, self.samples, self.live_energies, true);
        if fresh {
            // The two are the same function now; computing it twice would give the same bits.
            r.copy(self.live_energies, self.stale_energies);
        }
        self.objective
            .weigh(r, self.live_energies, self.stale_energies);

        let gradient = self.optimiser.gradient();
        self.network
            .weight_gradient(r, live, self.samples, self.objective.factor(), gradient);
        self.optimiser.step(r, step, live, self.objective.metrics());
        self.objective.fetch_metrics(r, step);
        recording
    }
}
