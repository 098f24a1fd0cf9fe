use super::families::{FAMILIES, Variant, each};
use super::precision::Precision;
use crate::gpu::Profile;

impl Variant {
    /// The variant that suits an adapter.
    pub fn for_profile(profile: &Profile) -> Self {
        let all = Self::of_each_family(profile).into_iter();
        let mut best = all.map(|(best, _)| best).collect::<Vec<_>>();
        let suits = |variant: &Variant| each!(Variant, variant, variant => variant.suits(profile));
        let place = best.iter().rposition(suits);
        best.swap_remove(place.unwrap_or(0))
    }

    /// The variant of the family called `name`, one of [`FAMILIES`], that suits an adapter best.
    pub fn of_family(profile: &Profile, name: &str) -> Option<Self> {
        let place = FAMILIES.iter().position(|family| *family == name)?;
        Some(Self::of_each_family(profile)[place].0)
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
