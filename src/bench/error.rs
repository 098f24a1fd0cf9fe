use crate::gpu::GpuError;
use crate::network::{NetworkError, VariantError, advised};

/// Why something could not be measured.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum BenchError {
    #[error("no reference network is called '{given}': choose from {known}")]
    UnknownNetwork { given: String, known: String },
    #[error(transparent)]
    Network(#[from] NetworkError),
    #[error("{}", advised(.0))]
    Gpu(#[from] GpuError),
    #[error(transparent)]
    Variant(#[from] VariantError),
}
