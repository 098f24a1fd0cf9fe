//! Whole networks on the GPU against finite differences of their f64 twin, in x and in θ.

mod common;

use afterimage::config::{InitialWeights, LayerSpec};
use afterimage::gpu::{Executor, Recording};
use afterimage::low_level::kernels::{Activation, QuadraticBase, Variant};
use afterimage::low_level::network::{Initialisation, Network, initial_parameters};
use afterimage::model::Architecture;
use afterimage::shape::Shape;
use common::programs::launches;
use common::{
    F16_ROUNDING, assert_close, executor, filled, mixed_variants, network_variants, normals,
    one_of, poisoned, twin, variants, widen,
};

const PLAIN: Initialisation = Initialisation {
    weights: InitialWeights::Default,
    zero_head: false,
    first_weight_scale: 1.0,
    first_bias_scale: 1.0,
};

fn conv(channels: usize, kernel: usize, stride: usize, padding: usize) -> LayerSpec {
    LayerSpec::Conv {
        channels,
        kernel,
        stride,
        padding,
    }
}

fn dense(features: usize) -> LayerSpec {
    LayerSpec::Dense { features }
}

/// Small nets of every kind: convolutions into dense layers, a convolutional head with several outputs, an MLP.
fn architectures() -> Vec<Architecture> {
    let base = Some(QuadraticBase {
        mean: 0.3,
        std: 1.5,
    });
    let build = |shape, specs: &[LayerSpec], activation, base| {
        Architecture::new(shape, specs, activation, base).expect("fits")
    };
    vec![
        build(
            Shape::new(1, 9, 7),
            &[conv(6, 3, 1, 1), conv(9, 3, 2, 1), dense(5), dense(1)],
            Activation::SILU,
            base,
        ),
        build(
            Shape::new(3, 8, 8),
            &[conv(8, 4, 2, 1), conv(2, 3, 1, 0)],
            Activation::TANH,
            None,
        ),
        build(
            Shape::new(2, 1, 1),
            &[dense(17), dense(9), dense(1)],
            Activation::SOFTPLUS,
            base,
        ),
    ]
}

/// Central differences of Σₙ factorₙ·E(xₙ) have an error of about h²·E‴ + ε·E/h: 1e-7 at h = 1e-4 here.
const DIFFERENCE_STEP: f64 = 1e-4;
/// f32 through four layers; see the layers' own tests.
const TOLERANCE: f64 = 2e-5;
/// In mixed precision three maps a layer are rounded on the way forth and back (outputs, derivatives, gradients), which
/// four layers whose initial weights keep the size of what they pass on add up.
const MIXED_TOLERANCE: f64 = 3.0 * 4.0 * F16_ROUNDING;

#[test]
fn energies_and_gradients_agree_with_finite_differences() {
    let mut executor = executor(false);
    for (turn, architecture) in architectures().into_iter().enumerate() {
        let runs = network_variants(&executor, turn, [TOLERANCE, MIXED_TOLERANCE]);
        for (name, variant, tolerance) in runs {
            let samples = 3;
            let x = normals(1, samples * architecture.input().len());
            let factor = normals(2, samples);
            let parameters = initial_parameters(&architecture, &PLAIN, 5);
            let network = Network::new(&architecture, samples, variant).expect("fits");
            let mut r = Recording::new();
            network.setup(&mut r);
            let parameter_buffer = filled(&mut r, "parameters", &parameters);
            let x_buffer = filled(&mut r, "x", &x);
            let factor_buffer = filled(&mut r, "factor", &factor);
            let energies = poisoned(&mut r, "energies", samples);
            let x_gradient = poisoned(&mut r, "x gradient", x.len());
            let gradient = poisoned(&mut r, "gradient", parameters.len());
            let prepared = network.prepare(&mut r, parameter_buffer);
            let x_ = x_buffer;
            prepared.energy_gradient(&mut r, x_, Some(energies), x_gradient);
            prepared.energies(&mut r, x_, energies, true);
            prepared.weight_gradient(&mut r, x_, factor_buffer, gradient, false);
            executor.run(&r).expect("runs");

            let (x, factor, parameters) = (widen(&x), widen(&factor), widen(&parameters));
            let model = twin(&architecture, &parameters);
            let what = |part: &str| format!("{name}, {part}, {:?}", architecture.input());
            let got = executor.read(energies).expect("reads");
            assert_close(
                &what("energies"),
                &got,
                &model.energies(&x, samples),
                tolerance,
            );

            let length = architecture.input().len();
            let differences: Vec<f64> = (0..x.len())
                .map(|i| {
                    let energy = |shift: f64| {
                        let mut x = x.clone();
                        x[i] += shift;
                        model.energies(&x, samples)[i / length]
                    };
                    (energy(DIFFERENCE_STEP) - energy(-DIFFERENCE_STEP)) / (2.0 * DIFFERENCE_STEP)
                })
                .collect();
            let got = executor.read(x_gradient).expect("reads");
            assert_close(&what("gradient in x"), &got, &differences, tolerance);

            let objective = |i: usize, shift: f64| -> f64 {
                let mut parameters = parameters.clone();
                parameters[i] += shift;
                let energies = twin(&architecture, &parameters).energies(&x, samples);
                energies.iter().zip(&factor).map(|(e, f)| e * f).sum()
            };
            let differences: Vec<f64> = (0..parameters.len())
                .map(|i| {
                    (objective(i, DIFFERENCE_STEP) - objective(i, -DIFFERENCE_STEP))
                        / (2.0 * DIFFERENCE_STEP)
                })
                .collect();
            let got = executor.read(gradient).expect("reads");
            assert_close(
                &what("gradient in the parameters"),
                &got,
                &differences,
                tolerance,
            );
        }
    }
}

/// Whether a recording computes a whole network in one launch.
fn is_stacked(recording: &Recording) -> bool {
    let launches = launches(recording);
    launches
        .iter()
        .any(|launch| launch.program.kernel.name == "texel/stack")
}

/// Whether a variant computes chains of dense layers in one launch.
fn stacks(name: &str) -> bool {
    name.starts_with("texel-") && name != "texel-1"
}

fn chain(shape: Shape, widths: &[usize], activation: Activation) -> Architecture {
    let specs: Vec<LayerSpec> = widths.iter().map(|&width| dense(width)).collect();
    Architecture::new(shape, &specs, activation, None).expect("fits")
}

/// Chains of dense layers, which software drivers compute in one launch up to 64 wide, with one output: odd widths, images and tables,
/// each activation, and more samples than a workgroup has invocations or a row of what is kept has room for. Two of them are not
/// computed so.
#[test]
fn dense_networks_of_every_width_agree_with_their_twins() {
    let mut executor = executor(false);
    for (index, (shape, widths, fits)) in [
        (Shape::new(2, 1, 1), &[64, 64, 64, 64, 1][..], true),
        (Shape::new(3, 1, 1), &[5, 1], true),
        (Shape::new(1, 4, 5), &[33, 7, 3, 1], true),
        (Shape::new(13, 1, 1), &[1, 2, 40, 6, 1], true),
        (Shape::new(1, 4, 5), &[33, 7, 3], false),
        (Shape::new(1, 8, 8), &[63, 1], true),
        (Shape::new(5, 1, 1), &[9, 9, 9, 9, 9, 9, 1], true),
        (Shape::new(2, 1, 1), &[65, 1], false),
    ]
    .into_iter()
    .enumerate()
    {
        let specs: Vec<LayerSpec> = widths.iter().map(|&width| dense(width)).collect();
        let base = (index % 2 == 0).then_some(QuadraticBase {
            mean: 0.3,
            std: 1.5,
        });
        let activations = common::activations();
        let activation = activations[index % activations.len()];
        let architecture = Architecture::new(shape, &specs, activation, base).expect("fits");
        let (stacked, layered): (Vec<_>, Vec<_>) =
            (variants(&executor).into_iter()).partition(|(name, _)| fits && stacks(name));
        // Layers have tests of their own: here they take turns.
        for (name, variant) in [stacked, one_of(layered, index)].concat() {
            let samples = 67;
            let x = normals(1, samples * shape.len());
            let parameters = initial_parameters(&architecture, &PLAIN, 5);
            let network = Network::new(&architecture, samples, variant).expect("fits");
            let mut r = Recording::new();
            network.setup(&mut r);
            let parameter_buffer = filled(&mut r, "parameters", &parameters);
            let x_buffer = filled(&mut r, "x", &x);
            let [alone, beside, kept] =
                ["alone", "beside", "kept"].map(|what| poisoned(&mut r, what, samples));
            let factor = normals(2, samples);
            let factors = filled(&mut r, "factor", &factor);
            let in_weights = poisoned(&mut r, "in weights", parameters.len());
            let [gradient, only] = ["gradient", "only"].map(|what| poisoned(&mut r, what, x.len()));
            let prepared = network.prepare(&mut r, parameter_buffer);
            prepared.energies(&mut r, x_buffer, alone, false);
            prepared.energy_gradient(&mut r, x_buffer, Some(beside), gradient);
            prepared.energy_gradient(&mut r, x_buffer, None, only);
            prepared.energies(&mut r, x_buffer, kept, true);
            prepared.weight_gradient(&mut r, x_buffer, factors, in_weights, false);
            let what = format!("{name}, {shape}, {widths:?}");
            assert_eq!(is_stacked(&r), fits && stacks(name), "{what}");
            executor.run(&r).expect("runs");

            if fits && stacks(name) {
                // Acceptance of noise hangs on it, and log-ratios do.
                let mut bits = |buffer| executor.read_words(buffer, 0, samples).expect("reads");
                let all = bits(alone);
                assert!(bits(beside) == all && bits(kept) == all, "{what}: bits");
            }
            let model = twin(&architecture, &widen(&parameters));
            let x = widen(&x);
            let energies = model.energies(&x, samples);
            for buffer in [alone, beside, kept] {
                let got = executor.read(buffer).expect("reads");
                assert_close(&what, &got, &energies, TOLERANCE);
            }
            let gradients = model.energy_gradient(&x, samples);
            for buffer in [gradient, only] {
                let got = executor.read(buffer).expect("reads");
                assert_close(&what, &got, &gradients, TOLERANCE);
            }
            let in_layers = model.weight_gradient(&x, samples, &widen(&factor));
            let of_layers = in_layers
                .into_iter()
                .flat_map(|layer| [layer.weight, layer.bias]);
            let want = of_layers.flatten().collect::<Vec<_>>();
            let got = executor.read(in_weights).expect("reads");
            // Sums over all samples: larger numbers, and their rounding.
            let largest = want.iter().fold(1.0, |a: f64, b| a.max(b.abs()));
            assert_close(&what, &got, &want, TOLERANCE * largest);
        }
    }
}

/// What noise and its acceptance hang on: to the bit whether a backward pass is to follow, in a part of a batch, after the weights of
/// another model, and with normalised weights.
#[test]
fn the_energy_of_a_sample_has_the_same_bits_however_it_is_asked_for() {
    let mut executor = executor(false);
    let shape = Shape::new(3, 1, 1);
    let plain = chain(shape, &[9, 7, 1], Activation::SILU);
    let normalised = plain.clone().with_spectral_norm().expect("fits");
    for architecture in [plain, normalised] {
        for (name, variant) in variants(&executor) {
            let (samples, part) = (67, 5);
            let network = Network::new(&architecture, samples, variant).expect("fits");
            let fewer = network.for_samples(part);
            let [first, other] = [5, 6].map(|seed| initial_parameters(&architecture, &PLAIN, seed));
            let x = normals(1, samples * shape.len());
            let mut r = Recording::new();
            network.setup(&mut r);
            let of_first = filled(&mut r, "first", &first);
            let of_other = filled(&mut r, "other", &other);
            let x_buffer = filled(&mut r, "x", &x);
            let names = ["alone", "kept", "beside", "other", "again", "part"];
            let [alone, kept, beside, others, again, few] =
                names.map(|what| poisoned(&mut r, what, samples));
            let gradient = poisoned(&mut r, "gradient", x.len());
            let prepared = network.prepare(&mut r, of_first);
            prepared.energies(&mut r, x_buffer, alone, false);
            prepared.energies(&mut r, x_buffer, kept, true);
            prepared.energy_gradient(&mut r, x_buffer, Some(beside), gradient);
            let prepared = network.prepare(&mut r, of_other);
            prepared.energies(&mut r, x_buffer, others, false);
            let prepared = network.prepare(&mut r, of_first);
            prepared.energies(&mut r, x_buffer, again, false);
            let prepared = fewer.prepare(&mut r, of_first);
            prepared.energies(&mut r, x_buffer, few, false);
            assert_eq!(is_stacked(&r), stacks(name), "{name}");
            executor.run(&r).expect("runs");

            let mut bits = |buffer| executor.read_words(buffer, 0, samples).expect("reads");
            let all = bits(alone);
            for (buffer, what) in [(kept, "kept"), (beside, "beside"), (again, "again")] {
                assert!(bits(buffer) == all, "{name}: {what}");
            }
            assert!(bits(others) != all, "{name}: those of another model");
            assert_eq!(bits(few)[..part], all[..part], "{name}: a part");
            let got: Vec<f32> = all.iter().map(|&word| f32::from_bits(word)).collect();
            let want = twin(&architecture, &widen(&first)).energies(&widen(&x), samples);
            assert_close(name, &got, &want, TOLERANCE);
        }
    }
}

/// More workgroups than one dimension of a launch may have, and a last one that is not full.
#[test]
fn a_stack_computes_batches_that_need_two_dimensions() {
    const HUGE: usize = 65_535 * 64 + 65;
    let mut executor = executor(false);
    let shape = Shape::new(1, 1, 1);
    let architecture = chain(shape, &[1, 1], Activation::TANH);
    let parameters = initial_parameters(&architecture, &PLAIN, 5);
    let model = twin(&architecture, &widen(&parameters));
    // A few values in turn, so that their twin is soon reckoned.
    let few = normals(1, 97);
    let x: Vec<f32> = few.iter().copied().cycle().take(HUGE).collect();
    let energies = model.energies(&widen(&few), few.len());
    let gradients = model.energy_gradient(&widen(&few), few.len());
    for (name, variant) in variants(&executor) {
        if !stacks(name) {
            continue;
        }
        let network = Network::new(&architecture, HUGE, variant).expect("fits");
        let mut r = Recording::new();
        network.setup(&mut r);
        let parameters = filled(&mut r, "parameters", &parameters);
        let x = filled(&mut r, "x", &x);
        let energy = poisoned(&mut r, "energy", HUGE);
        let gradient = poisoned(&mut r, "gradient", HUGE);
        let prepared = network.prepare(&mut r, parameters);
        prepared.energy_gradient(&mut r, x, Some(energy), gradient);
        assert!(is_stacked(&r), "{name}");
        executor.run(&r).expect("runs");
        for (buffer, want) in [(energy, &energies), (gradient, &gradients)] {
            let got = executor.read(buffer).expect("reads");
            for got in got.chunks(few.len()) {
                assert_close(name, got, &want[..got.len()], TOLERANCE);
            }
        }
    }
}

/// Which of three energies are finite when sample 1 is `value` throughout.
fn finite_energies(
    executor: &mut Executor,
    variant: Variant,
    activation: Activation,
    value: f32,
) -> Vec<bool> {
    let specs = [conv(5, 3, 1, 1), dense(4), dense(1)];
    let architecture =
        Architecture::new(Shape::new(1, 4, 4), &specs, activation, None).expect("fits");
    let mut x = normals(1, 3 * 16);
    x[16..32].fill(value);
    let parameters = initial_parameters(&architecture, &PLAIN, 5);
    let network = Network::new(&architecture, 3, variant).expect("fits");
    let mut r = Recording::new();
    network.setup(&mut r);
    let parameters = filled(&mut r, "parameters", &parameters);
    let x = filled(&mut r, "x", &x);
    let energies = poisoned(&mut r, "energies", 3);
    let prepared = network.prepare(&mut r, parameters);
    prepared.energies(&mut r, x, energies, false);
    executor.run(&r).expect("runs");
    let energies = executor.read(energies).expect("reads");
    energies.iter().map(|e| e.is_finite()).collect()
}

/// Maps beyond the largest f16 must not pass for maps of that size.
#[test]
fn an_overflow_in_mixed_precision_shows_in_the_energy_of_its_sample() {
    let mut executor = executor(false);
    // All but tanh, which is bounded and overflows for no input.
    let unbounded = common::activations()
        .into_iter()
        .filter(|&activation| activation != Activation::TANH);
    for activation in unbounded {
        for (name, variant) in variants(&executor) {
            let finite = finite_energies(&mut executor, variant, activation, 1e8);
            assert_eq!(finite, [true; 3], "{name}, full, {activation:?}");
        }
        for (name, variant) in mixed_variants(&executor) {
            let finite = finite_energies(&mut executor, variant, activation, 1e8);
            assert_eq!(finite, [true, false, true], "{name}, mixed, {activation:?}");
        }
    }
}

/// A chain that is lost must show in its energy, whatever the activation does to NaN, and only there.
#[test]
fn a_sample_that_is_not_finite_has_an_energy_that_is_not_finite() {
    let mut executor = executor(false);
    for activation in common::activations() {
        for (name, variant) in [variants(&executor), mixed_variants(&executor)].concat() {
            let finite = finite_energies(&mut executor, variant, activation, f32::NAN);
            assert_eq!(finite, [true, false, true], "{name}, {activation:?}");
        }
    }
}
