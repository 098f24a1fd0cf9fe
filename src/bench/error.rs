use crate::gpu::GpuError;
use crate::network::NetworkError;

/// Why something could not be measured.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BenchError {
    #[error("no reference network is called '{given}': choose from {known}")]
    UnknownNetwork { given: String, known: String },
    #[error(transparent)]
    Network(#[from] NetworkError),
    #[error(transparent)]
    Gpu(#[from] GpuError),
}
