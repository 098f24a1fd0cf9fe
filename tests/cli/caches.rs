//! What is kept between runs: compiled and measured kernels.

use crate::checkpoint::{IMAGE_LAYERS, POINT_LAYERS};
use crate::command::{afterimage, stderr, tuning};
use crate::setup::{checkpoint, names_in, tiny};
use afterimage::config::{self, KernelFamily, Word};
use afterimage::gpu::{AdapterChoice, AdapterKind, Executor, ExecutorOptions};
use afterimage::model::Model;
use serde_json::Value;
use std::fs;
use std::path::Path;
use tempfile::TempDir;

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
    // Trains once, and gives whether kernels were measured, what was trained, and what was said.
    let mut train = |more: &[&str]| {
        runs += 1;
        let out = format!("run-{runs}");
        // Of images: software drivers compute small networks over points in one launch, of which nothing is measured.
        let arguments = tiny("digits", IMAGE_LAYERS, &["--out", &out]);
        let mut command = tuning(&folder, &[&arguments[..], more].concat());
        let output = command.env("AFTERIMAGE_CACHE", &cache).output().unwrap();
        assert!(output.status.success(), "{}", stderr(&output));
        let checkpoint = folder
            .path()
            .join(out)
            .join("checkpoints/000006.safetensors");
        let tuned = stderr(&output).contains("kernels   tuned ");
        let said = stderr(&output).to_owned();
        (tuned, fs::read(checkpoint).unwrap(), said)
    };
    let tables = || {
        let names = fs::read_dir(&cache).into_iter().flatten();
        let names = names.map(|entry| entry.unwrap().file_name());
        names
            .filter(|name| name.to_string_lossy().starts_with("tuning-"))
            .count()
    };
    let (tuned, estimated, _) = train(&["--no-tune"]);
    assert!(!tuned && tables() == 0);
    let (_, unasked, _) = train(&[]);
    assert!(unasked == estimated, "another model by known kernels");
    let (tuned, model, _) = train(&["--retune"]);
    assert!(tuned && tables() == 1);
    assert!(model == estimated, "another model by measured kernels");
    let (_, model, _) = train(&[]);
    assert!(
        model == estimated,
        "another model by kernels from the table"
    );
    assert!(!train(&["--no-tune"]).0);
    // The driver's kernels are not kept then either: the fewer there are the better.
    let smallest = ["--set", "network.layers=[{dense=1}]"];
    let without_cache = [&["--retune", "--no-cache"][..], &smallest].concat();
    let (tuned, _, said) = train(&without_cache);
    assert!(tuned);
    // Of families of kernels there is one on GPUs.
    let adapter = Executor::open(&AdapterChoice::Best, ExecutorOptions::default()).unwrap();
    let is_software = adapter.adapter().kind == AdapterKind::Cpu;
    assert_eq!(said.contains("nothing keeps that"), is_software, "{said}");
}

/// Has every run that keeps its cache in `folder` measure the families of kernels so that `lanes` takes so many milliseconds,
/// and the other 1.
fn lanes_take(folder: &Path, milliseconds: f64) {
    let names = names_in(folder).into_iter();
    let mut names = names.filter(|name| name.starts_with("kernels-"));
    let path = folder.join(names.next().expect("families were measured"));
    assert_eq!(names.next(), None);
    let mut kept: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    let trials = kept["trials"].as_array_mut().unwrap();
    for trial in trials {
        let ran = match trial["family"].as_str() {
            Some("lanes") => milliseconds,
            _ => 1.0,
        };
        trial["outcome"] = serde_json::json!({"ran": {"milliseconds": ran}});
    }
    fs::write(path, kept.to_string()).unwrap();
}

#[test]
fn a_run_keeps_to_the_kernels_that_it_began_with() {
    let adapter = Executor::open(&AdapterChoice::Best, ExecutorOptions::default()).unwrap();
    if adapter.adapter().kind == AdapterKind::Gpu {
        println!("skipped: families of kernels are measured on software adapters only");
        return;
    }
    let folder = TempDir::new().unwrap();
    let cache = folder.path().join("cache");
    let said = |arguments: &[&str]| {
        let mut command = tuning(&folder, arguments);
        let output = command.env("AFTERIMAGE_CACHE", &cache).output().unwrap();
        assert!(output.status.success(), "{}", stderr(&output));
        stderr(&output).to_owned()
    };
    let train = |source: &str, more: &[&str]| {
        said(&tiny(
            source,
            POINT_LAYERS,
            &[&["--no-tune"], more].concat(),
        ))
    };
    let of = |run: &str, name: &str| folder.path().join(run).join(name);
    let family = |run: &str| {
        let config = fs::read_to_string(of(run, "config.toml")).unwrap();
        let family = config::parse(&config, "it").unwrap().run.kernels.unwrap();
        let last = names_in(&of(run, "checkpoints")).into_iter();
        let mut last = last.filter(|name| name.starts_with("0000") && !name.contains("live"));
        let checkpoint = of(run, "checkpoints").join(last.next_back().unwrap());
        let stored = Model::load(&checkpoint).unwrap().config().run.kernels;
        assert_eq!(stored, Some(family), "{}", checkpoint.display());
        let summary: Value =
            serde_json::from_slice(&fs::read(of(run, "summary.json")).unwrap()).unwrap();
        assert_eq!(summary["kernels"]["family"], family.name());
        let page = fs::read_to_string(of(run, "report.html")).unwrap();
        assert!(page.contains(&format!("Computed by the kernels {} (", family.name())));
        (
            family,
            summary["kernels"]["by"].as_str().unwrap().to_owned(),
        )
    };

    // Leaves what was measured, whatever that is.
    said(&tiny(
        "moons",
        "network.layers=[{dense=1}]",
        &["--retune", "--out", "measured"],
    ));
    lanes_take(&cache, 0.1);
    let errors = train("moons", &["--out", "run"]);
    assert!(
        errors.contains("kernels   lanes (measured on this driver"),
        "{errors}"
    );
    let began = (KernelFamily::Lanes, "measurement".to_owned());
    assert_eq!(family("run"), began);
    let listed = said(&["devices"]);
    assert_eq!(listed, "", "what is listed goes to stdout");

    // Whatever is measured meanwhile.
    lanes_take(&cache, 10.0);
    train("moons", &["--out", "other"]);
    assert_eq!(family("other").0, KernelFamily::Texel);
    // Repeated from its file, to the same bits.
    said(&["train", "run/config.toml", "--no-tune", "--out", "again"]);
    assert_eq!(family("again"), (KernelFamily::Lanes, "asked".to_owned()));
    let bits = |run: &str| fs::read(of(run, "checkpoints/000006.safetensors")).unwrap();
    assert!(bits("run") == bits("again"), "another model");
    // And where it goes on.
    let resumed = [
        "train",
        "--resume",
        "run",
        "--no-tune",
        "--set",
        "run.steps=8",
    ];
    let errors = said(&resumed);
    assert!(errors.contains("kernels   lanes ("), "{errors}");
    assert_eq!(family("run"), began);
    // What only reads the model takes what suits the adapter, and says so.
    let sample = ["sample", "run", "--no-tune", "--steps=2", "--count=4"];
    let errors = said(&sample);
    assert!(
        errors.contains("trained by the kernels lanes, and this computes by texel ("),
        "{errors}"
    );
    let errors = said(&[&sample[..], &["--kernels", "lanes"]].concat());
    assert!(!errors.contains("trained by"), "{errors}");

    // Who asks for others gets them, and is warned.
    let longer = [
        "train",
        "--resume",
        "run",
        "--no-tune",
        "--set",
        "run.steps=9",
        "--kernels",
        "texel",
    ];
    let errors = said(&longer);
    assert!(
        errors.contains("warning: the run was computed by the kernels lanes and goes on by texel"),
        "{errors}"
    );
    assert_eq!(family("run"), (KernelFamily::Texel, "asked".to_owned()));
}
