use super::device_error::VariantError;
use super::known::Known;
use crate::gpu::{Buffer, Executor, GpuError, Recording};
use crate::kernels::{
    Activation, ConvGeometry, Layer, LayerKind, LayerParameters, Precision, Variant, load, unload,
};
use crate::random::{Philox, Stream};
use crate::twins;

/// A convolution with more than one channel group, an edge, and a tile that reaches over it.
const GEOMETRY: ConvGeometry = ConvGeometry {
    in_channels: 6,
    in_height: 5,
    in_width: 6,
    out_channels: 20,
    kernel_height: 3,
    kernel_width: 3,
    stride: 1,
    padding: 1,
};
const SAMPLES: usize = 2;
/// Sums of 54 products of numbers below one in f32 are right to 1e-5; a wrong lane or a wrong tile is off by 0.1.
const TOLERANCE: f64 = 1e-3;
/// Rounding to the nearest number of 11 bits, an f16, relative to the value.
const F16_ROUNDING: f64 = 1.0 / 2048.0;
/// Beyond what an f16 can hold.
const TOO_LARGE: f32 = 1e6;

/// The best variant of the layer kernels that computes a small convolution right on this device, tried once for each
/// executor.
///
/// Drivers report subgroup sizes they do not keep to (Mesa 25.0 did at 512 bits), and a wrong shuffle is silent.
///
/// # Errors
/// When no variant computes right, or the GPU fails.
pub fn trusted_variant(executor: &mut Executor) -> Result<Variant, VariantError> {
    if let Some(variant) = Known::of(executor).variant {
        return Ok(variant);
    }
    let variant = try_variants(executor)?;
    Known::update(executor, |known| known.variant = Some(variant));
    Ok(variant)
}

/// Lets all that is computed on `executor` from now on run by the layer kernels of the family called `name`, one of
/// [`FAMILIES`](crate::kernels::FAMILIES), if they compute right here.
///
/// # Errors
/// When they do not or there are none of this name, or the GPU fails.
pub fn require_family(executor: &mut Executor, name: &str) -> Result<Variant, VariantError> {
    let family = || name.to_owned();
    let Some(variant) = Variant::of_family(&executor.profile(), name) else {
        return Err(VariantError::UnknownFamily { family: family() });
    };
    if !computes_right(executor, variant)? {
        return Err(VariantError::WrongFamily {
            adapter: executor.adapter().name.clone(),
            family: family(),
        });
    }
    Known::update(executor, |known| {
        known.variant = Some(variant);
        known.mixed_is_right = None;
    });
    Ok(variant)
}

/// [`trusted_variant`] with maps stored in `precision`.
///
/// # Errors
/// When the variant for this device has no such precision or computes wrong in it; nothing else is run in its place.
/// Otherwise as above.
pub fn trusted_variant_in(
    executor: &mut Executor,
    precision: Precision,
) -> Result<Variant, VariantError> {
    let variant = trusted_variant(executor)?;
    let Some(variant) = variant.in_precision(precision) else {
        return Err(VariantError::NoMixedPrecision {
            adapter: executor.adapter().name.clone(),
        });
    };
    if precision == Precision::Mixed {
        let right = match Known::of(executor).mixed_is_right {
            Some(right) => right,
            None => computes_right(executor, variant)?,
        };
        Known::update(executor, |known| known.mixed_is_right = Some(right));
        if !right {
            return Err(VariantError::WrongMixedPrecision {
                adapter: executor.adapter().name.clone(),
            });
        }
    }
    Ok(variant)
}

fn try_variants(executor: &mut Executor) -> Result<Variant, VariantError> {
    let profile = executor.profile();
    let preferred = Variant::for_profile(&profile);
    let families = Variant::of_each_family(&profile).into_iter().rev();
    let plain = families.map(|(best, plain)| plain.unwrap_or(best));
    for variant in std::iter::once(preferred).chain(plain) {
        if computes_right(executor, variant)? {
            if variant != preferred {
                tracing::warn!(
                    "this driver computes wrong results with {preferred:?}; using {variant:?}"
                );
            }
            return Ok(variant);
        }
    }
    Err(VariantError::WrongResults {
        adapter: executor.adapter().name.clone(),
    })
}

/// Whether `variant` agrees with the f64 twin on a small convolution, its input gradient and its weight gradient, and
/// in mixed precision turns what an f16 cannot hold into what is not finite, so that it is noticed.
///
/// # Errors
/// When the GPU fails.
pub fn computes_right(executor: &mut Executor, variant: Variant) -> Result<bool, GpuError> {
    let mark = executor.mark();
    let outcome = compare(executor, variant)
        .and_then(|right| Ok(right && (!is_mixed(variant) || shows_overflow(executor, variant)?)));
    executor.release_since(mark);
    outcome
}

fn is_mixed(variant: Variant) -> bool {
    variant.precision() == Precision::Mixed
}

/// Layers before and after the convolution: what is stored between two layers is stored in the variant's precision.
fn neighbours(variant: Variant) -> (Layer, Layer) {
    let layer = |kind| Layer::new(kind, Activation::IDENTITY, SAMPLES, variant);
    let copy = ConvGeometry {
        out_channels: GEOMETRY.in_channels,
        kernel_height: 1,
        kernel_width: 1,
        padding: 0,
        ..GEOMETRY
    };
    let after = LayerKind::Dense {
        input: LayerKind::Conv(GEOMETRY).output_shape(),
        outputs: 1,
    };
    (layer(LayerKind::Conv(copy)), layer(after))
}

fn shows_overflow(executor: &mut Executor, variant: Variant) -> Result<bool, GpuError> {
    let maps = neighbours(variant)
        .0
        .new_output_gradient("self-test maps")?;
    let (from, to) = (
        Buffer::new("self-test", SAMPLES * GEOMETRY.in_len()),
        Buffer::new("self-test", SAMPLES * GEOMETRY.in_len()),
    );
    let mut r = Recording::new();
    let values = [TOO_LARGE, -TOO_LARGE, f32::NAN, 1.0];
    r.upload_f32(from, 0, &values);
    load(&mut r, from, &maps);
    unload(&mut r, &maps, to);
    executor.run(&r)?;
    let got = executor.read(to)?;
    let finite = got.iter().map(|value| value.is_finite());
    Ok(finite.take(4).eq([false, false, false, true]))
}

fn compare(executor: &mut Executor, variant: Variant) -> Result<bool, GpuError> {
    let kind = LayerKind::Conv(GEOMETRY);
    let layer = Layer::new(kind, Activation::IDENTITY, SAMPLES, variant);
    let mut generator = Philox::new(1, Stream::Parameters, 0);
    let mut values =
        // Multiples of 2⁻¹⁰ below ½ in size, which are f16s.
        |count: usize| -> Vec<f32> {
            (0..count)
                .map(|_| ((generator.uniform() - 0.5) * 1024.0).round() / 1024.0)
                .collect()
        };
    let x = values(SAMPLES * GEOMETRY.in_len());
    let parameter_values = values(GEOMETRY.weight_len() + GEOMETRY.out_channels);
    let gradient = values(SAMPLES * GEOMETRY.out_len());

    let mut r = Recording::new();
    let mut filled = |values: &[f32]| {
        let buffer = Buffer::new("self-test", values.len());
        r.upload_f32(buffer, 0, values);
        buffer
    };
    let (x_buffer, gradient_buffer) = (filled(&x), filled(&gradient));
    let factors = [1.0, -0.5];
    let filled_factor = filled(&factors);
    let parameters = LayerParameters {
        buffer: filled(&parameter_values),
        offset: 0,
    };
    let (before, after) = neighbours(variant);
    let input = before.new_between(&layer, "self-test input")?;
    let output = layer.new_between(&after, "self-test output")?;
    let output_gradient = layer.new_output_gradient("self-test output gradient")?;
    let input_gradient = before.new_between(&layer, "self-test input gradient")?;
    let (flat_output, flat_gradient) = (
        Buffer::new("self-test", gradient.len()),
        Buffer::new("self-test", x.len()),
    );
    layer.prepare(&mut r, parameters);
    load(&mut r, x_buffer, &input);
    load(&mut r, gradient_buffer, &output_gradient);
    layer.forward(&mut r, parameters, &input, &output, None);
    layer.input_gradient(&mut r, parameters, &output_gradient, None, &input_gradient);
    let partials = Buffer::new("self-test", layer.partial_words());
    let weight_gradient = Buffer::new("self-test", parameter_values.len());
    layer.weight_gradient(
        &mut r,
        &input,
        &output_gradient,
        filled_factor,
        partials,
        weight_gradient,
        0,
        false,
    );
    unload(&mut r, &output, flat_output);
    unload(&mut r, &input_gradient, flat_gradient);
    executor.run(&r)?;
    let (got_output, got_gradient) = (executor.read(flat_output)?, executor.read(flat_gradient)?);
    let got_weight_gradient = executor.read(weight_gradient)?;

    let wide = |values: &[f32]| -> Vec<f64> { values.iter().map(|&v| f64::from(v)).collect() };
    let parameters = wide(&parameter_values);
    let (weight, bias) = parameters.split_at(GEOMETRY.weight_len());
    let want_output = twins::conv_forward(
        &GEOMETRY,
        Activation::IDENTITY,
        SAMPLES,
        &wide(&x),
        weight,
        bias,
    )
    .output;
    let want_gradient =
        twins::conv_input_gradient(&GEOMETRY, SAMPLES, &wide(&gradient), weight, None);
    let want = twins::conv_weight_gradient(
        &GEOMETRY,
        SAMPLES,
        &wide(&x),
        &wide(&gradient),
        &wide(&factors),
    );
    let want_weight_gradient: Vec<f64> = want.weight.into_iter().chain(want.bias).collect();
    let rounding = if is_mixed(variant) { F16_ROUNDING } else { 0.0 };
    Ok(close(&got_output, &want_output, rounding)
        && close(&got_gradient, &want_gradient, rounding)
        && close(&got_weight_gradient, &want_weight_gradient, 0.0))
}

fn close(got: &[f32], want: &[f64], rounding: f64) -> bool {
    got.len() == want.len()
        && got
            .iter()
            .zip(want)
            .all(|(&g, &w)| (f64::from(g) - w).abs() < TOLERANCE + rounding * w.abs())
}
