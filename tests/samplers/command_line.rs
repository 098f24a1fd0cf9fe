//! Samplers from the command line, and settings that are refused.

use crate::common::command::{run, stderr, stdout};
use crate::common::one_of;
use afterimage::config;
use afterimage::low_level::kernels::SAMPLERS;
use afterimage::model::Model;
use afterimage::train::{Diagnostics, MetricsRow};
use std::collections::HashSet;
use std::fs;
use std::path::Path;

const TINY: [&str; 16] = [
    "run.steps=6",
    "run.batch=8",
    "run.samples=9",
    "run.sample_steps=6",
    "run.sample_every=0",
    "sampler.steps=4",
    "sampler.buffer=16",
    "objective.noise_ratio=1",
    "sampler.clip=0",
    "sampler.leapfrog=5",
    "sampler.diagnose=4",
    "network.zero_head=false",
    "network.layers=[{dense=8}, {dense=1}]",
    "sampler.jumps=0",
    "sampler.reuse=1",
    "sampler.probe=8",
];

#[test]
fn every_kind_trains_and_samples_from_the_command_line() {
    for (turn, kind) in SAMPLERS.into_iter().enumerate() {
        // No sampler knows what its samples are.
        for preset in one_of(vec!["8gaussians", "digits"], turn) {
            let folder = tempfile::tempdir().expect("makes a folder");
            let name = format!("sampler.kind={}", kind.name);
            let mut arguments = vec!["train", preset, "--out", "run", "--set", &name];
            for set in TINY {
                arguments.extend(["--set", set]);
            }
            let output = run(&folder, &arguments);
            let errors = stderr(&output);
            assert!(errors.contains("R-hat of"), "{errors}");

            let run_folder = folder.path().join("run");
            let lines = |file: &str| -> Vec<String> {
                let text = fs::read_to_string(run_folder.join(file)).expect("reads");
                text.lines().map(String::from).collect()
            };
            let rows: Vec<MetricsRow> = lines("metrics.jsonl")
                .iter()
                .map(|line| serde_json::from_str(line).expect("a row"))
                .collect();
            let per_chain = match kind.name {
                "langevin" => 4,
                "hmc" => 1 + 4 * 5,
                _ => 1 + 4,
            };
            for (step, row) in (1..).zip(&rows) {
                assert_eq!(
                    row.gradient_evaluations,
                    step * 8 * per_chain,
                    "{}",
                    kind.name
                );
                assert!(row.step_size > 0.0 && row.step_size.is_finite());
                assert!((0.0..=1.0).contains(&row.acceptance), "{}", row.acceptance);
                assert!(kind.is_exact() || row.acceptance == 1.0);
            }
            let sizes: HashSet<u32> = rows.iter().map(|row| row.step_size.to_bits()).collect();
            assert_eq!(
                sizes.len(),
                if kind.is_exact() { 6 } else { 1 },
                "{}",
                kind.name
            );
            let diagnoses: Vec<Diagnostics> = lines("diagnostics.jsonl")
                .iter()
                .map(|line| serde_json::from_str(line).expect("a row"))
                .collect();
            let steps: Vec<u64> = diagnoses.iter().map(|row| row.step).collect();
            assert_eq!(steps, [3, 5], "every fourth step and the last");
            let last = diagnoses[1];
            assert_eq!((last.chains, last.records, last.lost), (8, 4, 0));
            assert_eq!(last.acceptance, rows[5].acceptance);
            assert!(last.moved > 0.0 && last.energy.r_hat.expect("chains moved") > 0.0);

            let checkpoint = "run/checkpoints/000006.safetensors";
            let model = Model::load(&folder.path().join(checkpoint)).expect("loads");
            assert_eq!(
                model.step_size(),
                rows[5].step_size,
                "where training left it"
            );
            let draw = |out: &str| {
                let arguments = ["sample", checkpoint, "--out", out, "--json"];
                let output = run(&folder, &arguments);
                let json: serde_json::Value = serde_json::from_str(stdout(&output)).expect("JSON");
                (fs::read(folder.path().join(out)).expect("reads"), json)
            };
            let (first, json) = draw("a.npy");
            assert!(
                first == draw("b.npy").0,
                "{}: the same bits twice",
                kind.name
            );
            // 9 chains of 6 steps; the digits are denoised by one evaluation more.
            let denoise = u64::from(model.config().data.noise > 0.0);
            let steps = match kind.name {
                "langevin" => 6,
                "hmc" => 1 + 6 * 5,
                _ => 1 + 6,
            };
            assert_eq!(
                json["gradient_evaluations"],
                9 * (steps + denoise),
                "{}",
                kind.name
            );
            assert_eq!(json["acceptance"].is_number(), kind.is_exact());
        }
    }
}

#[test]
fn what_makes_no_sense_together_is_refused_with_a_reason() {
    for (sets, key, reason) in [
        (&["kind=malla"][..], "sampler.kind", "did you mean `mala`"),
        (
            &["kind=mala", "clip=1"],
            "sampler.clip",
            "law of the energy",
        ),
        (
            &["kind=hmc", "bounds=clamp"],
            "sampler.bounds",
            "law of the energy",
        ),
        (
            &["kind=underdamped", "noise=0.1"],
            "sampler.noise",
            "sampler.temperature",
        ),
        (
            &["noise=0.1", "temperature=0.5"],
            "sampler.noise",
            "sampler.temperature",
        ),
        (
            &["noise=0.1", "anneal=2"],
            "sampler.noise",
            "sampler.anneal",
        ),
        (&["adapt=true"], "sampler.adapt", "no acceptance"),
        (
            &["kind=underdamped", "target_acceptance=0.5"],
            "sampler.target_acceptance",
            "accepts every step",
        ),
        (
            &["kind=mala", "adapt=false", "target_acceptance=0.5"],
            "sampler.target_acceptance",
            "adapt = false",
        ),
        (
            &["kind=mala", "target_acceptance=1.0"],
            "sampler.target_acceptance",
            "between 0 and 1",
        ),
        (
            &["kind=mala", "adapt=true", "steps=1"],
            "sampler.steps",
            "first half",
        ),
        (&["kind=mala", "leapfrog=3"], "sampler.leapfrog", "no leaps"),
        (
            &["kind=hmc", "leapfrog=0"],
            "sampler.leapfrog",
            "between 1 and",
        ),
        (
            &["kind=hmc", "integrator=two_stage", "leapfrog=5"],
            "sampler.leapfrog",
            "multiple of 2",
        ),
        (
            &["kind=hmc", "friction=2"],
            "sampler.friction",
            "no velocity",
        ),
        (&["temperature=0"], "sampler.temperature", "above 0"),
        (&["anneal=-1"], "sampler.anneal", "above 0"),
        (
            &["start=mixture", "data_share=2"],
            "sampler.data_share",
            "between 0 and 1",
        ),
        (&["chains=data", "start=data"], "sampler.start", "already"),
    ] {
        let sets: Vec<String> = sets.iter().map(|set| format!("sampler.{set}")).collect();
        let error = config::load("digits-langevin", &sets)
            .expect_err("is refused")
            .to_string();
        assert!(
            error.contains(key) && error.contains(reason),
            "{sets:?}: {error}"
        );
        assert!(!error.contains('\n'), "{error}");
    }
    for sets in [
        &["kind=mala", "steps=1", "adapt=false"][..],
        &[
            "kind=hmc",
            "leapfrog=1",
            "adapt=false",
            "anneal=4",
            "temperature=0.5",
        ],
        &[
            "kind=underdamped",
            "friction=3",
            "start=data",
            "adapt=false",
        ],
        &["temperature=0.2", "clip=0.1", "bounds=reflect", "anneal=3"],
    ] {
        let sets: Vec<String> = sets.iter().map(|set| format!("sampler.{set}")).collect();
        let config = config::load("digits-langevin", &sets).expect("is allowed");
        let written = config::to_toml(&config);
        assert_eq!(
            config::parse(&written, "config.toml").expect("reads back"),
            config
        );
    }
}

/// Values and shape of an .npy file of f32.
fn npy(path: &Path) -> (Vec<u64>, Vec<f32>) {
    let bytes = fs::read(path).expect("a file");
    let file = npyz::NpyFile::new(&bytes[..]).expect("an .npy file");
    (file.shape().to_vec(), file.into_vec().expect("f32"))
}

#[test]
fn the_traces_are_those_that_were_judged() {
    let folder = tempfile::tempdir().expect("makes a folder");
    let mut arguments = vec!["train", "moons", "--quiet", "--out", "run"];
    for set in TINY.iter().chain(&["sampler.probe=24"]) {
        arguments.extend(["--set", set]);
    }
    run(&folder, &arguments);
    let path = folder.path().join("run/traces.npy");
    assert!(!path.exists(), "nobody asked for it");
    arguments.extend(["--force", "--set", "sampler.traces=true"]);
    run(&folder, &arguments);
    let summary = fs::read(folder.path().join("run/summary.json")).expect("reads");
    let summary: serde_json::Value = serde_json::from_slice(&summary).expect("JSON");
    assert_eq!(summary["traces"], "run/traces.npy");
    let (shape, values) = npy(&path);
    assert_eq!(
        shape,
        [8, 24, 4],
        "chains, records of the probe, quantities"
    );

    // The autocorrelation by its definition, which the summary has from the same traces.
    let judged = &summary["diagnostics"];
    let quantities = std::iter::once(&judged["energy"]);
    let quantities = quantities.chain(judged["projections"].as_array().expect("three"));
    for (place, told) in quantities.enumerate() {
        let chains: Vec<Vec<f64>> = values
            .chunks(24 * 4)
            .map(|chain| chain.chunks(4).map(|record| record[place].into()).collect())
            .collect();
        let products = |chain: &[f64], lag: usize, mean: f64| -> f64 {
            let pairs = chain.iter().zip(&chain[lag..]);
            pairs.map(|(a, b)| (a - mean) * (b - mean)).sum::<f64>() / 23.0
        };
        let means: Vec<f64> = chains
            .iter()
            .map(|c| c.iter().sum::<f64>() / 24.0)
            .collect();
        let of_all = |lag: usize| -> f64 {
            let each = chains.iter().zip(&means);
            each.map(|(chain, mean)| products(chain, lag, *mean))
                .sum::<f64>()
                / 8.0
        };
        let middle = means.iter().sum::<f64>() / 8.0;
        let between = means
            .iter()
            .map(|mean| (mean - middle).powi(2))
            .sum::<f64>()
            / 7.0;
        let total = of_all(0) * 23.0 / 24.0 + between;
        let wanted = 1.0 - (of_all(0) - of_all(1)) / total;
        let told = told["autocorrelation"].as_f64().expect("they move");
        assert!((told - wanted).abs() < 1e-9, "{place}: {told}, {wanted}");
    }
    // Without a look at the chains there is nothing to write.
    for set in [
        &["sampler.probe=0", "sampler.diagnose=0"][..],
        &["snapshot.kind=uniform", "objective.normaliser=learned"],
    ] {
        let sets: Vec<String> = ["sampler.traces=true"]
            .iter()
            .chain(set)
            .map(|s| s.to_string())
            .collect();
        let error = config::load("moons", &sets)
            .expect_err("is refused")
            .to_string();
        assert!(error.contains("sampler.traces"), "{error}");
    }
}

#[test]
fn chains_that_do_not_move_are_told_of() {
    let folder = tempfile::tempdir().expect("makes a folder");
    let mut arguments = vec!["train", "moons", "--out", "run"];
    let more = [
        "sampler.kind=mala",
        "sampler.adapt=false",
        "sampler.step_size=1e5",
        "sampler.probe=32",
    ];
    for set in TINY.iter().chain(&more) {
        arguments.extend(["--set", set]);
    }
    let output = run(&folder, &arguments);
    let errors = stderr(&output);
    assert!(errors.contains("the chains did not move"), "{errors}");
    assert!(!errors.contains("R-hat of"), "{errors}");
    let summary = fs::read(folder.path().join("run/summary.json")).expect("reads");
    let summary: serde_json::Value = serde_json::from_slice(&summary).expect("JSON");
    let judged = &summary["diagnostics"];
    assert_eq!(
        (&judged["still"], &judged["moved"]),
        (&8.into(), &0.0.into())
    );
    for quantity in
        std::iter::once(&judged["energy"]).chain(judged["projections"].as_array().expect("three"))
    {
        for figure in ["r_hat", "ess", "autocorrelation"] {
            assert!(quantity[figure].is_null(), "{figure} of {judged}");
        }
    }
    // What is drawn by such chains is no sample, and whoever draws it is told.
    let warning = "warning: the Metropolis test accepted 0.0 %";
    assert!(errors.contains(warning), "{errors}");
    for arguments in [
        &["sample", "run", "--out", "a.npy", "--json"][..],
        &["evaluate", "run", "--quiet", "--count", "20"],
    ] {
        let output = run(&folder, arguments);
        let errors = stderr(&output);
        let warnings: Vec<&str> = errors
            .lines()
            .filter(|line| line.starts_with("warning: "))
            .collect();
        let [line] = warnings[..] else {
            panic!("{errors}");
        };
        for part in [warning, "sampler.step_size", "sampler.adapt = true"] {
            assert!(line.contains(part), "no '{part}' in {line}");
        }
    }
    // Those that move are not warned of.
    let moving = ["--set", "sampler.step_size=1e-4", "--force"];
    arguments.extend(moving);
    assert!(!stderr(&run(&folder, &arguments)).contains("warning"));
    let output = run(&folder, &["sample", "run", "--out", "a.npy"]);
    assert!(!stderr(&output).contains("warning"), "{}", stderr(&output));
}
