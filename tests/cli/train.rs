//! Training.

use crate::checkpoint::{IMAGE_LAYERS, POINT_LAYERS, metrics};
use crate::command::{afterimage, run, stderr, stdout};
use crate::setup::{names_in, npy, size_of_picture, tiny, write_npy};
use afterimage::config::{self, KernelFamily, Word};
use afterimage::low_level::checkpoint::TensorFile;
use serde_json::Value;
use std::fs;
use std::process::{Child, Stdio};

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
        let mut asked = config::load(preset, &sets).unwrap();
        // Which kernels a software adapter has is written down beside what was asked for.
        let summary: Value =
            serde_json::from_slice(&fs::read(run.join("summary.json")).unwrap()).unwrap();
        asked.run.kernels = match summary["kernels"]["by"].as_str() {
            Some("adapter") => None,
            _ => KernelFamily::named(summary["kernels"]["family"].as_str().unwrap()),
        };
        assert_eq!(written, asked);

        let rows = metrics(&run.join("metrics.jsonl"));
        let steps: Vec<u64> = rows.iter().map(|row| row.step).collect();
        assert_eq!(steps, [0, 1, 2, 3, 4, 5]);
        assert!(
            rows.iter()
                .all(|row| row.loss.is_finite() && row.loss > 0.0)
        );

        // Of pictures also those of the same chains each time.
        let chains: &[&str] = match preset {
            "digits" => &["000002.chains.png", "000004.chains.png"],
            _ => &[],
        };
        let mut along = [chains, &["000002.png", "000004.png"]].concat();
        along.sort();
        assert_eq!(names_in(&run.join("samples")), along);
        assert_eq!(
            names_in(&run.join("checkpoints")),
            [
                "000004.chains.safetensors",
                "000004.live.safetensors",
                "000004.safetensors",
                "000006.chains.safetensors",
                "000006.live.safetensors",
                "000006.safetensors",
            ]
        );
        let mut pictures = vec!["samples.png", "curves.png", "samples/000002.png"];
        pictures.extend(["energies.png", "training.gif"]);
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
        for wanted in [
            "curves.png",
            "energies.png",
            "samples",
            "training.gif",
            "checkpoints/000006.safetensors",
        ] {
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
    let snapshots = runs.join("digits/snapshots");
    assert_eq!(names_in(&snapshots).len(), 6);
    train(&["--quiet", "--force", "--set", "run.steps=2"]);
    // None of the longer run is left among its own.
    assert_eq!(
        names_in(&snapshots),
        ["000000.safetensors", "000001.safetensors"]
    );
    assert_eq!(
        names_in(&runs.join("digits/checkpoints")),
        [
            "000002.chains.safetensors",
            "000002.live.safetensors",
            "000002.safetensors"
        ]
    );
    assert_eq!(metrics(&runs.join("digits/metrics.jsonl")).len(), 2);
    assert!(runs.join("digits/notes.txt").exists());
    assert_eq!(names_in(&runs).len(), 3);
}

#[test]
fn runs_that_start_together_get_folders_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let start = |_| {
        let mut command = afterimage(&folder, &tiny("moons", POINT_LAYERS, &["--quiet"]));
        command.stderr(Stdio::piped()).spawn().unwrap()
    };
    let children: Vec<Child> = (0..8).map(start).collect();
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", stderr(&output));
    }
    let runs = folder.path().join("runs");
    let mut names: Vec<String> = (2..=8).map(|number| format!("moons-{number}")).collect();
    names.insert(0, "moons".into());
    assert_eq!(names_in(&runs), names);
    for name in names {
        assert_eq!(metrics(&runs.join(&name).join("metrics.jsonl")).len(), 6);
        let last = "checkpoints/000006.safetensors";
        assert!(runs.join(&name).join(last).exists(), "{name}");
        let summary = fs::read(runs.join(&name).join("summary.json")).unwrap();
        let summary: Value = serde_json::from_slice(&summary).unwrap();
        assert_eq!(summary["folder"], format!("runs/{name}"));
    }
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

/// Six steps are fewer than the snapshots that may be kept; what is kept is a model that others can be asked of, and training
/// does not notice.
#[test]
fn snapshots_are_kept_and_change_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let train = |out: &str, more: &[&str]| {
        let fixed = ["--quiet", "--out", out];
        run(
            &folder,
            &tiny("digits", IMAGE_LAYERS, &[&fixed, more].concat()),
        );
        let file = folder
            .path()
            .join(out)
            .join("checkpoints/000006.live.safetensors");
        (
            TensorFile::load(&file).unwrap().tensors,
            metrics(&folder.path().join(out).join("metrics.jsonl")),
        )
    };
    let (with, rows) = train("with", &[]);
    let (without, other_rows) = train("without", &["--set", "run.keep_snapshots=0"]);
    assert!(with == without);
    for (row, other) in rows.iter().zip(&other_rows) {
        assert_eq!(row.loss.to_bits(), other.loss.to_bits());
        assert_eq!(row.energy_data.to_bits(), other.energy_data.to_bits());
    }
    assert!(!folder.path().join("without/snapshots").exists());
    let names: Vec<String> = (0..6)
        .map(|step| format!("{step:06}.safetensors"))
        .collect();
    assert_eq!(names_in(&folder.path().join("with/snapshots")), names);

    // The snapshot of step 4 is what the optimiser had made of the weights by then.
    let at_four = |name: &str| {
        let file = TensorFile::load(&folder.path().join("with").join(name)).unwrap();
        assert_eq!(file.metadata["step"], "4");
        file.tensors
    };
    let snapshot = at_four("snapshots/000004.safetensors");
    assert!(snapshot == at_four("checkpoints/000004.live.safetensors"));
    let scored = ["energy", "with/snapshots/000004.safetensors", "digits"];
    run(&folder, &[&scored[..], &["--weights", "live"]].concat());

    let refused = tiny(
        "digits",
        IMAGE_LAYERS,
        &[
            "--set",
            "network.base=none",
            "--set",
            "run.keep_snapshots=5",
        ],
    );
    let refused = afterimage(&folder, &refused).output().unwrap();
    assert!(!refused.status.success());
    assert!(
        stderr(&refused).contains("run.keep_snapshots"),
        "{}",
        stderr(&refused)
    );
}

/// Folders may be called anything but what holds a zero byte; file systems of other systems refuse such names.
#[cfg(target_os = "linux")]
#[test]
fn a_folder_whose_name_is_not_utf8_takes_a_whole_run() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    let folder = tempfile::tempdir().unwrap();
    let name = OsStr::from_bytes(b"run-\xff");
    let mut command = afterimage(&folder, &tiny("8gaussians", POINT_LAYERS, &[]));
    let output = command.arg("--out").arg(name).output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    let run = folder.path().join(name);
    let summary: Value =
        serde_json::from_slice(&fs::read(run.join("summary.json")).unwrap()).unwrap();
    assert_eq!(summary["folder"], "run-\u{fffd}");
    assert_eq!(
        summary["checkpoint"],
        "run-\u{fffd}/checkpoints/000006.safetensors"
    );
    let page = fs::read_to_string(run.join("report.html")).unwrap();
    assert!(page.contains("run-\u{fffd}"));
}
