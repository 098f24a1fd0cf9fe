//! Every layer kernel in every variant against its f64 twin, on awkward shapes.

mod common;

use afterimage::gpu::{Buffer, Dispatch, Executor, Recording};
use afterimage::kernels::{
    Activation, Choice, Choices, Layer, LayerKind, LayerParameters, Maps, Pass, Variant, load,
    texel::Tile, unload,
};
use afterimage::shape::Shape;
use afterimage::twins::{self, dense_geometry};
use common::{
    ACTIVATIONS, assert_close, awkward_geometries, executor, filled, normals, poisoned, variants,
    widen,
};

/// f32 sums of K products of normals carry an error of about √K·2⁻²⁴ relative to their size; the largest K here is
/// the weight gradient's, about 3·28·28, and exp and tanh of drivers are allowed a few units in the last place more.
const TOLERANCE: f64 = 1e-5;

struct Outcome {
    output: Vec<f32>,
    derivative: Vec<f32>,
    input_gradient: Vec<f32>,
    gradient: Vec<f32>,
}

struct Inputs {
    x: Vec<f32>,
    parameters: Vec<f32>,
    output_gradient: Vec<f32>,
    input_derivative: Vec<f32>,
    factor: Vec<f32>,
}

fn inputs(kind: &LayerKind, samples: usize) -> Inputs {
    let (x, y) = (
        samples * kind.input_shape().len(),
        samples * kind.output_shape().len(),
    );
    Inputs {
        x: normals(1, x),
        parameters: normals(2, kind.weight_len() + kind.outputs())
            .iter()
            .map(|v| 0.3 * v)
            .collect(),
        output_gradient: normals(3, y),
        input_derivative: normals(4, x),
        factor: normals(5, samples),
    }
}

fn run(
    executor: &mut Executor,
    variant: Variant,
    kind: LayerKind,
    activation: Activation,
    samples: usize,
    inputs: &Inputs,
) -> Outcome {
    let layer = Layer::new(kind, activation, samples, variant);
    run_layer(executor, &layer, inputs)
}

fn run_layer(executor: &mut Executor, layer: &Layer, inputs: &Inputs) -> Outcome {
    let (input_shape, output_shape) = (layer.kind.input_shape(), layer.kind.output_shape());
    let mut r = Recording::new();
    let new = |maps: Result<Maps, _>| maps.expect("maps fit");
    let input = new(layer.new_input("input"));
    let output = new(layer.new_plain("output", output_shape));
    let derivative = new(layer.new_plain("derivative", output_shape));
    let output_gradient = new(layer.new_output_gradient("output gradient"));
    let input_derivative = new(layer.new_plain("input derivative", input_shape));
    let input_gradient = new(layer.new_plain("input gradient", input_shape));
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

fn check(executor: &mut Executor, kind: LayerKind, activation: Activation, samples: usize) {
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
    for (name, variant) in variants(executor) {
        let got = run(executor, variant, kind, activation, samples, &inputs);
        let what =
            |part: &str| format!("{name}, {part}, {kind:?}, {activation:?}, {samples} samples");
        assert_close(&what("output"), &got.output, &forward.output, TOLERANCE);
        assert_close(
            &what("derivative"),
            &got.derivative,
            &forward.derivative,
            TOLERANCE,
        );
        assert_close(
            &what("input gradient"),
            &got.input_gradient,
            &input_gradient,
            TOLERANCE,
        );
        assert_close(
            &what("weight gradient"),
            &got.gradient,
            &gradient,
            TOLERANCE,
        );
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
            Activation::Silu,
            samples,
        );
    }
}

#[test]
fn dense_layers_agree_with_their_twins() {
    let mut executor = executor(false);
    for (input, outputs, samples) in [
        (Shape::new(2, 1, 1), 9, 1),
        (Shape::new(70, 1, 1), 65, 5),
        (Shape::new(6, 3, 2), 1, 7),
        (Shape::new(3, 5, 5), 21, 2),
    ] {
        check(
            &mut executor,
            LayerKind::Dense { input, outputs },
            Activation::Silu,
            samples,
        );
    }
}

#[test]
fn every_activation_agrees_with_its_twin() {
    let mut executor = executor(false);
    for activation in ACTIVATIONS {
        check(
            &mut executor,
            LayerKind::Conv(common::square([2, 6], 5, 3, 1, 1)),
            activation,
            2,
        );
        let dense = LayerKind::Dense {
            input: Shape::new(5, 1, 1),
            outputs: 6,
        };
        check(&mut executor, dense, activation, 3);
    }
}

#[test]
fn layers_agree_with_their_twins_under_runtime_checks() {
    let mut executor = executor(true);
    for geometry in [
        common::square([3, 5], 7, 3, 2, 1),
        common::square([6, 20], 9, 4, 2, 1),
    ] {
        check(
            &mut executor,
            LayerKind::Conv(geometry),
            Activation::Silu,
            3,
        );
    }
    let dense = LayerKind::Dense {
        input: Shape::new(6, 3, 2),
        outputs: 21,
    };
    check(&mut executor, dense, Activation::Tanh, 3);
}

/// Choices are made by the clock, so no result may depend on them.
#[test]
fn every_choice_gives_the_same_bits() {
    let mut executor = executor(false);
    let dense = |input, outputs| LayerKind::Dense { input, outputs };
    for (kind, samples) in [
        (LayerKind::Conv(common::square([6, 11], 5, 3, 1, 1)), 1),
        (LayerKind::Conv(common::square([5, 7], 6, 4, 2, 1)), 3),
        (dense(Shape::new(6, 2, 1), 11), 4),
        (dense(Shape::new(19, 1, 1), 3), 1),
    ] {
        let inputs = inputs(&kind, samples);
        for (name, variant) in variants(&executor) {
            let outcome = |executor: &mut Executor, choices| {
                let layer = Layer::with_choices(kind, Activation::Silu, samples, variant, choices);
                run_layer(executor, &layer, &inputs)
            };
            let plain = outcome(&mut executor, Choices::default());
            let candidates = |pass| Layer::candidates(kind, samples, variant, pass);
            let (forward, back) = (candidates(Pass::Forward), candidates(Pass::InputGradient));
            assert!(forward.len() > 1 || back.len() > 1, "{name}, {kind:?}");
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
            let layer = Layer::with_choices(kind, Activation::Silu, 2, variant, choices);
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
            Choice::Tiled(999),
            Choice::Texel(Tile {
                pixels: 0,
                block: 1,
            }),
            Choice::Texel(Tile {
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
