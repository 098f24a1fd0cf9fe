//! Runs that are stopped, lose their reader, or run out of room.

use crate::checkpoint::{IMAGE_LAYERS, metrics};
use crate::command::{afterimage, run, stderr};
use crate::setup::{names_in, tiny};
#[cfg(target_os = "linux")]
use crate::{
    checkpoint::POINT_LAYERS,
    mounts::{Mounted, with_mounts},
    setup::{checkpoint, refused, refuses},
};
use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// A run of `steps` optimiser steps in the folder `run`.
fn training(folder: &TempDir, steps: &str, more: &[&str]) -> Command {
    let steps = format!("run.steps={steps}");
    let every = [
        "--set",
        "run.sample_every=20",
        "--set",
        "run.checkpoint_every=20",
    ];
    let out = ["--out", "run", "--set", &steps];
    afterimage(
        folder,
        &tiny("digits", IMAGE_LAYERS, &[&out, &every[..], more].concat()),
    )
}

/// Starts such a run, with stdout and stderr to be read.
fn start(folder: &TempDir, steps: &str, more: &[&str]) -> Child {
    let mut command = training(folder, steps, more);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

#[cfg(unix)]
fn send(signal: &str, child: &Child) {
    let kill = [signal, &child.id().to_string()];
    assert!(Command::new("kill").args(kill).status().unwrap().success());
}

#[test]
#[cfg(unix)]
fn a_signal_keeps_what_there_is() {
    for (signal, status) in [("-INT", 130), ("-TERM", 143), ("-HUP", 129)] {
        let folder = tempfile::tempdir().unwrap();
        let run_folder = folder.path().join("run");
        let mut child = start(&folder, "1000000", &["--json", "--quiet"]);
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        for _ in 0..3 {
            lines.next().expect("a step").unwrap();
        }
        send(signal, &child);
        let printed = 3 + lines.map(Result::unwrap).count();
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(status), "{signal}");
        let errors = stderr(&output);
        assert!(
            errors.contains(&format!("error: stopped after {printed} of ")),
            "{errors}"
        );

        assert_eq!(metrics(&run_folder.join("metrics.jsonl")).len(), printed);
        let names = names_in(&run_folder);
        for name in ["config.toml", "curves.png", "samples.png", "summary.json"] {
            assert!(names.contains(&name.into()), "{name}");
        }
        assert!(names.iter().all(|name| !name.ends_with(".tmp")));
        let last = format!("{printed:06}.safetensors");
        assert!(names_in(&run_folder.join("checkpoints")).contains(&last));
        run(
            &folder,
            &["sample", "run", "--steps", "2", "--out", "a.png"],
        );
    }
}

/// Whoever sends a signal looks for it in the exit status, also where the page cannot be written.
#[test]
#[cfg(unix)]
fn a_failing_page_does_not_hide_a_signal() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = start(&folder, "1000000", &["--json", "--quiet"]);
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    lines.next().expect("a step").unwrap();
    fs::create_dir(folder.path().join("run/report.html")).unwrap();
    send("-TERM", &child);
    lines.for_each(|line| drop(line.unwrap()));
    let output = child.wait_with_output().unwrap();
    let errors = stderr(&output);
    assert_eq!(output.status.code(), Some(143), "{errors}");
    assert!(errors.contains("warning: cannot write"), "{errors}");
}

#[test]
#[cfg(unix)]
fn ignored_signals_stay_ignored() {
    use std::ffi::OsStr;
    let folder = tempfile::tempdir().unwrap();
    let more = ["--json", "--quiet"];
    let program = training(&folder, "1000000", &more);
    // What nohup does, and a shell's & where there is no job control.
    let mut command = Command::new("sh");
    command.args(["-c", "trap '' HUP INT; exec \"$@\"", "sh"]);
    command.arg(program.get_program()).args(program.get_args());
    let given =
        |(name, value): (&OsStr, Option<&OsStr>)| Some((name.to_owned(), value?.to_owned()));
    command
        .envs(program.get_envs().filter_map(given))
        .current_dir(&folder);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut steps =
        |count: usize| (0..count).for_each(|_| drop(lines.next().expect("a step").unwrap()));
    steps(3);
    send("-HUP", &child);
    send("-INT", &child);
    // More than are in flight when the signals arrive.
    steps(40);
    send("-TERM", &child);
    let rest = lines.count();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(143), "{}", stderr(&output));
    let kept = metrics(&folder.path().join("run/metrics.jsonl"));
    assert_eq!(kept.len(), 43 + rest);
}

#[test]
fn a_reader_that_goes_away_does_not_end_a_run() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = start(&folder, "40", &["--json"]);
    let mut first = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut first)
        .unwrap();
    assert!(first.starts_with("{\"step\":0,"));
    drop(child.stderr.take());
    assert!(child.wait().unwrap().success());
    assert_eq!(metrics(&folder.path().join("run/metrics.jsonl")).len(), 40);
    assert!(folder.path().join("run/summary.json").exists());
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_tears_no_file() {
    with_mounts(|| {
        let folder = tempfile::tempdir().unwrap();
        checkpoint(&folder, "moons", POINT_LAYERS);
        let _disk = Mounted::small(folder.path().join("disk"), "16k").expect("may mount");
        let sample = |count: &'static str| {
            let to = ["--quiet", "--steps", "1", "--out", "disk/a.npy"];
            [&["sample", "model.safetensors", "--count", count], &to[..]].concat()
        };
        run(&folder, &sample("2"));
        // It would have 80,000 bytes.
        refused(
            &folder,
            &sample("10000"),
            &["disk/a.npy", "free some disk space"],
        );
    });
}

#[test]
#[cfg(target_os = "linux")]
fn a_run_on_a_disk_that_stays_full_says_so_in_the_end() {
    with_mounts(|| {
        let folder = tempfile::tempdir().unwrap();
        let _disk = Mounted::small(folder.path().join("run"), "420k").expect("may mount");
        // The checkpoint and some 850 lines of metrics take all of it.
        let mut more = vec!["--quiet", "--out", "run", "--set", "run.steps=1100"];
        more.extend(["--set", "run.sample_every=0"]);
        more.extend(["--set", "run.checkpoint_every=600"]);
        // Nothing else is to be written while it fills.
        let off = ["checkpoint_seconds", "keep_snapshots", "figure_every"];
        let off = off.map(|key| format!("run.{key}=0"));
        more.extend(off.iter().flat_map(|off| ["--set", off]));
        let arguments = tiny("moons", POINT_LAYERS, &more);
        let output = afterimage(&folder, &arguments).output().unwrap();
        let errors = stderr(&output);
        assert_eq!(output.status.code(), Some(1), "{errors}");
        // It has done all steps, and says in the end what there was no room for.
        let lines: Vec<&str> = errors.lines().collect();
        let (first, last) = (lines[0], lines[lines.len() - 1]);
        assert!(
            first.starts_with("warning: cannot append to `run/metrics.jsonl`"),
            "{errors}"
        );
        assert!(first.ends_with("tries again"), "{errors}");
        assert!(
            last.starts_with("error: cannot append to `run/metrics.jsonl`"),
            "{errors}"
        );
        let rows = metrics(&folder.path().join("run/metrics.jsonl"));
        assert!(rows.len() > 600 && rows.len() < 1100, "{}", rows.len());
        run(&folder, &["sample", "run", "--steps", "2", "--count", "2"]);
    });
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_device_behind_stdout_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let full = || fs::File::options().write(true).open("/dev/full").unwrap();
    let mut command = afterimage(&folder, &["presets"]);
    command.stdout(full());
    refuses(&folder, command, &["stdout", "check where it is sent"]);
    let mut command = afterimage(
        &folder,
        &tiny("moons", POINT_LAYERS, &["--quiet", "--json"]),
    );
    let output = command.stdout(full()).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let errors = stderr(&output);
    assert!(
        errors.starts_with("error: writing to stdout failed"),
        "{errors}"
    );
    // The run is whole.
    assert_eq!(
        metrics(&folder.path().join("runs/moons/metrics.jsonl")).len(),
        6
    );
}
