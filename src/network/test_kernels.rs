use super::device_error::VariantError;
use super::families::trusted_variant_async;
use super::walk::walks_right_async;
use crate::gpu::Executor;

/// Finds out what of the kernels computes right on this device. Elsewhere that happens when it is needed first; in a page, where
/// nothing can wait for it, this has to come before all that computes.
///
/// # Errors
/// When no variant computes right, or the GPU fails.
pub async fn test_kernels_async(executor: &mut Executor) -> Result<(), VariantError> {
    trusted_variant_async(executor).await?;
    if !executor.profile().is_cpu {
        walks_right_async(executor).await?;
    }
    Ok(())
}
