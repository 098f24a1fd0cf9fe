//! What is refused, and how it is said.

use crate::checkpoint::{IMAGE_LAYERS, POINT_LAYERS, untrained};
use crate::command::{afterimage, run, stderr, stdout, tuning};
use crate::setup::{checkpoint, refused, refuses, tiny, write_npy};
use afterimage::low_level::checkpoint::TensorFile;
use serde_json::Value;
use std::fs;

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
    energy("small.npy", &["height 4 × width 4", "height 8 × width 8"]);
    energy("nan.npy", &["finite"]);
    energy("moons", &["points in the plane", "height 8 × width 8"]);
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
        // Short runs keep no chains, so that a chosen buffer would be warned about beside the refusal.
        let short_run = [
            "--set",
            "sampler.chains=short_run",
            "--set",
            "sampler.buffer=",
        ];
        let more = [&short_run[..], &["--set", set, "--quiet"]].concat();
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
        &["train", "digits", "--kernels", "none"],
    ] {
        let output = tuning(&folder, arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(stderr(&output).starts_with("error: "), "{arguments:?}");
    }
}
