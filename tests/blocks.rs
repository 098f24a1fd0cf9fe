//! Pooling, residual blocks and spectral normalisation: kernels against their f64 twins, whole networks against finite
//! differences, checkpoints, and the command line.

mod common;

use afterimage::gpu::{Buffer, Executor, ImageFormat, Recording};
use afterimage::kernels::{
    Activation, Maps, Pooling, Precision, QuadraticBase, Variant, load, pool_forward,
    pool_input_gradient,
    texel::{Border, Plane},
    unload,
};
use afterimage::network::{
    Architecture, InitialWeights, Initialisation, LayerSpec, Network, initial_parameters,
};
use afterimage::shape::Shape;
use afterimage::twins;
use common::{
    F16_ROUNDING, ROUNDING, assert_close, assert_within, executor, filled, mixed_variants,
    nearest_f16, normals, poisoned, twin, variants, widen,
};

/// Maps inside a network, with a border that no two callers share, holding `values`.
fn maps(
    r: &mut Recording,
    variant: Variant,
    samples: usize,
    shape: Shape,
    border: usize,
    values: &[f32],
) -> Maps {
    let maps = match variant {
        Variant::Tiled => Maps::Flat(Buffer::new("maps", samples * shape.len())),
        Variant::Texel {
            longest_side,
            precision,
            ..
        } => {
            let border = Border {
                top: border,
                left: border + 1,
                bottom: 0,
                right: 2 * border,
            };
            let format = match precision {
                Precision::Full => ImageFormat::F32,
                Precision::Mixed => ImageFormat::F16,
            };
            let plane = Plane::new("maps", samples, shape, border, format, longest_side);
            Maps::Plane(plane.expect("fits"))
        }
    };
    let flat = filled(r, "values", values);
    load(r, flat, &maps);
    maps
}

fn read(executor: &mut Executor, maps: &Maps, len: usize) -> Vec<f32> {
    let mut r = Recording::new();
    let flat = poisoned(&mut r, "flat", len);
    unload(&mut r, maps, flat);
    executor.run(&r).expect("runs");
    executor.read(flat).expect("reads")
}

/// Values that every precision holds as they are.
fn exact(tag: u32, count: usize) -> Vec<f32> {
    normals(tag, count).into_iter().map(nearest_f16).collect()
}

/// Windows that fill the map and that leave rows and columns over, channels that fill no texel and several, one pixel,
/// windows of the whole map, and samples that fill more than one workgroup.
fn poolings() -> Vec<(Pooling, usize)> {
    vec![
        (Pooling::average(Shape::new(5, 6, 4), 2), 3),
        (Pooling::average(Shape::new(1, 5, 7), 2), 2),
        (Pooling::average(Shape::new(9, 7, 8), 3), 5),
        (Pooling::average(Shape::new(3, 4, 3), 1), 1),
        (Pooling::global_sum(Shape::new(17, 4, 3)), 7),
        (Pooling::global_sum(Shape::new(2, 1, 1)), 70),
    ]
}

#[test]
fn poolings_agree_with_their_twins() {
    let mut executor = executor(true);
    let runs = [variants(&executor), mixed_variants(&executor)].concat();
    for (index, (pooling, samples)) in poolings().into_iter().enumerate() {
        let activation = common::ACTIVATIONS[index % 5];
        let (shape, small) = (pooling.input, pooling.output_shape());
        let large_values = |tag| exact(tag, samples * shape.len());
        let (x, skip, added) = (large_values(1), large_values(2), large_values(3));
        let input_derivative = large_values(4);
        let gradient = exact(5, samples * small.len());
        let unwritten = vec![f32::NAN; samples * shape.len()];
        for &(name, variant) in &runs {
            let mixed = matches!(variant, Variant::Texel { precision, .. } if precision == Precision::Mixed);
            // Sums of as many values as a window has of the two maps, and activations whose exponential is right to 32
            // units in the last place; then f16.
            let terms = 2 * pooling.window_height * pooling.window_width + 32;
            let check = |what: &str, got: &[f32], want: &[f64]| {
                let what = format!("{name}, {mixed}, {what}, {pooling:?}, {activation:?}");
                let scale = 1.0 + want.iter().fold(0.0f64, |m, v| m.max(v.abs()));
                assert_within(&what, got, want, |i| {
                    let stored = if mixed {
                        F16_ROUNDING * (want[i].abs() + 1e-4)
                    } else {
                        0.0
                    };
                    terms as f64 * ROUNDING * scale + stored
                });
            };
            let mut r = Recording::new();
            let large = |r: &mut Recording, border, values: &[f32]| {
                maps(r, variant, samples, shape, border, values)
            };
            let x_maps = large(&mut r, 1, &x);
            let skip_maps = large(&mut r, 2, &skip);
            let added_maps = large(&mut r, 3, &added);
            let derivative_maps = large(&mut r, 0, &input_derivative);
            let gradient_maps = maps(&mut r, variant, samples, small, 2, &gradient);
            let small_maps = |r: &mut Recording| {
                maps(
                    r,
                    variant,
                    samples,
                    small,
                    1,
                    &unwritten[..samples * small.len()],
                )
            };
            let (pooled, joined, alone, derivative) = (
                small_maps(&mut r),
                small_maps(&mut r),
                small_maps(&mut r),
                small_maps(&mut r),
            );
            let identity = Activation::Identity;
            pool_forward(
                &mut r, &pooling, identity, samples, &x_maps, None, &pooled, None,
            );
            let skip_from = Some(&skip_maps);
            pool_forward(
                &mut r,
                &pooling,
                activation,
                samples,
                &x_maps,
                skip_from,
                &joined,
                Some(&derivative),
            );
            pool_forward(
                &mut r, &pooling, activation, samples, &x_maps, skip_from, &alone, None,
            );
            let mut back = Vec::new();
            for add in [None, Some(&added_maps)] {
                for times in [None, Some(&derivative_maps)] {
                    let to = large(&mut r, 1, &unwritten);
                    pool_input_gradient(&mut r, &pooling, samples, &gradient_maps, add, times, &to);
                    back.push((add.is_some(), times.is_some(), to));
                }
            }
            executor.run(&r).expect("runs");

            let (x, skip, added) = (widen(&x), widen(&skip), widen(&added));
            let want = twins::pool_forward(&pooling, identity, samples, &x, None).output;
            check("pooled", &read(&mut executor, &pooled, want.len()), &want);
            let want = twins::pool_forward(&pooling, activation, samples, &x, Some(&skip));
            for (what, got, want) in [
                ("joined", joined, &want.output),
                ("joined, no derivative", alone, &want.output),
                ("derivative", derivative, &want.derivative),
            ] {
                check(what, &read(&mut executor, &got, want.len()), want);
            }
            for (with_added, with_derivative, got) in back {
                let want = twins::pool_input_gradient(
                    &pooling,
                    samples,
                    &widen(&gradient),
                    with_added.then_some(&added[..]),
                    with_derivative.then_some(&widen(&input_derivative)[..]),
                );
                let what = format!("back, {with_added}, {with_derivative}");
                check(&what, &read(&mut executor, &got, want.len()), &want);
            }
        }
    }
}

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

fn pool(size: usize) -> LayerSpec {
    LayerSpec::Pool { size }
}

fn residual(channels: usize, kernel: usize, pool: usize) -> LayerSpec {
    LayerSpec::Residual {
        channels,
        kernel,
        pool,
    }
}

/// The published form in small; blocks at both ends of the network, with each kind of skip, pooled and not; poolings
/// first, in a row and last; and a head before the global sum.
fn architectures() -> Vec<Architecture> {
    let base = Some(QuadraticBase {
        mean: 0.3,
        std: 1.5,
    });
    let build = |shape, specs: &[LayerSpec], activation, base| {
        Architecture::new(shape, specs, activation, base).expect("fits")
    };
    let sum = LayerSpec::GlobalSum;
    vec![
        build(
            Shape::new(3, 9, 7),
            &[
                conv(5, 3, 1, 1),
                residual(5, 3, 2),
                residual(6, 3, 1),
                sum,
                dense(1),
            ],
            Activation::Silu,
            base,
        ),
        build(
            Shape::new(1, 6, 6),
            &[residual(3, 3, 1), conv(4, 4, 2, 1), residual(4, 1, 2)],
            Activation::Tanh,
            None,
        ),
        build(
            Shape::new(2, 8, 6),
            &[residual(2, 5, 2), residual(5, 3, 2)],
            Activation::Softplus,
            base,
        ),
        build(
            Shape::new(4, 8, 9),
            &[
                pool(2),
                conv(5, 3, 1, 1),
                pool(1),
                pool(2),
                residual(2, 3, 1),
                conv(3, 1, 1, 0),
                sum,
            ],
            Activation::Silu,
            None,
        ),
    ]
}

/// Central differences of Σₙ factorₙ·E(xₙ) have an error of about h²·E‴ + ε·E/h: 1e-7 at h = 1e-4 here.
const DIFFERENCE_STEP: f64 = 1e-4;
/// f32 through up to seven layers of at most 54 terms each; see tests/networks.rs.
const TOLERANCE: f64 = 4e-5;
/// In mixed precision three maps a layer are rounded on the way forth and back, and those inside a block besides.
const MIXED_TOLERANCE: f64 = 3.0 * 8.0 * F16_ROUNDING;

/// The variants that take turns where every variant would take long to compile.
const PAIR: [&str; 2] = ["tiled", "texel"];

/// E, ∇ₓE and Σ factor · ∂E/∂θ of a whole batch.
struct Passes {
    energies: Vec<f32>,
    in_x: Vec<f32>,
    in_parameters: Vec<f32>,
}

fn passes(
    executor: &mut Executor,
    network: &Network,
    parameters: &[f32],
    x: &[f32],
    factor: &[f32],
) -> Passes {
    let mut r = Recording::new();
    network.setup(&mut r);
    let p = filled(&mut r, "parameters", parameters);
    let x_buffer = filled(&mut r, "x", x);
    let factors = filled(&mut r, "factor", factor);
    let energies = poisoned(&mut r, "energies", factor.len());
    let in_x = poisoned(&mut r, "x gradient", x.len());
    let gradient = poisoned(&mut r, "gradient", parameters.len());
    network.prepare(&mut r, p);
    network.energy_gradient(&mut r, p, x_buffer, Some(energies), in_x);
    network.derivatives(&mut r, p, x_buffer);
    network.weight_gradient(&mut r, p, x_buffer, factors, gradient, false);
    executor.run(&r).expect("runs");
    let mut read = |buffer| executor.read(buffer).expect("reads");
    Passes {
        energies: read(energies),
        in_x: read(in_x),
        in_parameters: read(gradient),
    }
}

#[test]
fn energies_and_gradients_agree_with_finite_differences() {
    let mut executor = executor(false);
    let full = variants(&executor).into_iter();
    let mixed = mixed_variants(&executor).into_iter();
    let runs: Vec<_> = full
        .map(|(name, variant)| (name, variant, TOLERANCE))
        .chain(mixed.map(|(name, variant)| (name, variant, MIXED_TOLERANCE)))
        .collect();
    let samples = 3;
    for architecture in architectures() {
        let length = architecture.input().len();
        let (x32, factor32) = (normals(1, samples * length), normals(2, samples));
        let parameters32 = initial_parameters(&architecture, &PLAIN, 5);
        let (x, factor, parameters) = (widen(&x32), widen(&factor32), widen(&parameters32));
        let model = twin(&architecture, &parameters);
        let differences = |count: usize, objective: &dyn Fn(usize, f64) -> f64| -> Vec<f64> {
            let difference = |i| objective(i, DIFFERENCE_STEP) - objective(i, -DIFFERENCE_STEP);
            (0..count)
                .map(|i| difference(i) / (2.0 * DIFFERENCE_STEP))
                .collect()
        };
        let in_x = differences(x.len(), &|i, shift| {
            let sample = i / length;
            let mut x = x[sample * length..(sample + 1) * length].to_vec();
            x[i % length] += shift;
            model.energies(&x, 1)[0]
        });
        let in_parameters = differences(parameters.len(), &|i, shift| {
            let mut parameters = parameters.clone();
            parameters[i] += shift;
            let energies = twin(&architecture, &parameters).energies(&x, samples);
            energies.iter().zip(&factor).map(|(e, f)| e * f).sum()
        });
        let energies = model.energies(&x, samples);
        for &(name, variant, tolerance) in &runs {
            let network = Network::new(&architecture, samples, variant).expect("fits");
            let got = passes(&mut executor, &network, &parameters32, &x32, &factor32);
            let check = |part: &str, got: &[f32], want: &[f64]| {
                let what = format!("{name}, {part}, {:?}", architecture.input());
                assert_close(&what, got, want, tolerance);
            };
            check("energies", &got.energies, &energies);
            check("gradient in x", &got.in_x, &in_x);
            check(
                "gradient in the parameters",
                &got.in_parameters,
                &in_parameters,
            );

            // A workspace for more samples gives the same bits.
            if !PAIR.contains(&name) || tolerance != TOLERANCE {
                continue;
            }
            let larger = Network::new(&architecture, samples + 2, variant).expect("fits");
            let mut r = Recording::new();
            larger.setup(&mut r);
            let p = filled(&mut r, "parameters", &parameters32);
            let x_buffer = filled(&mut r, "x", &x32);
            let energies = poisoned(&mut r, "energies", samples);
            let gradient = poisoned(&mut r, "x gradient", x32.len());
            let network = larger.for_samples(samples);
            network.prepare(&mut r, p);
            network.energy_gradient(&mut r, p, x_buffer, Some(energies), gradient);
            executor.run(&r).expect("runs");
            assert!(
                executor.read(energies).expect("reads") == got.energies,
                "{name}"
            );
            assert!(
                executor.read(gradient).expect("reads") == got.in_x,
                "{name}"
            );
        }
    }
}
