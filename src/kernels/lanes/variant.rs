use crate::gpu::Profile;
use crate::kernels::precision::Precision;

/// The one variant, which runs anywhere: nothing in it depends on how many lanes a subgroup has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lanes;

impl Lanes {
    pub(crate) fn best(_: &Profile) -> Self {
        Lanes
    }

    pub(crate) fn plain(_: &Profile) -> Option<Self> {
        None
    }

    pub(crate) fn name(&self) -> String {
        "lanes".into()
    }

    pub(crate) fn precision(&self) -> Precision {
        Precision::Full
    }

    /// There is no f16: a lane loads one value, and two of them share a word.
    pub(crate) fn in_precision(self, precision: Precision) -> Option<Self> {
        (precision == Precision::Full).then_some(self)
    }
}
