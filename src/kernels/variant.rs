use super::activations::Activation;
use super::families::{KernelFamily, Variant, each};
use super::layer_kind::LayerKind;
use super::precision::Precision;
use super::texel::Stack;
use crate::gpu::Profile;

impl Variant {
    /// The variant that an adapter has for which nothing was asked or measured.
    pub fn for_profile(profile: &Profile) -> Self {
        Self::of_family(profile, KernelFamily::usual(profile.is_cpu))
    }

    /// In a word, without the precision.
    pub fn name(&self) -> String {
        each!(Variant, self, variant => variant.name())
    }

    /// How maps are stored.
    pub fn precision(&self) -> Precision {
        each!(Variant, self, variant => variant.precision())
    }

    /// The same variant with maps stored in `precision`, if it has that.
    pub fn in_precision(self, precision: Precision) -> Option<Self> {
        each!(Variant, self, variant => variant.in_precision(precision).map(Variant::from))
    }

    /// All of a network that is a chain of `layers`, with `activation` between them, in one launch for batches of at most `samples`,
    /// where the family has that.
    pub(crate) fn stack(
        &self,
        layers: &[LayerKind],
        activation: Activation,
        samples: usize,
    ) -> Option<Stack> {
        match self {
            Variant::Texel(texel) => texel.stack(layers, activation, samples),
            Variant::Tiled(_) | Variant::Lanes(_) => None,
        }
    }
}
