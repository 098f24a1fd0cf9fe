//! What a run holds on the GPU, predicted byte for byte, and batches that only fit in slices.

mod common;
#[path = "memory/devices.rs"]
mod devices;
#[path = "memory/states.rs"]
mod states;

use afterimage::config::{self, ChainKind, Config, InitialWeights, Interval, LayerSpec, Precision};
use afterimage::data::{self, Dataset};
use afterimage::gpu::{Executor, GpuError};
use afterimage::low_level::kernels::texel::Texel;
use afterimage::low_level::kernels::tiled::{self, Tiled};
use afterimage::low_level::kernels::{LayerKind, METRIC_WORDS, RatioMetrics, Variant};
use afterimage::low_level::network::{Initialisation, initial_parameters};
use afterimage::low_level::train::TrainingPlan;
use afterimage::shape::Shape;
use afterimage::train::{TrainError, Trainer, run};
use common::{
    ROUNDING, assert_close, best_or_all, best_variants, executor, extended, mixed_variants,
    normals, one_of, variants, widen,
};
use std::sync::atomic::AtomicBool;

const PLAIN: Initialisation = Initialisation {
    weights: InitialWeights::Default,
    zero_head: false,
    first_weight_scale: 1.0,
    first_bias_scale: 1.0,
};

const DIGITS: Shape = Shape {
    channels: 1,
    height: 8,
    width: 8,
};

fn conv(channels: usize, kernel: usize, stride: usize, padding: usize) -> LayerSpec {
    LayerSpec::Conv {
        channels,
        kernel,
        stride,
        padding,
    }
}

/// 8 data and 16 noise samples a step.
fn small(layers: &[LayerSpec]) -> Config {
    let mut config = config::load("digits-langevin", &[]).expect("is valid");
    config.network.layers = layers.to_vec();
    config.network.zero_head = false;
    config.snapshot.interval = Interval::Every(3);
    config.objective.noise_ratio = 2;
    config.sampler.steps = 2;
    config.sampler.buffer = 50;
    config.run.batch = 8;
    config
}

/// Convolutions into dense layers, a convolutional head, and a single layer.
fn nets() -> [Vec<LayerSpec>; 3] {
    let dense = |features| LayerSpec::Dense { features };
    [
        vec![conv(6, 3, 1, 1), conv(9, 3, 2, 1), dense(5), dense(1)],
        vec![conv(5, 4, 2, 1), conv(2, 3, 1, 0)],
        vec![dense(1)],
    ]
}

fn dataset(config: &Config) -> Dataset {
    data::open(&config.data.options(), config.run.seed).expect("opens")
}

#[test]
fn the_device_holds_what_was_predicted() {
    let runs = [
        (8, None, ChainKind::Persistent),
        (8, Some(5), ChainKind::Persistent),
        (3, Some(1), ChainKind::ShortRun),
        (5, Some(14), ChainKind::Data),
    ];
    // Every net with two of the runs, one of them in slices; or each of the runs once.
    for (index, layers) in nets().into_iter().enumerate() {
        let mut met = vec![(0, runs[index]), (1, runs[(index + 1) % 4])];
        if index > 0 {
            met = one_of(met, 1);
        }
        for (turn, (batch, slice, chains)) in met {
            let mut config = small(&layers);
            config.run.batch = batch;
            config.run.slice = slice;
            config.sampler.chains = chains;
            let all = executor(false);
            // Kernels of every family, and maps of f16.
            let mut runs = best_variants(&all);
            runs = one_of(runs, index + turn);
            if index == turn || extended() {
                runs.extend(mixed_variants(&all).into_iter().next());
            }
            for (name, variant) in runs {
                let mut executor = executor(false);
                let plan = TrainingPlan::new(&config, DIGITS, variant).expect("fits");
                let initial = initial_parameters(plan.architecture(), &PLAIN, 1);
                executor.run(&plan.setup(&initial)).expect("runs");
                let data = vec![0.1; batch * DIGITS.len()];
                // A step with a refresh and one without: between them they use everything.
                for step in 0..2 {
                    executor.run(&plan.step(step, &data)).expect("runs");
                }
                executor.finish().expect("finishes");
                assert_eq!(
                    executor.allocated_bytes(),
                    plan.memory().training(),
                    "{name}, {variant:?}, batch {batch}, slice {slice:?}, {layers:?}"
                );
            }
        }
    }
}

/// The variant for software drivers that asks least of them.
fn plain_texel(executor: &Executor) -> Variant {
    let all = variants(executor).into_iter().rev();
    let mut texel = all.filter(|(_, variant)| matches!(variant, Variant::Texel(_)));
    texel.next().expect("runs anywhere").1
}

/// Samples, head and the head's outputs are f32 in both; what is left is half as large.
#[test]
fn mixed_precision_halves_the_maps_between_layers() {
    let executor = executor(false);
    let full = plain_texel(&executor);
    let mixed = full.in_precision(Precision::Mixed).expect("has f16");
    for layers in nets() {
        let maps = |variant| {
            let plan = TrainingPlan::new(&small(&layers), DIGITS, variant).expect("fits");
            plan.memory()
        };
        let (full, mixed) = (maps(full), maps(mixed));
        assert_eq!(full.total() - full.maps, mixed.total() - mixed.maps);
        // Twice what is saved are the maps that are halved; a single layer has only its ones.
        let halved = 2 * (full.maps - mixed.maps);
        assert!(
            0 < halved && halved < full.maps,
            "{halved} of {}",
            full.maps
        );
        if layers.len() > 1 {
            assert!(2 * halved > full.maps, "{halved} of {}", full.maps);
        }
    }
}

/// Counted from the shapes alone, for flat buffers.
#[test]
fn the_prediction_is_the_sum_of_all_parts() {
    for layers in nets() {
        for (slice, size) in [(None, 24), (Some(24), 24), (Some(23), 12), (Some(5), 5)] {
            let mut config = small(&layers);
            config.run.slice = slice;
            let plan = TrainingPlan::new(&config, DIGITS, Variant::Tiled(Tiled)).expect("fits");
            let network = plan.architecture();
            let values: Vec<usize> = network
                .layers()
                .iter()
                .map(|layer| layer.output_shape().len())
                .collect();
            let (last, between) = values.split_last().expect("has layers");
            let partials = network.layers().iter().map(|layer| {
                let geometry = match *layer {
                    LayerKind::Conv(geometry) => geometry,
                    LayerKind::Dense { input, outputs } => {
                        afterimage::low_level::twins::dense_geometry(input.len(), outputs)
                    }
                };
                let words = layer.weight_len() + layer.outputs();
                tiled::weight_gradient_chunks(&geometry, size) * words
            });
            let (data, noise, length) = (8, 16usize, DIGITS.len());
            let group = noise.div_ceil(noise.div_ceil(size));
            let staging = if size < 24 { size * (length + 2) } else { 0 };
            let maps = 2 * size * (between.iter().sum::<usize>() + last);
            let scratch = partials.max().expect("has layers")
                + data * length
                + 3 * (data + noise)
                + 1
                + METRIC_WORDS
                + group * (2 * length + 1)
                + staging;
            let memory = plan.memory();
            assert_eq!(memory.slice, size);
            assert_eq!(
                [memory.maps, memory.packed_weights, memory.scratch],
                [4 * maps as u64, 0, 4 * scratch as u64],
                "slice {slice:?}, {layers:?}"
            );
        }
    }
}

/// From the first sample to the last picture.
#[test]
fn the_peak_of_a_whole_run_is_what_was_predicted() {
    for (preset, slice) in [("digits-langevin", None), ("8gaussians", Some(9))] {
        let mut config = small(&[
            LayerSpec::Dense { features: 7 },
            LayerSpec::Dense { features: 1 },
        ]);
        let data = config::load(preset, &[]).expect("is valid").data;
        config.data = data;
        // More than the self-test at the start takes, which is gone before the run takes anything.
        config.sampler.buffer = 20_000;
        config.run.slice = slice;
        config.run.steps = 4;
        config.run.sample_every = 3;
        config.run.samples = 9;
        config.run.sample_steps = 3;
        let folder = tempfile::tempdir().expect("makes a folder");
        let data = dataset(&config);
        let mut trainer = Trainer::new(executor(false), &config, data).expect("starts");
        let (out, stop) = (folder.path().join("run"), AtomicBool::new(false));
        let summary = run(&mut trainer, &config, &out, false, &stop, &mut |_| {}).expect("runs");
        assert!(summary.memory.drawing > 0);
        assert_eq!(
            trainer.executor().most_allocated_bytes(),
            summary.memory.total(),
            "{preset}"
        );
    }
}

/// Noise samples, gradient and metrics after every step.
fn steps(config: &Config, variant: Variant, count: u64) -> Vec<(Vec<u32>, Vec<f32>, Vec<f32>)> {
    let mut executor = executor(false);
    let plan = TrainingPlan::new(config, DIGITS, variant).expect("fits");
    let initial = initial_parameters(plan.architecture(), &PLAIN, 1);
    executor.run(&plan.setup(&initial)).expect("runs");
    let data = normals(3, config.run.batch * DIGITS.len());
    (0..count)
        .map(|step| {
            executor.run(&plan.step(step, &data)).expect("runs");
            let arrived = executor.finish().expect("finishes");
            let metrics = arrived[0].1.iter().map(|&word| f32::from_bits(word));
            let (noise, start, words) = plan.noise_samples();
            (
                executor.read_words(noise, start, words).expect("reads"),
                executor.read(plan.optimiser().gradient()).expect("reads"),
                metrics.collect(),
            )
        })
        .collect()
}

#[test]
fn slices_change_no_chain_and_the_gradient_by_rounding_only() {
    for (turn, (chains, slice)) in [
        (ChainKind::Persistent, 5),
        (ChainKind::Persistent, 1),
        (ChainKind::Data, 7),
        (ChainKind::ShortRun, 13),
    ]
    .into_iter()
    .enumerate()
    {
        let mut config = small(&[
            conv(6, 3, 2, 1),
            conv(9, 3, 1, 1),
            LayerSpec::Dense { features: 1 },
        ]);
        config.sampler.chains = chains;
        // A share that starts afresh ends inside a group.
        config.sampler.restart = 0.4;
        // Adam divides the gradient by its own size, which would make much of a rounding; this hardly does.
        config.optimiser.epsilon = 1.0;
        // Slices are cut before either kind of kernels is chosen.
        for (name, variant) in one_of(best_variants(&executor(false)), turn) {
            config.run.slice = None;
            let whole = steps(&config, variant, 3);
            config.run.slice = Some(slice);
            let sliced = steps(&config, variant, 3);
            for (step, (whole, sliced)) in whole.iter().zip(&sliced).enumerate() {
                let what =
                    |part| format!("{name}, {chains:?}, slices of {slice}, step {step}: {part}");
                // The snapshot is taken before step 0 only, so that rounding cannot reach it.
                assert!(whole.0 == sliced.0, "{}", what("noise"));
                // Sums over at most 24 samples of 16 pixels, in another order.
                let tolerance = 24.0 * 16.0 * ROUNDING;
                assert_close(&what("gradient"), &sliced.1, &widen(&whole.1), tolerance);
                if step == 0 {
                    // Energies of the same parameters are the same bits, and so is all that follows from them but the norm.
                    let rest = |metrics: &[f32]| {
                        let mut rest = metrics.to_vec();
                        rest.remove(RatioMetrics::NORM_PLACE);
                        rest
                    };
                    assert_eq!(rest(&whole.2), rest(&sliced.2), "{}", what("metrics"));
                }
                assert_close(
                    &what("metrics"),
                    &sliced.2,
                    &widen(&whole.2),
                    10.0 * tolerance,
                );
            }
        }
    }
}

/// Another variant of the kernels is another run, since it adds in other orders, but one that begins alike.
#[test]
fn short_runs_agree_across_the_variants_of_the_kernels() {
    let mut config = small(&nets()[0]);
    // As above.
    config.optimiser.epsilon = 1.0;
    let values =
        |noise: &[u32]| -> Vec<f32> { noise.iter().map(|&word| f32::from_bits(word)).collect() };
    // No sum of a step is over more than 24 samples of 64 pixels, and three steps are three of them one after another.
    let tolerance = 3.0 * 24.0 * 64.0 * ROUNDING;
    let runs = best_or_all(&executor(false));
    let (first_name, first) = runs[0];
    let first = steps(&config, first, 3);
    for &(name, variant) in &runs[1..] {
        let other = steps(&config, variant, 3);
        for (step, (first, other)) in first.iter().zip(&other).enumerate() {
            let what = |part| format!("{first_name} and {name}, step {step}: {part}");
            let noise = widen(&values(&first.0));
            assert_close(&what("noise"), &values(&other.0), &noise, tolerance);
            assert_close(&what("gradient"), &other.1, &widen(&first.1), tolerance);
            assert_close(&what("metrics"), &other.2, &widen(&first.2), tolerance);
        }
    }
    // What another seed makes of it is far outside.
    config.run.seed += 1;
    let [ours, theirs] = [first, steps(&config, runs[0].1, 3)].map(|run| values(&run[2].0));
    let furthest = ours.iter().zip(&theirs).map(|(a, b)| (a - b).abs());
    let furthest = f64::from(furthest.fold(0.0, f32::max));
    assert!(furthest > 1000.0 * tolerance, "{furthest} of {tolerance}");
}

#[test]
fn a_batch_beyond_the_adapters_images_fits_in_slices() {
    let mut config = small(&nets()[0]);
    let variant = Variant::Texel(Texel {
        lanes: 1,
        longest_side: 40,
        precision: Precision::Full,
    });
    let outcome = TrainingPlan::new(&config, DIGITS, variant);
    assert!(matches!(
        outcome,
        Err(TrainError::Gpu(GpuError::ImageTooLarge { allowed: 40, .. }))
    ));
    config.run.slice = Some(4);
    let in_small_images = steps(&config, variant, 1);
    let in_large_images = steps(&config, plain_texel(&executor(false)), 1);
    assert!(
        in_small_images[0].0 == in_large_images[0].0,
        "the same noise"
    );
}

#[test]
fn a_budget_cuts_the_batch_into_slices_that_fit() {
    let mut config = config::load("digits-langevin", &[]).expect("is valid");
    config.sampler.buffer = 128;
    config.sampler.steps = 2;
    config.run.memory = Some(6);
    let start = |config: &Config| Trainer::new(executor(false), config, dataset(config));

    let mut trainer = start(&config).expect("fits in slices");
    let memory = trainer.plan().memory();
    assert!(memory.slice < 256, "{memory}");
    assert!(memory.total() <= 6 << 20, "{memory}");
    trainer.step().expect("steps");
    trainer.arrived(true).expect("arrives");
    assert!(trainer.executor().most_allocated_bytes() <= 6 << 20);

    // Asked for by name, a slice is kept to.
    config.run.slice = Some(256);
    let error = start(&config).err().expect("does not fit");
    let text = error.to_string();
    assert!(
        matches!(error, TrainError::Memory { slice: 256, .. }),
        "{text}"
    );
    assert!(
        text.contains("lower run.slice") && !text.contains('\n'),
        "{text}"
    );

    config.run.slice = None;
    config.run.memory = Some(1);
    let text = start(&config).err().expect("does not fit").to_string();
    assert!(text.contains("with 1 samples at a time"), "{text}");
    assert!(text.contains("raise run.memory"), "{text}");
}
