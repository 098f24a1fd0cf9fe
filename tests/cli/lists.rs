//! Devices, presets and configurations.

use crate::checkpoint::{IMAGE_LAYERS, metrics};
use crate::command::{run, stdout};
use crate::setup::tiny;
use afterimage::config;
use serde_json::Value;
use std::fs;
use std::process::Output;

#[test]
fn lists_and_configurations() {
    let folder = tempfile::tempdir().unwrap();
    let output = run(&folder, &["devices", "--json"]);
    let devices: Value = serde_json::from_str(stdout(&output)).unwrap();
    let first = &devices.as_array().unwrap()[0];
    assert_eq!(first["index"], 0);
    // None where a driver that is not known has not been measured yet.
    let kernels = &first["kernels"];
    assert!(kernels.is_null() || kernels["family"].is_string() && kernels["why"].is_string());
    let text = run(&folder, &["devices"]);
    assert!(stdout(&text).contains(first["name"].as_str().unwrap()));
    let family = kernels["family"].as_str().unwrap_or("measured by");
    assert!(stdout(&text).contains(&format!("kernels: {family} ")));

    let names = |output: &Output| -> Vec<String> {
        let lines = stdout(output).lines();
        lines
            .filter_map(|line| line.split_whitespace().next().map(String::from))
            .collect()
    };
    let presets = names(&run(&folder, &["presets"]));
    assert!(presets.contains(&"digits".into()) && presets.contains(&"8gaussians".into()));
    let json: Value = serde_json::from_str(stdout(&run(&folder, &["presets", "--json"]))).unwrap();
    assert_eq!(json.as_array().unwrap().len(), presets.len());
    for preset in &presets {
        let output = run(&folder, &["config", preset]);
        let printed = config::parse(stdout(&output), "the output").unwrap();
        assert_eq!(printed, config::load(preset, &[]).unwrap());
    }

    let printed = run(&folder, &["config", "digits", "--set", "run.seed=3"]);
    fs::write(folder.path().join("mine.toml"), &printed.stdout).unwrap();
    run(
        &folder,
        &tiny("mine.toml", IMAGE_LAYERS, &["--set", "data.limit=5"]),
    );
    let written = fs::read_to_string(folder.path().join("runs/mine/config.toml")).unwrap();
    assert_eq!(config::parse(&written, "it").unwrap().run.seed, 3);
    // A limit of 5 is fewer samples than a batch of 8.
    assert_eq!(
        metrics(&folder.path().join("runs/mine/metrics.jsonl")).len(),
        6
    );
}
