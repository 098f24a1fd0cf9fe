//! The convolution that the kernels are tuned on, pass by pass.

use super::Session;
use super::error::BenchError;
use super::figure::FigureKind;
use crate::gpu::{Buffer, Recording};
use crate::kernels::{Activation, ConvGeometry, Layer, LayerKind, LayerParameters};

const GEOMETRY: ConvGeometry = ConvGeometry::new([64, 32, 32], 128, [4, 4], 2, 1);
const SAMPLES: usize = 64;

/// Measures the passes of the 64→128 convolution, 4×4, stride 2, over 64 samples of 32×32: the second layer of C.
pub(super) fn measure(session: &mut Session) -> Result<(), BenchError> {
    let activation = Activation::leaky_relu(0.2);
    let layer = Layer::new(
        LayerKind::Conv(GEOMETRY),
        activation,
        SAMPLES,
        session.variant,
    );
    let shape = layer.kind().output_shape();
    let input = layer.new_input("input")?;
    let output = layer.new_plain("output", shape)?;
    let derivative = layer.new_plain("derivative", shape)?;
    let output_gradient = layer.new_output_gradient("output gradient")?;
    let input_gradient = layer.new_plain("input gradient", layer.kind().input_shape())?;
    let count = GEOMETRY.weight_len() + GEOMETRY.out_channels;
    let parameters = LayerParameters {
        buffer: Buffer::new("parameters", count),
        offset: 0,
    };
    let factor = Buffer::new("factor", SAMPLES);
    let partials = Buffer::new("partials", layer.partial_words());
    let gradient = Buffer::new("gradient", count);
    let flops = Some(GEOMETRY.flops() * SAMPLES as u64);

    let mut r = Recording::new();
    layer.forward(&mut r, parameters, &input, &output, Some(&derivative));
    tell(session, "forward", &r, flops, None)?;

    let mut r = Recording::new();
    layer.input_gradient(&mut r, parameters, &output_gradient, None, &input_gradient);
    tell(session, "input gradient", &r, flops, None)?;

    let mut r = Recording::new();
    layer.weight_gradient(
        &mut r,
        &input,
        &output_gradient,
        factor,
        partials,
        gradient,
        0,
        false,
    );
    tell(session, "weight gradient", &r, flops, None)?;

    let mut r = Recording::new();
    layer.prepare(&mut r, parameters);
    if !r.commands().is_empty() {
        tell(session, "packing of the weights", &r, None, Some(r.bytes()))?;
    }
    Ok(())
}

fn tell(
    session: &mut Session,
    pass: &str,
    recording: &Recording,
    flops: Option<u64>,
    bytes: Option<u64>,
) -> Result<(), BenchError> {
    let figure = session.short(FigureKind::Layer, pass, recording, flops, bytes)?;
    session.tell(figure);
    Ok(())
}
