//! Batches that pass through the network slice by slice.

use super::TrainingPlan;
use crate::gpu::{Buffer, Recording};
use crate::network::Prepared;

/// What the network reads and writes of one slice, since kernels start at the first word of a buffer. A last slice that
/// is not full is filled up with samples of the one before, which count for nothing.
pub(super) struct Staging {
    pub(super) samples: Buffer,
    pub(super) energies: Buffer,
    pub(super) factor: Buffer,
}

impl TrainingPlan {
    /// `energies` of at most `most` slices of all samples, on a network prepared for some parameters.
    pub(super) fn energies(
        &self,
        r: &mut Recording,
        network: Prepared<'_>,
        energies: Buffer,
        keep: bool,
        most: usize,
    ) {
        match &self.staging {
            None => network.energies(r, self.samples, energies, keep),
            Some(staging) => {
                for start in self.slices().take(most) {
                    let count = self.stage(r, staging, start);
                    network.energies(r, staging.samples, staging.energies, false);
                    r.copy_range(staging.energies, 0, energies, start, count);
                }
            }
        }
    }

    /// The gradient in the parameters that `network` is prepared for, over at most `most` slices of all samples, the energies of which were computed
    /// last, and kept where there is only one.
    pub(super) fn weight_gradient(&self, r: &mut Recording, network: Prepared<'_>, most: usize) {
        let (factor, gradient) = (self.objective.factor(), self.optimiser.gradient());
        let Some(staging) = &self.staging else {
            network.weight_gradient(r, self.samples, factor, gradient, false);
            return;
        };
        for start in self.slices().take(most) {
            let count = self.stage(r, staging, start);
            r.copy_range(factor, start, staging.factor, 0, count);
            let missing = self.network.samples() - count;
            if missing > 0 {
                r.upload_f32(staging.factor, count, &vec![0.0; missing]);
            }
            let (x, factor) = (staging.samples, staging.factor);
            network.derivatives(r, x);
            network.weight_gradient(r, x, factor, gradient, start > 0);
        }
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
pub(super) fn equal_parts(count: usize, most: usize) -> usize {
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
