//! The layer kernels for GPUs against their f64 twins, in every tile and order of memory, on awkward shapes.

mod common;

use afterimage::gpu::{Buffer, Recording};
use afterimage::low_level::gpu::{Constant, Dispatch};
use afterimage::low_level::kernels::{Activation, ConvGeometry, LayerParameters, tiled};
use afterimage::low_level::twins;
use common::device::{Device, devices};
use common::programs::{check_dispatch, launches};
use common::{
    ROUNDING, activations, assert_within, extended, filled, normals, poisoned, square, widen,
};
use std::collections::BTreeSet;

/// How far an f32 sum of `terms` products may be off, given the sum of the products' absolute values. Each addition
/// rounds by at most `ROUNDING`, and errors of random sign grow like the square root of their number (Higham and Mary,
/// *A new approach to probabilistic rounding error analysis*, 2019); 4 deviations.
fn sum_error(terms: usize, absolute_sum: f64) -> f64 {
    4.0 * ((terms + 1) as f64).sqrt() * ROUNDING * absolute_sum
}

/// How far the activation functions may be off: WGSL grants tanh an absolute error of 1e-5, which 1 − tanh² doubles,
/// exp 3 + 2|z| units in the last place and a division 2.5.
fn activation_error(activation: Activation, z: f64) -> f64 {
    match activation == Activation::TANH {
        true => 2e-5,
        false => 32.0 * ROUNDING * (1.0 + z.abs()),
    }
}

fn magnitudes(values: &[f64]) -> Vec<f64> {
    values.iter().map(|value| value.abs()).collect()
}

fn taps(g: &ConvGeometry) -> usize {
    g.kernel_height * g.kernel_width
}

/// The devices for a case: production's, and for every third case the others.
fn in_turn(devices: &mut [Device], turn: usize) -> &mut [Device] {
    match turn % 3 == 1 || extended() {
        true => devices,
        false => &mut devices[..1],
    }
}

/// What every device leaves in each of `buffers` when it has run `recording`.
fn run<const N: usize>(
    devices: &mut [Device],
    recording: &Recording,
    buffers: [Buffer; N],
) -> Vec<[Vec<f32>; N]> {
    let one = |device: &mut Device| {
        device.run(recording);
        buffers.map(|buffer| device.read(buffer))
    };
    devices.iter_mut().map(one).collect()
}

/// A layer of 1×1 maps.
fn dense(inputs: usize, outputs: usize) -> ConvGeometry {
    square([inputs, outputs], 1, 1, 1, 0)
}

/// Shapes and sample counts that leave every tile ragged: odd and unequal sizes, rectangular kernels, strides larger
/// than the kernel or than what is left of it, kernels larger than the map, dense layers.
fn awkward() -> Vec<(ConvGeometry, usize)> {
    let rectangle = |kernel_height, kernel_width, stride, padding| ConvGeometry {
        in_channels: 3,
        in_height: 7,
        in_width: 11,
        out_channels: 5,
        kernel_height,
        kernel_width,
        stride,
        padding,
    };
    vec![
        (square([1, 1], 5, 3, 1, 1), 1),
        (square([3, 17], 9, 3, 2, 1), 2),
        (square([1, 64], 8, 5, 2, 4), 3),
        (square([17, 3], 7, 4, 2, 1), 3),
        (square([2, 5], 8, 2, 3, 0), 1),
        (square([4, 3], 6, 1, 2, 0), 2),
        (square([3, 2], 2, 3, 1, 3), 5),
        (square([5, 17], 4, 4, 1, 0), 9),
        (square([9, 4], 3, 3, 2, 0), 7),
        (square([2, 3], 1, 3, 1, 1), 4),
        (rectangle(3, 2, 1, 0), 2),
        (rectangle(2, 3, 2, 1), 3),
        (rectangle(5, 4, 3, 2), 1),
        (dense(70, 65), 33),
        (dense(70, 1), 1),
    ]
}

/// A GPU's worth of work, so that each of the tiles is the best for one of them. Little depth, for the twins' sake.
fn large_outputs() -> Vec<(ConvGeometry, usize)> {
    vec![
        (square([2, 128], 32, 1, 1, 0), 33),
        (square([3, 64], 17, 2, 1, 1), 65),
        (square([3, 16], 33, 3, 2, 1), 65),
        (square([2, 3], 31, 3, 1, 1), 70),
        (dense(3, 20_001), 15),
    ]
}

/// The same, with the channels the other way round.
fn large_inputs() -> Vec<(ConvGeometry, usize)> {
    let turned = |(g, samples): (ConvGeometry, usize)| {
        let g = ConvGeometry {
            in_channels: g.out_channels,
            out_channels: g.in_channels,
            ..g
        };
        (g, samples)
    };
    large_outputs().into_iter().map(turned).collect()
}

fn large_weights() -> Vec<(ConvGeometry, usize)> {
    vec![
        (square([250, 250], 16, 1, 1, 0), 16),
        (square([30, 60], 16, 3, 1, 1), 17),
        (square([28, 16], 16, 3, 1, 1), 16),
        (square([1, 310], 17, 3, 1, 1), 15),
        (square([200, 2], 17, 3, 2, 1), 65),
    ]
}

/// Parameters of a layer, behind three words that belong to something else.
struct Parameters {
    values: Vec<f64>,
    weights: usize,
    place: LayerParameters,
}

impl Parameters {
    fn new(recording: &mut Recording, g: &ConvGeometry) -> Self {
        let values = normals(1, g.weight_len() + g.out_channels);
        let mut words = vec![f32::NAN; 3];
        words.extend(&values);
        let buffer = filled(recording, "parameters", &words);
        Parameters {
            values: widen(&values),
            weights: g.weight_len(),
            place: LayerParameters { buffer, offset: 3 },
        }
    }

    fn weight(&self) -> &[f64] {
        &self.values[..self.weights]
    }

    fn bias(&self) -> &[f64] {
        &self.values[self.weights..]
    }
}

/// Rows and columns of the tile that each launch uses.
fn tiles(recording: &Recording) -> BTreeSet<(u32, u32)> {
    let tile = |dispatch: &Dispatch| {
        let value = |name: &str| {
            dispatch
                .program
                .constants
                .iter()
                .find_map(|(known, value)| match value {
                    Constant::U32(value) if *known == name => Some(*value),
                    _ => None,
                })
        };
        let side = |threads, quads| 4 * value(threads).unwrap() * value(quads).unwrap();
        (
            side("ROW_THREADS", "ROW_QUADS"),
            side("COLUMN_THREADS", "COLUMN_QUADS"),
        )
    };
    launches(recording).into_iter().map(tile).collect()
}

fn forward(
    devices: &mut [Device],
    g: &ConvGeometry,
    activation: Activation,
    samples: usize,
) -> Recording {
    let mut r = Recording::new();
    let parameters = Parameters::new(&mut r, g);
    let x = normals(2, samples * g.in_len());
    let input = filled(&mut r, "input", &x);
    let output = poisoned(&mut r, "output", samples * g.out_len());
    let alone = poisoned(&mut r, "output without derivative", samples * g.out_len());
    let derivative = poisoned(&mut r, "derivative", samples * g.out_len());
    tiled::conv_forward(
        &mut r,
        g,
        activation,
        samples,
        None,
        input,
        parameters.place,
        output,
        Some(derivative),
    );
    tiled::conv_forward(
        &mut r,
        g,
        activation,
        samples,
        None,
        input,
        parameters.place,
        alone,
        None,
    );

    let x = widen(&x);
    let linear = |x: &[f64], w: &[f64], b: &[f64]| {
        twins::conv_forward(g, Activation::IDENTITY, samples, x, w, b).output
    };
    let z = linear(&x, parameters.weight(), parameters.bias());
    let absolute = linear(
        &magnitudes(&x),
        &magnitudes(parameters.weight()),
        &magnitudes(parameters.bias()),
    );
    let error = |i: usize| sum_error(g.in_channels * taps(g) + 1, absolute[i]);
    // No activation function or derivative is steeper than 1.1.
    let allowed = |i: usize| 1.1 * error(i) + activation_error(activation, z[i]);
    let what = format!("{g:?}, {activation:?}, {samples} samples");

    let values: Vec<f64> = z.iter().map(|&z| activation.value(z)).collect();
    let slopes: Vec<f64> = z.iter().map(|&z| activation.derivative(z)).collect();
    let kinked = activation.kind.has_slope();
    for [output, alone, derivative] in run(devices, &r, [output, alone, derivative]) {
        assert_within(&format!("output of {what}"), &output, &values, allowed);
        assert_eq!(alone, output, "{what}: the derivative makes no difference");
        assert_within(
            &format!("derivative of {what}"),
            &derivative,
            &slopes,
            |i| {
                // So close to the kink, either side of it may be right.
                if kinked && z[i].abs() <= error(i) {
                    1.0
                } else {
                    allowed(i)
                }
            },
        );
    }
    r
}

fn input_gradient(devices: &mut [Device], g: &ConvGeometry, samples: usize) -> Recording {
    let mut r = Recording::new();
    let parameters = Parameters::new(&mut r, g);
    let (gradient, slopes) = (
        normals(2, samples * g.out_len()),
        normals(3, samples * g.in_len()),
    );
    let output_gradient = filled(&mut r, "output gradient", &gradient);
    let derivative = filled(&mut r, "derivative", &slopes);
    let plain = poisoned(&mut r, "gradient", samples * g.in_len());
    let times = poisoned(&mut r, "gradient times derivative", samples * g.in_len());
    for (derivative, to) in [(None, plain), (Some(derivative), times)] {
        tiled::conv_input_gradient(
            &mut r,
            g,
            samples,
            None,
            output_gradient,
            parameters.place,
            derivative,
            to,
        );
    }

    let (gradient, slopes, weight) = (widen(&gradient), widen(&slopes), parameters.weight());
    let want = twins::conv_input_gradient(g, samples, &gradient, weight, None);
    let absolute = twins::conv_input_gradient(
        g,
        samples,
        &magnitudes(&gradient),
        &magnitudes(weight),
        None,
    );
    let error = |i: usize| sum_error(g.out_channels * taps(g), absolute[i]);
    let want_times: Vec<f64> = want
        .iter()
        .zip(&slopes)
        .map(|(gradient, slope)| gradient * slope)
        .collect();
    let what = format!("input gradient of {g:?}, {samples} samples");
    for [plain, times] in run(devices, &r, [plain, times]) {
        assert_within(&what, &plain, &want, error);
        assert_within(
            &format!("{what}, times derivative"),
            &times,
            &want_times,
            |i| error(i) * slopes[i].abs() + ROUNDING * want_times[i].abs(),
        );
    }
    r
}

fn weight_gradient(devices: &mut [Device], g: &ConvGeometry, samples: usize) -> Recording {
    let mut r = Recording::new();
    let (x, gradient) = (
        normals(1, samples * g.in_len()),
        normals(2, samples * g.out_len()),
    );
    let factors = normals(3, samples);
    let input = filled(&mut r, "input", &x);
    let output_gradient = filled(&mut r, "output gradient", &gradient);
    let factor = filled(&mut r, "factor", &factors);
    let (chunks, words) = (
        tiled::weight_gradient_chunks(g, samples),
        g.weight_len() + g.out_channels,
    );
    let partials = poisoned(&mut r, "partials", chunks * words);
    let again = poisoned(&mut r, "partials again", chunks * words);
    for to in [partials, again] {
        tiled::conv_weight_gradient(&mut r, g, samples, input, output_gradient, factor, to);
    }

    let twin = |x: &[f64], gradient: &[f64], factors: &[f64]| {
        let gradient = twins::conv_weight_gradient(g, samples, x, gradient, factors);
        [gradient.weight, gradient.bias].concat()
    };
    let (x, gradient, factors) = (widen(&x), widen(&gradient), widen(&factors));
    let want = twin(&x, &gradient, &factors);
    let absolute = twin(
        &magnitudes(&x),
        &magnitudes(&gradient),
        &magnitudes(&factors),
    );
    let bits = |values: &[f32]| {
        values
            .iter()
            .map(|value| value.to_bits())
            .collect::<Vec<_>>()
    };
    for [partials, again] in run(devices, &r, [partials, again]) {
        assert_eq!(
            bits(&partials),
            bits(&again),
            "the same launch gives the same bits"
        );
        // Summed in f64, so that only the kernel's own error is left.
        let sum = |i: usize| {
            (0..chunks)
                .map(|k| f64::from(partials[k * words + i]))
                .sum::<f64>() as f32
        };
        let got: Vec<f32> = (0..words).map(sum).collect();
        assert_within(
            &format!("weight gradient of {g:?}, {samples} samples"),
            &got,
            &want,
            |i| sum_error(samples * g.out_height() * g.out_width(), absolute[i]),
        );
    }
    r
}

#[test]
fn forward_agrees_with_its_twin() {
    let mut devices = devices();
    let cases = awkward().into_iter().zip(activations().into_iter().cycle());
    for (turn, ((geometry, samples), activation)) in cases.enumerate() {
        forward(in_turn(&mut devices, turn), &geometry, activation, samples);
    }
    let geometry = square([3, 17], 7, 3, 2, 1);
    for (turn, activation) in activations().into_iter().enumerate() {
        forward(in_turn(&mut devices, turn), &geometry, activation, 3);
    }
}

#[test]
fn input_gradient_agrees_with_its_twin() {
    let mut devices = devices();
    for (turn, (geometry, samples)) in awkward().into_iter().enumerate() {
        input_gradient(in_turn(&mut devices, turn), &geometry, samples);
    }
}

#[test]
fn weight_gradient_agrees_with_its_twin() {
    let mut devices = devices();
    for (turn, (geometry, samples)) in awkward().into_iter().enumerate() {
        weight_gradient(in_turn(&mut devices, turn), &geometry, samples);
    }
}

/// Runs one kernel on work that is large, and on a little, and asserts that this takes every tile there is.
fn in_every_tile(
    large: Vec<(ConvGeometry, usize)>,
    kernel: impl Fn(&mut [Device], &ConvGeometry, usize) -> Recording,
) {
    let mut devices = devices();
    let mut seen = BTreeSet::new();
    let cases = large.into_iter().chain([(dense(70, 65), 33)]);
    for (turn, (geometry, samples)) in cases.enumerate() {
        seen.extend(tiles(&kernel(
            in_turn(&mut devices, turn),
            &geometry,
            samples,
        )));
    }
    assert_eq!(
        seen,
        BTreeSet::from([(4, 256), (16, 64), (32, 32), (64, 16), (64, 64), (128, 128)])
    );
}

#[test]
fn forward_agrees_with_its_twin_in_every_tile() {
    in_every_tile(large_outputs(), |devices, g, samples| {
        forward(devices, g, Activation::SILU, samples)
    });
}

#[test]
fn input_gradient_agrees_with_its_twin_in_every_tile() {
    in_every_tile(large_inputs(), input_gradient);
}

#[test]
fn weight_gradient_agrees_with_its_twin_in_every_tile() {
    in_every_tile(large_weights(), weight_gradient);
}

/// All three kernels with all their options, on buffers that nothing fills.
fn record(g: &ConvGeometry, activation: Activation, samples: usize) -> Recording {
    let mut r = Recording::new();
    let (x, y) = (
        Buffer::new("x", samples * g.in_len()),
        Buffer::new("y", samples * g.out_len()),
    );
    let words = g.weight_len() + g.out_channels;
    let parameters = LayerParameters {
        buffer: Buffer::new("parameters", words),
        offset: 0,
    };
    for derivative in [None, Some(Buffer::new("dy", samples * g.out_len()))] {
        tiled::conv_forward(
            &mut r, g, activation, samples, None, x, parameters, y, derivative,
        );
    }
    for derivative in [None, Some(Buffer::new("dx", samples * g.in_len()))] {
        tiled::conv_input_gradient(&mut r, g, samples, None, y, parameters, derivative, x);
    }
    let partials = Buffer::new(
        "partials",
        tiled::weight_gradient_chunks(g, samples) * words,
    );
    tiled::conv_weight_gradient(
        &mut r,
        g,
        samples,
        x,
        y,
        Buffer::new("factor", samples),
        partials,
    );
    r
}

#[test]
fn every_program_is_valid_and_binds_what_it_declares() {
    for (geometry, samples) in
        [awkward(), large_outputs(), large_inputs(), large_weights()].concat()
    {
        for activation in activations() {
            let recording = record(&geometry, activation, samples);
            for dispatch in launches(&recording) {
                check_dispatch(dispatch);
            }
        }
    }
}
