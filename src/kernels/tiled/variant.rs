use crate::gpu::Profile;
use crate::kernels::precision::Precision;

/// The one variant, which runs anywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tiled;

impl Tiled {
    pub(crate) fn best(_: &Profile) -> Self {
        Tiled
    }

    pub(crate) fn plain(_: &Profile) -> Option<Self> {
        None
    }

    pub(crate) fn name(&self) -> String {
        "tiled".into()
    }

    pub(crate) fn precision(&self) -> Precision {
        Precision::Full
    }

    /// There is no f16: an invocation stores values a quarter of a tile apart, so that no invocation holds both halves of
    /// a 32-bit word.
    pub(crate) fn in_precision(self, precision: Precision) -> Option<Self> {
        (precision == Precision::Full).then_some(self)
    }
}
