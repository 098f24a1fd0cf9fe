//! `afterimage evaluate --only samples,outside`.

use crate::command::{afterimage, run, stderr, stdout};
use crate::of_models::gaussian;
use serde_json::Value;
use std::fs;
use std::path::PathBuf;
use tempfile::TempDir;

/// A folder as a run leaves it, with a model of few steps.
fn run_folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let run = folder.path().join("run");
    fs::create_dir_all(run.join("checkpoints")).expect("a folder");
    let model = gaussian(&["run.sample_steps=8"]);
    let path = run.join("checkpoints/000007.safetensors");
    model.save(&path).expect("is saved");
    (folder, run)
}

#[test]
fn it_writes_tables_pictures_and_json() {
    let (folder, path) = run_folder();
    let arguments = "evaluate run --only samples,outside --against digits --count 50 --json";
    let arguments: Vec<&str> = arguments.split(' ').collect();
    let done = run(&folder, &arguments);
    let table = stderr(&done);
    for wanted in [
        "50 samples of fresh chains after 8 steps each, in features of the digits' classifier",
        "Fréchet distance",
        "coverage",
        "digits among samples",
        "not valid: no data was held out",
        "AUROC 0.5",
        "neighbours.png",
    ] {
        assert!(table.contains(wanted), "no '{wanted}' in {table}");
    }
    let printed: Value = serde_json::from_str(stdout(&done)).expect("is JSON");
    let quality = &printed["sample_quality"];
    assert_eq!(quality["distances"]["compared"], 50);
    assert_eq!(quality["distances"]["data"], 1797);
    assert_eq!(printed["outside"]["inside_is"], "training data");
    // The same data with other noise on it.
    let auroc = printed["outside"]["auroc"]["value"]
        .as_f64()
        .expect("is a number");
    assert!((auroc - 0.5).abs() < 0.05, "{auroc}");
    let written = fs::read(path.join("evaluation.json")).expect("is written");
    assert_eq!(
        serde_json::from_slice::<Value>(&written).expect("is JSON"),
        printed
    );
    // Another part of the same evaluation joins it.
    run(
        &folder,
        &[
            "evaluate",
            "run",
            "--only",
            "outside",
            "--against",
            "digits",
            "--seed",
            "9",
        ],
    );
    let written = fs::read(path.join("evaluation.json")).expect("is written");
    let written: Value = serde_json::from_slice(&written).expect("is JSON");
    assert_eq!(written["sample_quality"], printed["sample_quality"]);
    assert_ne!(written["outside"], printed["outside"]);
    // Two pairs of rows of twelve 8×8 pictures, enlarged six times, with 2 pixels between.
    let picture = image::open(path.join("neighbours.png")).expect("is a picture");
    assert_eq!(
        (picture.width(), picture.height()),
        (12 * 50 + 2, 4 * 50 + 2)
    );
}

#[test]
fn it_refuses_what_it_cannot_compare() {
    let (folder, _) = run_folder();
    for (arguments, wanted) in [
        ("evaluate run --only outside", "--against"),
        (
            "evaluate run --only outside --against moons",
            "score data of the model's shape",
        ),
        ("evaluate run --only outside --against nowhere", "nowhere"),
    ] {
        let arguments: Vec<&str> = arguments.split(' ').collect();
        let done = afterimage(&folder, &arguments).output().expect("starts");
        assert!(!done.status.success(), "{arguments:?}");
        assert!(stderr(&done).contains(wanted), "{}", stderr(&done));
    }
    // Fewer than can be compared are no error, but no figure either.
    let done = run(
        &folder,
        &["evaluate", "run", "--only", "samples", "--count", "5"],
    );
    let wanted = "not valid: samples: 5 points, but it takes at least 20";
    assert!(stderr(&done).contains(wanted), "{}", stderr(&done));
}
