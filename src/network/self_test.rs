use super::architecture::Architecture;
use super::initialise::{Initialisation, initial_parameters};
use super::layer_spec::LayerSpec;
use super::passes::Network;
use super::specimen::{Size, Specimen};
use super::twin::twin;
use crate::gpu::{Buffer, Executor, GpuError, Recording, at_once};
use crate::kernels::{Activation, ConvGeometry, Precision, Variant, load, unload};
use crate::random::{Philox, Stream};
use crate::shape::Shape;

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
/// A chain of dense layers with groups that are not full, over one sample more than some subgroups have lanes.
const WIDTHS: [usize; 3] = [20, 7, 1];
const CHAIN_SAMPLES: usize = 17;
/// Sums of some dozens of products of numbers of size 1 in f32 are right to 1e-5; a wrong lane is off by 0.1.
const CHAIN_TOLERANCE: f64 = 1e-3;
/// Beyond what an f16 can hold.
const TOO_LARGE: f32 = 1e6;

/// Whether `variant` agrees with the f64 twin on a small convolution, its input gradient and its weight gradient, on a network of
/// dense layers where it computes those at once, and in mixed precision turns what an f16 cannot hold into what is not finite, so that it is noticed.
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
        && (!is_mixed || shows_overflow(executor, &specimen).await?)
        && chain_is_right(executor, variant).await?)
}

/// Whether energies and gradients, in samples and in weights, of a small network that is computed in one launch are those of its twin;
/// so, too, where the variant has no such launch.
async fn chain_is_right(executor: &mut Executor, variant: Variant) -> Result<bool, GpuError> {
    let specs = WIDTHS.map(|features| LayerSpec::Dense { features });
    let activation = Activation::SILU;
    let Ok(architecture) = Architecture::new(Shape::new(3, 1, 1), &specs, activation, None) else {
        return Ok(false);
    };
    if architecture.stack(CHAIN_SAMPLES, variant).is_none() {
        return Ok(true);
    }
    let plain = Initialisation {
        weights: Default::default(),
        zero_head: false,
        first_weight_scale: 1.0,
        first_bias_scale: 1.0,
    };
    let parameters = initial_parameters(&architecture, &plain, 1);
    let mut generator = Philox::new(1, Stream::Data, 0);
    let values = CHAIN_SAMPLES * architecture.input().len();
    let x: Vec<f32> = (0..values).map(|_| generator.normal()).collect();
    let network = Network::new(&architecture, CHAIN_SAMPLES, variant)?;
    let mut r = Recording::new();
    network.setup(&mut r);
    let named = |words| Buffer::new("self-test", words);
    let factor = vec![1.0; CHAIN_SAMPLES];
    let [given, samples, factor] = [&parameters, &x, &factor].map(|values| {
        let buffer = named(values.len());
        r.upload_f32(buffer, 0, values);
        buffer
    });
    let [alone, beside, kept] = [(); 3].map(|()| named(CHAIN_SAMPLES));
    let (gradient, in_weights) = (named(values), named(parameters.len()));
    let prepared = network.prepare(&mut r, given);
    prepared.energies(&mut r, samples, alone, false);
    prepared.energy_gradient(&mut r, samples, Some(beside), gradient);
    prepared.energies(&mut r, samples, kept, true);
    prepared.weight_gradient(&mut r, samples, factor, in_weights, false);
    executor.run(&r)?;
    let wide = |values: &[f32]| -> Vec<f64> { values.iter().map(|&v| f64::from(v)).collect() };
    let (model, x) = (twin(&architecture, &wide(&parameters)), wide(&x));
    let energies = model.energies(&x, CHAIN_SAMPLES);
    let gradients = model.energy_gradient(&x, CHAIN_SAMPLES);
    let in_layers = model.weight_gradient(&x, CHAIN_SAMPLES, &[1.0; CHAIN_SAMPLES]);
    let of_layers = in_layers
        .into_iter()
        .flat_map(|layer| [layer.weight, layer.bias]);
    let of_weights = of_layers.flatten().collect();
    for (buffer, wanted) in [
        (alone, &energies),
        (beside, &energies),
        (kept, &energies),
        (gradient, &gradients),
        (in_weights, &of_weights),
    ] {
        let got = executor.read_async(buffer).await?;
        let is_close = |(&g, &w): (&f32, &f64)| (f64::from(g) - w).abs() < CHAIN_TOLERANCE;
        if got.len() != wanted.len() || !got.iter().zip(wanted).all(is_close) {
            return Ok(false);
        }
    }
    Ok(true)
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
