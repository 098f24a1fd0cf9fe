use crate::gpu::{Executor, GpuError, Profile};
use crate::kernels::WalkPlan;
use crate::network::{Architecture, walk_plan, walks_right};

/// Workgroups that keep a large GPU busy: only beyond as many does one of them take several samples.
const BUSY: usize = 128;

/// How Langevin chains are run.
#[derive(Clone, Debug)]
pub enum Strategy {
    /// Layer by layer, each over the whole batch.
    Layers,
    /// All steps of a sample in one workgroup: for small networks on GPUs.
    Walk(WalkPlan),
}

impl Strategy {
    /// The strategy that suits `count` chains on an adapter: walking on GPUs where the samples fit into workgroup
    /// memory, with as many to a workgroup as leave the GPU busy, since these share what is read of the weights.
    ///
    /// Never walking on a software driver, to which barriers are dear; see docs/kernels.md.
    pub(crate) fn choose(profile: &Profile, architecture: &Architecture, count: usize) -> Self {
        if profile.is_cpu {
            return Strategy::Layers;
        }
        let most = (count / BUSY).max(1).ilog2();
        (0..=most)
            .rev()
            .find_map(|power| walk_plan(architecture, 1 << power, profile.workgroup_bytes))
            .map_or(Strategy::Layers, Strategy::Walk)
    }

    /// The same, but walking only if it computes a small chain right on this device.
    ///
    /// # Errors
    /// When the GPU fails.
    pub(crate) fn trusted(
        executor: &mut Executor,
        architecture: &Architecture,
        count: usize,
    ) -> Result<Self, GpuError> {
        let strategy = Self::choose(&executor.profile(), architecture, count);
        if matches!(strategy, Strategy::Walk(_)) && !walks_right(executor)? {
            tracing::warn!(
                "this driver computes wrong results when whole chains run in one launch; running them layer by layer"
            );
            return Ok(Strategy::Layers);
        }
        Ok(strategy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::Activation;
    use crate::network::LayerSpec;
    use crate::shape::Shape;

    fn per_group(is_cpu: bool, workgroup_bytes: usize, count: usize) -> Option<usize> {
        let profile = Profile {
            is_cpu,
            workgroup_bytes,
            longest_image_side: 16_384,
            subgroup_size: None,
        };
        let layers = [
            LayerSpec::Dense { features: 128 },
            LayerSpec::Dense { features: 1 },
        ];
        let architecture =
            Architecture::new(Shape::new(2, 1, 1), &layers, Activation::SILU, None).unwrap();
        match Strategy::choose(&profile, &architecture, count) {
            Strategy::Layers => None,
            Strategy::Walk(plan) => Some(plan.samples_per_group()),
        }
    }

    #[test]
    fn gpus_walk_what_fits_and_share_workgroups_only_when_busy() {
        assert_eq!(per_group(false, 49_152, 1), Some(1));
        assert_eq!(per_group(false, 49_152, 255), Some(1));
        assert_eq!(per_group(false, 49_152, 1024), Some(8));
        // 128 activations, 2 values and their noise take 528 bytes a sample.
        assert_eq!(per_group(false, 16_384, 1 << 20), Some(16));
        assert_eq!(per_group(false, 1024, 1), None);
        assert_eq!(per_group(true, 49_152, 1024), None);
    }
}
