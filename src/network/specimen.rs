//! A small convolution, to see whether a device computes it right and how long that takes.

use crate::gpu::{Buffer, Executor, GpuError, Recording};
use crate::kernels::{
    Activation, ConvGeometry, Layer, LayerKind, LayerParameters, Maps, Precision, Variant, load,
    unload,
};
use crate::random::{Philox, Stream};
use crate::twins;

/// Sums of some hundred products of numbers below one in f32 are right to 1e-5; a wrong lane or a wrong tile is off by 0.1.
const TOLERANCE: f64 = 1e-3;
/// Rounding to the nearest number of 11 bits, an f16, relative to the value.
const F16_ROUNDING: f64 = 1.0 / 2048.0;

/// What a specimen is.
#[derive(Clone, Copy)]
pub(super) struct Size {
    pub(super) geometry: ConvGeometry,
    pub(super) samples: usize,
    pub(super) activation: Activation,
}

/// The convolution with its passes by one variant, written down, and what they should come to.
pub(super) struct Specimen {
    variant: Variant,
    before: Layer,
    /// What it is computed from is brought to the device.
    setup: Recording,
    /// The forward pass and the input gradient: a Langevin step of it.
    step: Recording,
    /// The weight gradient, and what came out taken from the maps.
    rest: Recording,
    /// Output, input gradient and weight gradient.
    results: [Buffer; 3],
    wanted: [Vec<f64>; 3],
}

/// Layers before and after the convolution: what is stored between two layers is stored in the variant's precision.
fn neighbours(size: Size, variant: Variant) -> (Layer, Layer) {
    let layer = |kind| Layer::new(kind, Activation::IDENTITY, size.samples, variant);
    let copy = ConvGeometry {
        out_channels: size.geometry.in_channels,
        kernel_height: 1,
        kernel_width: 1,
        stride: 1,
        padding: 0,
        ..size.geometry
    };
    let after = LayerKind::Dense {
        input: LayerKind::Conv(size.geometry).output_shape(),
        outputs: 1,
    };
    (layer(LayerKind::Conv(copy)), layer(after))
}

impl Specimen {
    /// # Errors
    /// When its maps exceed the adapter's image size.
    pub(super) fn new(size: Size, variant: Variant) -> Result<Self, GpuError> {
        let Size {
            geometry,
            samples,
            activation,
        } = size;
        let layer = Layer::new(LayerKind::Conv(geometry), activation, samples, variant);
        let mut generator = Philox::new(1, Stream::Parameters, 0);
        let mut values =
            // Multiples of 2⁻¹⁰ below ½ in size, which are f16s.
            |count: usize| -> Vec<f32> {
                (0..count)
                    .map(|_| ((generator.uniform() - 0.5) * 1024.0).round() / 1024.0)
                    .collect()
            };
        let x = values(samples * geometry.in_len());
        let parameter_values = values(geometry.weight_len() + geometry.out_channels);
        let gradient = values(samples * geometry.out_len());
        let factors: Vec<f32> = [1.0, -0.5].into_iter().cycle().take(samples).collect();

        let mut setup = Recording::new();
        let mut filled = |values: &[f32]| {
            let buffer = Buffer::new("specimen", values.len());
            setup.upload_f32(buffer, 0, values);
            buffer
        };
        let (x_buffer, gradient_buffer) = (filled(&x), filled(&gradient));
        let filled_factor = filled(&factors);
        let parameters = LayerParameters {
            buffer: filled(&parameter_values),
            offset: 0,
        };
        let (before, after) = neighbours(size, variant);
        let input = before.new_between(&layer, "specimen's input")?;
        let output = layer.new_between(&after, "specimen's output")?;
        let derivative = match activation == Activation::IDENTITY {
            true => None,
            false => {
                Some(layer.for_derivatives(&layer.new_between(&after, "specimen's derivative")?))
            }
        };
        let output_gradient = layer.new_output_gradient("specimen's output gradient")?;
        let input_gradient = before.new_between(&layer, "specimen's input gradient")?;
        layer.prepare(&mut setup, parameters);
        load(&mut setup, x_buffer, &input);
        load(&mut setup, gradient_buffer, &output_gradient);

        let mut step = Recording::new();
        layer.forward(&mut step, parameters, &input, &output, derivative.as_ref());
        layer.input_gradient(
            &mut step,
            parameters,
            &output_gradient,
            None,
            &input_gradient,
        );

        let mut rest = Recording::new();
        let partials = Buffer::new("specimen", layer.partial_words());
        let weight_gradient = Buffer::new("specimen", parameter_values.len());
        layer.weight_gradient(
            &mut rest,
            &input,
            &output_gradient,
            filled_factor,
            partials,
            weight_gradient,
            0,
            false,
        );
        let (flat_output, flat_gradient) = (
            Buffer::new("specimen", gradient.len()),
            Buffer::new("specimen", x.len()),
        );
        unload(&mut rest, &output, flat_output);
        unload(&mut rest, &input_gradient, flat_gradient);
        Ok(Specimen {
            variant,
            before,
            setup,
            step,
            rest,
            results: [flat_output, flat_gradient, weight_gradient],
            wanted: wanted(size, &x, &parameter_values, &gradient, &factors),
        })
    }

    /// The forward pass and the input gradient, to be run after [`Self::computes_right`].
    pub(super) fn step(&self) -> &Recording {
        &self.step
    }

    /// Names maps like those that it is computed from.
    ///
    /// # Errors
    /// When they exceed the adapter's image size.
    pub(super) fn new_input_maps(&self, label: &'static str) -> Result<Maps, GpuError> {
        self.before.new_output_gradient(label)
    }

    /// Whether it comes to what the f64 twins do.
    ///
    /// # Errors
    /// When the GPU fails.
    pub(super) async fn computes_right(&self, executor: &mut Executor) -> Result<bool, GpuError> {
        for recording in [&self.setup, &self.step, &self.rest] {
            executor.run(recording)?;
        }
        let rounding = match self.variant.precision() {
            Precision::Full => 0.0,
            Precision::Mixed => F16_ROUNDING,
        };
        // The weight gradient is f32 in every precision.
        let roundings = [rounding, rounding, 0.0];
        for ((&buffer, wanted), rounding) in self.results.iter().zip(&self.wanted).zip(roundings) {
            if !close(&executor.read_async(buffer).await?, wanted, rounding) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// Output, input gradient and weight gradient by the twins.
fn wanted(
    size: Size,
    x: &[f32],
    parameters: &[f32],
    gradient: &[f32],
    factors: &[f32],
) -> [Vec<f64>; 3] {
    let Size {
        geometry,
        samples,
        activation,
    } = size;
    let wide = |values: &[f32]| -> Vec<f64> { values.iter().map(|&v| f64::from(v)).collect() };
    let (x, parameters, gradient) = (wide(x), wide(parameters), wide(gradient));
    let (weight, bias) = parameters.split_at(geometry.weight_len());
    let output = twins::conv_forward(&geometry, activation, samples, &x, weight, bias).output;
    let input_gradient = twins::conv_input_gradient(&geometry, samples, &gradient, weight, None);
    let of_weights = twins::conv_weight_gradient(&geometry, samples, &x, &gradient, &wide(factors));
    let weight_gradient = of_weights.weight.into_iter().chain(of_weights.bias);
    [output, input_gradient, weight_gradient.collect()]
}

fn close(got: &[f32], want: &[f64], rounding: f64) -> bool {
    got.len() == want.len()
        && got
            .iter()
            .zip(want)
            .all(|(&g, &w)| (f64::from(g) - w).abs() < TOLERANCE + rounding * w.abs())
}
