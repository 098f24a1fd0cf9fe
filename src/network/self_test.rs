use super::specimen::{Size, Specimen};
use crate::gpu::{Buffer, Executor, GpuError, Recording, at_once};
use crate::kernels::{Activation, ConvGeometry, Precision, Variant, load, unload};

/// A convolution with more than one channel group, an edge, and a tile that reaches over it.
const SIZE: Size = Size {
    geometry: ConvGeometry {
        in_channels: 6,
        in_height: 5,
        in_width: 6,
        out_channels: 20,
        kernel_height: 3,
        kernel_width: 3,
        stride: 1,
        padding: 1,
    },
    samples: 2,
    activation: Activation::IDENTITY,
};
/// Beyond what an f16 can hold.
const TOO_LARGE: f32 = 1e6;

/// Whether `variant` agrees with the f64 twin on a small convolution, its input gradient and its weight gradient, and
/// in mixed precision turns what an f16 cannot hold into what is not finite, so that it is noticed.
///
/// Drivers report subgroup sizes they do not keep to (Mesa 25.0 did at 512 bits), and a wrong shuffle is silent.
///
/// # Errors
/// When the GPU fails.
pub fn computes_right(executor: &mut Executor, variant: Variant) -> Result<bool, GpuError> {
    at_once(computes_right_async(executor, variant))
}

/// [`computes_right`] for a page, which goes on meanwhile.
///
/// # Errors
/// When the GPU fails.
pub(super) async fn computes_right_async(
    executor: &mut Executor,
    variant: Variant,
) -> Result<bool, GpuError> {
    let mark = executor.mark();
    let outcome = compare(executor, variant).await;
    executor.release_since(mark);
    outcome
}

async fn compare(executor: &mut Executor, variant: Variant) -> Result<bool, GpuError> {
    let specimen = Specimen::new(SIZE, variant)?;
    let is_mixed = variant.precision() == Precision::Mixed;
    Ok(specimen.computes_right(executor).await?
        && (!is_mixed || shows_overflow(executor, &specimen).await?))
}

async fn shows_overflow(executor: &mut Executor, specimen: &Specimen) -> Result<bool, GpuError> {
    let maps = specimen.new_input_maps("self-test maps")?;
    let words = SIZE.samples * SIZE.geometry.in_len();
    let (from, to) = (
        Buffer::new("self-test", words),
        Buffer::new("self-test", words),
    );
    let mut r = Recording::new();
    let values = [TOO_LARGE, -TOO_LARGE, f32::NAN, 1.0];
    r.upload_f32(from, 0, &values);
    load(&mut r, from, &maps);
    unload(&mut r, &maps, to);
    executor.run(&r)?;
    let got = executor.read_async(to).await?;
    let finite = got.iter().map(|value| value.is_finite());
    Ok(finite.take(4).eq([false, false, false, true]))
}
