//! Objectives from the command line, and settings that are refused.

use crate::checkpoint::{IMAGE_LAYERS, POINT_LAYERS, metrics};
use crate::common::command::{afterimage, stderr};
use crate::common::one_of;
use afterimage::config::{self, Criterion, NormaliserKind, Word};
use std::path::Path;
use std::process::Output;

fn program(folder: &Path, preset: &str, sets: &[&str]) -> Output {
    let mut command = afterimage(folder, &["train", preset]);
    let tiny = [
        match preset {
            "digits" => IMAGE_LAYERS,
            _ => POINT_LAYERS,
        },
        "sampler.probe=8",
        "network.zero_head=false",
        "run.steps=6",
        "run.batch=8",
        "run.samples=9",
        "run.sample_steps=4",
        "run.sample_every=0",
        "sampler.steps=2",
        "sampler.buffer=16",
        "objective.noise_ratio=1",
        "snapshot.interval=3",
        "sampler.reuse=3",
    ];
    for set in tiny.iter().chain(sets) {
        command.args(["--set", set]);
    }
    command.output().expect("runs")
}

#[test]
fn every_objective_trains_from_the_command_line() {
    let mut runs: Vec<Vec<String>> = Criterion::names()
        .iter()
        .map(|name| vec![format!("objective.generator={name}")])
        .collect();
    for run in &mut runs {
        if run[0].ends_with("contrastive-divergence") {
            run.extend(["snapshot.interval=1".into(), "sampler.reuse=1".into()]);
        }
        if run[0].ends_with("ranking") {
            run.push("objective.noise_ratio=2".into());
        }
        if run[0].ends_with("=exponential") {
            run.push("objective.normalise_gradient=true".into());
        }
    }
    for normaliser in NormaliserKind::names() {
        runs.push(vec![
            "objective.generator=kl".into(),
            format!("objective.normaliser={normaliser}"),
        ]);
    }
    // No objective knows what its samples are.
    let presets = |turn| one_of(vec!["8gaussians", "digits"], turn);
    let runs = runs.iter().enumerate();
    for (preset, sets) in
        runs.flat_map(|(turn, sets)| presets(turn).into_iter().map(move |preset| (preset, sets)))
    {
        let folder = tempfile::tempdir().expect("makes a folder");
        let sets: Vec<&str> = sets.iter().map(String::as_str).collect();
        let output = program(folder.path(), preset, &sets);
        let errors = stderr(&output);
        assert!(output.status.success(), "{preset} {sets:?}: {errors}");
        let file = format!("runs/{preset}/metrics.jsonl");
        let rows = metrics(&folder.path().join(file));
        assert_eq!(rows.len(), 6, "{sets:?}");
        for row in rows {
            assert_eq!(row.not_finite(0.0), None, "{sets:?}: {row:?}");
            assert!(row.normaliser.is_finite() && row.gradient_norm > 0.0);
            assert!(row.ess > 0.0 && row.ess <= 1.0 + 1e-6, "{sets:?}: {row:?}");
            let fresh = row.snapshot_age == 0;
            assert!(!fresh || row.normaliser == 0.0, "{sets:?}: {row:?}");
        }
    }
}

#[test]
fn combinations_that_make_no_sense_are_refused_with_a_reason() {
    let refusal = |sets: &str| -> String {
        let sets: Vec<String> = sets.split(' ').map(String::from).collect();
        let error = config::load("digits-langevin", &sets).expect_err("is refused");
        let text = error.to_string();
        assert!(!text.contains('\n'), "{text}");
        text
    };
    let divergence = "objective.generator=contrastive-divergence";
    for (sets, reason) in [
        (
            "objective.generator=ranking objective.normaliser=learned",
            "objective.normaliser = \"learned\" is not allowed: it must be `zero` with objective.generator = ranking, where the log-normaliser difference cancels",
        ),
        (
            &format!("{divergence} objective.normaliser=profiled snapshot.interval=1"),
            "does not occur",
        ),
        (
            &format!("{divergence} snapshot.interval=5"),
            "snapshot.interval = 5 is not allowed: it must be 1 with objective.generator = contrastive-divergence, whose noise comes from the live model",
        ),
        (
            "objective.generator=power objective.power=0",
            "objective.power = 0.0",
        ),
        ("objective.power=6", "between 0.01 and 5"),
        ("objective.clamp=0", "objective.clamp = 0.0"),
        (
            "objective.generator=least-squares objective.clamp=31",
            "at most 30",
        ),
        (
            "objective.generator=power objective.power=4 objective.clamp=13",
            "at most 12",
        ),
        (
            "objective.normaliser_decay=1",
            "objective.normaliser_decay = 1.0",
        ),
        ("objective.generator=exponental", "`exponential`"),
        ("objective.normaliser=profile", "`profiled`"),
    ] {
        let text = refusal(sets);
        assert!(text.contains(reason), "{sets}: {text}");
    }
    for name in Criterion::names() {
        assert!(refusal("objective.generator=none").contains(name));
    }
    let folder = tempfile::tempdir().expect("makes a folder");
    let output = program(folder.path(), "8gaussians", &[divergence]);
    assert!(!output.status.success());
    let errors = stderr(&output);
    assert!(errors.contains("live model"), "{errors}");
}
