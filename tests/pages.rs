//! What pages need of the engine and other programs can use: devices without immediates, checkpoints as bytes, chains that are looked at
//! on the way. All of it natively; `web/tests/` has the same in a browser.

#[path = "common/checkpoint.rs"]
mod checkpoint;

use afterimage::gpu::{Executor, ExecutorOptions, Recording, Requirements, wgpu};
use afterimage::low_level::kernels::LangevinSettings;
use afterimage::low_level::method::{Chains, Strategy};
use afterimage::low_level::model::chain_start;
use afterimage::low_level::network::trusted_variant;
use afterimage::low_level::random::Stream;
use afterimage::model::{Model, ModelError, SampleOptions};
use afterimage::train::{self, Trainer};
use afterimage::{config, data};
use checkpoint::{IMAGE_LAYERS, POINT_LAYERS, untrained, untrained_on};
use std::fs;

/// An executor on a device with immediates, or without.
fn executor(immediates: bool) -> Executor {
    let instance = wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle());
    let adapter = pollster::block_on(instance.request_adapter(&Default::default()))
        .expect("the tests need an adapter: run `sh setup.sh`");
    let mut needs = Requirements::of(&adapter);
    if !immediates {
        needs.features.remove(wgpu::Features::IMMEDIATES);
        needs.limits.max_immediate_size = 0;
    }
    let request = adapter.request_device(&wgpu::DeviceDescriptor {
        required_features: needs.features,
        required_limits: needs.limits,
        ..Default::default()
    });
    let (device, queue) = pollster::block_on(request).expect("opens");
    Executor::on_device(&adapter, &device, &queue, ExecutorOptions::default())
}

/// The parameters after training a preset for some steps, and the executor.
fn trained(executor: Executor, preset: &str, settings: &[&str]) -> (Vec<f32>, Executor) {
    let settings: Vec<String> = settings.iter().map(|set| (*set).to_owned()).collect();
    let config = config::load(preset, &settings).expect("loads");
    let data = data::open(&config.data.options(), config.run.seed).expect("opens");
    let mut trainer = Trainer::new(executor, &config, data).expect("starts");
    let model = train::in_memory(&mut trainer, &mut |_| true).expect("trains");
    (model.parameters().to_vec(), trainer.into_executor())
}

/// One device after the other trains both, so that what a run leaves behind would show; and the sampler's loop takes more launches than
/// the uniform buffer has room for.
#[test]
fn devices_without_immediates_compute_the_same_bits() {
    let (mut with, mut without) = (executor(true), executor(false));
    for (preset, settings) in [
        (
            "8gaussians",
            &["run.steps=12", "run.batch=32", "sampler.steps=40"][..],
        ),
        (
            "digits-langevin",
            &[
                "network.layers=[{conv=6, kernel=3, padding=1}, {conv=9, kernel=3, stride=2, padding=1}, {dense=5}, {dense=1}]",
                "run.steps=3",
                "run.batch=8",
                "sampler.steps=300",
            ],
        ),
    ] {
        let (wanted, after) = trained(with, preset, settings);
        with = after;
        let (found, after) = trained(without, preset, settings);
        without = after;
        assert!(wanted.iter().all(|value| value.is_finite()));
        assert_eq!(found, wanted, "{preset}");
    }
    assert!(
        without.statistics().launches > 5000,
        "{:?}",
        without.statistics()
    );
    // All that a run had there is free again.
    assert_eq!(without.allocated_bytes(), 0);
}

#[test]
fn checkpoints_are_read_from_bytes_as_from_files() {
    let model = untrained("digits", IMAGE_LAYERS);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    model.save(&path).unwrap();
    let bytes = fs::read(&path).unwrap();
    let read = Model::from_bytes("dropped", &bytes).unwrap();
    assert_eq!(read.parameters(), model.parameters());
    assert_eq!(read.config(), Model::load(&path).unwrap().config());
    for wrong in [
        &bytes[..0],
        &bytes[..20],
        &bytes[..bytes.len() - 1],
        b"no checkpoint at all",
    ] {
        let error = Model::from_bytes("dropped", wrong).unwrap_err().to_string();
        assert!(
            error.contains("`dropped`") && error.contains(": "),
            "{error}"
        );
    }
}

fn options(count: usize, steps: usize) -> SampleOptions {
    SampleOptions {
        count,
        steps,
        seed: 5,
        frames: 0,
    }
}

/// Plain Langevin chains, whose steps nothing but the states before them decides.
#[test]
fn chains_that_are_looked_at_end_where_others_do() {
    // Data noise, so that looking denoises; and none.
    for (preset, sets) in [
        ("digits-langevin", &[IMAGE_LAYERS][..]),
        (
            "moons",
            &[POINT_LAYERS, "sampler.kind=\"langevin\"", "sampler.jumps=0"],
        ),
    ] {
        let model = untrained_on(preset, sets);
        let mut executor = executor(true);
        let mut chains = model.running_chains(&mut executor, 20, 5).unwrap();
        let mut done = 0;
        for steps in [1, 6, 4] {
            chains.run(&mut executor, steps).unwrap();
            done += steps as usize;
            let seen = pollster::block_on(chains.look_async(&mut executor)).unwrap();
            let wanted = model.sample(&mut executor, &options(20, done), &mut |_, _| true);
            assert_eq!(seen, wanted.unwrap().values, "{preset} after {done} steps");
        }
        assert_eq!(chains.steps() as usize, done);
    }
}

/// With a Metropolis test and jumps steps carry energies and gradients, which looking must not spoil.
#[test]
fn exact_chains_go_on_from_where_they_were_before_a_look() {
    for preset in ["8gaussians", "digits"] {
        let layers = if preset == "digits" {
            IMAGE_LAYERS
        } else {
            POINT_LAYERS
        };
        let model = untrained(preset, layers);
        let mut executor = executor(true);
        let [mut watched, mut alone] =
            [(); 2].map(|()| model.running_chains(&mut executor, 9, 2).unwrap());
        for _ in 0..3 {
            watched.run(&mut executor, 2).unwrap();
            pollster::block_on(watched.look_async(&mut executor)).unwrap();
            alone.run(&mut executor, 2).unwrap();
        }
        let [watched, alone] = [watched, alone]
            .map(|mut chains| pollster::block_on(chains.look_async(&mut executor)).unwrap());
        // What is carried is rounded as what is computed anew where kernels compute one sample as they compute another.
        for (watched, alone) in watched.iter().zip(&alone) {
            assert!(
                (watched - alone).abs() <= 1e-4 * alone.abs().max(1.0),
                "{watched} {alone}"
            );
        }
    }
}

#[test]
fn held_values_stay_and_the_others_move_as_if_they_had_never_moved() {
    let (count, steps, seed) = (6, 5, 8);
    let model = untrained_on("digits-langevin", &[IMAGE_LAYERS, "data.noise=0"]);
    let length = model.architecture().input().len();
    let sample: Vec<f32> = (0..length).map(|i| (0.3 * i as f32).sin()).collect();
    // Rows, single values, and the first and the last one.
    let is_known: Vec<bool> = (0..length)
        .map(|i| i < 9 || i % 5 == 0 || i + 1 == length)
        .collect();
    let mut executor = executor(true);
    let filling = model.filling_chains(&mut executor, count, seed, &sample, &is_known);
    let mut filling = filling.unwrap();
    filling.run(&mut executor, steps).unwrap();
    let found = pollster::block_on(filling.look_async(&mut executor)).unwrap();

    // The same by chains of one step at a time, whose known values are set from here.
    let config = model.config();
    let own = config.dynamics();
    let langevin = LangevinSettings {
        noise: (2.0 * own.langevin.step_size * own.temperature).sqrt(),
        ..own.langevin
    };
    let variant = trusted_variant(&mut executor).unwrap();
    let stream = (seed, Stream::Sampling);
    let start = chain_start(config);
    let chains = Chains::new(
        model.architecture(),
        count,
        variant,
        langevin,
        start,
        stream,
    );
    let strategy = Strategy::Layers;
    let chains = chains.unwrap().with_strategy(strategy);
    let mut r = Recording::new();
    chains.setup(&mut r);
    let parameters = afterimage::gpu::Buffer::new("parameters", model.parameters().len());
    r.upload_f32(parameters, 0, model.parameters());
    let prepared = chains.prepare(&mut r, parameters);
    chains.restart(&mut r, 0, 0, count);
    let mut states = Vec::new();
    for step in 0..=steps {
        executor.run(&r).unwrap();
        states = executor.read(chains.states()).unwrap();
        for (place, value) in states.iter_mut().enumerate() {
            if is_known[place % length] {
                *value = sample[place % length];
            }
        }
        r = Recording::new();
        r.upload_f32(chains.states(), 0, &states);
        prepared.advance(&mut r, step, 1, 0);
    }
    assert_eq!(found, states);
    // The rest does move, each chain in its own way.
    let free = is_known.iter().position(|known| !known).unwrap();
    assert_ne!(found[free], found[length + free]);
}

#[test]
fn chains_that_cannot_be_run_are_refused() {
    let model = untrained("digits", IMAGE_LAYERS);
    let mut executor = executor(true);
    assert!(matches!(
        model.running_chains(&mut executor, 0, 1),
        Err(ModelError::OutOfRange { .. })
    ));
    for (values, known) in [(63, 64), (64, 65)] {
        let filling =
            model.filling_chains(&mut executor, 1, 1, &vec![0.0; values], &vec![true; known]);
        assert!(matches!(filling, Err(ModelError::WrongLength { .. })));
    }
}
