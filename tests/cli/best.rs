//! The best weights so far: which they are, and what they are good for.

use crate::checkpoint::{IMAGE_LAYERS, POINT_LAYERS, metrics};
use crate::command::{run, stderr, stdout};
use crate::resume::start;
use crate::setup::{names_in, refused, tiny};
use afterimage::config;
use afterimage::data;
use afterimage::model::{Model, Weights};
use safetensors::SafeTensors;
use serde_json::Value;
use std::fs;
use std::path::Path;
use tempfile::TempDir;

/// The buffer called `name` of the state after `steps` steps.
fn buffer(folder: &TempDir, steps: u64, name: &str) -> Vec<f32> {
    let path = format!("run/states/{steps:06}.safetensors");
    let bytes = fs::read(folder.path().join(path)).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let tensor = file.tensor(name).unwrap();
    let (words, _) = tensor.data().as_chunks::<4>();
    words.iter().map(|&word| f32::from_le_bytes(word)).collect()
}

pub fn summary(folder: &TempDir) -> Value {
    let text = fs::read(folder.path().join("run/summary.json")).unwrap();
    serde_json::from_slice(&text).unwrap()
}

/// A run whose every step leaves a state.
pub fn judged<'a>(preset: &'a str, layers: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let mut arguments = vec!["--out", "run"];
    let sets = [
        "run.steps=12",
        "run.figure_every=2",
        "run.checkpoint_every=1",
        "run.keep_checkpoints=100",
        "run.sample_every=0",
        "sampler.buffer=64",
        "sampler.probe=0",
    ];
    for set in sets.iter().chain(more) {
        arguments.extend(["--set", set]);
    }
    tiny(preset, layers, &arguments)
}

/// Does all steps of a run and stops it in what follows them, so that all of its states stay; gives what it said.
pub fn all_states(folder: &TempDir, arguments: &[&str]) -> String {
    let endless = ["--set", "run.sample_steps=1000000"];
    let arguments: Vec<String> = arguments
        .iter()
        .chain(&endless)
        .map(|&word| word.to_owned())
        .collect();
    let mut running = start(folder, &arguments);
    assert_eq!(running.wait_for(12), 12);
    running.send("-TERM");
    let (status, said) = running.end();
    assert_eq!(status, Some(143), "{said}");
    said
}

/// The energy distance without bias, pair by pair.
fn energy_distance(left: &[&[f32]], right: &[&[f32]]) -> f64 {
    let distance = |a: &[f32], b: &[f32]| -> f64 {
        let squares = a
            .iter()
            .zip(b)
            .map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2));
        squares.sum::<f64>().sqrt()
    };
    let mean = |a: &[&[f32]], b: &[&[f32]], pairs: usize| -> f64 {
        let all = a.iter().flat_map(|a| b.iter().map(|b| distance(a, b)));
        all.sum::<f64>() / pairs as f64
    };
    let (n, m) = (left.len(), right.len());
    2.0 * mean(left, right, n * m) - mean(left, left, n * (n - 1)) - mean(right, right, m * (m - 1))
}

#[test]
fn the_best_file_holds_the_weights_of_the_step_whose_chains_were_nearest_to_held_out_data() {
    let folder = tempfile::tempdir().unwrap();
    // Without noise on the data, which would have to be drawn again here.
    let arguments = judged(
        "digits-langevin",
        IMAGE_LAYERS,
        &[
            "snapshot.interval=3",
            "data.noise=0",
            "network.zero_head=false",
        ],
    );
    all_states(&folder, &arguments);
    let rows = metrics(&folder.path().join("run/metrics.jsonl"));
    let computed: Vec<u64> = rows
        .iter()
        .filter(|row| row.data_distance.is_some())
        .map(|row| row.step)
        .collect();
    assert_eq!(computed, [1, 3, 5, 7, 9, 11]);

    // Each figure is that of the chains in the replay buffer after its step, and of all digits that are held out.
    let config = config::load("digits-langevin", &["data.noise=0".into()]).unwrap();
    let digits = data::open(&config.data.options(), 1)
        .unwrap()
        .held_out()
        .unwrap();
    let digits = digits.first(1000);
    let digits: Vec<&[f32]> = digits.chunks(64).collect();
    assert_eq!(digits.len(), 180);
    for row in &rows {
        let Some(found) = row.data_distance else {
            continue;
        };
        let chains = buffer(&folder, row.step + 1, "replay buffer");
        let chains: Vec<&[f32]> = chains.chunks(64).collect();
        let wanted = energy_distance(&chains, &digits);
        let error = (f64::from(found) - wanted).abs();
        assert!(
            chains.len() == 64 && error < 1e-5 * wanted,
            "{found}, not {wanted}"
        );
    }

    // The best is the least of them, and its weights are those after its step.
    let least = rows
        .iter()
        .filter(|row| row.data_distance.is_some())
        .min_by(|a, b| {
            a.data_distance
                .unwrap()
                .total_cmp(&b.data_distance.unwrap())
        })
        .unwrap();
    let model = Model::load(&folder.path().join("run/best.safetensors")).unwrap();
    assert_eq!(model.step(), least.step + 1);
    let of_state = |name| buffer(&folder, model.step(), name);
    assert_eq!(model.parameters(), of_state("averaged parameters"));
    let live = model.clone().using(Weights::Live).unwrap();
    assert_eq!(live.parameters(), of_state("live parameters"));
    assert_ne!(live.parameters(), model.parameters());

    // All of it is told.
    let best = &summary(&folder)["best"];
    assert_eq!(best["step"], least.step);
    assert_eq!(best["weights_after"], model.step());
    assert_eq!(
        best["data_distance"].as_f64().unwrap() as f32,
        least.data_distance.unwrap()
    );
    assert_eq!(
        (&best["figures"], &best["chains"], &best["data"]),
        (&6.into(), &64.into(), &180.into())
    );
    assert_eq!(best["data_is"], "held-out data");
    assert!(best["floor_deviation"].as_f64().unwrap() > 0.0);
    let page = fs::read_to_string(folder.path().join("run/report.html")).unwrap();
    assert!(page.contains("energy distance of chains from data"));
    assert!(page.contains(&format!("Vertical line: step {}, the least", least.step)));
}

#[test]
fn the_best_file_is_a_checkpoint_like_any_other() {
    let folder = tempfile::tempdir().unwrap();
    let plane = [
        "sampler.kind=mala",
        "sampler.step_size=0.01",
        "data.limit=40",
    ];
    let said = run(&folder, &judged("moons", POINT_LAYERS, &plane));
    let best = "run/best.safetensors";
    let model = Model::load(&folder.path().join(best)).unwrap();
    // Of a generated set with an end all points are trained on: half of them are compared with, the others give the floor.
    let told = summary(&folder)["best"].clone();
    assert_eq!(
        (&told["data"], &told["data_is"]),
        (&20.into(), &"training data".into())
    );
    let line = format!("best      step {}: energy distance", told["step"]);
    assert!(stderr(&said).contains(&line), "{}", stderr(&said));
    // With the step size that its chains had.
    let rows = metrics(&folder.path().join("run/metrics.jsonl"));
    let row = rows.iter().find(|row| told["step"] == row.step).unwrap();
    assert_eq!(model.step_size(), row.step_size);

    for more in [&[][..], &["--weights", "live"]] {
        let with = |arguments: &[&str]| {
            let output = run(&folder, &[arguments, more].concat());
            serde_json::from_str::<Value>(stdout(&output)).unwrap_or_default()
        };
        with(&[
            "sample",
            best,
            "--steps",
            "2",
            "--count",
            "3",
            "--out",
            "points.npy",
        ]);
        fs::remove_file(folder.path().join("points.npy")).unwrap();
        let energies = with(&["energy", best, "moons", "--set", "data.limit=5", "--json"]);
        assert_eq!(energies["count"], 5);
        let evaluated = with(&[
            "evaluate",
            best,
            "--samples",
            "0",
            "--tolerance",
            "0.1",
            "--json",
        ]);
        assert_eq!(evaluated["step"], told["weights_after"]);
        let is_averaged = evaluated["weights_crc32"] == model.weights_crc32();
        assert_eq!(is_averaged, more.is_empty(), "{evaluated}");
    }

    // It goes with the run that it is of: nothing is judged of one that replaces it.
    let none = ["--force", "--set", "run.figure_every=0"];
    run(
        &folder,
        &[&judged("moons", POINT_LAYERS, &plane)[..], &none].concat(),
    );
    for name in [best, "run/best.live.safetensors"] {
        assert!(!folder.path().join(name).exists(), "{name}");
    }
    assert_eq!(summary(&folder)["best"], Value::Null);
}

/// The best of a run that is gone on with where its states know of none, or of an earlier one.
#[test]
fn a_best_of_steps_that_are_gone_is_forgotten() {
    let whole = tempfile::tempdir().unwrap();
    let said = all_states(
        &whole,
        &judged("moons", POINT_LAYERS, &["run.figure_every=3"]),
    );
    let best = |folder: &TempDir| Model::load(&folder.path().join("run/best.safetensors"));
    let wanted = best(&whole).unwrap();
    assert!(said.contains("goes on"), "{said}");
    // After five steps there was one figure, after one there was none.
    for (steps, every, is_there) in [(5, 3, true), (1, 3, true), (5, 0, true), (1, 0, false)] {
        let folder = tempfile::tempdir().unwrap();
        let place = |name: &str| folder.path().join("run").join(name);
        copy(&whole.path().join("run"), &place(""));
        for name in names_in(&place("states")) {
            let number = name.split('.').next().unwrap();
            if number.parse::<u64>().unwrap() > steps {
                fs::remove_file(place("states").join(name)).unwrap();
            }
        }
        let every = format!("run.figure_every={every}");
        let resumed = [
            "train",
            "--resume",
            "run",
            "--set",
            "run.sample_steps=4",
            "--set",
            &every,
        ];
        run(&folder, &resumed);
        let told = summary(&folder)["best"].clone();
        match (every.as_str(), is_there) {
            ("run.figure_every=3", _) => {
                let best = best(&folder).unwrap();
                assert_eq!(best.parameters(), wanted.parameters(), "{steps}");
                assert_eq!(best.step(), wanted.step());
                assert_eq!(told["figures"], 4);
            }
            (_, true) => assert_eq!((&told["step"], &told["figures"]), (&2.into(), &1.into())),
            (_, false) => assert_eq!(told, Value::Null),
        }
        assert_eq!(
            place("best.live.safetensors").exists(),
            is_there,
            "{steps}, {every}"
        );
    }
}

/// Copies a folder and those in it.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for name in names_in(from) {
        let (from, to) = (from.join(&name), to.join(&name));
        match from.is_dir() {
            true => copy(&from, &to),
            false => drop(fs::copy(from, to).unwrap()),
        }
    }
}

#[test]
fn what_cannot_be_judged_is_refused_or_warned_about() {
    let folder = tempfile::tempdir().unwrap();
    let with = |sets: &[&'static str]| {
        let sets: Vec<&str> = sets.iter().flat_map(|set| ["--set", *set]).collect();
        tiny(
            "moons",
            POINT_LAYERS,
            &[&["--out", "run"][..], &sets].concat(),
        )
    };
    for (sets, says) in [
        (
            &["snapshot.kind=gaussian", "run.figure_every=5"][..],
            &["run.figure_every = 5", "fixed noise has no chains to judge"][..],
        ),
        (&["run.figure_every=-1"], &["run.figure_every", "-1"]),
        (&["run.figure_every=often"], &["run.figure_every", "often"]),
    ] {
        refused(&folder, &with(sets), says);
    }
    let long = run(&folder, &with(&["run.figure_every=7"]));
    let warning = "warning: run.figure_every = 7 is longer than the run of run.steps = 6";
    assert!(stderr(&long).contains(warning), "{}", stderr(&long));
    assert!(!folder.path().join("run/best.safetensors").exists());
    for (sets, says) in [
        (
            &["run.batch=1", "sampler.buffer=1"][..],
            "it takes two chains",
        ),
        (&["data.limit=1"], "it takes two data"),
    ] {
        let sets = [sets, &["run.figure_every=2"]].concat();
        let said = run(&folder, &[&with(&sets)[..], &["--force"]].concat());
        let warning = format!(
            "warning: no distance of the chains from data is computed, and no best weights are kept: {says}"
        );
        assert_eq!(
            stderr(&said).matches(&warning).count(),
            1,
            "{}",
            stderr(&said)
        );
        let rows = metrics(&folder.path().join("run/metrics.jsonl"));
        assert!(rows.iter().all(|row| row.data_distance.is_none()));
        assert_eq!(summary(&folder)["best"], Value::Null);
    }
}
