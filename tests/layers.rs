//! Every layer kernel in every variant against its f64 twin, on awkward shapes.

mod common;

use afterimage::gpu::{Buffer, Executor, Recording};
use afterimage::low_level::gpu::{Dispatch, MOST_TURNS};
use afterimage::low_level::kernels::texel::{self, Algorithm, Tile};
use afterimage::low_level::kernels::{
    Activation, Choice, Choices, ConvGeometry, Layer, LayerKind, LayerParameters, LayerPass, Maps,
    Variant, lanes, load, tiled, unload,
};
use afterimage::low_level::twins::{self, dense_geometry};
use afterimage::shape::Shape;
use common::{
    F16_ROUNDING, activations, assert_close, assert_within, awkward_geometries, best_or_all,
    best_variants, executor, extended, filled, mixed_variants, nearest_f16, normals, one_of,
    poisoned, variants, widen,
};

/// f32 sums of K products of normals carry an error of about √K·2⁻²⁴ relative to their size; the largest K here is
/// the weight gradient's, about 3·28·28, and exp and tanh of drivers are allowed a few units in the last place more.
/// Winograd's transforms double the error (docs/kernels.md).
const TOLERANCE: f64 = 1e-5;

struct Outcome {
    output: Vec<f32>,
    derivative: Vec<f32>,
    input_gradient: Vec<f32>,
    gradient: Vec<f32>,
}

/// Layers before and after `kind`: what lies between two layers is stored in the variant's precision.
fn neighbours(kind: LayerKind, samples: usize, variant: Variant) -> (Layer, Layer) {
    let input = kind.input_shape();
    let before = LayerKind::Conv(ConvGeometry {
        in_channels: 1,
        in_height: input.height,
        in_width: input.width,
        out_channels: input.channels,
        kernel_height: 1,
        kernel_width: 1,
        stride: 1,
        padding: 0,
    });
    let after = LayerKind::Dense {
        input: kind.output_shape(),
        outputs: 1,
    };
    let layer = |kind| Layer::new(kind, Activation::IDENTITY, samples, variant);
    (layer(before), layer(after))
}

struct Inputs {
    x: Vec<f32>,
    parameters: Vec<f32>,
    output_gradient: Vec<f32>,
    input_derivative: Vec<f32>,
    factor: Vec<f32>,
}

/// Maps of numbers that are f16s, so that loading them rounds in no precision.
fn inputs(kind: &LayerKind, samples: usize) -> Inputs {
    // Keeps clear of numbers too small for 11 bits.
    let maps = |tag, count| -> Vec<f32> {
        let values = normals(tag, count).into_iter();
        values
            .map(|v| nearest_f16(v.signum() * v.abs().max(1e-3)))
            .collect()
    };
    let (x, y) = (
        samples * kind.input_shape().len(),
        samples * kind.output_shape().len(),
    );
    Inputs {
        x: maps(1, x),
        parameters: normals(2, kind.weight_len() + kind.outputs())
            .iter()
            .map(|v| 0.3 * v)
            .collect(),
        output_gradient: maps(3, y),
        input_derivative: maps(4, x),
        factor: normals(5, samples),
    }
}

/// Where the layer's maps are: those at the ends of a network are f32 in every precision.
#[derive(Clone, Copy, Debug)]
enum Place {
    Ends,
    /// There, with derivatives in maps like all others.
    Alike,
    Between,
}

/// The same maps as some adapters have them for activation derivatives.
fn in_buffers(maps: Maps) -> Maps {
    match maps {
        Maps::Texel(maps) => Maps::Texel(maps.in_buffer()),
        other => other,
    }
}

fn run(
    executor: &mut Executor,
    layer: &Layer,
    variant: Variant,
    inputs: &Inputs,
    place: Place,
) -> Outcome {
    let (kind, samples) = (layer.kind(), layer.samples());
    let (input_shape, output_shape) = (layer.kind().input_shape(), layer.kind().output_shape());
    let mut r = Recording::new();
    let new = |maps: Result<Maps, _>| maps.expect("maps fit");
    let (before, after) = neighbours(kind, samples, variant);
    // At the ends of a network, or inside it.
    let at_input = |label| match place {
        Place::Ends | Place::Alike => new(layer.new_plain(label, input_shape)),
        Place::Between => new(before.new_between(layer, label)),
    };
    let at_output = |label| match place {
        Place::Ends | Place::Alike => new(layer.new_plain(label, output_shape)),
        Place::Between => new(layer.new_between(&after, label)),
    };
    let kept = |maps: Maps| match place {
        Place::Alike => maps,
        Place::Ends | Place::Between => in_buffers(maps),
    };
    let input = match place {
        Place::Ends | Place::Alike => new(layer.new_input("input")),
        Place::Between => at_input("input"),
    };
    let (output, derivative) = (at_output("output"), kept(at_output("derivative")));
    let output_gradient = new(layer.new_output_gradient("output gradient"));
    let input_derivative = kept(at_input("input derivative"));
    let input_gradient = at_input("input gradient");
    // The parameters do not start at the buffer's start, as in a network.
    let mut parameters = vec![f32::NAN; 3];
    parameters.extend(&inputs.parameters);
    let parameters = LayerParameters {
        buffer: filled(&mut r, "parameters", &parameters),
        offset: 3,
    };
    for (values, maps) in [
        (&inputs.x, &input),
        (&inputs.output_gradient, &output_gradient),
        (&inputs.input_derivative, &input_derivative),
        (&vec![f32::NAN; inputs.output_gradient.len()], &output),
        (&vec![f32::NAN; inputs.output_gradient.len()], &derivative),
        (&vec![f32::NAN; inputs.x.len()], &input_gradient),
    ] {
        let flat = filled(&mut r, "values", values);
        load(&mut r, flat, maps);
    }
    let factor = filled(&mut r, "factor", &inputs.factor);
    let partials = poisoned(&mut r, "partials", layer.partial_words());
    let gradient = poisoned(&mut r, "gradient", 3 + inputs.parameters.len());
    layer.prepare(&mut r, parameters);
    layer.forward(&mut r, parameters, &input, &output, Some(&derivative));
    layer.input_gradient(
        &mut r,
        parameters,
        &output_gradient,
        Some(&input_derivative),
        &input_gradient,
    );
    layer.weight_gradient(
        &mut r,
        &input,
        &output_gradient,
        factor,
        partials,
        gradient,
        3,
        false,
    );
    executor.run(&r).expect("runs");
    let mut read = |maps: &Maps, len: usize| {
        let mut r = Recording::new();
        let flat = poisoned(&mut r, "flat", len);
        unload(&mut r, maps, flat);
        executor.run(&r).expect("runs");
        executor.read(flat).expect("reads")
    };
    let outputs = inputs.output_gradient.len();
    let outcome = (
        read(&output, outputs),
        read(&derivative, outputs),
        read(&input_gradient, inputs.x.len()),
    );
    let gradient = executor.read(gradient).expect("reads");
    assert!(
        gradient[..3].iter().all(|v| v.is_nan()),
        "wrote before its place"
    );
    Outcome {
        output: outcome.0,
        derivative: outcome.1,
        input_gradient: outcome.2,
        gradient: gradient[3..].to_vec(),
    }
}

/// A convolution that Winograd's method does not suit has only the first.
const ALGORITHMS: [Algorithm; 2] = [Algorithm::Direct, Algorithm::Winograd];

/// Maps of f16 change how a kernel reads and writes texels, whatever it computes, so the variants that store them take
/// turns with one another and with those without shuffles. The kernels for GPUs, which `tests/tiled_kernels.rs` checks on more shapes
/// than there are here, come every third time, for what is around them; and those with lanes over samples, which some drivers are slow to
/// compile.
fn check(
    executor: &mut Executor,
    kind: LayerKind,
    activation: Activation,
    samples: usize,
    algorithms: &[Algorithm],
    turn: usize,
) {
    // What is stored as f16 is the nearest one to a value that the twin's differs from by the f32 tolerance.
    let best = best_variants(executor);
    let full = variants(executor)
        .into_iter()
        .filter(|named| {
            let is_due = match named.1 {
                Variant::Tiled(_) => turn.is_multiple_of(3),
                Variant::Lanes(_) => turn % 3 == 1,
                Variant::Texel(_) => best.contains(named) || turn.is_multiple_of(2),
            };
            is_due || extended()
        })
        .map(|(name, variant)| (name, variant, Place::Ends, 0.0));
    let mixed = one_of(mixed_variants(executor), turn / 2)
        .into_iter()
        .filter(|_| !turn.is_multiple_of(2) || extended())
        .map(|(name, variant)| (name, variant, Place::Between, F16_ROUNDING));
    let layers: Vec<(String, Layer, Variant, Place, f64)> = full
        .chain(mixed)
        .flat_map(|(name, variant, place, rounding)| {
            let layer = move |algorithm: Algorithm| match variant {
                Variant::Texel(texel) => {
                    let forced = |algorithm| {
                        texel::Layer::forced(texel, kind, activation, samples, algorithm)
                    };
                    let (layer, direct) = (forced(algorithm), forced(Algorithm::Direct));
                    let is_another = layer.algorithms() != direct.algorithms();
                    (algorithm == Algorithm::Direct || is_another).then(|| layer.into())
                }
                Variant::Lanes(_) => {
                    let layer = lanes::Layer::forced(kind, activation, samples, algorithm);
                    (layer.algorithm() == algorithm).then(|| layer.into())
                }
                Variant::Tiled(_) => (algorithm == Algorithm::Direct)
                    .then(|| Layer::new(kind, activation, samples, variant)),
            };
            algorithms.iter().filter_map(move |&algorithm| {
                let name = format!("{name}, {algorithm:?}");
                Some((name, layer(algorithm)?, variant, place, rounding))
            })
        })
        .collect();
    assert!(!layers.is_empty(), "{kind:?}, {algorithms:?}");
    let geometry = match kind {
        LayerKind::Conv(geometry) => geometry,
        LayerKind::Dense { input, outputs } => dense_geometry(input.len(), outputs),
    };
    let inputs = inputs(&kind, samples);
    let (x, parameters) = (widen(&inputs.x), widen(&inputs.parameters));
    let (weight, bias) = parameters.split_at(kind.weight_len());
    let forward = twins::conv_forward(&geometry, activation, samples, &x, weight, bias);
    let output_gradient = widen(&inputs.output_gradient);
    let input_derivative = widen(&inputs.input_derivative);
    let input_gradient = twins::conv_input_gradient(
        &geometry,
        samples,
        &output_gradient,
        weight,
        Some(&input_derivative),
    );
    let gradient = twins::conv_weight_gradient(
        &geometry,
        samples,
        &x,
        &output_gradient,
        &widen(&inputs.factor),
    );
    let gradient: Vec<f64> = gradient.weight.into_iter().chain(gradient.bias).collect();
    for (name, layer, variant, place, rounding) in &layers {
        let (place, rounding) = (*place, *rounding);
        let got = run(executor, layer, *variant, &inputs, place);
        let check = |part: &str, got: &[f32], want: &[f64], rounding: f64| {
            let what =
                format!("{name}, {place:?}, {part}, {kind:?}, {activation:?}, {samples} samples");
            let scale = 1.0 + want.iter().fold(0.0f64, |m, v| m.max(v.abs()));
            assert_within(&what, got, want, |index| {
                TOLERANCE * scale + rounding * (want[index].abs() + TOLERANCE * scale)
            });
        };
        check("output", &got.output, &forward.output, rounding);
        check("derivative", &got.derivative, &forward.derivative, rounding);
        check(
            "input gradient",
            &got.input_gradient,
            &input_gradient,
            rounding,
        );
        check("weight gradient", &got.gradient, &gradient, 0.0);
    }
}

#[test]
fn convolutions_agree_with_their_twins() {
    let mut executor = executor(false);
    for (index, geometry) in awkward_geometries().into_iter().enumerate() {
        let samples = [1, 3, 2, 5][index % 4];
        check(
            &mut executor,
            LayerKind::Conv(geometry),
            Activation::SILU,
            samples,
            &ALGORITHMS,
            index,
        );
    }
}

/// More samples than a group of the family with lanes over samples takes, and no whole number of groups; maps that its tiles cover
/// and maps that they reach beyond; strides of which some rows of the kernel meet nothing.
#[test]
fn batches_of_several_groups_agree_with_their_twins() {
    let mut executor = executor(false);
    let odd = ConvGeometry {
        kernel_width: 2,
        in_width: 8,
        ..common::square([2, 3], 7, 5, 3, 2)
    };
    for (turn, (geometry, samples)) in [
        (common::square([4, 16], 8, 3, 2, 1), 37),
        (common::square([16, 4], 4, 3, 1, 1), 16),
        (odd, 18),
        (common::square([1, 2], 6, 3, 2, 3), 17),
    ]
    .into_iter()
    .enumerate()
    {
        // Some drivers take a minute for each.
        if turn % 2 == 1 && !extended() {
            continue;
        }
        let kind = LayerKind::Conv(geometry);
        check(
            &mut executor,
            kind,
            Activation::SILU,
            samples,
            &[Algorithm::Direct],
            3 * turn + 1,
        );
    }
    let dense = LayerKind::Dense {
        input: Shape::new(3, 2, 3),
        outputs: 19,
    };
    check(
        &mut executor,
        dense,
        Activation::SILU,
        50,
        &[Algorithm::Direct],
        1,
    );
}

/// Edge tiles, one tile and several, no padding and more than the kernel needs, channels that fill no block and blocks
/// that fill no subgroup, fewer tiles than a subgroup takes and more.
fn winograd_geometries() -> Vec<(ConvGeometry, usize)> {
    let rectangle = ConvGeometry {
        in_height: 4,
        ..common::square([6, 9], 27, 4, 2, 2)
    };
    let narrow = ConvGeometry {
        in_width: 4,
        ..common::square([128, 4], 80, 4, 2, 1)
    };
    vec![
        (common::square([3, 5], 8, 4, 2, 1), 3),
        (common::square([5, 70], 10, 4, 2, 0), 2),
        (common::square([37, 6], 19, 4, 2, 1), 5),
        (common::square([4, 8], 5, 4, 2, 3), 1),
        (common::square([2, 3], 32, 4, 2, 1), 18),
        (rectangle, 4),
        // More than the bounded scratch holds: worked on in slices, the last of them shorter.
        (narrow, 33),
    ]
}

#[test]
fn winograd_convolutions_agree_with_their_twins() {
    let mut executor = executor(false);
    // The direct kernels have other awkward shapes.
    let algorithms = one_of(ALGORITHMS.to_vec(), 1);
    for (turn, (geometry, samples)) in winograd_geometries().into_iter().enumerate() {
        let kind = LayerKind::Conv(geometry);
        let activation = Activation::leaky_relu(0.2);
        check(&mut executor, kind, activation, samples, &algorithms, turn);
    }
}

#[test]
fn dense_layers_agree_with_their_twins() {
    let mut executor = executor(false);
    for (turn, (input, outputs, samples)) in [
        (Shape::new(2, 1, 1), 9, 1),
        (Shape::new(70, 1, 1), 65, 5),
        (Shape::new(6, 3, 2), 1, 7),
        (Shape::new(3, 5, 5), 21, 2),
    ]
    .into_iter()
    .enumerate()
    {
        check(
            &mut executor,
            LayerKind::Dense { input, outputs },
            Activation::SILU,
            samples,
            &ALGORITHMS,
            turn,
        );
    }
}

/// More pixels in a share of the weight gradient than the loops of an invocation make turns on some drivers.
#[test]
fn a_weight_gradient_over_a_large_batch_agrees_with_its_twin() {
    // Each of 64 rows of taps is a workgroup's: too many for shares. 16 outputs a sample.
    let conv = ConvGeometry::new([1, 79, 1], 4, [64, 1], 1, 0);
    const { assert!(4200 * 16 > MOST_TURNS) };
    check_long_sums(LayerKind::Conv(conv), 4200);
}

/// And more texels under a dense layer.
#[test]
fn a_dense_layer_on_a_large_map_agrees_with_its_twin() {
    let input = Shape::new(1, 257, 256);
    const { assert!(257 * 256 > MOST_TURNS) };
    check_long_sums(LayerKind::Dense { input, outputs: 3 }, 2);
}

fn check_long_sums(kind: LayerKind, samples: usize) {
    let mut executor = executor(false);
    let given = inputs(&kind, samples);
    let geometry = match kind {
        LayerKind::Conv(geometry) => geometry,
        LayerKind::Dense { input, outputs } => dense_geometry(input.len(), outputs),
    };
    let (x, parameters) = (widen(&given.x), widen(&given.parameters));
    let (weight, bias) = parameters.split_at(kind.weight_len());
    let (identity, factor) = (Activation::IDENTITY, widen(&given.factor));
    let output = twins::conv_forward(&geometry, identity, samples, &x, weight, bias).output;
    let output_gradient = widen(&given.output_gradient);
    let gradient = twins::conv_weight_gradient(&geometry, samples, &x, &output_gradient, &factor);
    let gradient = [gradient.weight, gradient.bias].concat();
    for (name, variant) in best_or_all(&executor) {
        // The kernels for GPUs may be refused by drivers that stop.
        if variant == Variant::Tiled(tiled::Tiled) {
            continue;
        }
        let layer = Layer::new(kind, identity, samples, variant);
        let got = run(&mut executor, &layer, variant, &given, Place::Ends);
        // So many sums round to some 1e-5 of their result.
        assert_close(&format!("{name}, output"), &got.output, &output, 5e-5);
        assert_close(&format!("{name}, gradient"), &got.gradient, &gradient, 5e-5);
    }
}

#[test]
fn derivatives_are_the_same_wherever_they_are_kept() {
    let mut executor = executor(false);
    let kinds = [
        LayerKind::Conv(common::square([2, 6], 5, 3, 1, 1)),
        LayerKind::Conv(common::square([4, 8], 10, 4, 2, 1)),
        LayerKind::Dense {
            input: Shape::new(5, 2, 3),
            outputs: 6,
        },
    ];
    let texels: Vec<_> = variants(&executor)
        .into_iter()
        .filter_map(|(name, variant)| match variant {
            Variant::Texel(texel) => Some((name, texel)),
            _ => None,
        })
        .collect();
    for (turn, kind) in kinds.into_iter().enumerate() {
        let activation = activations()[turn];
        let given = inputs(&kind, 3);
        for ((name, texel), algorithm) in texels
            .iter()
            .flat_map(|texel| ALGORITHMS.map(|a| (texel, a)))
        {
            let layer = texel::Layer::forced(*texel, kind, activation, 3, algorithm).into();
            let variant = Variant::Texel(*texel);
            let mut outcome = |place| run(&mut executor, &layer, variant, &given, place);
            let (kept, alike) = (outcome(Place::Ends), outcome(Place::Alike));
            let what = format!("{name}, {kind:?}, {algorithm:?}");
            assert_eq!(bits(&kept.derivative), bits(&alike.derivative), "{what}");
            assert_eq!(
                bits(&kept.input_gradient),
                bits(&alike.input_gradient),
                "{what}"
            );
        }
    }
}

#[test]
fn every_activation_agrees_with_its_twin() {
    let mut executor = executor(false);
    for (turn, activation) in activations().into_iter().enumerate() {
        check(
            &mut executor,
            LayerKind::Conv(common::square([2, 6], 5, 3, 1, 1)),
            activation,
            2,
            &ALGORITHMS,
            turn,
        );
        let dense = LayerKind::Dense {
            input: Shape::new(5, 1, 1),
            outputs: 6,
        };
        check(&mut executor, dense, activation, 3, &ALGORITHMS, turn + 1);
    }
}

/// Where exponentials overflow: drivers that compute tanh by them make NaN of 100.
#[test]
fn every_activation_agrees_with_its_twin_far_out() {
    let mut executor = executor(false);
    let sizes = [8.9, 9.1, 9.9, 10.1, 40.0, 88.0, 89.0, 100.0, 1e4, 1e30];
    let x: Vec<f32> = sizes.iter().flat_map(|&size| [size, -size]).collect();
    let dense = LayerKind::Dense {
        input: Shape::new(1, 1, 1),
        outputs: 1,
    };
    let samples = x.len();
    let given = Inputs {
        parameters: vec![1.0, 0.0],
        output_gradient: vec![1.0; samples],
        input_derivative: vec![1.0; samples],
        factor: vec![1.0; samples],
        x,
    };
    // The variants of a family share the activations.
    for (name, variant) in best_or_all(&executor) {
        for activation in activations() {
            let layer = Layer::new(dense, activation, samples, variant);
            let got = run(&mut executor, &layer, variant, &given, Place::Ends);
            let z = widen(&given.x);
            let values: Vec<f64> = z.iter().map(|&z| activation.value(z)).collect();
            let slopes: Vec<f64> = z.iter().map(|&z| activation.derivative(z)).collect();
            let what = format!("{name}, {activation:?}");
            // Of each by itself, since the largest hides all others.
            assert_within(&what, &got.output, &values, |i| {
                1e-6 * (1.0 + values[i].abs())
            });
            assert_within(&what, &got.derivative, &slopes, |_| 1e-6);
        }
    }
}

#[test]
fn layers_agree_with_their_twins_under_runtime_checks() {
    let mut executor = executor(true);
    let conv = LayerKind::Conv(common::square([3, 5], 7, 3, 2, 1));
    check(&mut executor, conv, Activation::SILU, 3, &ALGORITHMS, 0);
    let conv = LayerKind::Conv(common::square([6, 20], 9, 4, 2, 1));
    check(&mut executor, conv, Activation::SILU, 3, &ALGORITHMS, 1);
    let dense = LayerKind::Dense {
        input: Shape::new(6, 3, 2),
        outputs: 21,
    };
    check(&mut executor, dense, Activation::TANH, 3, &ALGORITHMS, 0);
}

/// The first layer of a network writes ∇ₓE where the samples are, with a kernel of its own for one to three channels.
#[test]
fn gradients_in_the_samples_agree_with_their_twin() {
    for checks in [false, true] {
        let mut executor = executor(checks);
        for (turn, geometry) in [
            common::square([1, 8], 32, 3, 1, 1),
            common::square([1, 9], 16, 5, 2, 4),
            common::square([3, 7], 6, 4, 2, 1),
            common::square([2, 5], 3, 1, 3, 0),
            common::square([4, 6], 5, 3, 1, 1),
        ]
        .into_iter()
        .enumerate()
        {
            // One channel, three and four.
            if !checks || turn % 2 == 0 || extended() {
                sample_gradient(&mut executor, geometry, 3, turn);
            }
        }
    }
}

fn sample_gradient(executor: &mut Executor, geometry: ConvGeometry, samples: usize, turn: usize) {
    let kind = LayerKind::Conv(geometry);
    let given = inputs(&kind, samples);
    let (weight, _) = given.parameters.split_at(kind.weight_len());
    let wanted = twins::conv_input_gradient(
        &geometry,
        samples,
        &widen(&given.output_gradient),
        &widen(weight),
        None,
    );
    for (name, variant) in variants(executor) {
        // Lanes over samples have no kernel of their own for this.
        if matches!(variant, Variant::Lanes(_)) && turn % 4 != 3 && !extended() {
            continue;
        }
        let layer = Layer::new(kind, Activation::SILU, samples, variant).reading_samples();
        let mut r = Recording::new();
        let parameters = LayerParameters {
            buffer: filled(&mut r, "parameters", &given.parameters),
            offset: 0,
        };
        let flat = filled(&mut r, "values", &given.output_gradient);
        let output_gradient = layer.new_output_gradient("output gradient").expect("fits");
        load(&mut r, flat, &output_gradient);
        layer.prepare(&mut r, parameters);
        let gradient = poisoned(&mut r, "gradient", given.x.len());
        let maps = layer.new_input("samples").expect("fits");
        let maps = layer.sample_gradient(&maps, gradient);
        layer.input_gradient(&mut r, parameters, &output_gradient, None, &maps);
        unload(&mut r, &maps, gradient);
        executor.run(&r).expect("runs");
        let got = executor.read(gradient).expect("reads");
        let what = format!("{name}, sample gradient, {geometry:?}");
        assert_close(&what, &got, &wanted, TOLERANCE);
    }
}

/// The drivers' own conversion may cut off or stop at 65504.
#[test]
fn maps_of_f16_hold_the_nearest_ones_and_infinity_beyond_them() {
    let mut executor = executor(true);
    let mut values: Vec<f32> = (0..4000)
        .map(|i| (i as f32 - 2000.0) * 32.749)
        .filter(|v| v.abs() < 65504.0)
        .collect();
    values.extend([65504.0, 65519.9, 65520.0, -65520.0, 1e30, f32::INFINITY]);
    values.extend([f32::NAN, 1.0 + 1.0 / 2048.0, 1.0 + 3.0 / 2048.0, 0.1, -0.0]);
    let want = |value: f32| match value.abs() {
        beyond if beyond >= 65520.0 => value.signum() * f32::INFINITY,
        _ => nearest_f16(value),
    };
    for (name, variant) in mixed_variants(&executor) {
        let kind = LayerKind::Dense {
            input: Shape::new(1, 1, 1),
            outputs: values.len(),
        };
        let layer = Layer::new(kind, Activation::IDENTITY, 1, variant);
        let maps = layer.new_output_gradient("maps").expect("fits");
        let mut r = Recording::new();
        let from = filled(&mut r, "from", &values);
        let to = poisoned(&mut r, "to", values.len());
        load(&mut r, from, &maps);
        unload(&mut r, &maps, to);
        executor.run(&r).expect("runs");
        for (&value, got) in values.iter().zip(executor.read(to).expect("reads")) {
            let right = match value.is_nan() {
                true => !got.is_finite(),
                false => got == want(value),
            };
            assert!(right, "{name}: {value} became {got}");
        }
    }
}

/// Choices are made by the clock, so no result may depend on them.
#[test]
fn every_choice_gives_the_same_bits() {
    let mut executor = executor(false);
    let dense = |input, outputs| LayerKind::Dense { input, outputs };
    // What a dense layer, or a convolution of a stride, has met: other strides have other programs.
    let mut met: Vec<(Option<usize>, Variant, LayerPass, Choice)> = Vec::new();
    for (kind, samples) in [
        (LayerKind::Conv(common::square([6, 11], 5, 3, 1, 1)), 1),
        (LayerKind::Conv(common::square([5, 7], 6, 4, 2, 1)), 3),
        (dense(Shape::new(6, 2, 1), 11), 4),
        (dense(Shape::new(19, 1, 1), 3), 1),
    ] {
        let stride = match kind {
            LayerKind::Conv(geometry) => Some(geometry.stride),
            LayerKind::Dense { .. } => None,
        };
        let inputs = inputs(&kind, samples);
        for (name, variant) in variants(&executor) {
            let outcome = |executor: &mut Executor, choices| {
                let layer = Layer::with_choices(kind, Activation::SILU, samples, variant, choices);
                run(executor, &layer, variant, &inputs, Place::Ends)
            };
            let plain = outcome(&mut executor, Choices::default());
            let candidates = |pass| Layer::candidates(kind, samples, variant, pass);
            let (forward, back) = (
                candidates(LayerPass::Forward),
                candidates(LayerPass::InputGradient),
            );
            assert!(forward.len() > 1 || back.len() > 1, "{name}, {kind:?}");
            let mut unmet = |pass, mut choices: Vec<Choice>| {
                let key = |&choice: &Choice| (stride, variant, pass, choice);
                choices.retain(|choice| extended() || !met.contains(&key(choice)));
                met.extend(choices.iter().map(key));
                choices
            };
            let forward = unmet(LayerPass::Forward, forward);
            let back = unmet(LayerPass::InputGradient, back);
            for index in 0..forward.len().max(back.len()) {
                let choices = Choices {
                    forward: forward.get(index).copied(),
                    input_gradient: back.get(index).copied(),
                };
                let got = outcome(&mut executor, choices);
                let what = format!("{name}, {kind:?}, {choices:?}");
                assert_eq!(bits(&got.output), bits(&plain.output), "{what}");
                assert_eq!(bits(&got.derivative), bits(&plain.derivative), "{what}");
                let gradients = (&got.input_gradient, &plain.input_gradient);
                assert_eq!(bits(gradients.0), bits(gradients.1), "{what}");
                assert_eq!(bits(&got.gradient), bits(&plain.gradient), "{what}");
            }
        }
    }
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}

/// A choice of another variant, or a tile that does not fit, must not reach a kernel.
#[test]
fn a_choice_that_is_no_candidate_counts_as_none() {
    let executor = executor(false);
    let kind = LayerKind::Conv(common::square([6, 11], 5, 3, 1, 1));
    let parameters = LayerParameters {
        buffer: Buffer::new("parameters", kind.weight_len() + kind.outputs()),
        offset: 0,
    };
    for (_, variant) in variants(&executor) {
        let programs = |choices| {
            let layer = Layer::with_choices(kind, Activation::SILU, 2, variant, choices);
            let mut r = Recording::new();
            let input = layer.new_input("input").unwrap();
            let output = layer.new_plain("output", kind.output_shape()).unwrap();
            layer.forward(&mut r, parameters, &input, &output, None);
            let launches = common::programs::launches(&r).into_iter();
            let constants = |d: &Dispatch| (d.program.constants.clone(), d.workgroups);
            launches.map(constants).collect::<Vec<_>>()
        };
        let plain = programs(Choices::default());
        for foreign in [
            Choice::Tiled(tiled::Tile {
                row_threads: 4,
                column_threads: 4,
                row_quads: 1,
                column_quads: 1,
                depth: 16,
            }),
            Choice::Texel(Tile {
                pixels: 0,
                block: 1,
            }),
            Choice::Texel(Tile {
                pixels: 99,
                block: 1,
            }),
            Choice::Lanes(lanes::Tile {
                rows: 1,
                pixels: 0,
                block: 1,
            }),
            Choice::Lanes(lanes::Tile {
                rows: 1,
                pixels: 99,
                block: 1,
            }),
        ] {
            let choices = Choices {
                forward: Some(foreign),
                input_gradient: Some(foreign),
            };
            assert_eq!(programs(choices), plain, "{variant:?}, {foreign:?}");
        }
    }
}
