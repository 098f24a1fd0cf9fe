//! Which data an evaluation is of: what a run has held out, as long as its data are those that it has recorded.

use crate::command::{run, stderr, stdout};
use crate::of_models::gaussian;
use afterimage::config;
use afterimage::data::{self, Scaling};
use afterimage::low_level::checkpoint::TensorFile;
use afterimage::model::Model;
use afterimage::shape::Shape;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

const SETTINGS: [&str; 3] = [
    "run.sample_steps=8",
    "sampler.steps=2",
    "network.base=gaussian",
];
const CHECKPOINT: &str = "run/checkpoints/000007.safetensors";

/// The model with what a run records of its data.
pub fn recorded(settings: &[&str]) -> Model {
    let model = gaussian(&[&SETTINGS[..], settings].concat());
    let data = data::open(&model.config().data.options(), 1).expect("can be read");
    model.with_data_record(data.record().expect("is finite").clone())
}

pub fn folder_with(model: &Model) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    fs::create_dir_all(folder.path().join("run/checkpoints")).expect("a folder");
    model
        .save(&folder.path().join(CHECKPOINT))
        .expect("is saved");
    let written = folder.path().join("run/evaluation.json");
    (folder, written)
}

/// What the command says, and what it has written.
pub fn evaluate(folder: &TempDir, written: &Path, arguments: &str) -> (String, Value) {
    let all: Vec<&str> = ["evaluate", "run"]
        .into_iter()
        .chain(arguments.split(' '))
        .collect();
    let said = stderr(&run(folder, &all)).to_owned();
    let text = fs::read(written).expect("is written");
    (said, serde_json::from_slice(&text).expect("is JSON"))
}

#[test]
fn what_a_run_has_held_out_is_scored() {
    let (folder, written) = folder_with(&recorded(&[]));
    let (said, found) = evaluate(
        &folder,
        &written,
        "--only samples,stability,likelihood,outside --against digits --count 40 --evaluations 150000",
    );
    let record = &found["data_record"];
    assert_eq!(
        (&record["training"]["count"], &record["held_out"]["count"]),
        (&1617.into(), &180.into())
    );
    // 180 are too few to compare others with, and enough for all else.
    let samples = &found["sample_quality"];
    assert_eq!(samples["data_is"], "training data");
    assert_eq!(samples["distances"]["data"], 1617);
    assert_eq!(samples["nearest_is"], "held-out data");
    assert_eq!(
        (
            &samples["nearest"]["training"],
            &samples["nearest"]["held_out"]
        ),
        (&1617.into(), &180.into())
    );
    assert_eq!(found["stability"]["data_is"], "held-out data");
    assert_eq!(found["stability"]["chains"], 128);
    let outside = &found["outside"];
    assert_eq!(
        (
            &outside["inside_is"],
            &outside["inside"],
            &outside["outside"]
        ),
        (&"held-out data".into(), &180.into(), &1797.into())
    );
    let scored = &found["likelihood"]["data"];
    assert_eq!(
        (&scored["which"], &scored["count"]),
        (&"held-out data".into(), &180.into())
    );
    assert!(scored["gaussian_fitted_to_scored_data"].is_null());
    let others = scored["comparison"].as_array().expect("a list");
    let names: Vec<&Value> = others.iter().map(|other| &other["name"]).collect();
    assert_eq!(names, ["gaussian", "kernel density"]);
    let number = |value: &Value| value.as_f64().expect("a number");
    let model = number(&scored["log_likelihood"]["value"]);
    for other in others {
        assert_eq!(other["training"], 1617);
        let own = number(&other["log_likelihood"]["value"]);
        let difference = &other["difference"];
        assert!((number(&difference["value"]) - (model - own)).abs() < 1e-9);
        let [low, high] = [0, 1].map(|end| number(&difference["interval"][end]));
        // exp(−E) of weights 0 is N(0, 0.5²), which knows nothing of digits.
        assert!(low < high && high < 0.0, "{difference}");
        // The same density in units of raw values, which are 8 times as wide.
        let bits = -(own / std::f64::consts::LN_2 - 64.0 * 3.0) / 64.0;
        assert!((number(&other["bits_per_dimension"]["value"]) - bits).abs() < 1e-9);
    }
    assert!(number(&others[1]["bandwidth"]) > 0.0);
    for wanted in [
        "180 samples of digits (held-out data) with noise 0.1",
        "fitted to 1617 training samples",
        "128 chains from held-out data",
        "of held-out data",
    ] {
        assert!(said.contains(wanted), "no '{wanted}' in {said}");
    }

    // Named data are scored whole, and the run's own stay what it was trained on.
    let (said, found) = evaluate(&folder, &written, "--only samples --count 40 --data digits");
    assert!(said.contains("held-out data of it are evaluated"), "{said}");
    assert_eq!(found["sample_quality"]["nearest_is"], "held-out data");
}

/// Some digits as a file of bytes.
pub fn write_digits(path: &Path, count: usize) -> Vec<u8> {
    let digits = data::open(&gaussian(&[]).config().data.options(), 1).expect("are embedded");
    let values = digits.whole().samples(0..count);
    let raw = values.iter().map(|value| ((value + 1.0) * 8.0) as u8);
    let side = |value: u32| value.to_be_bytes();
    let sides = [count as u32, 8, 8].map(side).concat();
    let bytes = [vec![0, 0, 8, 3], sides, raw.collect()].concat();
    fs::write(path, &bytes).expect("is written");
    bytes
}

#[test]
fn data_that_changed_in_place_are_noticed() {
    let elsewhere = tempfile::tempdir().expect("a folder");
    let file = elsewhere.path().join("digits.idx");
    let mut bytes = write_digits(&file, 300);
    let path = format!("data.path={}", file.display());
    let settings = ["data.source=idx", &path, "data.range=[0,16]"];
    let (folder, written) = folder_with(&recorded(&settings));
    let (said, before) = evaluate(&folder, &written, "--only stability");
    assert!(!said.contains("warning"), "{said}");
    // 30 are too few for 128 chains.
    assert_eq!(before["stability"]["data_is"], "training data");

    // One value of one sample; path, size and kind are as they were.
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::write(&file, bytes).expect("is written");
    let (said, after) = evaluate(&folder, &written, "--only samples --count 40");
    for wanted in [
        "is not what the run has recorded",
        "begun anew",
        "against changed data",
    ] {
        assert!(said.contains(wanted), "no '{wanted}' in {said}");
    }
    assert!(after["stability"].is_null());
    assert_ne!(after["data_record"], before["data_record"]);
    assert_eq!(after["sample_quality"]["data_is"], "changed data");
    assert!(after["sample_quality"]["nearest_is"].is_null());

    // They are nothing to compare with, either.
    let own = fs::read(&written).expect("is written");
    let by_digits = written.with_file_name("evaluation-digits.json");
    let line = "--only samples --count 40 --data digits";
    let (said, named) = evaluate(&folder, &by_digits, line);
    // The figures by the run's own stay.
    assert_eq!(fs::read(&written).expect("is there"), own);
    assert!(said.contains("which have changed since the run"), "{said}");
    assert_eq!(named["sample_quality"]["data_is"], "named data");
    assert_eq!(named["data"]["source"], "digits");
    assert!(named["sample_quality"]["nearest"]["not_valid"].is_string());

    // Named, they are not called held out, either.
    let line = format!("--only outside --against digits --data {}", file.display());
    let (said, _) = evaluate(&folder, &written, &line);
    assert!(said.contains("changed data of it are evaluated"), "{said}");
}

#[test]
fn named_files_are_read_by_what_they_are() {
    let (folder, written) = folder_with(&recorded(&[]));
    write_digits(&folder.path().join("mine.idx"), 150);
    let written = written.with_file_name("evaluation-mine.json");
    let (_, found) = evaluate(
        &folder,
        &written,
        "--only samples,likelihood --count 40 --evaluations 150000 --data mine.idx",
    );
    assert_eq!(found["data"]["source"], "idx");
    assert_eq!(found["sample_quality"]["data_is"], "named data");
    assert_eq!(found["sample_quality"]["distances"]["data"], 150);
    let scored = &found["likelihood"]["data"];
    assert_eq!(
        (&scored["which"], &scored["count"]),
        (&"named data".into(), &150.into())
    );
    assert_eq!(scored["comparison"][1]["training"], 1617);
}

/// As checkpoints were before there was `data.held_out`.
#[test]
fn runs_from_before_the_split_have_held_out_nothing() {
    let model = gaussian(&SETTINGS);
    assert_eq!(model.config().data.held_out, 0.1);
    let (folder, written) = folder_with(&model);
    let path = folder.path().join(CHECKPOINT);
    let mut file = TensorFile::load(&path).expect("is read");
    let config = file.metadata.get_mut("config").expect("has one");
    let lines = config
        .lines()
        .filter(|line| !line.starts_with("held_out = "));
    *config = lines.collect::<Vec<_>>().join("\n");
    file.save(&path).expect("is saved");
    let old = Model::load(&path).expect("is read");
    assert_eq!(old.config().data.held_out, 0.0);
    assert!(old.data_record().is_none() && old.notes().is_empty());
    let (said, found) = evaluate(&folder, &written, "--only samples --count 40");
    assert_eq!(found["sample_quality"]["data_is"], "training data");
    assert_eq!(found["data_record"]["training"]["count"], 1797);
    assert!(!said.contains("note: the checkpoint"), "{said}");
}

/// What a run has seen of a generated set does not depend on what is set now.
#[test]
fn points_are_fresh_whatever_limit_is_set() {
    let folder = tempfile::tempdir().expect("a folder");
    let sets = [
        "data.limit=40",
        "network.layers=[{dense=1}]",
        "network.base=gaussian",
    ]
    .map(String::from);
    let config = config::load("moons", &sets).expect("a valid configuration");
    let scaling = Scaling::unscaled(-4.0, 4.0);
    let model = Model::new(config, Shape::new(2, 1, 1), scaling, vec![0.0; 3], 7).expect("fits");
    let path = folder.path().join("moons.safetensors");
    model.save(&path).expect("is saved");
    let scored = |set: &str| -> Value {
        let arguments =
            "evaluate moons.safetensors --only density --samples 0 --tolerance 0.01 --json --set";
        let arguments: Vec<&str> = arguments.split(' ').chain([set]).collect();
        let output = run(&folder, &arguments);
        let found: Value = serde_json::from_str(stdout(&output)).expect("one object");
        found["data_sample"].clone()
    };
    let own = scored("data.limit=40");
    assert!(own["nll"].is_number(), "{own}");
    assert_eq!(own, scored("data.limit=0"));
}
