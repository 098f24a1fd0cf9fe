use crate::gpu::{Buffer, Recording};
use crate::kernels::add_noise;

/// Gaussian noise that is added to every data sample, so that the data has a density.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct DataNoise {
    /// Standard deviation, in the model's scale; 0 for none.
    pub std: f32,
    pub seed: u64,
}

impl DataNoise {
    /// Adds the noise of optimiser step `step` to the first `count` values of `samples`.
    pub(crate) fn add(&self, recording: &mut Recording, step: u64, count: usize, samples: Buffer) {
        if self.std > 0.0 {
            add_noise(recording, self.seed, step as u32, self.std, count, samples);
        }
    }
}
