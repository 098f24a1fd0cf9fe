//! Every block from the command line.

use crate::common::command::{run, stderr, stdout};
use crate::examples::{LAYERS, layers};
use afterimage::config::{self, Config};

#[test]
fn the_command_line_trains_samples_and_scores_every_block() {
    let folder = tempfile::tempdir().expect("makes a folder");
    let sets = [
        layers(),
        "run.steps=4",
        "run.batch=8",
        "run.samples=4",
        "run.sample_steps=4",
        "sampler.steps=2",
        "sampler.buffer=16",
        "network.initialisation=he",
    ];
    let mut train = vec!["train", "digits", "--out", "out"];
    sets.iter().for_each(|set| train.extend(["--set", set]));
    run(&folder, &train);
    let spectral = ["network.spectral_norm=true", "network.zero_head=false"];
    spectral.iter().for_each(|set| train.extend(["--set", set]));
    train.push("--force");
    run(&folder, &train);
    run(&folder, &["sample", "out", "--count", "4", "--steps", "3"]);
    let scored = run(&folder, &["energy", "out", "digits", "--json"]);
    let scored: serde_json::Value = serde_json::from_slice(&scored.stdout).expect("is JSON");
    let mean = scored["mean"].as_f64();
    assert!(mean.is_some_and(f64::is_finite), "{scored}");

    let printed = run(&folder, &["config", "digits", "--set", LAYERS]);
    assert_eq!(
        config::parse(stdout(&printed), "stdout").expect("is TOML"),
        digits_as_printed()
    );
    let table = stderr(&printed);
    let row = table
        .lines()
        .find(|line| line.contains("residual 6"))
        .expect("has a row");
    let cells: Vec<&str> = row.split_whitespace().collect();
    // 4→6 and 6→6 of 3×3 and a skip 4→6, on 4×4.
    let (parameters, flops) = (
        9 * 24 + 6 + 9 * 36 + 6 + 24 + 6,
        32 * (9 * 24 + 9 * 36 + 24) + 192,
    );
    let (parameters, flops) = (parameters.to_string(), flops.to_string());
    assert_eq!(
        cells[..6],
        ["2", "residual", "6", "6×4×4", &parameters, &flops],
        "{table}"
    );
    let unknown = run(&folder, &["config", "mnist"]);
    assert!(stderr(&unknown).contains("data.path"));
}

fn digits_as_printed() -> Config {
    config::load("digits", &[LAYERS.to_string()]).expect("is valid")
}
