//! Sweeps: what comes out of cells that train, fail, make no sense, or are killed.

use crate::checkpoint::POINT_LAYERS;
use crate::command::{afterimage, run, stderr, stdout};
use crate::setup::{names_in, refused};
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::process::Command;

/// Arguments of a sweep of moons into `out`, whose cells take a second each.
fn sweep<'a>(out: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let mut arguments = vec!["sweep", "moons", "--out", out];
    for set in [
        POINT_LAYERS,
        "run.batch=8",
        "objective.noise_ratio=1",
        "run.samples=9",
        "run.sample_steps=4",
        "run.sample_every=0",
        "sampler.steps=2",
        "sampler.buffer=16",
        "sampler.probe=8",
        "objective.normaliser=profiled",
    ] {
        arguments.extend(["--set", set]);
    }
    arguments.extend(["--samples", "0", "--tolerance", "0.1"]);
    arguments.extend(more);
    arguments
}

/// The lines of sweep.csv, each by its columns.
fn lines(folder: &Path) -> Vec<BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_path(folder.join("sweep.csv")).expect("a table");
    let head = reader.headers().unwrap().clone();
    let line = |record: csv::StringRecord| {
        let cells = head.iter().zip(&record);
        cells
            .map(|(column, cell)| (column.to_owned(), cell.to_owned()))
            .collect()
    };
    reader
        .records()
        .map(|record| line(record.unwrap()))
        .collect()
}

/// What came out of every cell, by its name.
fn outcomes(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let names = names_in(&folder.join("cells")).into_iter();
    let cells = names.filter_map(|name| {
        let text = fs::read(folder.join("cells").join(&name).join("cell.json")).ok()?;
        Some((name, text))
    });
    cells.collect()
}

/// A sweep of two intervals, a row that diverges and one that makes no sense.
const ROWS: [&str; 14] = [
    "--vary",
    "snapshot.interval=1,2",
    "--row",
    "wild: optimiser.rate=1e20,optimiser.gradient_clip=0",
    "--row",
    "never: snapshot.interval=0",
    "--seeds",
    "1",
    "--budget",
    "both",
    "--set",
    "run.steps=8",
    "--set",
    "run.figure_every=3",
];

#[test]
fn a_sweep_compares_what_its_cells_leave_and_goes_on_from_there() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("s");
    let failing = |arguments: &[&str]| {
        let output = afterimage(&folder, arguments).output().unwrap();
        let errors = stderr(&output).to_owned();
        assert_eq!(output.status.code(), Some(1), "{errors}");
        errors
    };
    let errors = failing(&sweep("s", &ROWS));
    assert!(errors.contains("wild-steps-seed-1"), "{errors}");
    for name in [
        "sweep.csv",
        "sweep.md",
        "report.html",
        "quality.png",
        "cost.png",
        "memory.png",
    ] {
        assert!(out.join(name).is_file(), "{name}");
    }
    let found = lines(&out);
    let of = |row: &str, budget: &str| {
        let line = found.iter().find(|line| {
            line["row"] == row && line["budget"].split('+').any(|named| named == budget)
        });
        line.unwrap_or_else(|| panic!("no {row} under {budget} in {found:?}"))
    };
    // Under both budgets the evaluations are those of 8 passes, noise used twice where its snapshot lasts for two steps.
    let once = of("snapshot.interval=1", "steps");
    assert_eq!(once["budget"], "steps+gradients");
    let (steps, gradients) = (
        of("snapshot.interval=2", "steps"),
        of("snapshot.interval=2", "gradients"),
    );
    for (line, updates, refreshes) in [(once, "8", "8"), (steps, "8", "4"), (gradients, "16", "8")]
    {
        assert_eq!(line["outcome"], "done", "{line:?}");
        assert_eq!(line["optimiser_steps"], updates);
        assert_eq!(line["refreshes"], refreshes);
        assert_eq!(line["gradient_evaluations"], once["gradient_evaluations"]);
        for column in [
            "kl_data_model",
            "memory_bytes",
            "training_wall_seconds",
            "fits",
        ] {
            assert_ne!(line[column], "", "{column} of {line:?}");
        }
        let seconds: f64 = line["training_wall_seconds"].parse().unwrap();
        assert!(seconds > 0.0);
        if cfg!(unix) {
            let seconds: f64 = line["training_processor_seconds"].parse().unwrap();
            assert!(seconds > 0.0);
        }
    }
    assert_ne!(once["gradient_evaluations"], "0");
    // What only a longer run would need is not kept.
    let done = out.join("cells/snapshot.interval-2-gradients-seed-1");
    assert!(done.join("checkpoints").is_dir() && !done.join("states").exists());
    // Each cell keeps its own best weights, and is compared by its last ones.
    assert!(done.join("best.safetensors").is_file());
    let about = fs::read_to_string(done.join("evaluation.json")).unwrap();
    let about: serde_json::Value = serde_json::from_str(&about).unwrap();
    assert_eq!(
        (&about["weights"], &about["step"]),
        (&"averaged".into(), &16.into())
    );
    let wild = of("wild", "steps");
    assert_eq!(wild["outcome"], "failed");
    let reason = &wild["reason"];
    assert!(
        reason.contains("exit status 1: the run diverged at step "),
        "{reason}"
    );
    assert_eq!(wild["kl_data_model"], "");
    for budget in ["steps", "gradients"] {
        let never = of("never", budget);
        assert_eq!(never["outcome"], "not trained");
        assert!(never["reason"].contains("must be 1 or above"), "{never:?}");
    }

    // The same again does nothing again, also of what diverged.
    let before = outcomes(&out);
    assert_eq!(before.len(), 5);
    failing(&sweep("s", &ROWS));
    assert_eq!(outcomes(&out), before);

    // A cell whose evaluation was cut off is not trained again.
    let cell = out.join("cells/snapshot.interval-2-gradients-seed-1");
    let trained = fs::metadata(cell.join("metrics.jsonl")).unwrap().modified();
    fs::remove_file(cell.join("cell.json")).unwrap();
    failing(&sweep("s", &ROWS));
    assert!(cell.join("cell.json").is_file());
    let modified = fs::metadata(cell.join("metrics.jsonl")).unwrap().modified();
    assert_eq!(modified.unwrap(), trained.unwrap());

    // Other settings are refused by name, unless they are to be done again.
    let other = [&ROWS[..10], &["--set", "run.steps=9"]].concat();
    refused(
        &folder,
        &sweep("s", &other),
        &["run.steps is 8 there, 9 here", "--force"],
    );

    // As commands in any order: the same but for what it took.
    let output = run(&folder, &sweep("t", &[&ROWS[..], &["--tasks"]].concat()));
    let tasks: Vec<&str> = stdout(&output).lines().collect();
    assert_eq!(tasks.len(), 5);
    let program = afterimage(&folder, &[]);
    let given =
        |(name, value): (&OsStr, Option<&OsStr>)| Some((name.to_owned(), value?.to_owned()));
    for task in tasks.iter().rev() {
        let mut command = Command::new("sh");
        command.args(["-c", task]).current_dir("/");
        command.envs(program.get_envs().filter_map(given));
        let output = command.output().unwrap();
        let fails = task.contains(" wild-");
        assert_eq!(output.status.success(), !fails, "{}", stderr(&output));
    }
    let errors = failing(&sweep("t", &[&ROWS[..], &["--collect"]].concat()));
    assert!(errors.contains("2 of 5 cells failed"), "{errors}");
    let untimed = |folder: &Path| {
        let mut lines = lines(folder);
        for line in &mut lines {
            line.retain(|column, _| !column.ends_with("_seconds"));
        }
        lines
    };
    assert_eq!(untimed(&folder.path().join("t")), untimed(&out));

    // Figures of another evaluation are not put beside these: all but what diverged is missing.
    let finer = [&ROWS[..], &["--evaluations", "99", "--collect"]].concat();
    let errors = failing(&sweep("t", &finer));
    assert!(errors.contains("wild-steps-seed-1"), "{errors}");
    assert!(
        errors.contains("snapshot.interval-2-steps-seed-1"),
        "{errors}"
    );
    let found = lines(&folder.path().join("t"));
    assert!(found.iter().all(|line| line["kl_data_model"].is_empty()));
}

/// The cells that `arguments` would do.
fn names(folder: &tempfile::TempDir, arguments: &[&str]) -> Vec<String> {
    let output = run(folder, &[arguments, &["--tasks"]].concat());
    let name = |line: &str| {
        let (_, rest) = line.split_once("--cell ").unwrap();
        rest.split(' ').next().unwrap().to_owned()
    };
    stdout(&output).lines().map(name).collect()
}

#[test]
fn cells_have_the_same_names_whichever_budget_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let of = |budget| {
        let more = [
            "--vary",
            "snapshot.interval=1,2",
            "--seeds",
            "1",
            "--budget",
        ];
        let row = [
            "--row",
            "two: sampler.steps=2",
            "--row",
            "Two: sampler.steps=8",
        ];
        names(&folder, &sweep("s", &[&more[..], &[budget], &row].concat()))
    };
    let all = of("both");
    assert_eq!(all.len(), 7, "{all:?}");
    for budget in ["steps", "gradients"] {
        let some = of(budget);
        assert_eq!(some.len(), 4, "{some:?}");
        assert!(
            some.iter().all(|name| all.contains(name)),
            "{some:?} of {all:?}"
        );
    }
    // Nor are they the same where a file system takes capitals for small letters.
    let mut small: Vec<String> = all.iter().map(|name| name.to_lowercase()).collect();
    small.sort();
    small.dedup();
    assert_eq!(small.len(), all.len(), "{all:?}");
}

/// The processes that `parent` has started.
#[cfg(target_os = "linux")]
fn children(parent: u32) -> Vec<u32> {
    let processes = fs::read_dir("/proc").unwrap();
    let ids = processes.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    ids.filter(|id: &u32| {
        let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
        // Behind the name, which may hold anything, state and parent.
        let after = stat.rsplit_once(')').map_or("", |(_, after)| after);
        after.split_whitespace().nth(1) == Some(&parent.to_string())
    })
    .collect()
}

#[cfg(target_os = "linux")]
fn kill(signal: &str, process: u32) {
    let kill = [signal, &process.to_string()];
    assert!(Command::new("kill").args(kill).status().unwrap().success());
}

#[test]
#[cfg(target_os = "linux")]
fn what_is_killed_in_the_middle_repeats_nothing_that_is_finished() {
    use std::process::{Child, Stdio};
    use std::thread::sleep;
    use std::time::Duration;

    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("s");
    let long = out.join("cells/long-steps-seed-1");
    let rows = [
        "--row",
        "first: run.steps=4",
        "--row",
        "long: run.steps=100000000",
        "--row",
        "last: run.steps=5",
        "--seeds",
        "1",
    ];
    // Starts the sweep, and waits for the long cell to train.
    let start = || -> (Child, u32) {
        let mut command = afterimage(&folder, &sweep("s", &rows));
        let mut sweeping = command.stderr(Stdio::piped()).spawn().unwrap();
        loop {
            assert!(sweeping.try_wait().unwrap().is_none(), "it has ended");
            for child in children(sweeping.id()) {
                let words = fs::read_to_string(format!("/proc/{child}/cmdline"));
                let trains = words.unwrap_or_default().contains("100000000");
                let metrics = fs::read_to_string(long.join("metrics.jsonl"));
                if trains && metrics.unwrap_or_default().lines().count() > 1 {
                    return (sweeping, child);
                }
            }
            sleep(Duration::from_millis(20));
        }
    };
    let is_there = |child: u32| {
        let words = fs::read_to_string(format!("/proc/{child}/cmdline"));
        words.unwrap_or_default().contains("100000000")
    };

    // The whole sweep.
    let (mut sweeping, child) = start();
    let first = outcomes(&out);
    assert_eq!(first.keys().collect::<Vec<_>>(), ["first-steps-seed-1"]);
    kill("-KILL", sweeping.id());
    sweeping.wait().unwrap();
    while is_there(child) {
        sleep(Duration::from_millis(20));
    }

    // The process of a cell: the others go on.
    let (sweeping, child) = start();
    kill("-KILL", child);
    let output = sweeping.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    let second = outcomes(&out);
    assert_eq!(second.len(), 3);
    assert_eq!(second["first-steps-seed-1"], first["first-steps-seed-1"]);
    let found = lines(&out);
    let killed = found.iter().find(|line| line["row"] == "long").unwrap();
    assert_eq!(killed["outcome"], "failed");
    assert_eq!(killed["reason"], "training ended with signal 9");

    // By Ctrl-C: it is begun anew, since it was killed, and stops with what is finished in its place.
    let (sweeping, child) = start();
    kill("-INT", sweeping.id());
    let output = sweeping.wait_with_output().unwrap();
    let errors = stderr(&output);
    assert_eq!(output.status.code(), Some(130), "{errors}");
    assert!(
        errors.contains("stopped with 2 of 3 cells done"),
        "{errors}"
    );
    assert!(errors.contains("the same command goes on"), "{errors}");
    assert!(!is_there(child));
    let third = outcomes(&out);
    assert_eq!(third.len(), 2);
    for (name, text) in third {
        assert_eq!(second[&name], text, "{name}");
    }
}

#[test]
fn what_is_no_sweep_is_refused_before_anything_is_trained() {
    let folder = tempfile::tempdir().unwrap();
    let cases: [(&[&str], &str); 9] = [
        (
            &[
                "--row",
                "mine: data.source=csv,data.path=mine.csv",
                "--tasks",
            ],
            "write the whole path",
        ),
        (&["--vary", "snapshot.intervall=1,2"], "snapshot.interval"),
        (&["--vary", "run.seed=1,2"], "--seeds"),
        (&["--row", "fast: optimiser.rate"], "no row"),
        (&["--vary", "snapshot.interval=0"], "no row makes sense"),
        (&["--vary", "sampler.jumps=1,1"], "two rows are called"),
        (&["--only", "samples,outside"], "--against"),
        (&["--only", "samples", "--set", "run.seed=2"], "--seeds"),
        (&["--cell", "none"], "no cell is called `none`"),
    ];
    for (more, part) in cases {
        refused(&folder, &sweep("s", more), &[part]);
    }
    let digits = ["sweep", "digits", "--only", "density"];
    refused(&folder, &digits, &["density"]);
}
