//! The example of a host program, run on a small checkpoint; and what the library does for a host program, and refuses.

#[path = "common/checkpoint.rs"]
mod checkpoint;

use afterimage::gpu::{
    AdapterChoice, Buffer, Executor, ExecutorOptions, GpuError, Recording, Requirements, wgpu,
};
use afterimage::model::{Model, ModelError, SampleOptions, Weights};
use afterimage::train::{self, Event, MetricsRow, TrainError, Trainer, Wishes};
use afterimage::{config, data};
use checkpoint::{IMAGE_LAYERS, POINT_LAYERS, untrained};
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

const BATCH: usize = 4;

fn executor() -> Executor {
    Executor::open(&AdapterChoice::Best, ExecutorOptions::default())
        .expect("the tests need an adapter: run `sh setup.sh`")
}

/// The example, which `cargo test` builds beside this test: target/PROFILE/examples for target/PROFILE/deps.
fn example() -> PathBuf {
    let test = std::env::current_exe().expect("a path");
    let profile = test.ancestors().nth(2).expect("target/PROFILE");
    let name = format!("embed{}", std::env::consts::EXE_SUFFIX);
    let path = profile.join("examples").join(name);
    assert!(
        path.exists(),
        "with --test, examples are built by hand: cargo build --release --example embed"
    );
    path
}

/// The numbers on the line that starts with `name`.
fn numbers(output: &str, name: &str) -> Vec<f32> {
    let line = output
        .lines()
        .find_map(|line| line.strip_prefix(name))
        .unwrap_or_else(|| panic!("no line '{name}' in {output}"));
    let list = line.trim().trim_matches(['[', ']']);
    list.split(", ")
        .map(|number| number.parse().expect("a number"))
        .collect()
}

#[track_caller]
fn assert_near(found: &[f32], wanted: &[f32]) {
    assert_eq!(found.len(), wanted.len());
    for (a, b) in found.iter().zip(wanted) {
        // The host program may have got another adapter than `AdapterChoice::Best`.
        assert!((a - b).abs() <= 1e-3 * b.abs().max(1.0), "{a} is not {b}");
    }
}

#[test]
fn the_example_computes_what_the_evaluator_computes() {
    let folder = tempfile::tempdir().unwrap();
    for (preset, layers) in [("digits", IMAGE_LAYERS), ("moons", POINT_LAYERS)] {
        let model = untrained(preset, layers);
        let path = folder.path().join("model.safetensors");
        model.save(&path).unwrap();
        let output = Command::new(example())
            .arg(&path)
            .env("NODEVICE_SELECT", "1")
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{errors}");

        let mut executor = executor();
        let length = model.architecture().input().len();
        let energies = |executor: &mut Executor, x: &[f32]| {
            let mut evaluator = model.evaluator(executor, BATCH).unwrap();
            evaluator.energies(executor, x).unwrap()
        };
        let x: Vec<f32> = (0..BATCH * length)
            .map(|i| (0.7 * i as f32).sin())
            .collect();
        let wanted = energies(&mut executor, &x);
        assert!(wanted[0] != wanted[1]);
        assert_near(&numbers(&text, "energies"), &wanted);

        // Along its gradient g the energy of a sample rises by |g| a unit of length.
        let gradient = numbers(&text, "gradient");
        let mut moved = [x.clone(), x];
        let step = 1e-2;
        let mut slopes = Vec::new();
        for sample in 0..BATCH {
            let range = sample * length..(sample + 1) * length;
            let norm = gradient[range.clone()]
                .iter()
                .map(|g| g * g)
                .sum::<f32>()
                .sqrt();
            slopes.push(norm);
            for i in range {
                moved[0][i] += step * gradient[i] / norm;
                moved[1][i] -= step * gradient[i] / norm;
            }
        }
        let [up, down] = moved.map(|x| energies(&mut executor, &x));
        for sample in 0..BATCH {
            let slope = (up[sample] - down[sample]) / (2.0 * step);
            assert!(
                (slope - slopes[sample]).abs() < 0.02 * slopes[sample],
                "{preset}: {slope} is not {}",
                slopes[sample]
            );
        }

        let options = SampleOptions {
            count: 2,
            steps: 20,
            seed: 1,
            frames: 0,
        };
        let samples = model
            .sample(&mut executor, &options, &mut |_, _| true)
            .unwrap();
        assert_near(&numbers(&text, "samples"), &samples.values);
    }
}

#[test]
fn the_example_says_what_it_lacks() {
    let output = Command::new(example()).output().unwrap();
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("name a checkpoint"));
}

#[test]
fn unusable_buffers_of_a_host_program_are_refused() {
    let instance = wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle());
    let adapter = pollster::block_on(instance.request_adapter(&Default::default())).unwrap();
    let needs = Requirements::of(&adapter);
    let (device, queue) = pollster::block_on(adapter.request_device(&wgpu::DeviceDescriptor {
        required_features: needs.features,
        required_limits: needs.limits,
        ..Default::default()
    }))
    .unwrap();
    let mut executor = Executor::on_device(&adapter, &device, &queue, ExecutorOptions::default());
    let all =
        wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_SRC | wgpu::BufferUsages::COPY_DST;
    let buffer = |size, usage| {
        device.create_buffer(&wgpu::BufferDescriptor {
            label: None,
            size,
            usage,
            mapped_at_creation: false,
        })
    };
    let without_storage = all - wgpu::BufferUsages::STORAGE;
    assert!(matches!(
        executor.import("x", &buffer(16, without_storage)),
        Err(GpuError::ImportUsages { label: "x" })
    ));
    for size in [0, 6] {
        assert!(matches!(
            executor.import("x", &buffer(size, all)),
            Err(GpuError::ImportSize { .. })
        ));
    }

    let model = untrained("moons", POINT_LAYERS);
    let evaluator = model.evaluator(&mut executor, BATCH).unwrap();
    let imported = executor.import("x", &buffer(16, all)).unwrap();
    let (energies, large) = (Buffer::new("energies", 9), Buffer::new("large", 99));
    let mut recording = Recording::new();
    let mut record =
        |x, energies, gradient| evaluator.energy_gradient(&mut recording, x, energies, gradient);
    for (x, gradient) in [(imported, large), (large, imported)] {
        assert!(matches!(
            record(x, energies, gradient),
            Err(ModelError::BufferTooSmall {
                label: "x",
                words: 4,
                wanted: 8
            })
        ));
    }
    assert!(record(large, Buffer::new("e", 3), large).is_err());
    assert!(recording.commands().is_empty());
    evaluator
        .energy_gradient(&mut recording, large, energies, Buffer::new("gradient", 8))
        .unwrap();
    executor.run(&recording).unwrap();
    // Only the batch's energies were written.
    assert_eq!(executor.read(energies).unwrap()[BATCH..], [0.0; 5]);
}

/// Of a batch that is filled, and of one that is not.
#[test]
fn gradients_of_samples_from_the_host_are_those_from_buffer_to_buffer() {
    let mut executor = executor();
    for (preset, layers) in [("digits", IMAGE_LAYERS), ("moons", POINT_LAYERS)] {
        let model = untrained(preset, layers);
        let length = model.architecture().input().len();
        let x: Vec<f32> = (0..(BATCH + 1) * length)
            .map(|i| (0.7 * i as f32).sin())
            .collect();
        let mut evaluator = model.evaluator(&mut executor, BATCH).unwrap();
        let found = evaluator.gradients(&mut executor, &x).unwrap();
        assert_eq!(found.len(), x.len());

        let buffers = ["x", "gradient"].map(|label| Buffer::new(label, BATCH * length));
        let energies = Buffer::new("energies", BATCH);
        for (first, count) in [(0, BATCH), (BATCH, 1)] {
            let values = first * length..(first + count) * length;
            let mut recording = Recording::new();
            recording.upload_f32(buffers[0], 0, &x[values.clone()]);
            evaluator
                .energy_gradient(&mut recording, buffers[0], energies, buffers[1])
                .unwrap();
            executor.run(&recording).unwrap();
            let wanted = executor.read(buffers[1]).unwrap();
            assert_eq!(found[values], wanted[..count * length], "{preset}");
        }
        assert!(matches!(
            evaluator.gradients(&mut executor, &x[1..]),
            Err(ModelError::WrongLength { .. })
        ));
    }
}

/// A small run on points, that does nothing but its steps, with more settings.
fn trainer(sets: &[&str]) -> Trainer {
    let own = [
        POINT_LAYERS,
        "run.steps=6",
        "run.batch=32",
        "run.figure_every=0",
        "run.sample_every=0",
        "run.samples=4",
        "run.sample_steps=2",
        "sampler.steps=4",
        "sampler.diagnose=0",
        "sampler.probe=0",
    ];
    let sets: Vec<String> = [&own, sets].concat().into_iter().map(Into::into).collect();
    let config = config::load("moons", &sets).expect("a valid configuration");
    let data = data::open(&config.data.options(), config.run.seed).expect("generated");
    Trainer::new(executor(), &config, data).expect("fits")
}

#[test]
fn a_run_in_memory_has_the_bits_of_one_in_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let mut steps = Vec::new();
    let model = train::in_memory(&mut trainer(&[]), &mut |row| {
        steps.push((row.step, row.loss));
        true
    })
    .unwrap();
    let mut trainer = trainer(&[]);
    let config = trainer.config().clone();
    let mut wanted = Vec::new();
    let summary = train::run(
        &mut trainer,
        &config,
        &folder.path().join("run"),
        false,
        &AtomicBool::new(false),
        &mut |event| {
            if let Event::Step(row) = event {
                wanted.push((row.step, row.loss));
            }
        },
    )
    .unwrap();
    assert_eq!(steps, wanted);
    assert_eq!(steps.len(), 6);
    let kept = Model::load(&summary.checkpoint).unwrap();
    assert_eq!((model.step(), kept.step()), (6, 6));
    assert_eq!(model.parameters(), kept.parameters());
    let live = |model: Model| model.using(Weights::Live).unwrap().weights_crc32();
    assert_eq!(live(model), live(kept));
}

#[test]
fn a_run_in_memory_stops_when_it_is_told_to_and_says_when_it_diverges() {
    // The first metrics arrive when some more steps have been handed over, but never when all have.
    let mut told = 0;
    let steps = 10_000;
    let mut long = trainer(&[&format!("run.steps={steps}")]);
    let model = train::in_memory(&mut long, &mut |_| {
        told += 1;
        false
    })
    .unwrap();
    assert!(model.step() < steps, "{}", model.step());
    assert_eq!(told, model.step());

    let mut steep = trainer(&["run.steps=40", "optimiser.rate=1e30"]);
    let error = train::in_memory(&mut steep, &mut |_| true).unwrap_err();
    assert!(matches!(error, TrainError::Diverged { .. }), "{error}");
}

/// Pauses, pictures and checkpoints on the way are of the run as it is.
#[test]
fn an_observer_gets_what_it_wishes_and_changes_no_bit() {
    let folder = tempfile::tempdir().unwrap();
    let ends = |name: &str, wish: &mut dyn FnMut(u64, &mut Wishes)| {
        let mut trainer = trainer(&["sampler.buffer=128", "snapshot.interval=2"]);
        let config = trainer.config().clone();
        let (mut rows, run) = (Vec::new(), folder.path().join(name));
        let mut observer = |event: Event<'_>| match event {
            Event::Step(row) => rows.push(MetricsRow {
                samples_per_second: 0.0,
                ..*row
            }),
            Event::Between { steps, wishes } => wish(steps, wishes),
            _ => {}
        };
        let stop = AtomicBool::new(false);
        let ended = train::run(&mut trainer, &config, &run, false, &stop, &mut observer);
        (rows, fs::read(ended.unwrap().checkpoint).unwrap())
    };
    let mut asked = Vec::new();
    let mut wish = |steps, wishes: &mut Wishes| {
        asked.push(steps);
        let paused = asked.iter().filter(|asked| **asked == 4).count();
        wishes.samples = steps == 2 || paused == 2;
        wishes.checkpoint = steps == 3 || paused == 3;
        wishes.pause = steps == 4 && paused < 4;
    };
    let (rows, last) = ends("wished", &mut wish);
    assert_eq!(asked, [1, 2, 3, 4, 4, 4, 4, 5, 6]);
    assert_eq!((rows, last), ends("plain", &mut |_, _| {}));
    let has = |name: &str| folder.path().join(name).is_file();
    for name in ["samples/000002.png", "samples/000004.png"] {
        assert!(has(&format!("wished/{name}")), "{name}");
        assert!(!has(&format!("plain/{name}")), "{name}");
    }
    let first = fs::read(folder.path().join("wished/checkpoints/000003.safetensors"));
    assert_ne!(
        first.unwrap(),
        fs::read(folder.path().join("wished/checkpoints/000004.safetensors")).unwrap()
    );
    // Who wishes a pause for ever can still stop.
    let mut trainer = trainer(&["run.steps=100"]);
    let config = trainer.config().clone();
    let (stop, mut questions) = (AtomicBool::new(false), 0);
    let summary = train::run(
        &mut trainer,
        &config,
        &folder.path().join("stopped"),
        false,
        &stop,
        &mut |event| {
            if let Event::Between { wishes, .. } = event {
                questions += 1;
                wishes.pause = true;
                stop.store(questions == 3, Ordering::Relaxed);
            }
        },
    );
    let summary = summary.unwrap();
    assert_eq!((summary.steps, summary.stopped), (1, true));
}
