//! `afterimage evaluate --only samples,outside`.

use crate::command::{afterimage, run, stderr, stdout};
use crate::of_models::{gaussian, gaussian_of};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A folder as a run leaves it, with a model of few steps.
fn run_folder() -> (TempDir, PathBuf) {
    run_folder_of(&["run.sample_steps=8", "sampler.steps=2"])
}

fn run_folder_of(settings: &[&str]) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let run = folder.path().join("run");
    fs::create_dir_all(run.join("checkpoints")).expect("a folder");
    let model = gaussian(settings);
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
    assert_eq!(written["seconds"]["samples"], printed["seconds"]["samples"]);
    // Two pairs of rows of twelve 8×8 pictures, enlarged six times, with 2 pixels between.
    let picture = image::open(path.join("neighbours.png")).expect("is a picture");
    assert_eq!(
        (picture.width(), picture.height()),
        (12 * 50 + 2, 4 * 50 + 2)
    );
}

fn evaluate(folder: &TempDir, arguments: &str) -> String {
    let arguments: Vec<&str> = arguments.split(' ').collect();
    stderr(&run(folder, &arguments)).to_owned()
}

fn written(run: &Path) -> (String, Value) {
    let text = fs::read_to_string(run.join("evaluation.json")).expect("is written");
    let value = serde_json::from_str(&text).expect("is JSON");
    (text, value)
}

/// The lines of the object under `key` of the outermost one.
fn lines_of(text: &str, key: &str) -> Vec<String> {
    let start = format!("  \"{key}\": {{");
    let lines = text.lines().skip_while(|line| *line != start);
    let inside = lines.take_while(|line| !line.starts_with("  }"));
    inside.map(str::to_owned).collect()
}

#[test]
fn a_file_holds_parts_of_the_same_weights_and_data_only_and_keeps_their_bytes() {
    let (folder, path) = run_folder();
    evaluate(&folder, "evaluate run --only samples --count 40");
    let (first, _) = written(&path);
    let errors = evaluate(&folder, "evaluate run --only stability");
    assert!(!errors.contains("begun anew"), "{errors}");
    let (second, both) = written(&path);
    let lines = lines_of(&first, "sample_quality");
    assert!(lines.len() > 50, "{first}");
    assert_eq!(lines_of(&second, "sample_quality"), lines);
    assert!(both["seconds"]["samples"].is_number() && both["seconds"]["stability"].is_number());

    // Other data, if only fewer: no part of the same evaluation, though source, noise and step are equal.
    let errors = evaluate(
        &folder,
        "evaluate run --only samples --count 40 --set data.limit=500",
    );
    assert!(errors.contains("begun anew"), "{errors}");
    // They are still what the model was trained on.
    assert!(errors.contains("against training data"), "{errors}");
    let (_, limited) = written(&path);
    assert!(limited["stability"].is_null(), "{limited}");
    assert_eq!(limited["data"]["limit"], 500);

    // Other weights of the same step.
    let other = gaussian_of(vec![1e-3; 65], &["run.sample_steps=8", "sampler.steps=2"]);
    let checkpoint = path.join("checkpoints/000007.safetensors");
    other.save(&checkpoint).expect("is saved");
    let errors = evaluate(
        &folder,
        "evaluate run --only stability --set data.limit=500",
    );
    assert!(errors.contains("begun anew"), "{errors}");
    assert!(written(&path).1["sample_quality"].is_null());
}

/// Some digits in a file of their own.
fn write_digits(path: &Path, from: usize, count: usize) {
    let options = gaussian(&[]).config().data.options();
    let data = afterimage::data::open(&options, 0)
        .expect("are embedded")
        .whole();
    let bytes = npy(&data.samples(from..from + count), count);
    fs::write(path, bytes).expect("is written");
}

/// NPY version 1 of pictures of 8×8.
fn npy(values: &[f32], count: usize) -> Vec<u8> {
    let mut header =
        format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({count}, 1, 8, 8), }}");
    // Magic, version and length take ten bytes; all ends with a line feed at a multiple of 64.
    while (10 + header.len() + 1) % 64 != 0 {
        header.push(' ');
    }
    header.push('\n');
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
    bytes
}

#[test]
fn named_data_are_held_out_and_the_runs_own_are_what_it_learned_from() {
    let (folder, path) = run_folder();
    write_digits(&folder.path().join("held.npy"), 0, 100);
    let errors = evaluate(
        &folder,
        "evaluate run --only samples --count 40 --set data.source=npy --set data.path=held.npy",
    );
    assert!(errors.contains("against named data"), "{errors}");
    assert!(!path.join("evaluation.json").exists());
    let text = fs::read(path.join("evaluation-held.json")).expect("is written");
    let figures: Value = serde_json::from_slice(&text).expect("is JSON");
    // What the run holds out of its own is not held out of these.
    assert_eq!(figures["data"]["held_out"], 0.0);
    let nearest = &figures["sample_quality"]["nearest"];
    assert_eq!(
        (&nearest["training"], &nearest["held_out"]),
        (&1797.into(), &100.into()),
        "{errors}"
    );
    // These are among the training data, and so nearer to them than any sample.
    assert_eq!(nearest["copying"]["value"], 0.0, "{nearest}");
    let distances = &figures["sample_quality"]["distances"];
    assert_eq!(distances["data"], 100, "{distances}");
}

#[test]
fn what_nobody_asked_for_by_name_takes_nothing_from_the_others() {
    let (folder, path) = run_folder_of(&[
        "run.sample_steps=8",
        "sampler.steps=2",
        "network.base=gaussian",
    ]);
    // One datum: chains cannot be told stable by it. And log Z is not to be had of sixteen evaluations.
    let errors = evaluate(
        &folder,
        "evaluate run --count 40 --evaluations 16 --set data.limit=1",
    );
    for wanted in [
        "warning: stability is not valid: chains from data: 1 points, but it takes at least 2",
        "warning: likelihood is not valid: ",
    ] {
        assert!(errors.contains(wanted), "no '{wanted}' in {errors}");
    }
    let (_, figures) = written(&path);
    assert_eq!(figures["sample_quality"]["count"], 40);
    for part in ["stability", "likelihood"] {
        assert!(figures[part]["not_valid"].is_string(), "{figures}");
    }
    // By name it is an error.
    let arguments = [
        "evaluate",
        "run",
        "--only",
        "likelihood",
        "--evaluations",
        "16",
    ];
    let done = afterimage(&folder, &arguments).output().expect("starts");
    assert!(!done.status.success());
}

#[test]
fn pictures_of_a_checkpoint_go_where_it_is_said_or_nowhere() {
    let (folder, _) = run_folder();
    let mine = folder.path().join("neighbours.png");
    fs::write(&mine, "mine").expect("is written");
    let evaluate = |more: &str| {
        let checkpoint = "evaluate run/checkpoints/000007.safetensors --count 40";
        evaluate(&folder, &format!("{checkpoint} {more}"))
    };
    evaluate("--only samples,stability");
    assert_eq!(fs::read(&mine).expect("is there"), b"mine");
    assert!(!folder.path().join("stability.png").exists());
    evaluate("--only samples,stability --out a.png");
    for name in ["a-neighbours.png", "a-stability.png"] {
        assert!(folder.path().join(name).is_file(), "{name}");
    }
    let errors = evaluate("--only outside --against digits --out b.png");
    assert!(errors.contains("no part made a picture"), "{errors}");
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
