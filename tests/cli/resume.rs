//! Runs that are killed, stopped, damaged or locked, and go on.

use crate::checkpoint::{IMAGE_LAYERS, POINT_LAYERS};
use crate::command::{afterimage, run, stderr};
#[cfg(target_os = "linux")]
use crate::mounts::{Mounted, with_mounts};
use crate::setup::{names_in, tiny};
use serde_json::Value;
use std::fs;
use std::io::{BufRead, BufReader, Lines};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

/// A run of `steps` steps into the folder `run`, with everything that a run writes on the way. Its states are large enough that
/// it takes a while to write them.
pub fn training(steps: &str, more: &[&str]) -> Vec<String> {
    let steps = format!("run.steps={steps}");
    let mut sets = vec![steps.as_str()];
    sets.extend(["run.sample_every=5", "run.checkpoint_every=7"]);
    sets.extend([
        "run.checkpoint_seconds=0.02",
        "run.keep_snapshots=9",
        "run.figure_every=3",
    ]);
    sets.extend(["sampler.buffer=20000", "sampler.steps=4"]);
    sets.extend([
        "sampler.diagnose=3",
        "sampler.restart=0.1",
        "snapshot.interval=2",
    ]);
    sets.extend(more);
    let mut arguments = vec!["--out", "run"];
    for set in sets {
        arguments.extend(["--set", set]);
    }
    let whole = tiny("digits-langevin", IMAGE_LAYERS, &arguments);
    whole.into_iter().map(str::to_owned).collect()
}

/// The program with its steps to be read off stdout.
pub struct Running {
    pub child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

pub fn start(folder: &TempDir, arguments: &[String]) -> Running {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let mut command = afterimage(folder, &[&arguments[..], &["--json", "--quiet"]].concat());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    Running { child, lines }
}

pub fn resumption(more: &[&str]) -> Vec<String> {
    let words = ["train", "--resume", "run"].iter().chain(more);
    words.map(|&word| word.to_owned()).collect()
}

impl Running {
    /// Waits for so many steps, or the end.
    pub fn wait_for(&mut self, steps: usize) -> usize {
        let printed = self.lines.by_ref().take(steps);
        printed.filter(Result::is_ok).count()
    }

    pub fn send(&self, signal: &str) {
        let kill = [signal, &self.child.id().to_string()];
        assert!(Command::new("kill").args(kill).status().unwrap().success());
    }

    /// Holds it where it is until [`Self::go_on`].
    pub fn hold(&self) {
        self.send("-STOP");
        let id = self.child.id().to_string();
        let state = || {
            Command::new("ps")
                .args(["-o", "stat=", "-p", &id])
                .output()
                .unwrap()
        };
        while !state().stdout.starts_with(b"T") {}
    }

    pub fn go_on(&self) {
        self.send("-CONT");
    }

    /// Its exit status, and what it said.
    pub fn end(self) -> (Option<i32>, String) {
        self.lines.for_each(drop);
        let output = self.child.wait_with_output().unwrap();
        (output.status.code(), stderr(&output).to_owned())
    }
}

/// Files that are not yet what they are to be, below the run in `folder`.
fn unfinished(folder: &TempDir) -> Vec<String> {
    let run = folder.path().join("run");
    let inner = ["", "states", "samples", "checkpoints", "snapshots"].map(|name| run.join(name));
    let names = inner
        .iter()
        .filter(|path| path.is_dir())
        .flat_map(|path| names_in(path));
    names.filter(|name| name.ends_with(".tmp")).collect()
}

/// The states of the run in `folder`, newest first.
fn states(folder: &TempDir) -> Vec<PathBuf> {
    let states = folder.path().join("run/states");
    let mut names = if states.is_dir() {
        names_in(&states)
    } else {
        Vec::new()
    };
    names.retain(|name| name.ends_with(".json"));
    names.sort();
    names.iter().rev().map(|name| states.join(name)).collect()
}

/// Lines of JSON without what depends on the time.
pub fn timeless(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap();
    assert!(
        text.ends_with('\n') || text.ends_with('}'),
        "a torn last line"
    );
    let whole = serde_json::from_str(&text).map(|value| vec![value]);
    let lines = || text.lines().map(|line| serde_json::from_str(line).unwrap());
    let mut values: Vec<Value> = whole.unwrap_or_else(|_| lines().collect());
    for value in &mut values {
        for row in ["", "/last"] {
            if let Some(Value::Object(row)) = value.pointer_mut(row) {
                row.remove("samples_per_second");
            }
        }
    }
    values
}

/// Asserts that the run in `folder` left what that in `whole` did.
pub fn same_ends(folder: &TempDir, whole: &TempDir) {
    let of = |folder: &TempDir, name: &str| folder.path().join("run").join(name);
    for name in ["metrics.jsonl", "diagnostics.jsonl", "summary.json"] {
        assert!(
            timeless(&of(folder, name)) == timeless(&of(whole, name)),
            "{name}"
        );
    }
    let mut files: Vec<String> = [
        "best.safetensors",
        "best.live.safetensors",
        "config.toml",
        "curves.png",
        "energies.jsonl",
        "energies.png",
        "samples.png",
        "training.gif",
    ]
    .map(String::from)
    .into();
    for inner in ["samples", "checkpoints", "snapshots", "states"] {
        let names = names_in(&of(whole, inner)).into_iter();
        // A manifest has the checksum of the metrics, with their times.
        let names = names.filter(|name| inner != "states" || !name.ends_with(".json"));
        files.extend(names.map(|name| format!("{inner}/{name}")));
    }
    assert!(files.len() > 20, "{files:?}");
    for name in files {
        let same = fs::read(of(folder, &name)).unwrap() == fs::read(of(whole, &name)).unwrap();
        assert!(same, "{name}");
    }
    assert_eq!(unfinished(folder), [""; 0]);
}

/// Numbers that look drawn.
pub struct Drawn(pub u64);

impl Drawn {
    pub fn below(&mut self, most: u64) -> u64 {
        // A step of Knuth's generator, of which the upper bits are the better ones.
        self.0 = self
            .0
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (self.0 >> 33) % most
    }
}

/// Kills the run as soon as a state is being written. Whether it was in the middle of that.
fn kill_while_writing(running: &mut Running, folder: &TempDir) -> bool {
    let is_writing =
        |path: &Path| path.is_dir() && names_in(path).iter().any(|name| name.ends_with(".tmp"));
    let inner = folder.path().join("run/states");
    while !is_writing(&inner) && running.child.try_wait().unwrap().is_none() {}
    running.child.kill().unwrap();
    running.child.wait().unwrap();
    is_writing(&inner)
}

#[test]
fn a_run_that_is_killed_again_and_again_ends_as_one_that_is_not() {
    let is_long = std::env::var_os("AFTERIMAGE_EXTENDED").is_some_and(|value| !value.is_empty());
    let (steps, kills, stride) = if is_long {
        ("1500", 50, 20)
    } else {
        ("90", 4, 7)
    };
    let whole = tempfile::tempdir().unwrap();
    let first = training(steps, &[]);
    run(
        &whole,
        &first.iter().map(String::as_str).collect::<Vec<_>>(),
    );

    let folder = tempfile::tempdir().unwrap();
    let (mut drawn, mut killed, mut in_a_state, mut damaged) = (Drawn(7), 0, 0, 0);
    let mut arguments = first.clone();
    while killed < kills || damaged == 0 {
        let mut running = start(&folder, &arguments);
        if killed % 4 == 1 && killed < kills {
            // Anywhere before the first step, too.
            in_a_state += usize::from(kill_while_writing(&mut running, &folder));
        } else {
            // Enough for two states, if none has been damaged yet.
            let least = if killed < kills { 1 } else { 16 };
            running.wait_for(least + drawn.below(stride) as usize);
            std::thread::sleep(Duration::from_micros(drawn.below(20_000)));
            running.child.kill().unwrap();
            running.child.wait().unwrap();
        }
        let (_, said) = running.end();
        assert!(!said.contains("error"), "{said}");
        killed += 1;
        let states = states(&folder);
        arguments = match states.len() {
            0 => [&first[..], &["--force".to_owned()]].concat(),
            _ => resumption(&[]),
        };
        // Now and then the disk has lost the newest one.
        if states.len() > 1 && (damaged == 0 || killed % 4 == 3) {
            damaged += 1;
            let buffers = states[0].with_extension("safetensors");
            let mut bytes = fs::read(&buffers).unwrap();
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
            fs::write(&buffers, bytes).unwrap();
        }
    }
    let (status, said) = start(&folder, &arguments).end();
    assert_eq!(status, Some(0), "{said}");
    same_ends(&folder, &whole);
    println!(
        "{killed} kills, {in_a_state} of them in the middle of a state, {damaged} states damaged: the same ends"
    );
    assert!(damaged > 0);
}

#[test]
fn a_run_that_is_stopped_says_how_to_go_on_and_does() {
    let whole = tempfile::tempdir().unwrap();
    let first = training("30", &[]);
    run(
        &whole,
        &first.iter().map(String::as_str).collect::<Vec<_>>(),
    );
    let folder = tempfile::tempdir().unwrap();
    let mut running = start(&folder, &first);
    running.wait_for(4);

    // Nobody else gets in.
    let refused = |arguments: &[String], says: &[&str]| {
        let (status, said) = start(&folder, arguments).end();
        assert_eq!(status, Some(1), "{said}");
        assert_eq!(said.lines().count(), 1, "{said}");
        assert!(says.iter().all(|says| said.contains(says)), "{said}");
    };
    running.hold();
    let id = running.child.id().to_string();
    refused(&resumption(&[]), &["another process", &id]);
    refused(
        &[&first[..], &["--force".to_owned()]].concat(),
        &["another process", &id],
    );
    running.send("-TERM");
    running.go_on();
    let (status, said) = running.end();
    assert_eq!(status, Some(143), "{said}");
    assert!(
        said.contains("`afterimage train --resume run` goes on"),
        "{said}"
    );

    // What would make another run of it is refused by its key, and states of other versions are not guessed at.
    refused(
        &resumption(&["--set", "optimiser.rate=1"]),
        &["optimiser.rate would change"],
    );
    refused(
        &resumption(&["--set", "run.steps=1"]),
        &["steps are done already"],
    );
    let newest = states(&folder).remove(0);
    let text = fs::read_to_string(&newest).unwrap();
    fs::write(&newest, text.replacen("\"version\":3", "\"version\":4", 1)).unwrap();
    refused(&resumption(&[]), &["version 4", "reads versions 1 to 3"]);
    fs::write(&newest, text).unwrap();

    // Buffers whose manifest was never written are nobody's.
    let alone = folder.path().join("run/states/000001.safetensors");
    fs::write(&alone, "left by a kill").unwrap();
    let (status, said) = start(&folder, &resumption(&[])).end();
    assert_eq!(status, Some(0), "{said}");
    same_ends(&folder, &whole);
    assert!(!alone.exists());
    refused(&resumption(&[]), &["is finished, with all of its 30 steps"]);

    // A run that has come to its end can be made longer.
    let (status, said) = start(&folder, &resumption(&["--set", "run.steps=33"])).end();
    assert_eq!(status, Some(0), "{said}");
    assert!(said.contains("note: the learning rate"), "{said}");
    let rows = timeless(&folder.path().join("run/metrics.jsonl"));
    let steps: Vec<u64> = rows
        .iter()
        .map(|row| row["step"].as_u64().unwrap())
        .collect();
    assert_eq!(steps, (0..33).collect::<Vec<u64>>());
}

#[test]
fn other_data_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let table = |add: f64| -> String {
        let row = |i: i32| {
            format!(
                "{},{}\n",
                f64::from(i % 7) * 0.1 + add,
                f64::from(i % 5) * 0.1
            )
        };
        (0..40).map(row).collect()
    };
    let path = folder.path().join("points.csv");
    fs::write(&path, table(0.0)).unwrap();
    let mut more = vec!["--out", "run", "--set", "run.steps=100000"];
    more.extend(["--set", "data.source=csv", "--set", "data.path=points.csv"]);
    let arguments: Vec<String> = tiny("moons", POINT_LAYERS, &more)
        .into_iter()
        .map(str::to_owned)
        .collect();
    let mut running = start(&folder, &arguments);
    running.wait_for(2);
    running.send("-TERM");
    let (status, said) = running.end();
    assert_eq!(status, Some(143), "{said}");
    fs::write(&path, table(0.01)).unwrap();
    let (status, said) = start(&folder, &resumption(&[])).end();
    assert_eq!(status, Some(1), "{said}");
    assert!(
        said.contains("are not those that the run began with"),
        "{said}"
    );
    // Nothing of the run has been touched.
    assert!(folder.path().join("run/summary.json").exists());
    fs::write(&path, table(0.0)).unwrap();
    let mut running = start(&folder, &resumption(&[]));
    assert_eq!(running.wait_for(2), 2);
    running.child.kill().unwrap();
    running.child.wait().unwrap();

    // What has come to no checkpoint of its model has one in its state.
    fs::remove_dir_all(folder.path().join("run/checkpoints")).unwrap();
    let sampled = run(&folder, &["sample", "run", "--steps", "2", "--count", "2"]);
    assert!(
        stderr(&sampled).contains("of its last training state"),
        "{}",
        stderr(&sampled)
    );

    // Copies of folders may lack empty ones: they are there again when there is something to write.
    let _ = fs::remove_dir_all(folder.path().join("run/samples"));
    let mut running = start(&folder, &resumption(&[]));
    running.wait_for(2);
    running.send("-TERM");
    let (status, said) = running.end();
    assert_eq!(status, Some(143), "{said}");
    assert!(!said.contains("warning"), "{said}");
    let checkpoints = fs::read_dir(folder.path().join("run/checkpoints")).unwrap();
    assert_ne!(checkpoints.count(), 0);
}

#[test]
#[cfg(target_os = "linux")]
fn a_run_without_room_for_states_goes_on_and_says_so() {
    with_mounts(|| {
        let folder = tempfile::tempdir().unwrap();
        let _disk = Mounted::small(folder.path().join("run"), "3m").expect("may mount");
        let mut more = vec!["--out", "run", "--quiet", "--set", "run.checkpoint_every=2"];
        // Its state has 3.2 MB.
        more.extend(["--set", "sampler.buffer=400000"]);
        let output = run(&folder, &tiny("moons", POINT_LAYERS, &more));
        let said = stderr(&output);
        assert!(
            said.contains("warning: the training state could not be written"),
            "{said}"
        );
        assert_eq!(unfinished(&folder), [""; 0]);
        assert_eq!(states(&folder).len(), 0);
    });
}
