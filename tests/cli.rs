//! The command line end to end, in temporary folders.

#[path = "common/checkpoint.rs"]
mod checkpoint;
#[path = "common/command.rs"]
mod command;

use afterimage::checkpoint::TensorFile;
use afterimage::config;
use afterimage::data::{self, DataOptions};
use afterimage::gpu::{AdapterChoice, Executor, ExecutorOptions};
use checkpoint::{IMAGE_LAYERS, POINT_LAYERS, metrics, untrained};
use command::{afterimage, run, stderr, stdout, tuning};
use serde_json::Value;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use tempfile::TempDir;

/// Arguments of a run of `preset` that takes a second.
fn tiny<'a>(preset: &'a str, layers: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let sets = [
        layers,
        "run.steps=6",
        "run.batch=8",
        "run.samples=9",
        "run.sample_steps=4",
        "run.sample_every=2",
        "run.checkpoint_every=4",
        "sampler.steps=2",
        "sampler.buffer=16",
        "sampler.probe=8",
    ];
    let mut arguments = vec!["train", preset];
    for set in sets {
        arguments.extend(["--set", set]);
    }
    arguments.extend(more);
    arguments
}

fn names_in(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder");
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn size_of_picture(path: &Path) -> (u32, u32) {
    let picture = image::open(path).expect("a picture");
    (picture.width(), picture.height())
}

/// Saves an untrained model of `preset` as model.safetensors.
fn checkpoint(folder: &TempDir, preset: &str, layers: &str) -> afterimage::model::Model {
    let model = untrained(preset, layers);
    model
        .save(&folder.path().join("model.safetensors"))
        .unwrap();
    model
}

/// Shape and values of a .npy file of f32.
fn npy(path: &Path) -> (Vec<u64>, Vec<f32>) {
    let bytes = fs::read(path).expect("a file");
    let file = npyz::NpyFile::new(&bytes[..]).expect("an .npy file");
    let shape = file.shape().to_vec();
    (shape, file.into_vec().expect("f32"))
}

#[test]
fn training_fills_the_run_folder() {
    let folder = tempfile::tempdir().unwrap();
    for (preset, layers) in [("8gaussians", POINT_LAYERS), ("digits", IMAGE_LAYERS)] {
        let output = run(&folder, &tiny(preset, layers, &["--seed", "5"]));
        assert_eq!(stdout(&output), "");
        let run = folder.path().join("runs").join(preset);

        let written = fs::read_to_string(run.join("config.toml")).unwrap();
        let written = config::parse(&written, "config.toml").unwrap();
        assert_eq!((written.run.seed, written.run.batch), (5, 8));
        let sets: Vec<String> = tiny(preset, layers, &["--set", "run.seed=5"])
            .chunks(2)
            .filter(|pair| pair[0] == "--set")
            .map(|pair| pair[1].to_owned())
            .collect();
        assert_eq!(written, config::load(preset, &sets).unwrap());

        let rows = metrics(&run.join("metrics.jsonl"));
        let steps: Vec<u64> = rows.iter().map(|row| row.step).collect();
        assert_eq!(steps, [0, 1, 2, 3, 4, 5]);
        assert!(
            rows.iter()
                .all(|row| row.loss.is_finite() && row.loss > 0.0)
        );

        assert_eq!(names_in(&run.join("samples")), ["000002.png", "000004.png"]);
        assert_eq!(
            names_in(&run.join("checkpoints")),
            ["000004.safetensors", "000006.safetensors"]
        );
        let mut pictures = vec!["samples.png", "curves.png", "samples/000002.png"];
        if preset == "8gaussians" {
            pictures.push("landscape.png");
        }
        for picture in &pictures {
            let (width, height) = size_of_picture(&run.join(picture));
            assert!(width > 100 && height > 100, "{picture}");
        }
        assert_eq!(run.join("landscape.png").exists(), preset == "8gaussians");
        // What the summary names is there, and it names what there is to see.
        let summary = stderr(&output).split("Look at:").nth(1).expect("a summary");
        let named: Vec<&str> = summary
            .lines()
            .filter_map(|line| line.split_whitespace().next())
            .collect();
        for name in &named {
            assert!(folder.path().join(name).exists(), "{name}");
        }
        for wanted in ["curves.png", "samples", "checkpoints/000006.safetensors"] {
            assert!(named.iter().any(|name| name.ends_with(wanted)), "{wanted}");
        }
        let json: Value =
            serde_json::from_slice(&fs::read(run.join("summary.json")).unwrap()).unwrap();
        assert_eq!(
            (&json["steps"], &json["stopped"]),
            (&6.into(), &false.into())
        );

        // The run is all that the other commands need.
        let source = format!("runs/{preset}");
        self::run(
            &folder,
            &["sample", &source, "--count", "2", "--steps", "2"],
        );
        self::run(&folder, &["energy", &source, preset]);
    }
    assert_eq!(
        names_in(&folder.path().join("runs")),
        ["8gaussians", "digits"]
    );
}

#[test]
fn training_twice_keeps_both_runs_and_the_same_seed_gives_the_same_bits() {
    let folder = tempfile::tempdir().unwrap();
    let train = |more: &[&str]| run(&folder, &tiny("digits", IMAGE_LAYERS, more));
    train(&["--quiet"]);
    train(&["--quiet"]);
    train(&["--quiet", "--seed", "77"]);
    let runs = folder.path().join("runs");
    assert_eq!(names_in(&runs), ["digits", "digits-2", "digits-3"]);
    let parameters = |run: &str| {
        let path = runs.join(run).join("checkpoints/000006.safetensors");
        fs::read(path).unwrap()
    };
    assert!(parameters("digits") == parameters("digits-2"));
    assert!(parameters("digits") != parameters("digits-3"));
    // --force replaces the run and leaves alone what is not the run's.
    fs::write(runs.join("digits/notes.txt"), "mine").unwrap();
    train(&["--quiet", "--force", "--set", "run.steps=2"]);
    assert_eq!(
        names_in(&runs.join("digits/checkpoints")),
        ["000002.safetensors"]
    );
    assert_eq!(metrics(&runs.join("digits/metrics.jsonl")).len(), 2);
    assert!(runs.join("digits/notes.txt").exists());
    assert_eq!(names_in(&runs).len(), 3);
}

#[test]
fn json_has_stdout_to_itself_and_quiet_prints_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let output = run(
        &folder,
        &tiny("moons", POINT_LAYERS, &["--json", "--quiet", "--out", "a"]),
    );
    let file = fs::read_to_string(folder.path().join("a/metrics.jsonl")).unwrap();
    assert_eq!(stdout(&output), file);
    assert_eq!(stderr(&output), "");

    let output = run(
        &folder,
        &["sample", "a", "--quiet", "--out", "a.npy", "--json"],
    );
    let json: Value = serde_json::from_str(stdout(&output)).expect("one value");
    assert_eq!(json["count"], 9);
    assert_eq!(json["energies"].as_array().unwrap().len(), 9);
    assert_eq!(stderr(&output), "");
    let output = run(&folder, &["sample", "a", "--quiet"]);
    assert_eq!((stdout(&output), stderr(&output)), ("", ""));
    assert!(folder.path().join("samples.png").exists());
}

#[test]
fn samples_are_written_in_every_format() {
    let folder = tempfile::tempdir().unwrap();
    for (preset, layers, shape) in [
        ("digits", IMAGE_LAYERS, vec![5, 1, 8, 8]),
        ("moons", POINT_LAYERS, vec![5, 2]),
    ] {
        checkpoint(&folder, preset, layers);
        let sample = |out: &str, seed: &str| {
            let arguments = ["--count", "5", "--steps", "3", "--seed", seed, "--out", out];
            run(
                &folder,
                &[&["sample", "model.safetensors"][..], &arguments].concat(),
            );
            fs::read(folder.path().join(out)).unwrap()
        };
        for ending in ["png", "npy", "gif"] {
            let bytes = sample(&format!("a.{ending}"), "1");
            assert!(bytes == sample(&format!("b.{ending}"), "1"), "{ending}");
            assert!(bytes != sample(&format!("c.{ending}"), "2"), "{ending}");
        }
        let (found, values) = npy(&folder.path().join("a.npy"));
        assert_eq!(found, shape);
        assert!(values.iter().all(|value| value.is_finite()));
        let (width, height) = size_of_picture(&folder.path().join("a.png"));
        assert!(width > 100 && height > 100);
        assert_eq!(
            size_of_picture(&folder.path().join("a.gif")),
            (width, height)
        );
    }
}

#[test]
fn energies_are_the_models() {
    let folder = tempfile::tempdir().unwrap();
    let model = checkpoint(&folder, "digits", IMAGE_LAYERS);
    let energy = |arguments: &[&str]| {
        run(
            &folder,
            &[&["energy", "model.safetensors", "digits"][..], arguments].concat(),
        )
    };
    let output = energy(&["--out", "e.npy", "--json"]);
    energy(&["--out", "e.csv"]);

    let options = DataOptions {
        source: "digits".into(),
        path: String::new(),
        low: -1.0,
        high: 1.0,
        limit: 0,
    };
    let digits = data::open(&options, 1).unwrap();
    let mut executor = Executor::open(&AdapterChoice::Best, ExecutorOptions::default()).unwrap();
    let mut evaluator = model.evaluator(&mut executor, 256).unwrap();
    let wanted = evaluator
        .energies(&mut executor, &digits.first(1797))
        .unwrap();

    let (shape, energies) = npy(&folder.path().join("e.npy"));
    assert_eq!(shape, [1797]);
    for (found, wanted) in energies.iter().zip(&wanted) {
        assert!((found - wanted).abs() <= 1e-5 * wanted.abs().max(1.0));
    }
    let csv = fs::read_to_string(folder.path().join("e.csv")).unwrap();
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!((lines.len(), lines[0]), (1798, "index,energy"));
    assert_eq!(lines[1797], format!("1796,{}", energies[1796]));

    let json: Value = serde_json::from_str(stdout(&output)).unwrap();
    let mean = energies.iter().map(|&e| f64::from(e)).sum::<f64>() / 1797.0;
    assert_eq!(json["count"], 1797);
    assert!((json["mean"].as_f64().unwrap() - mean).abs() < 1e-4);
    assert_eq!(json["file"], "e.npy");

    checkpoint(&folder, "moons", POINT_LAYERS);
    let output = run(&folder, &["energy", "model.safetensors", "rings", "--json"]);
    let json: Value = serde_json::from_str(stdout(&output)).unwrap();
    assert_eq!(json["count"], 10_000, "an endless source");
}

#[test]
fn lists_and_configurations() {
    let folder = tempfile::tempdir().unwrap();
    let output = run(&folder, &["devices", "--json"]);
    let devices: Value = serde_json::from_str(stdout(&output)).unwrap();
    let first = &devices.as_array().unwrap()[0];
    assert_eq!(first["index"], 0);
    let text = run(&folder, &["devices"]);
    assert!(stdout(&text).contains(first["name"].as_str().unwrap()));

    let names = |output: &Output| -> Vec<String> {
        let lines = stdout(output).lines();
        lines
            .filter_map(|line| line.split_whitespace().next().map(String::from))
            .collect()
    };
    let presets = names(&run(&folder, &["presets"]));
    assert!(presets.contains(&"digits".into()) && presets.contains(&"8gaussians".into()));
    let json: Value = serde_json::from_str(stdout(&run(&folder, &["presets", "--json"]))).unwrap();
    assert_eq!(json.as_array().unwrap().len(), presets.len());
    for preset in &presets {
        let output = run(&folder, &["config", preset]);
        let printed = config::parse(stdout(&output), "the output").unwrap();
        assert_eq!(printed, config::load(preset, &[]).unwrap());
    }

    let printed = run(&folder, &["config", "digits", "--set", "run.seed=3"]);
    fs::write(folder.path().join("mine.toml"), &printed.stdout).unwrap();
    run(
        &folder,
        &tiny("mine.toml", IMAGE_LAYERS, &["--set", "data.limit=5"]),
    );
    let written = fs::read_to_string(folder.path().join("runs/mine/config.toml")).unwrap();
    assert_eq!(config::parse(&written, "it").unwrap().run.seed, 3);
    // A limit of 5 is fewer samples than a batch of 8.
    assert_eq!(
        metrics(&folder.path().join("runs/mine/metrics.jsonl")).len(),
        6
    );
}

#[test]
fn data_that_cannot_be_pictured_is_trained_on_all_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (6, 5), }";
    write_npy(&folder.path().join("five.npy"), header, &[0.25; 30]);
    let output = run(
        &folder,
        &tiny(
            "moons",
            POINT_LAYERS,
            &[
                "--set",
                "data.source=npy",
                "--set",
                "data.path=five.npy",
                "--out",
                "run",
            ],
        ),
    );
    assert!(!stderr(&output).contains("samples.png"));
    assert!(folder.path().join("run/curves.png").exists());
    run(
        &folder,
        &["sample", "run", "--steps", "2", "--out", "a.npy"],
    );
    assert_eq!(npy(&folder.path().join("a.npy")).0, [9, 5, 1, 1]);
}

/// Writes version 1 of the .npy format.
fn write_npy(path: &Path, header: &str, values: &[f32]) {
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
    fs::write(path, bytes).unwrap();
}

/// All files below `folder`, with their contents.
/// What `bench` prints with --json: the line about the machine, and the figures.
fn bench_lines(arguments: &[&str]) -> (Value, Vec<Value>) {
    let folder = tempfile::tempdir().unwrap();
    let output = run(&folder, arguments);
    let mut lines = stdout(&output)
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"));
    (lines.next().expect("a header"), lines.collect())
}

#[test]
fn bench_measures_everything_it_promises() {
    let (header, figures) = bench_lines(&["bench", "--nets", "D", "--seconds", "0", "--json"]);
    assert_eq!(header["kind"], "header");
    assert_eq!(header["afterimage"], env!("CARGO_PKG_VERSION"));
    for text in [&header["wgpu"], &header["adapter"]["driver"]] {
        assert!(text.is_string(), "{header}");
    }

    // Every figure has what the peers' have, and is a possible one.
    for figure in &figures {
        for key in ["ms", "ms_min", "ms_q1", "ms_q3", "per_s"] {
            assert!(
                figure[key].as_f64().is_some_and(|value| value > 0.0),
                "{key} of {figure}"
            );
        }
        assert!(
            figure["ms_min"].as_f64() <= figure["ms_q1"].as_f64(),
            "{figure}"
        );
        assert!(
            figure["ms_q1"].as_f64() <= figure["ms"].as_f64(),
            "{figure}"
        );
        assert!(
            figure["ms"].as_f64() <= figure["ms_q3"].as_f64(),
            "{figure}"
        );
        for key in ["mode", "work", "device", "precision", "clock"] {
            assert!(figure[key].is_string(), "{key} of {figure}");
        }
        assert!(figure["runs"].as_u64() >= Some(3), "{figure}");
        let rates = ["gflops", "gb_per_s"].map(|key| figure[key].is_f64());
        assert!(rates[0] != rates[1], "one of the two bounds {figure}");
        let is_ceiling = figure["kind"] == "ceiling";
        assert_eq!(figure["ceiling_share"].is_f64(), !is_ceiling, "{figure}");
    }

    let of = |kind: &str| -> Vec<&Value> {
        figures
            .iter()
            .filter(|figure| figure["kind"] == kind)
            .collect()
    };
    let [arithmetic, memory] = of("ceiling")[..] else {
        panic!("two ceilings: {:?}", of("ceiling"));
    };
    assert!(arithmetic["gflops"].is_f64() && memory["gb_per_s"].is_f64());
    assert!(of("layer").len() >= 3);

    // 3×3 convolutions 1→32 over 8×8, 32→64 over 4×4 and 64→64 over 2×2, dense 256→1.
    let forward = 2u64 * 128 * (9 * (32 * 64 + 32 * 64 * 16 + 64 * 64 * 4) + 256);
    let (step, update) = (2 * forward, 6 * forward);
    let works = [
        ("langevin", step),
        ("train", update),
        ("full", 40 * step + update),
    ];
    let networks = of("network");
    assert_eq!(networks.len(), works.len());
    for (figure, (work, flops)) in networks.iter().zip(works) {
        assert_eq!(
            (&figure["net"], &figure["work"]),
            (&"D".into(), &work.into())
        );
        assert_eq!(
            (&figure["batch"], &figure["clock"]),
            (&128.into(), &"wall".into())
        );
        let number = |figure: &Value, key: &str| figure[key].as_f64().unwrap();
        let counted = number(figure, "gflops") * number(figure, "ms") * 1e6;
        assert!(
            (counted / flops as f64 - 1.0).abs() < 1e-9,
            "{work}: {counted}"
        );
        let share = number(figure, "gflops") / number(arithmetic, "gflops");
        assert!((number(figure, "ceiling_share") / share - 1.0).abs() < 1e-9);
        let kernels = of("kernel")
            .iter()
            .filter(|kernel| kernel["work"] == work)
            .count();
        assert_eq!(kernels > 0, work != "full", "{work}");
    }
    for kernel in of("kernel") {
        assert!(
            kernel["kernel"].is_string() && kernel["work_share"].is_f64(),
            "{kernel}"
        );
        assert!(kernel["launches"].as_f64() > Some(0.0), "{kernel}");
    }
}

#[test]
fn a_brief_bench_has_only_what_a_comparison_needs() {
    let (_, figures) = bench_lines(&[
        "bench",
        "--nets",
        "D",
        "--seconds",
        "0",
        "--json",
        "--brief",
    ]);
    let works: Vec<_> = figures.iter().map(|figure| &figure["work"]).collect();
    assert_eq!(works, ["langevin", "train"]);
}

fn contents(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files = Vec::new();
    for name in names_in(folder) {
        let path = folder.join(name);
        if path.is_dir() {
            files.push((path.clone(), Vec::new()));
            files.extend(contents(&path));
        } else {
            files.push((path.clone(), fs::read(&path).unwrap()));
        }
    }
    files
}

/// Runs a command that must fail with one line that holds all of `parts`, and leave the folder as it was.
#[track_caller]
fn refused(folder: &TempDir, arguments: &[&str], parts: &[&str]) {
    refuses(folder, afterimage(folder, arguments), parts);
}

#[track_caller]
fn refuses(folder: &TempDir, mut command: Command, parts: &[&str]) {
    let before = contents(folder.path());
    let output = command.output().unwrap();
    let text = stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{command:?}: {text}");
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| !line.starts_with("adapter "))
        .collect();
    let [line] = lines[..] else {
        panic!("{command:?}: {text}");
    };
    assert!(line.starts_with("error: "), "{text}");
    for part in parts {
        assert!(line.contains(part), "no '{part}' in {line}");
    }
    assert!(
        contents(folder.path()) == before,
        "{command:?} changed files"
    );
}

#[test]
fn unknown_names_are_refused_with_the_nearest() {
    let folder = tempfile::tempdir().unwrap();
    refused(
        &folder,
        &["train", "digist"],
        &["digist", "did you mean", "digits"],
    );
    refused(&folder, &["train", "mine.toml"], &["mine.toml"]);
    refused(
        &folder,
        &["train", "digits", "--set", "run.step=3"],
        &["run.step", "did you mean `run.steps`"],
    );
    refused(
        &folder,
        &["config", "digits", "--set", "run.seed=x"],
        &["run.seed", "x"],
    );
    refused(
        &folder,
        &["train", "digits", "--quiet", "--adapter", "Voodoo2"],
        &["Voodoo2", "choose one of", "afterimage devices"],
    );
    checkpoint(&folder, "digits", IMAGE_LAYERS);
    refused(
        &folder,
        &["energy", "model.safetensors", "digist"],
        &["digist", "digits"],
    );
    refused(
        &folder,
        &["sample", "model.safetensors", "--out", "a.jpg"],
        &["a.jpg", ".png"],
    );
    refused(
        &folder,
        &["energy", "model.safetensors", "digits", "--out", "a.txt"],
        &[".csv"],
    );
}

#[test]
fn bench_refuses_what_it_cannot_measure() {
    let folder = tempfile::tempdir().unwrap();
    refused(&folder, &["bench", "--nets", "D,X"], &["'X'", "D, M, C"]);
    refused(&folder, &["bench", "--nets", ""], &["''", "D, M, C"]);
    refused(&folder, &["bench", "--growth", "a.jpg"], &["a.jpg", ".png"]);
}

#[test]
#[cfg(target_os = "linux")]
fn a_machine_without_a_driver_is_told_what_to_install() {
    let folder = tempfile::tempdir().unwrap();
    checkpoint(&folder, "digits", IMAGE_LAYERS);
    for arguments in [
        &["train", "digits", "--quiet"][..],
        &["sample", "model.safetensors"],
        &["energy", "model.safetensors", "digits"],
        &["devices"],
        &["bench"],
    ] {
        let mut command = afterimage(&folder, arguments);
        // Where the Vulkan loader looks for drivers.
        command.env("VK_DRIVER_FILES", "/nonexistent");
        command.env("VK_ICD_FILENAMES", "/nonexistent");
        refuses(&folder, command, &["no GPU adapter", "setup.sh"]);
    }
}

#[test]
fn bad_data_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| fs::write(folder.path().join(name), bytes).unwrap();
    let train = |source: &str, path: &str, layers: &str, parts: &[&str]| {
        let (source, path) = (format!("data.source={source}"), format!("data.path={path}"));
        let more = ["--set", &source, "--set", &path, "--quiet", "--out", "run"];
        refused(&folder, &tiny("digits", layers, &more), parts);
    };
    train("idx", "", IMAGE_LAYERS, &["data.path"]);
    train("idx", "absent", IMAGE_LAYERS, &["absent", "does not exist"]);
    write("magic", b"PK\x03\x04 and more bytes");
    train("idx", "magic", IMAGE_LAYERS, &["magic", "data.source"]);
    train("npy", "magic", IMAGE_LAYERS, &["magic", "not a .npy file"]);
    write(
        "short",
        &[0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 4, 0, 0, 0, 4, 1, 2, 3],
    );
    train("idx", "short", IMAGE_LAYERS, &["short", "cut short"]);
    write("short.bin", &[1; 3072]);
    train("cifar10", "short.bin", IMAGE_LAYERS, &["short.bin"]);

    let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 4, 4), }";
    let mut values = [0.5; 32];
    write_npy(&folder.path().join("small.npy"), header, &values);
    values[20] = f32::NAN;
    write_npy(&folder.path().join("nan.npy"), header, &values);
    train(
        "npy",
        "nan.npy",
        IMAGE_LAYERS,
        &["nan.npy", "sample 1", "finite"],
    );
    let layers = "network.layers=[{conv=4, kernel=7}, {dense=1}]";
    train(
        "npy",
        "small.npy",
        layers,
        &["7×7 kernel", "4×4 input", "smaller kernel"],
    );

    checkpoint(&folder, "digits", IMAGE_LAYERS);
    let energy = |data: &str, parts: &[&str]| {
        refused(
            &folder,
            &["energy", "model.safetensors", data, "--out", "e.csv"],
            parts,
        );
    };
    energy("small.npy", &["1×4×4", "1×8×8"]);
    energy("nan.npy", &["finite"]);
    energy("moons", &["2×1×1", "1×8×8"]);
    energy("absent.npy", &["does not exist"]);
    energy("absent", &["absent"]);
}

#[test]
fn bad_checkpoints_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    checkpoint(&folder, "digits", IMAGE_LAYERS);
    let good = folder.path().join("model.safetensors");
    let bytes = fs::read(&good).unwrap();
    let write = |name: &str, bytes: &[u8]| fs::write(folder.path().join(name), bytes).unwrap();
    write("cut.safetensors", &bytes[..bytes.len() - 9]);
    write("header.safetensors", &bytes[..40]);
    write("text.safetensors", b"not a checkpoint at all");
    write("empty.safetensors", b"");
    let mut file = TensorFile::load(&good).unwrap();
    file.tensors.truncate(2);
    file.save(&folder.path().join("missing.safetensors"))
        .unwrap();
    let mut file = TensorFile::load(&good).unwrap();
    let wider = afterimage::config::to_toml(untrained("digits", POINT_LAYERS).config());
    file.metadata.insert("config".into(), wider);
    file.save(&folder.path().join("other.safetensors")).unwrap();
    file.metadata
        .insert("shape".into(), "[1, 9999999999, 9999999999]".into());
    file.save(&folder.path().join("absurd.safetensors"))
        .unwrap();
    file.metadata.clear();
    file.save(&folder.path().join("foreign.safetensors"))
        .unwrap();
    fs::create_dir_all(folder.path().join("run/checkpoints")).unwrap();

    for (name, parts) in [
        ("cut.safetensors", &["cut short"][..]),
        ("header.safetensors", &["cut short"]),
        ("text.safetensors", &["not a safetensors file"]),
        ("empty.safetensors", &["not a safetensors file"]),
        ("missing.safetensors", &["layers.1.weight", "missing"]),
        (
            "other.safetensors",
            &["layers.0.weight", "[8, 64]", "[4, 1, 3, 3]"],
        ),
        ("absurd.safetensors", &["9999999999", "2³⁰ values"]),
        (
            "foreign.safetensors",
            &["metadata", "not written by afterimage"],
        ),
        ("absent.safetensors", &["does not exist"]),
        ("run", &["run", "checkpoint"]),
    ] {
        refused(&folder, &["sample", name, "--quiet"], parts);
        refused(&folder, &["energy", name, "digits"], parts);
    }
}

#[test]
fn existing_runs_and_impossible_folders_are_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    run(
        &folder,
        &tiny("moons", POINT_LAYERS, &["--quiet", "--out", "run"]),
    );
    let train = |out: &str, parts: &[&str]| {
        refused(
            &folder,
            &tiny("moons", POINT_LAYERS, &["--quiet", "--out", out]),
            parts,
        );
    };
    train("run", &["run", "--force"]);
    train("run/config.toml", &["config.toml", "is a file", "--out"]);
    train("run/config.toml/below", &["config.toml", "a file stands"]);
    let sample = |out: &str, parts: &[&str]| {
        refused(&folder, &["sample", "run", "--quiet", "--out", out], parts);
    };
    sample("absent/a.png", &["absent/a.png", "create the folder"]);
    sample("run/config.toml/a.png", &["a.png", "a file stands"]);
    fs::create_dir(folder.path().join("folder.png")).unwrap();
    sample("folder.png", &["folder.png", "a folder stands"]);
    #[cfg(target_os = "linux")]
    {
        train("/proc/run", &["/proc/run"]);
        sample("/proc/a.png", &["/proc/a.png"]);
    }
}

#[test]
fn absurd_settings_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let train = |set: &str, key: &str| {
        let more = ["--set", "sampler.chains=short_run", "--set", set, "--quiet"];
        refused(&folder, &tiny("moons", POINT_LAYERS, &more), &[key]);
    };
    const HUGE: &str = "9223372036854775807";
    for key in [
        "run.batch",
        "run.samples",
        "run.sample_steps",
        "objective.noise_ratio",
        "sampler.steps",
        "sampler.buffer",
    ] {
        train(&format!("{key}={HUGE}"), key);
    }
    train("run.batch=10000000", "run.batch");
    train(
        "network.layers=[{dense=4611686018427387904},{dense=1}]",
        "network.layers",
    );
    train(
        "network.layers=[{dense=300000},{dense=300000},{dense=1}]",
        "network.layers",
    );
    let more = |layers| tiny("digits", layers, &["--quiet"]);
    for layers in [
        "network.layers=[{conv=9223372036854775807,kernel=1},{dense=1}]",
        "network.layers=[{conv=1,kernel=9223372036854775807,padding=9223372036854775806}]",
    ] {
        refused(&folder, &more(layers), &["network.layers"]);
    }
    // Within what the program allows, beyond what most adapters allow: 144 MB in one buffer.
    let devices: Value =
        serde_json::from_str(stdout(&run(&folder, &["devices", "--json"]))).unwrap();
    let devices = devices.as_array().unwrap();
    if devices
        .iter()
        .all(|device| device["largest_binding"].as_u64() <= Some(1 << 27))
    {
        let layers = "network.layers=[{dense=6000},{dense=6000},{dense=1}]";
        let parts = [
            "live parameters",
            "adapter allows at most",
            "network's size",
        ];
        refused(&folder, &tiny("moons", layers, &["--quiet"]), &parts);
    }
    let arguments = [
        "sample",
        "model.safetensors",
        "--quiet",
        "--count",
        "18446744073709551615",
    ];
    checkpoint(&folder, "moons", POINT_LAYERS);
    refused(&folder, &arguments, &["18446744073709551615", "at most"]);
}

/// Starts a run of `steps` optimiser steps in the folder `run`, with stdout and stderr to be read.
fn start(folder: &TempDir, steps: &str, more: &[&str]) -> Child {
    let steps = format!("run.steps={steps}");
    let every = [
        "--set",
        "run.sample_every=20",
        "--set",
        "run.checkpoint_every=20",
    ];
    let out = ["--out", "run", "--set", &steps];
    afterimage(
        folder,
        &tiny("digits", IMAGE_LAYERS, &[&out, &every[..], more].concat()),
    )
    .stdout(Stdio::piped())
    .stderr(Stdio::piped())
    .spawn()
    .unwrap()
}

#[test]
#[cfg(unix)]
fn ctrl_c_keeps_what_there_is() {
    let folder = tempfile::tempdir().unwrap();
    let run_folder = folder.path().join("run");
    let mut child = start(&folder, "1000000", &["--json", "--quiet"]);
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    for _ in 0..3 {
        lines.next().expect("a step").unwrap();
    }
    let kill = ["-INT", &child.id().to_string()];
    assert!(Command::new("kill").args(kill).status().unwrap().success());
    let printed = 3 + lines.map(Result::unwrap).count();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    let errors = stderr(&output);
    assert!(
        errors.contains(&format!("error: stopped after {printed} steps")),
        "{errors}"
    );

    assert_eq!(metrics(&run_folder.join("metrics.jsonl")).len(), printed);
    let names = names_in(&run_folder);
    for name in ["config.toml", "curves.png", "samples.png", "summary.json"] {
        assert!(names.contains(&name.into()), "{name}");
    }
    assert!(names.iter().all(|name| !name.ends_with(".tmp")));
    let last = format!("{printed:06}.safetensors");
    assert!(names_in(&run_folder.join("checkpoints")).contains(&last));
    run(
        &folder,
        &["sample", "run", "--steps", "2", "--out", "a.png"],
    );
}

#[test]
fn a_reader_that_goes_away_does_not_end_a_run() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = start(&folder, "40", &["--json"]);
    let mut first = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut first)
        .unwrap();
    assert!(first.starts_with("{\"step\":0,"));
    drop(child.stderr.take());
    assert!(child.wait().unwrap().success());
    assert_eq!(metrics(&folder.path().join("run/metrics.jsonl")).len(), 40);
    assert!(folder.path().join("run/summary.json").exists());
}

/// The program under a limit on the size of files, which fails writes in the middle as a full disk does.
#[cfg(unix)]
fn limited(folder: &TempDir, blocks: u32, arguments: &[&str]) -> Command {
    // The caches of compiled shaders, ours and the driver's, would meet the limit as well.
    let program = afterimage(folder, &[arguments, &["--no-cache"]].concat());
    let mut command = Command::new("sh");
    // Ignored signals stay ignored in the program, so that writes fail instead.
    command.args(["-c", "trap '' XFSZ; ulimit -f \"$0\"; exec \"$@\""]);
    command.arg(blocks.to_string()).arg(program.get_program());
    command.args(program.get_args()).current_dir(folder);
    command.env("MESA_SHADER_CACHE_DISABLE", "true");
    command
}

#[test]
#[cfg(unix)]
fn a_full_disk_tears_no_file() {
    let folder = tempfile::tempdir().unwrap();
    checkpoint(&folder, "moons", POINT_LAYERS);
    let sample = |count: &'static str| {
        [
            "sample",
            "model.safetensors",
            "--quiet",
            "--steps",
            "1",
            "--out",
            "a.npy",
            "--count",
            count,
        ]
    };
    run(&folder, &sample("2"));
    // 8,192 bytes or 16,384, whichever size of block the shell has; the file would have 80,000.
    refuses(
        &folder,
        limited(&folder, 16, &sample("10000")),
        &["a.npy", "quota or file-size limit"],
    );

    // Room for the configuration, but not for the metrics of all steps.
    let mut more = vec!["--quiet", "--out", "run"];
    more.extend(["--set", "run.steps=1000", "--set", "run.sample_every=0"]);
    let arguments = tiny("moons", POINT_LAYERS, &more);
    let output = limited(&folder, 64, &arguments).output().unwrap();
    let errors = stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{errors}");
    assert_eq!(errors.lines().count(), 1, "{errors}");
    assert!(errors.contains("metrics.jsonl"), "{errors}");
    let rows = metrics(&folder.path().join("run/metrics.jsonl"));
    assert!(rows.len() > 10 && rows.len() < 1000);
    run(&folder, &["sample", "run", "--steps", "2", "--count", "2"]);
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_device_behind_stdout_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let full = || fs::File::options().write(true).open("/dev/full").unwrap();
    let mut command = afterimage(&folder, &["presets"]);
    command.stdout(full());
    refuses(&folder, command, &["stdout", "check where it is sent"]);
    let mut command = afterimage(
        &folder,
        &tiny("moons", POINT_LAYERS, &["--quiet", "--json"]),
    );
    let output = command.stdout(full()).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let errors = stderr(&output);
    assert!(
        errors.starts_with("error: writing to stdout failed"),
        "{errors}"
    );
    // The run is whole.
    assert_eq!(
        metrics(&folder.path().join("runs/moons/metrics.jsonl")).len(),
        6
    );
}

#[test]
fn the_command_line_itself_is_checked() {
    let folder = tempfile::tempdir().unwrap();
    for arguments in [
        &["tarin", "digits"][..],
        &["train"],
        &["train", "digits", "--sed", "1"],
        &["sample", "x", "--count", "0"],
        &["train", "digits", "--seed", "-1"],
        &["train", "digits", "--retune", "--no-tune"],
    ] {
        let output = tuning(&folder, arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(stderr(&output).starts_with("error: "), "{arguments:?}");
    }
}

#[test]
fn what_was_compiled_is_kept_unless_that_is_switched_off_or_impossible() {
    let folder = TempDir::new().unwrap();
    checkpoint(&folder, "moons", POINT_LAYERS)
        .save(&folder.path().join("model.safetensors"))
        .unwrap();
    let sample = |cache: &Path, more: &[&str]| {
        let arguments = ["sample", "model.safetensors", "--steps=2", "--count=4"];
        let mut command = afterimage(&folder, &[&arguments[..], more].concat());
        let output = command.env("AFTERIMAGE_CACHE", cache).output().unwrap();
        assert!(output.status.success(), "{}", stderr(&output));
        stderr(&output).to_owned()
    };
    let cache = folder.path().join("made/if/missing");
    sample(&cache, &["--no-cache"]);
    assert!(!cache.exists());
    let errors = sample(&cache, &[]);
    assert!(!errors.contains("WARN"), "{errors}");
    // Only Vulkan lets compiled pipelines be kept.
    let adapter = Executor::open(&AdapterChoice::Best, ExecutorOptions::default()).unwrap();
    if adapter.adapter().backend == "vulkan" {
        // Beside it there may be a folder for the driver's own cache.
        let names = names_in(&cache);
        assert!(
            names
                .iter()
                .any(|name| name.ends_with(env!("CARGO_PKG_VERSION"))),
            "{names:?}"
        );
        let below_a_file = folder.path().join("model.safetensors/cache");
        let errors = sample(&below_a_file, &[]);
        assert_eq!(errors.matches("--no-cache").count(), 1, "{errors}");
    }
}

#[test]
fn kernels_are_measured_once_and_change_no_result() {
    let folder = TempDir::new().unwrap();
    let cache = folder.path().join("cache");
    let mut runs = 0;
    // Trains once, and says whether kernels were measured and what was trained.
    let mut train = |more: &[&str]| {
        runs += 1;
        let out = format!("run-{runs}");
        let arguments = tiny("moons", POINT_LAYERS, &["--out", &out]);
        let mut command = tuning(&folder, &[&arguments[..], more].concat());
        let output = command.env("AFTERIMAGE_CACHE", &cache).output().unwrap();
        assert!(output.status.success(), "{}", stderr(&output));
        let checkpoint = folder
            .path()
            .join(out)
            .join("checkpoints/000006.safetensors");
        let tuned = stderr(&output).contains("kernels   tuned ");
        (tuned, fs::read(checkpoint).unwrap())
    };
    let tables = || {
        let names = fs::read_dir(&cache).into_iter().flatten();
        let names = names.map(|entry| entry.unwrap().file_name());
        names
            .filter(|name| name.to_string_lossy().starts_with("tuning-"))
            .count()
    };
    let (tuned, estimated) = train(&["--no-tune"]);
    assert!(!tuned && tables() == 0);
    let (_, unasked) = train(&[]);
    assert!(unasked == estimated, "another model by known kernels");
    let (tuned, model) = train(&["--retune"]);
    assert!(tuned && tables() == 1);
    assert!(model == estimated, "another model by measured kernels");
    let (_, model) = train(&[]);
    assert!(
        model == estimated,
        "another model by kernels from the table"
    );
    assert!(!train(&["--no-tune"]).0);
    assert!(train(&["--retune", "--no-cache"]).0);
}
