use super::stack::Stack;
use crate::gpu::Profile;
use crate::kernels::activations::Activation;
use crate::kernels::layer_kind::LayerKind;
use crate::kernels::precision::Precision;

/// Weights are spread over `lanes` lanes by shuffles (1: no shuffles). Images are at most `longest_side` texels a side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Texel {
    pub lanes: usize,
    pub longest_side: usize,
    pub precision: Precision,
}

impl Texel {
    /// The variant that suits an adapter best.
    pub fn best(profile: &Profile) -> Self {
        let lanes = match profile.subgroup_size {
            // The kernels' workgroups of 64 must be made of whole subgroups.
            Some(size) if size <= 64 => size as usize,
            _ => 1,
        };
        Texel {
            lanes,
            longest_side: profile.longest_image_side as usize,
            precision: Precision::Full,
        }
    }

    pub(crate) fn plain(profile: &Profile) -> Option<Self> {
        Some(Texel {
            lanes: 1,
            ..Self::best(profile)
        })
    }

    pub(crate) fn name(&self) -> String {
        format!("texel-{}", self.lanes)
    }

    pub(crate) fn precision(&self) -> Precision {
        self.precision
    }

    /// Of f32 only: what would be stored is rounded nowhere.
    pub(crate) fn stack(
        &self,
        layers: &[LayerKind],
        activation: Activation,
        samples: usize,
    ) -> Option<Stack> {
        let is_full = self.precision == Precision::Full;
        is_full.then(|| Stack::new(layers, activation, samples, self.lanes, self.longest_side))?
    }

    pub(crate) fn in_precision(self, precision: Precision) -> Option<Self> {
        Some(Texel { precision, ..self })
    }
}
