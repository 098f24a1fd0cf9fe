//! What is kept between runs: compiled and measured kernels.

use crate::checkpoint::POINT_LAYERS;
use crate::command::{afterimage, stderr, tuning};
use crate::setup::{checkpoint, names_in, tiny};
use afterimage::gpu::{AdapterChoice, Executor, ExecutorOptions};
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
    // The driver's kernels are not kept then either: the fewer there are the better.
    let smallest = ["--set", "network.layers=[{dense=1}]"];
    let without_cache = [&["--retune", "--no-cache"][..], &smallest].concat();
    assert!(train(&without_cache).0);
}
