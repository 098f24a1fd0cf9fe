//! Pooling, residual blocks and spectral normalisation: kernels against their f64 twins, whole networks against finite
//! differences, checkpoints, and the command line.

mod common;

use afterimage::checkpoint::TensorFile;
use afterimage::config::{self, Config};
use afterimage::data::Scaling;
use afterimage::gpu::{Buffer, Executor, ImageFormat, Recording};
use afterimage::kernels::{
    Activation, Maps, Pooling, Precision, QuadraticBase, SpectralWeight, Variant, load,
    pool_forward, pool_input_gradient, spectral_gradient, spectral_turn, spectral_weights,
    texel::{Border, Plane},
    unload,
};
use afterimage::model::{self, Model};
use afterimage::network::{
    Architecture, InitialWeights, Initialisation, LayerSpec, Network, NetworkError,
    initial_parameters,
};
use afterimage::shape::Shape;
use afterimage::train::TrainingPlan;
use afterimage::twins;
use common::command::{run, stderr, stdout};
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
/// first, in a row and last; and a head before the global sum. Two of them under spectral normalisation, too.
fn architectures() -> Vec<Architecture> {
    let base = Some(QuadraticBase {
        mean: 0.3,
        std: 1.5,
    });
    let build = |shape, specs: &[LayerSpec], activation, base| {
        Architecture::new(shape, specs, activation, base).expect("fits")
    };
    let sum = LayerSpec::GlobalSum;
    let mut all = vec![
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
    ];
    for index in [0, 2] {
        let plain = all[index].clone();
        all.push(plain.with_spectral_norm().expect("fits"));
    }
    all
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
    network.finish_gradient(&mut r, p, gradient);
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
        // The vectors of spectral normalisation are held.
        let learned = architecture.parameter_offset(architecture.layers().len());
        let in_parameters = differences(learned, &|i, shift| {
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
                &got.in_parameters[..learned],
                &in_parameters,
            );

            assert!(got.in_parameters[learned..].iter().all(|v| v.is_nan()));

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

/// Every kind of block.
const LAYERS: &str = "network.layers=[{conv=4, kernel=3, padding=1}, {residual=4, pool=2}, {residual=6}, {pool=2}, \
                      {residual=6, kernel=1}, {global_sum=true}, {dense=1}]";

const DIGITS: Shape = Shape {
    channels: 1,
    height: 8,
    width: 8,
};

/// The digits with every kind of block, 8 data and 16 noise samples a step.
fn digits(more: &[&str]) -> Config {
    let sets = [
        LAYERS,
        "snapshot.interval=3",
        "objective.noise_ratio=2",
        "sampler.steps=2",
        "sampler.buffer=50",
        "run.batch=8",
    ];
    let sets: Vec<String> = sets.iter().chain(more).map(|set| set.to_string()).collect();
    config::load("digits", &sets).expect("is valid")
}

#[test]
fn the_device_holds_what_was_predicted() {
    let all = executor(false);
    let runs = [&variants(&all)[..2], &mixed_variants(&all)[..1]].concat();
    for (name, variant) in runs {
        for slice in [None, Some(5)] {
            let mut config = digits(&["network.zero_head=false"]);
            config.run.slice = slice;
            config.network.spectral_norm = slice.is_some();
            let mut executor = executor(false);
            let plan = TrainingPlan::new(&config, DIGITS, variant).expect("fits");
            let how = model::initialisation(&config);
            let initial = initial_parameters(plan.architecture(), &how, 1);
            executor.run(&plan.setup(&initial)).expect("runs");
            let data = vec![0.1; 8 * DIGITS.len()];
            // A step with a refresh and one without: between them they use everything.
            for step in 0..2 {
                executor.run(&plan.step(step, &data)).expect("runs");
            }
            executor.finish().expect("finishes");
            let memory = plan.memory();
            assert_eq!(
                executor.allocated_bytes(),
                memory.training(),
                "{name}, {slice:?}"
            );
            if variant == Variant::Tiled {
                let network = plan.architecture();
                let values = (0..network.blocks().len()).map(|index| network.block_map_len(index));
                let values: usize = values.sum();
                assert_eq!(memory.maps, (4 * memory.slice * values) as u64, "{slice:?}");
            }
        }
    }
}

/// The gradient of one step, whose noise was drawn by a few Langevin steps.
fn first_gradient(config: &Config, variant: Variant) -> (Vec<u32>, Vec<f32>) {
    let mut executor = executor(false);
    let plan = TrainingPlan::new(config, DIGITS, variant).expect("fits");
    let initial = initial_parameters(plan.architecture(), &PLAIN, 1);
    executor.run(&plan.setup(&initial)).expect("runs");
    let data = normals(3, 8 * DIGITS.len());
    executor.run(&plan.step(0, &data)).expect("runs");
    executor.finish().expect("finishes");
    let (noise, start, words) = plan.noise_samples();
    let noise = executor.read_words(noise, start, words).expect("reads");
    (
        noise,
        executor.read(plan.optimiser().gradient()).expect("reads"),
    )
}

#[test]
fn slices_change_no_chain_and_the_gradient_by_rounding_only() {
    // The chain rule of spectral normalisation is for all slices together.
    let pairs = variants(&executor(false)).into_iter().zip([false, true]);
    for ((name, variant), spectral_norm) in pairs {
        let mut config = digits(&["network.zero_head=false"]);
        config.network.spectral_norm = spectral_norm;
        let whole = first_gradient(&config, variant);
        config.run.slice = Some(5);
        let sliced = first_gradient(&config, variant);
        assert!(whole.0 == sliced.0, "{name}: the noise");
        // Sums over at most 24 samples of 64 pixels, in another order.
        assert_close(name, &sliced.1, &widen(&whole.1), 24.0 * 64.0 * ROUNDING);
    }
}

/// Mean and variance of `values`.
fn moments(values: &[f32]) -> (f64, f64) {
    let count = values.len() as f64;
    let mean = values.iter().map(|&v| f64::from(v)).sum::<f64>() / count;
    let square = values.iter().map(|&v| (f64::from(v) - mean).powi(2));
    (mean, square.sum::<f64>() / count)
}

#[test]
fn initial_weights_follow_their_laws() {
    let specs = [conv(48, 3, 1, 1), conv(40, 3, 1, 1), dense(1)];
    let shape = Shape::new(16, 5, 5);
    let architecture = Architecture::new(shape, &specs, Activation::Silu, None).expect("fits");
    let (fan_in, fan_out, count) = (48 * 9, 40 * 9, 40 * 48 * 9);
    let start = architecture.parameter_offset(1);
    let drawn = |weights| {
        let how = Initialisation { weights, ..PLAIN };
        initial_parameters(&architecture, &how, 3)
    };
    let default = drawn(InitialWeights::Default);
    for (weights, variance, uniform) in [
        (InitialWeights::Default, 1.0 / (3.0 * fan_in as f64), true),
        (InitialWeights::He, 2.0 / fan_in as f64, false),
        (
            InitialWeights::Xavier,
            2.0 / (fan_in + fan_out) as f64,
            true,
        ),
        (InitialWeights::Orthogonal, 1.0 / fan_in as f64, false),
    ] {
        let parameters = drawn(weights);
        let weight = &parameters[start..start + count];
        let (mean, got) = moments(weight);
        // Four standard errors of the mean, and of the variance: 2σ⁴/n for a normal law, which has the most.
        let error = (2.0 / count as f64).sqrt();
        assert!(
            mean.abs() < 4.0 * (variance / count as f64).sqrt(),
            "{weights:?}: {mean}"
        );
        assert!(
            (got / variance - 1.0).abs() < 4.0 * error,
            "{weights:?}: {got}"
        );
        let most = weight
            .iter()
            .fold(0.0f64, |m, &v| m.max(f64::from(v).abs()));
        let bound = (3.0 * variance).sqrt();
        assert_eq!(
            most <= bound * 1.000_001,
            uniform,
            "{weights:?}: {most} of {bound}"
        );
        // Biases are uniform on ±1/√fan_in in all.
        let biases = &parameters[start + count..start + count + 40];
        let bound = 1.0 / (fan_in as f32).sqrt();
        assert!(
            biases.iter().all(|b| b.abs() <= bound) && biases.iter().any(|b| b.abs() > bound / 2.0)
        );
        assert_eq!(parameters == default, weights == InitialWeights::Default);
    }
    // Rows of (40, 432), and the columns of a (48, 16) matrix among those that have fewer.
    let gram = |values: &[f32], rows: usize, columns: usize, by_rows: bool| {
        let at = |r: usize, c: usize| f64::from(values[r * columns + c]);
        let (count, length) = if by_rows {
            (rows, columns)
        } else {
            (columns, rows)
        };
        for a in 0..count {
            for b in 0..=a {
                let dot: f64 = (0..length)
                    .map(|i| {
                        if by_rows {
                            at(a, i) * at(b, i)
                        } else {
                            at(i, a) * at(i, b)
                        }
                    })
                    .sum();
                let want = f64::from(u8::from(a == b));
                // Sums of f32s that are each rounded once.
                assert!(
                    (dot - want).abs() < 2.0 * ROUNDING * length as f64,
                    "{a}, {b}: {dot}"
                );
            }
        }
    };
    gram(
        &drawn(InitialWeights::Orthogonal)[start..],
        40,
        fan_in,
        true,
    );
    let tall = Architecture::new(
        Shape::new(16, 1, 1),
        &[dense(48), dense(1)],
        Activation::Silu,
        None,
    );
    let how = Initialisation {
        weights: InitialWeights::Orthogonal,
        ..PLAIN
    };
    gram(
        &initial_parameters(&tall.expect("fits"), &how, 3),
        48,
        16,
        false,
    );
}

#[test]
fn layers_that_do_not_fit_are_refused_by_name() {
    let refusal = |specs: &[LayerSpec]| -> NetworkError {
        Architecture::new(Shape::new(2, 6, 5), specs, Activation::Silu, None).expect_err("refused")
    };
    for (specs, parts) in [
        (
            vec![conv(4, 3, 2, 1), pool(4)],
            ["layer 1 (pool 4)", "4×4 window", "3×3 input"],
        ),
        (
            vec![residual(4, 3, 6)],
            ["layer 0 (residual 4)", "6×6 window", "6×5 input"],
        ),
        (
            vec![residual(4, 2, 1)],
            ["layer 0 (residual 4)", "odd kernel", "use 3"],
        ),
        (
            vec![residual(4, 3, 0)],
            ["layer 0 (residual 4)", "pool", "at least 1"],
        ),
        (
            vec![dense(3), pool(1)],
            ["layer 1 (pool 1)", "dense", "before"],
        ),
        (
            vec![dense(3), LayerSpec::GlobalSum],
            ["layer 1 (global_sum)", "dense", "before"],
        ),
        (
            vec![pool(2), dense(3), residual(1, 1, 1)],
            ["layer 2 (residual 1)", "dense", "before"],
        ),
        (
            vec![pool(2), LayerSpec::GlobalSum],
            ["nothing to learn", "conv", "residual"],
        ),
        (
            vec![residual(1 << 30, 3, 1)],
            ["layer 0 (residual 1073741824)", "too large", "smaller"],
        ),
        (
            vec![conv(4, 9, 1, 0)],
            ["layer 0 (conv 4)", "9×9 kernel", "6×5 input"],
        ),
    ] {
        let text = refusal(&specs).to_string();
        assert!(
            parts.iter().all(|part| text.contains(part)) && !text.contains('\n'),
            "{text}"
        );
    }
    for (set, part) in [
        ("network.layers=[{residual=4, kernel=2}]", "be odd"),
        (
            "network.layers=[{residual=0}]",
            "network.layers[0].residual = 0",
        ),
        (
            "network.layers=[{pool=0},{dense=1}]",
            "network.layers[0].pool = 0",
        ),
        ("network.layers=[{global_sum=false},{dense=1}]", "be true"),
        ("network.layers=[{global_sum=1},{dense=1}]", "true or false"),
        (
            "network.layers=[{dense=1},{residual=4}]",
            "before every dense layer",
        ),
        (
            "network.layers=[{dense=1},{global_sum=true}]",
            "before every dense layer",
        ),
        ("network.layers=[{pool=2}]", "something to learn"),
        (
            "network.layers=[{residual=4, stride=2}]",
            "`network.layers[0].stride`",
        ),
        (
            "network.layers=[{residual=4, conv=2, kernel=1}]",
            "`network.layers[0]",
        ),
        ("network.layers=[{residual=4}]", "skip is not zero"),
        ("network.initialisation=hee", "did you mean `he`?"),
        ("network.spectral_norm=true", "a weight of zeros"),
    ] {
        let text = config::load("digits", &[set.to_string()])
            .expect_err(set)
            .to_string();
        assert!(text.contains(part) && !text.contains('\n'), "{set}: {text}");
    }
}

#[test]
fn work_is_counted_for_every_block() {
    let specs = [
        residual(4, 3, 2),
        pool(2),
        residual(4, 3, 1),
        LayerSpec::GlobalSum,
        dense(1),
    ];
    let shape = Shape::new(3, 8, 8);
    let network = Architecture::new(shape, &specs, Activation::Silu, None).expect("fits");
    // 3×3 convolutions 3→4 and 4→4 and a skip 3→4 on 8×8, the sum of both branches; on 2×2 two of 4→4 and the sum.
    let first = 2 * 64 * (9 * 12 + 9 * 16 + 12) + 2 * 4 * 64;
    let second = 2 * 4 * (2 * 9 * 16) + 2 * 4 * 4;
    let flops: Vec<u64> = (0..5).map(|index| network.block_flops(index)).collect();
    assert_eq!(flops, [first, 4 * 16, second, 4 * 4, 2 * 4]);
    assert_eq!(network.flops_per_gradient(), 2 * flops.iter().sum::<u64>());
    let counts: Vec<usize> = (0..5).map(|i| network.block_parameter_count(i)).collect();
    assert_eq!(
        counts,
        [9 * 12 + 4 + 9 * 16 + 4 + 12 + 4, 0, 2 * (9 * 16 + 4), 0, 5]
    );
    assert_eq!(network.parameter_count(), counts.iter().sum::<usize>());
    let names: Vec<_> = network
        .tensors()
        .into_iter()
        .map(|t| (t.name, t.shape))
        .collect();
    let skip = ("layers.0.skip.weight".to_string(), vec![4, 3, 1, 1]);
    let conv2 = ("layers.2.conv2.weight".to_string(), vec![4, 4, 3, 3]);
    assert!(names.contains(&skip) && names.contains(&conv2), "{names:?}");
    assert_eq!(names.len(), 2 * (3 + 2 + 1));
}

#[test]
fn a_checkpoint_keeps_every_block() {
    let mut executor = executor(false);
    for (spectral_norm, tensors) in [(false, 18), (true, 27)] {
        let mut config = digits(&[
            "network.zero_head=false",
            "network.initialisation=orthogonal",
        ]);
        config.network.spectral_norm = spectral_norm;
        let architecture = model::architecture(&config, DIGITS).expect("fits");
        let mut parameters = initial_parameters(&architecture, &model::initialisation(&config), 3);
        // Neither orthogonal weights nor vectors of length one would show what is divided by.
        parameters.iter_mut().for_each(|value| *value *= 0.7);
        let scaling = Scaling::unscaled(-1.0, 1.0);
        let saved = Model::new(config, DIGITS, scaling, parameters.clone(), 7).expect("fits");
        let folder = tempfile::tempdir().expect("makes a folder");
        let path = folder.path().join("model.safetensors");
        saved.save(&path).expect("saves");
        let file = TensorFile::load(&path).expect("loads");
        assert_eq!(file.tensors.len(), tensors);
        let name = if spectral_norm {
            "weight_orig"
        } else {
            "weight"
        };
        let name = format!("layers.2.skip.{name}");
        assert!(
            file.tensors
                .iter()
                .any(|t| t.name == name && t.shape == [6, 4, 1, 1])
        );

        let loaded = Model::load(&path).expect("loads");
        assert!(loaded.parameters() == parameters && loaded.architecture() == &architecture);
        let x = normals(4, 3 * DIGITS.len());
        let energies = |executor: &mut Executor, model: &Model| {
            let mut evaluator = model.evaluator(executor, 2).expect("fits");
            evaluator.energies(executor, &x).expect("runs")
        };
        let before = energies(&mut executor, &saved);
        let after = energies(&mut executor, &loaded);
        assert!(before == after);
        let want = twin(&architecture, &widen(&parameters)).energies(&widen(&x), 3);
        assert_close("energies", &after, &want, TOLERANCE);
    }
}

/// One weight, one row, one column, and sizes around those of a workgroup.
#[test]
fn spectral_normalisation_agrees_with_its_twin() {
    let mut executor = executor(true);
    for (rows, columns) in [(1, 1), (5, 7), (1, 130), (70, 1), (64, 65), (65, 200)] {
        let before = 3;
        let weight = SpectralWeight {
            rows,
            columns,
            weight: before,
            vector: before + rows * columns + rows + 2,
            scratch: 5,
        };
        let values = normals(1, weight.vector + rows);
        let gradient = normals(2, values.len());
        let mut r = Recording::new();
        let parameters = filled(&mut r, "parameters", &values);
        let scratch = poisoned(&mut r, "scratch", 5 + weight.scratch_words());
        let normalised = poisoned(&mut r, "normalised", values.len());
        let gradient_buffer = filled(&mut r, "gradient", &gradient);
        spectral_weights(&mut r, &weight, parameters, scratch, normalised);
        spectral_gradient(
            &mut r,
            &weight,
            parameters,
            scratch,
            normalised,
            gradient_buffer,
        );
        spectral_turn(&mut r, &weight, parameters, scratch);
        executor.run(&r).expect("runs");

        let (w, u) = (before..before + rows * columns, weight.vector..values.len());
        let what = |part| format!("{part} of {rows}×{columns}");
        let (wide, wide_gradient) = (widen(&values), widen(&gradient));
        let (twin_w, twin_u) = (&wide[w.clone()], &wide[u.clone()]);
        // Sums of `rows` products, and of the squares of `columns` such sums.
        let tolerance = 4.0 * (rows + columns) as f64 * ROUNDING;
        let got = executor.read(normalised).expect("reads");
        let want = twins::spectral_weights(twin_w, twin_u);
        assert_close(&what("weight"), &got[w.clone()], &want, tolerance);
        assert_eq!(
            got[w.end..w.end + rows],
            values[w.end..w.end + rows],
            "the bias"
        );
        let mut rest = got[..before].iter().chain(&got[w.end + rows..]);
        assert!(rest.all(|value| value.is_nan()));
        let got = executor.read(gradient_buffer).expect("reads");
        let want = twins::spectral_gradient(twin_w, twin_u, &wide_gradient[w.clone()]);
        assert_close(&what("gradient"), &got[w.clone()], &want, tolerance);
        assert_eq!(got[..before], gradient[..before]);
        assert_eq!(got[w.end..], gradient[w.end..]);
        let got = executor.read(parameters).expect("reads");
        assert_close(
            &what("vector"),
            &got[u.clone()],
            &twins::spectral_turn(twin_w, twin_u),
            tolerance,
        );
        assert_eq!(got[..u.start], values[..u.start]);
    }
}

/// The singular values of a 2×2 matrix are the roots of s⁴ − |W|² s² + det² = 0.
#[test]
fn the_estimate_reaches_the_largest_singular_value() {
    let mut executor = executor(false);
    for tag in 0..5 {
        let values = normals(10 + tag, 8);
        let weight = SpectralWeight {
            rows: 2,
            columns: 2,
            weight: 0,
            vector: 6,
            scratch: 0,
        };
        let mut r = Recording::new();
        let parameters = filled(&mut r, "parameters", &values);
        let scratch = poisoned(&mut r, "scratch", weight.scratch_words());
        let normalised = poisoned(&mut r, "normalised", values.len());
        for _ in 0..200 {
            spectral_turn(&mut r, &weight, parameters, scratch);
        }
        spectral_weights(&mut r, &weight, parameters, scratch, normalised);
        executor.run(&r).expect("runs");
        let w = widen(&values[..4]);
        let squares: f64 = w.iter().map(|value| value * value).sum();
        let determinant = w[0] * w[3] - w[1] * w[2];
        let root = (squares * squares - 4.0 * determinant * determinant).sqrt();
        let sigma = ((squares + root) / 2.0).sqrt();
        let want: Vec<f64> = w.iter().map(|value| value / sigma).collect();
        let got = executor.read(normalised).expect("reads");
        assert_close("normalised", &got[..4], &want, 8.0 * ROUNDING);
    }
}

/// Initial vectors are near the singular vectors, and a step of training moves them on by one iteration.
#[test]
fn training_turns_the_vectors_once_a_step() {
    let config = digits(&["network.zero_head=false", "network.spectral_norm=true"]);
    for (name, variant) in &variants(&executor(false))[..2] {
        let mut executor = executor(false);
        let plan = TrainingPlan::new(&config, DIGITS, *variant).expect("fits");
        let architecture = plan.architecture();
        let initial = initial_parameters(architecture, &PLAIN, 1);
        executor.run(&plan.setup(&initial)).expect("runs");
        let data = normals(3, 8 * DIGITS.len());
        for step in 0..2 {
            let before = executor.read(plan.live_parameters()).expect("reads");
            executor.run(&plan.step(step, &data)).expect("runs");
            let after = executor.read(plan.live_parameters()).expect("reads");
            for (index, layer) in architecture.layers().iter().enumerate() {
                let w = architecture.parameter_offset(index);
                let u = architecture.vector_offset(index);
                let (w, u) = (w..w + layer.weight_len(), u..u + layer.outputs());
                assert!(
                    after[w.clone()] != before[w.clone()],
                    "{name}: layer {index} learns"
                );
                let want =
                    twins::spectral_turn(&widen(&after[w.clone()]), &widen(&before[u.clone()]));
                let terms = layer.weight_len() / layer.outputs() + layer.outputs();
                let tolerance = 4.0 * terms as f64 * ROUNDING;
                assert_close(name, &after[u.clone()], &want, tolerance);
                // 30 iterations leave little to turn.
                let along: f64 = want
                    .iter()
                    .zip(&before[u])
                    .map(|(a, b)| a * f64::from(*b))
                    .sum();
                assert!(along > 0.99, "{name}: layer {index}: {along}");
            }
        }
    }
}

#[test]
fn the_command_line_trains_samples_and_scores_every_block() {
    let folder = tempfile::tempdir().expect("makes a folder");
    let sets = [
        LAYERS,
        "run.steps=4",
        "run.batch=8",
        "run.samples=4",
        "run.sample_steps=4",
        "sampler.steps=2",
        "sampler.buffer=16",
        "network.initialisation=he",
    ];
    let mut train = vec!["train", "digits", "--out", "out"];
    sets.iter().for_each(|set| train.extend(["--set", set]));
    run(&folder, &train);
    let spectral = ["network.spectral_norm=true", "network.zero_head=false"];
    spectral.iter().for_each(|set| train.extend(["--set", set]));
    train.push("--force");
    run(&folder, &train);
    run(&folder, &["sample", "out", "--count", "4", "--steps", "3"]);
    let scored = run(&folder, &["energy", "out", "digits", "--json"]);
    let scored: serde_json::Value = serde_json::from_slice(&scored.stdout).expect("is JSON");
    let mean = scored["mean"].as_f64();
    assert!(mean.is_some_and(f64::is_finite), "{scored}");

    let printed = run(&folder, &["config", "digits", "--set", LAYERS]);
    assert_eq!(
        config::parse(stdout(&printed), "stdout").expect("is TOML"),
        digits_as_printed()
    );
    let table = stderr(&printed);
    let row = table
        .lines()
        .find(|line| line.contains("residual 6"))
        .expect("has a row");
    let cells: Vec<&str> = row.split_whitespace().collect();
    // 4→6 and 6→6 of 3×3 and a skip 4→6, on 4×4.
    let (parameters, flops) = (
        9 * 24 + 6 + 9 * 36 + 6 + 24 + 6,
        32 * (9 * 24 + 9 * 36 + 24) + 192,
    );
    let (parameters, flops) = (parameters.to_string(), flops.to_string());
    assert_eq!(
        cells[..6],
        ["2", "residual", "6", "6×4×4", &parameters, &flops],
        "{table}"
    );
    let unknown = run(&folder, &["config", "mnist"]);
    assert!(stderr(&unknown).contains("data.path"));
}

fn digits_as_printed() -> Config {
    config::load("digits", &[LAYERS.to_string()]).expect("is valid")
}
