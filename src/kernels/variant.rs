use super::families::{KernelFamily, Variant, each};
use super::precision::Precision;
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
}
