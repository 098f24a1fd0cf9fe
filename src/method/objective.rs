use crate::gpu::{Buffer, Recording};
use crate::kernels::{Generator, METRIC_WORDS, RatioArguments, ratio_head};

/// How the log-normaliser difference c = log Z_φ − log Z_θ is handled.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Normaliser {
    /// Kept at 0, which is exact right after a refresh.
    Zero,
    /// A scalar that follows its own gradient at this rate, from 0 at every refresh.
    Learned { rate: f32 },
}

/// The objective on a batch of data samples followed by noise samples.
pub struct Objective {
    generator: Generator,
    normaliser: Normaliser,
    energy_l2: f32,
    data: usize,
    noise: usize,
    c: Buffer,
    factor: Buffer,
    metrics: Buffer,
}

impl Objective {
    /// An objective over `data` data samples and `noise` noise samples; ν is their ratio.
    pub fn new(
        generator: Generator,
        normaliser: Normaliser,
        energy_l2: f32,
        data: usize,
        noise: usize,
    ) -> Self {
        Objective {
            generator,
            normaliser,
            energy_l2,
            data,
            noise,
            c: Buffer::new("normaliser", 1),
            factor: Buffer::new("sample factors", data + noise),
            metrics: Buffer::new("metrics", METRIC_WORDS),
        }
    }

    /// The factor of every sample in the parameter gradient.
    pub fn factor(&self) -> Buffer {
        self.factor
    }

    /// c.
    pub fn normaliser(&self) -> Buffer {
        self.c
    }

    /// The metrics of the last step: see [`crate::kernels::RatioMetrics`].
    pub fn metrics(&self) -> Buffer {
        self.metrics
    }

    /// Asks for the metrics of the step, which arrive later under `ticket`.
    pub fn fetch_metrics(&self, recording: &mut Recording, ticket: u64) {
        recording.fetch(self.metrics, 0, METRIC_WORDS, ticket);
    }

    /// Bytes of c, factors and metrics.
    pub fn bytes(&self) -> u64 {
        self.c.bytes() + self.factor.bytes() + self.metrics.bytes()
    }

    /// Sets c to 0, as it is when the snapshot equals the live model.
    pub fn reset(&self, recording: &mut Recording) {
        recording.upload_f32(self.c, 0, &[0.0]);
    }

    /// From the energies under the live and the stale parameters to factors and metrics.
    pub fn weigh(&self, recording: &mut Recording, live: Buffer, stale: Buffer) {
        let rate = match self.normaliser {
            Normaliser::Zero => 0.0,
            Normaliser::Learned { rate } => rate,
        };
        let arguments = RatioArguments {
            live,
            stale,
            normaliser: self.c,
            factor: self.factor,
            metrics: self.metrics,
        };
        ratio_head(
            recording,
            self.generator,
            self.data,
            self.noise,
            self.energy_l2,
            rate,
            &arguments,
        );
    }
}
