use crate::gpu::{Buffer, Recording};
use crate::kernels::add_noise;

/// Gaussian noise that is added to every data sample, so that the data has a density.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct DataNoise {
    /// Standard deviation, in the model's scale; 0 for none.
    pub std: f32,
    pub fall: Option<Fall>,
    pub seed: u64,
}

/// How the noise of the first steps is wider.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Fall {
    /// Standard deviation in step 0.
    pub start: f32,
    /// Steps in which it falls to that of the others, geometrically.
    pub steps: f64,
}

impl DataNoise {
    /// Adds the noise of optimiser step `step` to the first `count` values of `samples`.
    pub(crate) fn add(&self, recording: &mut Recording, step: u64, count: usize, samples: Buffer) {
        if self.std > 0.0 {
            let std = self.std_of(step);
            add_noise(recording, self.seed, step as u32, std, count, samples);
        }
    }

    /// Whether it is another one in optimiser step `step`, counted from 0, than in the step before.
    pub(crate) fn changes(&self, step: u64) -> bool {
        step > 0 && self.std_of(step) != self.std_of(step - 1)
    }

    /// Standard deviation in optimiser step `step`, counted from 0.
    pub(crate) fn std_of(&self, step: u64) -> f32 {
        match self.fall {
            Some(Fall { start, steps }) if (step as f64) < steps => {
                let left = 1.0 - step as f64 / steps;
                let ratio = f64::from(start) / f64::from(self.std);
                (f64::from(self.std) * ratio.powf(left)) as f32
            }
            _ => self.std,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_falls_geometrically_and_stays() {
        let noise = DataNoise {
            std: 0.25,
            fall: Some(Fall {
                start: 1.0,
                steps: 8.0,
            }),
            seed: 1,
        };
        let of = |step| noise.std_of(step);
        assert_eq!([of(0), of(4), of(8), of(1000)], [1.0, 0.5, 0.25, 0.25]);
        let changes = [0, 1, 8, 9].map(|step| noise.changes(step));
        assert_eq!(changes, [false, true, true, false]);
        let constant = DataNoise {
            fall: None,
            ..noise
        };
        assert_eq!(constant.std_of(0), 0.25);
    }
}
