//! Runs that diverge, and go back.

use crate::checkpoint::POINT_LAYERS;
use crate::command::{afterimage, stderr};
use crate::resume::{Drawn, resumption, same_ends, start, timeless};
use crate::setup::tiny;
use serde_json::Value;
use std::fs;
use tempfile::TempDir;

/// Chains whose step size is stable for flat energies alone: at the given rate the energies run away before the last step.
fn training(more: &[&str]) -> Vec<String> {
    let sets = [
        "sampler.kind=langevin",
        "sampler.jumps=0",
        "sampler.step_size=0.2",
        "sampler.steps=20",
        "sampler.buffer=1024",
        "run.checkpoint_every=0",
        "sampler.reuse=5",
        "snapshot.interval=5",
        "objective.noise_ratio=1",
        "optimiser.rate=0.01",
        "optimiser.schedule=constant",
        "run.batch=32",
        "run.steps=400",
        "run.sample_every=30",
        "run.figure_every=7",
        "run.checkpoint_seconds=0.1",
    ];
    let mut arguments = vec!["--out", "run"];
    for set in sets.iter().chain(more) {
        arguments.extend(["--set", set]);
    }
    let layers = "network.layers=[{dense=16}, {dense=16}, {dense=1}]";
    let whole = tiny("8gaussians", layers, &arguments);
    whole.into_iter().map(str::to_owned).collect()
}

fn lines(folder: &TempDir, name: &str) -> Vec<Value> {
    timeless(&folder.path().join("run").join(name))
}

fn summary(folder: &TempDir) -> Value {
    lines(folder, "summary.json").remove(0)
}

fn float(line: &Value, key: &str) -> f64 {
    line[key].as_f64().unwrap()
}

#[test]
fn a_run_that_diverges_goes_back_and_on_at_a_lower_rate_also_where_it_is_killed() {
    // Left alone it ends by it.
    let alone = tempfile::tempdir().unwrap();
    let (status, said) = start(&alone, &training(&["run.rollbacks=0"])).end();
    assert_eq!(status, Some(1), "{said}");
    assert!(said.contains("error: the run diverged at step"), "{said}");
    assert!(!alone.path().join("run/recoveries.jsonl").exists());
    let found = summary(&alone)["diverged"]["step"].as_u64().unwrap();

    let whole = tempfile::tempdir().unwrap();
    let first = training(&["run.rollbacks=6"]);
    let (status, said) = start(&whole, &first).end();
    assert_eq!(status, Some(0), "{said}");
    assert!(
        said.contains("warning: the run diverged at step") && said.contains("It goes back"),
        "{said}"
    );
    let recoveries = lines(&whole, "recoveries.jsonl");
    assert_eq!(
        summary(&whole)["recoveries"],
        Value::Array(recoveries.clone())
    );
    // Up to there it is the run that is left alone.
    assert_eq!(recoveries[0]["step"], found);
    let rows = lines(&whole, "metrics.jsonl");
    let numbers: Vec<u64> = rows
        .iter()
        .map(|row| row["step"].as_u64().unwrap())
        .collect();
    assert_eq!(numbers, (0..400).collect::<Vec<_>>());
    let mut share = 1.0;
    for (place, recovery) in recoveries.iter().enumerate() {
        let back_to = recovery["back_to"].as_u64().unwrap();
        assert!(back_to + 100 <= recovery["step"].as_u64().unwrap() && back_to % 100 == 0);
        let given_up = lines(&whole, &format!("metrics.given-up-{}.jsonl", place + 1));
        assert_eq!(given_up[0]["step"], back_to);
        let last = float(given_up.last().unwrap(), "learning_rate");
        assert!((last - 0.01 * share).abs() < 1e-8, "{last}");
        share /= 2.0;
        assert_eq!(float(recovery, "rate_share"), share);
    }
    // What is best is so among the steps that were kept, whatever those had that were given up.
    let best = summary(&whole)["best"].clone();
    let least = rows
        .iter()
        .filter_map(|row| row["data_distance"].as_f64())
        .fold(f64::INFINITY, f64::min);
    assert_eq!(float(&best, "data_distance"), least);
    let last = float(&rows[399], "learning_rate");
    assert!((last - 0.01 * share).abs() < 1e-8, "{last}");
    // Other random numbers, not the same noise at another rate: already in the first step, before which no rate mattered.
    let place = recoveries[0]["back_to"].as_u64().unwrap();
    let next = (2..=recoveries.len())
        .map(|number| lines(&whole, &format!("metrics.given-up-{number}.jsonl")))
        .find(|given_up| given_up[0]["step"].as_u64().unwrap() <= place)
        .unwrap_or(rows);
    let at_first = |rows: &[Value]| {
        let is_it = |row: &&Value| row["step"] == place;
        rows.iter().find(is_it).unwrap()["energy_noise"].clone()
    };
    let given_up = lines(&whole, "metrics.given-up-1.jsonl");
    assert_ne!(at_first(&given_up), at_first(&next));

    // It goes back to the same states whenever it is killed.
    let folder = tempfile::tempdir().unwrap();
    let mut drawn = Drawn(3);
    let mut arguments = first;
    for kill in 0.. {
        let mut running = start(&folder, &arguments);
        let steps = match kill {
            0..5 => 100 + drawn.below(150) as usize,
            _ => usize::MAX,
        };
        if running.wait_for(steps) < steps {
            // It has come to its end.
            let (status, said) = running.end();
            assert_eq!(status, Some(0), "{said}");
            break;
        }
        running.child.kill().unwrap();
        running.end();
        arguments = resumption(&[]);
    }
    same_ends(&folder, &whole);
    assert_eq!(lines(&folder, "recoveries.jsonl"), recoveries);
    for number in 1..=recoveries.len() {
        let name = format!("metrics.given-up-{number}.jsonl");
        assert!(lines(&folder, &name) == lines(&whole, &name), "{name}");
    }
}

#[test]
fn a_run_that_nothing_helps_ends_with_what_was_tried() {
    let folder = tempfile::tempdir().unwrap();
    let more = [
        "--set",
        "optimiser.rate=1e30",
        "--set",
        "run.steps=40",
        "--set",
        "sampler.reuse=1",
    ];
    let arguments = tiny(
        "8gaussians",
        POINT_LAYERS,
        &[&more[..], &["--out", "run"]].concat(),
    );
    let output = afterimage(&folder, &arguments).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = stderr(&output);
    let told =
        "it had gone back 2 times, at last to 0.25 of the learning rate; lower optimiser.rate";
    assert!(said.contains(told), "{said}");
    let summary = summary(&folder);
    assert_eq!(summary["recoveries"].as_array().unwrap().len(), 2);
    assert_eq!(
        summary["diverged"]["advice"]
            .as_str()
            .unwrap()
            .find("it had gone back"),
        Some(0)
    );
    let page = fs::read_to_string(folder.path().join("run/report.html")).unwrap();
    assert!(page.contains("Before that it had diverged and gone back:"));
    assert!(page.contains("with 0.25 of the learning rate."));
}
