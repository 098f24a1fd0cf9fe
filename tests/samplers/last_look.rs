//! What a run says of chains that agree among themselves and share one mode.

use crate::common::command::run;
use crate::common::executor;
use afterimage::config;
use afterimage::train::{self, Event, Trainer};
use serde_json::Value;
use std::fmt::Write;
use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};

/// Points around the origin, and where there are `two` modes every other one around (3.2, 0), 16 deviations away.
fn points(two: bool) -> String {
    let mut text = String::new();
    for index in 0..1000_u32 {
        // Evenly spread over the unit square, and from there to a normal distribution (Box & Muller 1958).
        let share = |ratio: f64| (0.5 + f64::from(index) * ratio).fract();
        let (u, v) = (share(0.754_877_666), share(0.569_840_291));
        let (radius, angle) = ((-2.0 * u.ln()).sqrt() * 0.2, std::f64::consts::TAU * v);
        let centre = if two && index % 2 == 1 { 3.2 } else { 0.0 };
        let (x, y) = (centre + radius * angle.cos(), radius * angle.sin());
        writeln!(text, "{x},{y}").expect("is written");
    }
    text
}

/// The summary of a run on such points against noise of one snapshot, the Gaussian that the model begins as: noise-contrastive
/// estimation, which finds both modes. Chains start at the origin, and none crosses to the other mode.
fn summary(two: bool, more: &[&str]) -> Value {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("points.csv"), points(two)).expect("is written");
    let mut arguments = vec!["train", "8gaussians", "--out", "run", "-q"];
    for set in [
        "data.source=csv",
        "data.path=points.csv",
        "data.range=[-4,4]",
        "network.layers=[{dense=32},{dense=32},{dense=1}]",
        "network.base_std=1",
        "snapshot.interval=1000",
        "sampler.reuse=1",
        "sampler.start_std=0.2",
        "sampler.jumps=0",
        "sampler.buffer=512",
        "objective.noise_ratio=1",
        "sampler.probe=200",
        "run.batch=128",
        "run.steps=250",
        "run.sample_every=0",
        "run.sample_steps=100",
    ]
    .iter()
    .chain(more)
    {
        arguments.extend(["--set", set]);
    }
    run(&folder, &arguments);
    let text = fs::read(folder.path().join("run/summary.json")).expect("is written");
    serde_json::from_slice(&text).expect("is JSON")
}

fn r_hats(summary: &Value) -> Vec<f64> {
    let diagnostics = &summary["diagnostics"];
    let projections = diagnostics["projections"].as_array().expect("has some");
    let all = std::iter::once(&diagnostics["energy"]).chain(projections);
    all.map(|mixing| mixing["r_hat"].as_f64().expect("is told"))
        .collect()
}

#[test]
fn chains_that_all_share_one_of_two_modes_make_a_generator_though_r_hat_is_fine() {
    let summary = summary(true, &[]);
    assert!(
        r_hats(&summary).iter().all(|r_hat| *r_hat < 1.05),
        "{summary}"
    );
    let fits = summary["fits"].as_str().expect("is text");
    assert!(
        fits.starts_with("the law of its chains, a generator and not a density: ")
            && fits.contains("told apart"),
        "{fits}"
    );
    let look = &summary["last_look"];
    let pairs = look["pairs"].as_array().expect("has some");
    let of = |left: &str, right: &str| {
        let mut these = pairs
            .iter()
            .filter(|pair| pair["left"] == left && pair["right"] == right);
        these.next().expect("is compared")
    };
    assert_eq!(pairs.len(), 3);
    // Half of the data lie in the mode that no fresh chain has seen.
    let pair = of("fresh", "data");
    assert_eq!(pair["told_apart"], true);
    assert_eq!(
        (&pair["p_value"], &pair["permutations"]),
        (&0.001.into(), &999.into())
    );
    assert!(
        pair["discrepancy"].as_f64().expect("is told") > 0.1,
        "{pair}"
    );
    for count in look["kinds"].as_array().expect("has some") {
        let chains = count["chains"].as_u64().expect("is told");
        assert!((32..=128).contains(&chains), "{look}");
    }
}

#[test]
fn chains_that_come_together_stay_a_density() {
    let summary = summary(false, &[]);
    let fits = summary["fits"].as_str().expect("is text");
    assert!(
        fits.starts_with("a density") && fits.contains("not told apart"),
        "{fits}"
    );
    for pair in summary["last_look"]["pairs"].as_array().expect("has some") {
        assert_eq!(pair["told_apart"], false, "{summary}");
    }
}

/// Without a replay buffer there are no chains of one, and a short run or one that asks for none has no last look.
#[test]
fn only_pairs_that_exist_are_compared_and_short_runs_are_not_looked_at() {
    let few = ["sampler.probe=10", "run.steps=60"];
    let of = |more: &[&str]| summary(false, &[&few, more].concat());
    let short = of(&["run.sample_steps=5000", "run.steps=2"]);
    let reason = short["last_look"]["not_valid"].as_str().expect("is told");
    assert!(reason.contains("run.sample_steps"), "{reason}");
    let fits = short["fits"].as_str().expect("is text");
    let wanted = format!("; chains of different starts were not compared: {reason}");
    assert!(fits.ends_with(&wanted), "{fits}");
    assert!(of(&["sampler.probe=0"])["last_look"].is_null());
    let noise = of(&["snapshot.kind=gaussian", "run.sample_steps=10"]);
    let pairs = noise["last_look"]["pairs"].as_array().expect("has some");
    assert_eq!(pairs.len(), 1, "{noise}");
    assert_eq!(
        (&pairs[0]["left"], &pairs[0]["right"]),
        (&"fresh".into(), &"data".into())
    );
    assert!(
        noise["fits"]
            .as_str()
            .expect("is text")
            .starts_with("a density")
    );
}

/// It shows how far it is, and a signal ends it, as it ends the pictures before.
#[test]
fn the_last_look_can_be_watched_and_stopped() {
    let sets = [
        "network.layers=[{dense=16},{dense=1}]",
        "run.steps=200",
        "run.batch=64",
        "run.sample_every=0",
        "run.sample_steps=30",
        "sampler.buffer=128",
        "objective.noise_ratio=1",
        "sampler.probe=8",
        "sampler.jumps=0",
    ];
    let config = config::load("8gaussians", &sets.map(str::to_owned)).expect("is valid");
    let data = afterimage::data::open(&config.data.options(), config.run.seed).expect("is drawn");
    let mut trainer = Trainer::new(executor(false), &config, data).expect("fits");
    let folder = tempfile::tempdir().expect("a folder");
    let stop = AtomicBool::new(false);
    let mut seen = Vec::new();
    let summary = train::run(
        &mut trainer,
        &config,
        &folder.path().join("run"),
        false,
        &stop,
        &mut |event| {
            if let Event::Comparing { done, of } = event {
                seen.push((done, of));
                stop.store(true, Ordering::Relaxed);
            }
        },
    )
    .expect("runs");
    let [(done, of)] = seen[..] else {
        panic!("went on: {seen:?}");
    };
    assert!(0 < done && done < of, "{done} of {of}");
    assert!(summary.cut_short && !summary.stopped);
    assert_eq!(summary.last_look, None);
    assert!(summary.samples.is_some());
}

/// What cannot be kept beside a checkpoint costs the run nothing else.
#[test]
fn chains_that_cannot_be_kept_leave_the_checkpoint_and_the_end_of_the_run() {
    let sets = [
        "network.layers=[{dense=16},{dense=1}]",
        "run.steps=4",
        "run.batch=16",
        "run.sample_every=0",
        "run.sample_steps=4",
        "sampler.buffer=32",
        "objective.noise_ratio=1",
        "sampler.probe=0",
        "sampler.jumps=0",
    ];
    let config = config::load("8gaussians", &sets.map(str::to_owned)).expect("is valid");
    let data = afterimage::data::open(&config.data.options(), config.run.seed).expect("is drawn");
    let mut trainer = Trainer::new(executor(false), &config, data).expect("fits");
    let folder = tempfile::tempdir().expect("a folder");
    let run_folder = folder.path().join("run");
    let (mut warnings, mut written) = (Vec::new(), Vec::new());
    let summary = train::run(
        &mut trainer,
        &config,
        &run_folder,
        false,
        &AtomicBool::new(false),
        &mut |event| match event {
            // No file can take the place of a folder.
            Event::Started { .. } => {
                let taken = run_folder.join("checkpoints/000004.chains.safetensors");
                fs::create_dir_all(taken).expect("a folder");
            }
            Event::NoChains(error) => warnings.push(error.to_string()),
            Event::Wrote(path) => written.push(path.to_owned()),
            _ => {}
        },
    )
    .expect("runs to its end");
    let [warning] = &warnings[..] else {
        panic!("{warnings:?}");
    };
    assert!(warning.contains("000004.chains.safetensors"), "{warning}");
    assert!(summary.checkpoint.is_file() && summary.samples.is_some());
    for path in [
        summary.checkpoint,
        run_folder.join("summary.json"),
        run_folder.join("landscape.png"),
    ] {
        assert!(
            written.contains(&path) && path.is_file(),
            "{}",
            path.display()
        );
    }
    assert!(
        run_folder
            .join("checkpoints/000004.live.safetensors")
            .is_file()
    );
}
