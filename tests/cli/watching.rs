//! `afterimage watch`, in a terminal and without one.

use crate::checkpoint::POINT_LAYERS;
use crate::command::{afterimage, run, stderr};
use crate::drawn::{PATIENCE, Session, untouched};
use crate::resume::{start, training};
use crate::setup::{refuses, tiny};
use serde_json::Value;
use std::fs;
use std::io::Write;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

#[test]
fn a_run_is_watched_in_a_terminal_that_is_as_it_was_afterwards() {
    let folder = tempfile::tempdir().unwrap();
    run(
        &folder,
        &tiny("moons", POINT_LAYERS, &["--quiet", "--out", "run"]),
    );
    // What the probe found, which no line of diagnostics.jsonl has.
    let path = folder.path().join("run/summary.json");
    let mut summary: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    summary["diagnostics"]["energy"]["r_hat"] = 7.5.into();
    for projection in summary["diagnostics"]["projections"]
        .as_array_mut()
        .unwrap()
    {
        projection["r_hat"] = Value::Null;
    }
    fs::write(&path, summary.to_string()).unwrap();
    let watch = || Session::start(afterimage(&folder, &["watch", "run"]), 24, 80);
    let mut session = watch();
    let before = untouched();
    session.shows(&[
        "run  finished",
        "6/6 steps",
        "fits ",
        "loss",
        "last samples",
        "▀",
        "q leave",
    ]);
    assert!(!session.contents().contains("learning rate"));
    session.resize(60, 200);
    session.shows(&["R-hat 7.5", "loss", "gradient norm", "learning rate"]);
    session.press(b"l");
    session.shows(&["scale: linear"]);
    session.press(b"h");
    session.shows(&["the run goes on"]);
    // Leaves the help, and then the screen.
    session.press(b"\x1b");
    session.resize(24, 80);
    session.shows(&["q leave"]);
    session.press(b"q");
    assert_eq!(session.end(&before).0, Some(0));

    let mut session = watch();
    session.shows(&["q leave"]);
    session.send("-TERM");
    assert_eq!(session.end(&before).0, Some(143));
    let mut session = watch();
    session.shows(&["q leave"]);
    session.press(b"\x03");
    assert_eq!(session.end(&before).0, Some(0));
}

/// As where a window is closed, or a connection breaks.
#[test]
fn who_watches_ends_with_the_terminal() {
    let folder = tempfile::tempdir().unwrap();
    run(
        &folder,
        &tiny("moons", POINT_LAYERS, &["--quiet", "--out", "run"]),
    );
    let mut session = Session::start(afterimage(&folder, &["watch", "run"]), 24, 80);
    session.shows(&["q leave"]);
    // Its other side is left by whoever reads it, when there is something more to read.
    let Session {
        mut child,
        mut keys,
        terminal,
        pieces,
        ..
    } = session;
    drop((terminal, pieces));
    keys.write_all(b"h").unwrap();
    drop(keys);
    let began = Instant::now();
    while child.try_wait().unwrap().is_none() {
        assert!(began.elapsed() < PATIENCE, "it goes on without a terminal");
        thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_run_that_goes_on_is_watched_as_it_grows_and_without_a_terminal_in_lines() {
    let folder = tempfile::tempdir().unwrap();
    refuses(
        &folder,
        afterimage(&folder, &["watch", "run"]),
        &["no runs in `run`"],
    );
    let mut running = start(&folder, &training("2000", &[]));
    running.wait_for(12);
    running.hold();
    let mut session = Session::start(afterimage(&folder, &["watch", "run"]), 30, 100);
    session.shows(&["run  running", "/2,000 steps", "noise after"]);
    running.go_on();
    running.wait_for(20);
    running.send("-KILL");
    running.end();
    session.shows(&["run  interrupted"]);
    session.comes_to("more steps than when it was held", |contents| {
        let done = contents.lines().nth(1).and_then(|bar| bar.split_once('/'));
        let digits = done.map(|(done, _)| done.trim_matches(|c: char| !c.is_ascii_digit()));
        digits.is_some_and(|digits| digits.parse().is_ok_and(|done: u64| done > 20))
    });
    session.press(b"q");
    assert!(session.child.wait().unwrap().success());
    // Of steps that were given up, and of an end that it has gone on from.
    for name in ["samples/900000.png", "samples.png"] {
        let picture = image::RgbImage::new(4, 4);
        picture.save(folder.path().join("run").join(name)).unwrap();
    }
    let mut session = Session::start(afterimage(&folder, &["watch", "run"]), 30, 100);
    session.shows(&["run  interrupted", "noise after", "q leave"]);
    assert!(!session.contents().contains("900000"));
    session.press(b"q");
    assert!(session.child.wait().unwrap().success());
    let output = run(&folder, &["watch", "run"]);
    let said = stderr(&output);
    assert!(
        said.starts_with("interrupted  step ") && said.contains("/2,000  loss "),
        "{said}"
    );
    assert_eq!(said.lines().count(), 1);

    // Nor is there anybody to press keys where stdin is no terminal.
    let watch = afterimage(&folder, &["watch", "run"]);
    let mut session = Session::with_stdin(watch, Some(Stdio::null()), 30, 100);
    session.shows(&["interrupted  step ", "/2,000  loss "]);
    assert!(session.child.wait().unwrap().success());
    assert!(!session.contents().contains("q leave"));
}
