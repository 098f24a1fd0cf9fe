//! `afterimage train --ui`, in a terminal and without one.

use crate::checkpoint::POINT_LAYERS;
use crate::command::{afterimage, run, stderr};
use crate::drawn::{Session, untouched};
use crate::resume::{same_ends, training};
use crate::setup::{names_in, tiny};
use std::fs;
use tempfile::TempDir;

const CONTROL_C: &[u8] = b"\x03";

/// Starts `arguments` with a view in a terminal of that size.
fn start(folder: &TempDir, arguments: &[String], lines: u16, columns: u16) -> Session {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let command = afterimage(folder, &[&arguments[..], &["--ui"]].concat());
    Session::start(command, lines, columns)
}

fn resumption() -> Vec<String> {
    ["train", "--resume", "run"].map(str::to_owned).into()
}

/// What keys ask for is done, and the run ends with the bits of one that nobody has watched.
#[test]
fn keys_change_no_bit_of_the_run() {
    let whole = tempfile::tempdir().unwrap();
    let arguments = training("40", &[]);
    run(
        &whole,
        &arguments.iter().map(String::as_str).collect::<Vec<_>>(),
    );
    let folder = tempfile::tempdir().unwrap();
    let mut session = start(&folder, &arguments, 24, 80);
    session.press(b"p");
    session.shows(&[
        "run  paused",
        "/40 steps",
        "q stop  p go on  s samples",
        "fits so far: ",
    ]);
    // It waits: what is asked for meanwhile is of the step at hand, which no other file is of.
    let has = |inner: &str, name: &str| {
        let folder = folder.path().join("run").join(inner);
        folder.is_dir() && names_in(&folder).contains(&name.to_owned())
    };
    assert!(!has("samples", "000001.png") && !has("checkpoints", "000001.safetensors"));
    session.press(b"s");
    session.shows(&["wrote samples/000001", "noise after 1 steps", "▀"]);
    session.press(b"c");
    session.shows(&["wrote checkpoints/000001"]);
    assert!(has("samples", "000001.png") && has("checkpoints", "000001.safetensors"));
    session.press(b"l\x1b[C");
    session.shows(&["scale: linear"]);
    session.press(b"h");
    session.shows(&["None of them but stop changes a bit"]);
    session.press(b"\x1b");
    session.press(b"psc");
    session.shows(&[
        "run  finished",
        "40/40 steps",
        "last samples",
        "q leave",
        "ended",
    ]);
    // Other keys do not end it.
    session.press(b"l");
    session.shows(&["scale: logarithmic"]);
    session.press(b"q");
    let (status, left) = session.end(&untouched());
    assert_eq!(status, Some(0), "{left}");
    assert!(
        left.contains("Look at:") && left.contains("fits      "),
        "{left}"
    );
    same_ends(&folder, &whole);
}

#[test]
fn stop_keeps_what_there_is_and_a_resumed_run_is_seen_from_its_beginning() {
    let folder = tempfile::tempdir().unwrap();
    let mut session = start(&folder, &training("100000", &[]), 60, 200);
    session.shows(&[
        "run  running",
        "/100,000 steps",
        "training",
        "gradient evaluations",
        "learning rate",
        "gradient norm",
    ]);
    session.resize(24, 80);
    session.comes_to("fewer charts", |contents| {
        contents.contains("q stop  p pause") && !contents.contains("gradient norm")
    });
    session.press(b"q");
    session.shows(&["stop the run? y stops it"]);
    // No answer at all.
    session.press(b"n");
    session.shows(&["q stop  p pause"]);
    session.press(b"qy");
    let (status, left) = session.end(&untouched());
    assert_eq!(status, Some(130), "{left}");
    assert!(left.contains("--resume run` goes on from there"), "{left}");
    let done = fs::read_to_string(folder.path().join("run/metrics.jsonl")).unwrap();
    let done = done.lines().count();
    assert!(done > 0);

    // A pause does not hold up whoever ends it from elsewhere.
    let mut session = start(&folder, &resumption(), 24, 80);
    session.press(b"p");
    session.comes_to("all steps", |contents| {
        steps(contents).is_some_and(|steps| steps >= done)
    });
    session.shows(&["run  paused"]);
    session.send("-TERM");
    let (status, left) = session.end(&untouched());
    assert_eq!(status, Some(143), "{left}");

    // A second one does not wait.
    let mut session = start(&folder, &resumption(), 24, 80);
    session.shows(&["run  running", "training"]);
    session.press(&CONTROL_C.repeat(2));
    let (status, left) = session.end(&untouched());
    assert_eq!(status, Some(130), "{left}");
    assert!(left.contains("stopping after this step"), "{left}");
}

/// The steps that are done, where the screen says it.
fn steps(contents: &str) -> Option<usize> {
    let (before, _) = contents.lines().nth(1)?.split_once('/')?;
    let digits: String = before.chars().filter(char::is_ascii_digit).collect();
    digits.parse().ok()
}

#[test]
fn what_does_not_begin_leaves_the_terminal_and_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let more = ["--out", "run", "--adapter", "no such adapter"];
    let arguments = tiny("moons", POINT_LAYERS, &more)
        .into_iter()
        .map(str::to_owned);
    let session = start(&folder, &arguments.collect::<Vec<_>>(), 24, 80);
    let (status, left) = session.end(&untouched());
    assert_eq!(status, Some(1), "{left}");
    assert!(left.trim_start().starts_with("error: "), "{left}");
    assert!(!folder.path().join("run").exists());
}

#[test]
fn what_went_wrong_is_seen_until_a_key() {
    let folder = tempfile::tempdir().unwrap();
    let more = [
        "--out",
        "run",
        "--set",
        "optimiser.rate=1e30",
        "--set",
        "run.rollbacks=0",
    ];
    let arguments = tiny("moons", POINT_LAYERS, &more)
        .into_iter()
        .map(str::to_owned);
    let mut session = start(&folder, &arguments.collect::<Vec<_>>(), 30, 100);
    session.shows(&["run  failed", "diverged", "q leave"]);
    session.press(CONTROL_C);
    let (status, left) = session.end(&untouched());
    assert_eq!(status, Some(1), "{left}");
    assert!(left.contains("error: "), "{left}");
}

#[test]
fn without_a_terminal_there_are_plain_lines_and_it_is_said_once() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = tiny("moons", POINT_LAYERS, &["--out", "run", "--ui"]);
    let output = run(&folder, &arguments);
    let said = stderr(&output);
    assert_eq!(said.matches("--ui needs a terminal").count(), 1, "{said}");
    assert!(said.contains("\nstep 6/6  loss "), "{said}");
    assert!(!said.contains('\x1b'), "{said}");

    let folder = tempfile::tempdir().unwrap();
    let mut command = afterimage(&folder, &arguments);
    command.env("TERM", "dumb");
    let mut session = Session::start(command, 60, 80);
    session.shows(&["all of it on one page"]);
    assert!(session.child.wait().unwrap().success());
    let said = session.contents();
    assert_eq!(said.matches("--ui needs a terminal").count(), 1, "{said}");
}
