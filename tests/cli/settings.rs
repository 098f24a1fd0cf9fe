//! What settings become: derived values, warnings, the learning rate and paths.

use crate::checkpoint::{IMAGE_LAYERS, POINT_LAYERS, metrics, untrained};
use crate::command::{afterimage, run, stderr, stdout};
use crate::setup::{refused, tiny, write_npy};
use afterimage::config::{self, NormaliserKind};
use afterimage::model::Model;
use std::fs;

#[test]
fn the_rate_is_reached_where_the_warmup_ends_and_decays_from_there() {
    let folder = tempfile::tempdir().unwrap();
    for schedule in ["cosine", "exponential", "constant"] {
        let schedule_set = format!("optimiser.schedule={schedule}");
        let more = [
            "--set",
            "run.steps=20",
            "--set",
            "optimiser.warmup=5",
            "--set",
            "optimiser.rate=0.004",
            "--set",
            "optimiser.final_rate=0.1",
            "--set",
            &schedule_set,
            "--quiet",
            "--out",
            schedule,
        ];
        run(&folder, &tiny("8gaussians", POINT_LAYERS, &more));
        let rows = metrics(&folder.path().join(schedule).join("metrics.jsonl"));
        assert_eq!(rows.len(), 20);
        for (step, row) in rows.iter().enumerate() {
            // Step 4 is the peak, 15 more lead to the end.
            let done = (step as f64 - 4.0) / 15.0;
            let share = match schedule {
                _ if step < 4 => (step + 1) as f64 / 5.0,
                "cosine" => 0.1 + 0.9 * (1.0 + (std::f64::consts::PI * done).cos()) / 2.0,
                "exponential" => 0.1_f64.powf(done),
                _ => 1.0,
            };
            let wanted = 0.004 * share;
            let got = f64::from(row.learning_rate);
            assert!(
                (got / wanted - 1.0).abs() < 1e-6,
                "{schedule} {step}: {got}"
            );
        }
    }
}

#[test]
fn a_warmup_longer_than_the_run_is_refused_and_a_longer_interval_warned_about() {
    let folder = tempfile::tempdir().unwrap();
    let set = ["--set", "optimiser.warmup=7"];
    refused(
        &folder,
        &tiny("8gaussians", POINT_LAYERS, &set),
        &[
            "optimiser.warmup = 7",
            "at most run.steps = 6",
            "(--set optimiser.warmup=6)",
        ],
    );
    let warned = |interval: &str| {
        let interval = format!("snapshot.interval={interval}");
        let more = ["--set", &interval, "--quiet", "--force"];
        let output = run(&folder, &tiny("8gaussians", POINT_LAYERS, &more));
        stderr(&output).to_owned()
    };
    let text = warned("10");
    let [line] = text.lines().collect::<Vec<_>>()[..] else {
        panic!("{text}");
    };
    assert!(
        line.starts_with(
            "warning: snapshot.interval = 10 is at least as long as the run of run.steps = 6"
        ),
        "{line}"
    );
    // A refresh after the last step serves nobody.
    assert!(warned("6").contains("at least as long"));
    assert_eq!(warned("5"), "");
    // A mixture that never becomes one.
    let sets = ["digits", "--set", "snapshot.kind=mixture"];
    let longer = ["--set", "snapshot.interval=5", "--set", "run.steps=15"];
    let printed = run(&folder, &[&["config"], &sets[..], &longer].concat());
    assert!(
        stderr(&printed).contains("warning: snapshot.components = 4"),
        "{}",
        stderr(&printed)
    );
    let printed = run(&folder, &[&["config"], &sets[..]].concat());
    assert!(!stderr(&printed).contains("warning"));
}

#[test]
fn derived_values_are_shown_and_kept() {
    let folder = tempfile::tempdir().unwrap();
    let more = ["--set", "snapshot.kind=mixture"];
    let output = run(&folder, &tiny("digits", IMAGE_LAYERS, &more));
    let derived: Vec<&str> = stderr(&output)
        .lines()
        .filter(|line| line.starts_with("derived "))
        .collect();
    let [line] = derived[..] else {
        panic!("{}", stderr(&output));
    };
    assert!(
        line.starts_with("derived   objective.normaliser = \"profiled\" (in place of \"zero\":"),
        "{line}"
    );
    let text = fs::read_to_string(folder.path().join("runs/digits/config.toml")).unwrap();
    let kept = config::parse(&text, "it").unwrap();
    assert_eq!(kept.objective.normaliser, NormaliserKind::Profiled);

    let printed = run(
        &folder,
        &["config", "8gaussians", "--set", "snapshot.interval=1"],
    );
    let text = stdout(&printed);
    assert!(
        text.contains("\nreuse = 1  # derived, in place of 5: it must be a divisor"),
        "{text}"
    );
    assert_eq!(text.matches("# derived").count(), 1);
    assert_eq!(
        config::parse(text, "it").unwrap().sampler.reuse,
        config::Interval::Every(1)
    );
    let printed = run(
        &folder,
        &["config", "cifar10", "--set", "sampler.kind=mala"],
    );
    assert!(stdout(&printed).contains("\n# noise is absent  # derived, in place of 0.01:"));
}

#[test]
fn a_path_starts_where_it_was_written() {
    let folder = tempfile::tempdir().unwrap();
    let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (16, 4, 4), }";
    let values: Vec<f32> = (0..256).map(|n| (n % 7) as f32 / 7.0 - 0.5).collect();
    let (inner, other) = (folder.path().join("inner"), folder.path().join("other"));
    fs::create_dir_all(inner.join("data")).unwrap();
    fs::create_dir(&other).unwrap();
    write_npy(&inner.join("data/small.npy"), header, &values);
    let there = inner.join("data/small.npy").canonicalize().unwrap();
    let there = there.to_str().unwrap();
    let train = |file: &str, more: &[&str]| {
        // The file has all but the path from a tiny preset.
        let mut arguments = tiny(
            file,
            IMAGE_LAYERS,
            &["--quiet", "--set", "network.zero_head=false"],
        );
        arguments.extend(more);
        let mut command = afterimage(&other, &arguments);
        command.env("HOME", &inner);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", stderr(&output));
    };
    let kept = |run: &str| {
        let text = fs::read_to_string(other.join(run).join("config.toml")).unwrap();
        let path = config::parse(&text, "it").unwrap().data.path;
        fs::canonicalize(&path)
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned()
    };
    for (name, path) in [
        ("relative", "data/small.npy"),
        ("dots", "../inner/data/small.npy"),
        ("home", "~/data/small.npy"),
    ] {
        let text = format!("[data]\nsource = \"npy\"\npath = \"{path}\"\n");
        fs::write(inner.join(format!("{name}.toml")), text).unwrap();
        let file = format!("../inner/{name}.toml");
        train(&file, &["--out", name]);
        assert_eq!(kept(name), there);
    }
    // Behind --set, paths start in the current folder.
    for (name, path) in [
        ("set", "../inner/data/small.npy"),
        ("set-home", "~/data/small.npy"),
    ] {
        let path = format!("data.path={path}");
        train("../inner/relative.toml", &["--set", &path, "--out", name]);
        assert_eq!(kept(name), there);
    }
    // A run trains again from anywhere.
    fs::create_dir(other.join("deeper")).unwrap();
    fs::copy(
        other.join("set/config.toml"),
        other.join("deeper/again.toml"),
    )
    .unwrap();
    train("deeper/again.toml", &["--out", "again"]);
    assert_eq!(kept("again"), there);
    // And so does what is printed.
    let printed = run(
        &other,
        &["config", "../inner/relative.toml", "--set", IMAGE_LAYERS],
    );
    let printed = config::parse(stdout(&printed), "it").unwrap().data.path;
    assert!(printed.starts_with('/') && printed.ends_with("/data/small.npy"));
    // No path is no path.
    let printed = run(&other, &["config", "mnist"]);
    assert_eq!(config::parse(stdout(&printed), "it").unwrap().data.path, "");
}

#[test]
fn a_model_opens_whose_settings_are_refused_today() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    let old = untrained("8gaussians", POINT_LAYERS);
    let mut settings = old.config().clone();
    settings.optimiser.warmup = settings.run.steps + 1;
    assert!(settings.validate().is_err());
    let parameters = old.parameters().to_vec();
    let model = Model::new(
        settings,
        old.architecture().input(),
        old.scaling(),
        parameters,
        7,
    )
    .unwrap();
    model.save(&path).unwrap();
    let opened = Model::load(&path).unwrap();
    assert_eq!(opened.config().optimiser.warmup, opened.config().run.steps);
    let [note] = opened.notes() else {
        panic!("{:?}", opened.notes());
    };
    assert!(
        note.contains("optimiser.warmup = ") && note.contains("in place of"),
        "{note}"
    );
    let output = run(&folder, &["energy", "model.safetensors", "8gaussians"]);
    assert!(
        stderr(&output).contains(&format!("note: {note}")),
        "{}",
        stderr(&output)
    );
}
