//! What stderr is given, on terminals of several kinds and in a file.

use crate::checkpoint::POINT_LAYERS;
use crate::command::{afterimage, stderr};
use crate::resume::timeless;
use crate::setup::tiny;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Read;
use std::num::NonZero;
use std::os::unix::ffi::OsStrExt;
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// What starts a colour, or ends one.
const SEQUENCE: char = '\x1b';

/// Enough for all that a run writes.
const ROWS: u16 = 200;

/// A small run in a folder of its own, with the log that says what was written.
fn training(folder: &TempDir, term: Option<&str>) -> Command {
    let mut command = afterimage(folder, &tiny("moons", POINT_LAYERS, &["--out", "run"]));
    command.env("AFTERIMAGE_LOG", "info").env_remove("NO_COLOR");
    match term {
        Some(term) => command.env("TERM", term),
        None => command.env_remove("TERM"),
    };
    command
}

/// What a command that succeeds writes to a terminal that is `columns` wide.
fn on_terminal(mut command: Command, columns: u16) -> String {
    let mut screen = File::from(openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap());
    grantpt(&screen).unwrap();
    unlockpt(&screen).unwrap();
    let name = ptsname(&screen, Vec::new()).unwrap();
    let path = OsStr::from_bytes(name.to_bytes());
    let terminal = File::options().read(true).write(true).open(path).unwrap();
    let size = Winsize {
        ws_row: ROWS,
        ws_col: columns,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    tcsetwinsize(&terminal, size).unwrap();
    command.stdout(Stdio::null()).stderr(terminal);
    let mut child = command.spawn().unwrap();
    // The terminal ends when nobody holds its other side any more.
    drop(command);
    let mut written = Vec::new();
    // Some systems tell that by an error.
    let _ = screen.read_to_end(&mut written);
    let written = String::from_utf8(written).unwrap();
    assert!(child.wait().unwrap().success(), "{written}");
    written
}

#[test]
fn a_terminal_that_cannot_draw_gets_plain_lines() {
    for term in [Some("dumb"), None] {
        let folder = tempfile::tempdir().unwrap();
        let written = on_terminal(training(&folder, term), 80);
        assert!(!written.contains(SEQUENCE), "{term:?}: {written:?}");
        for line in ["network   ", "memory    ", "step 1/6  ", "step 6/6  "] {
            let mut lines = written.lines();
            assert!(
                lines.any(|found| found.starts_with(line)),
                "{term:?}, {line}: {written}"
            );
        }
    }
}

#[test]
fn a_narrow_terminal_gets_bars_that_leave_nothing_behind() {
    const COLUMNS: u16 = 40;
    let folder = tempfile::tempdir().unwrap();
    let mut command = training(&folder, Some("xterm"));
    command.env_remove("AFTERIMAGE_LOG");
    let written = on_terminal(command, COLUMNS);
    let side = |side| NonZero::new(side).unwrap();
    let mut terminal = vt100::Parser::new(side(ROWS), side(COLUMNS), 0);
    let mut seen = 0;
    for piece in written.split_inclusive(SEQUENCE) {
        terminal.process(piece.as_bytes());
        let bars = terminal.screen().contents().matches("step [").count();
        assert!(bars <= 1, "{}", terminal.screen().contents());
        seen += bars;
    }
    assert!(seen > 0, "{written:?}");
    let rows: Vec<String> = terminal.screen().rows(0, COLUMNS).collect();
    for line in ["network   ", "memory    ", "last step 6  loss "] {
        assert!(rows.iter().any(|row| row.starts_with(line)), "{rows:#?}");
    }
    assert!(!rows.iter().any(|row| row.contains("step [")), "{rows:#?}");
}

#[test]
fn colours_are_for_terminals_that_want_them() {
    // Colours end in an m, other sequences do not.
    let is_coloured = |written: &str| {
        let mut sequences = written.split(SEQUENCE).skip(1);
        sequences.any(|rest| rest.chars().find(char::is_ascii_alphabetic) == Some('m'))
    };
    let folder = tempfile::tempdir().unwrap();
    let written = on_terminal(training(&folder, Some("xterm")), 120);
    assert!(
        written.contains("INFO") && is_coloured(&written),
        "{written:?}"
    );

    let folder = tempfile::tempdir().unwrap();
    let mut command = training(&folder, Some("xterm"));
    command.env("NO_COLOR", "1");
    let written = on_terminal(command, 120);
    assert!(
        written.contains("INFO") && !is_coloured(&written),
        "{written:?}"
    );

    let folder = tempfile::tempdir().unwrap();
    let output = training(&folder, Some("xterm")).output().unwrap();
    let written = stderr(&output);
    assert!(
        written.contains("INFO") && !written.contains(SEQUENCE),
        "{written:?}"
    );
}

#[test]
fn what_is_shown_changes_no_bit() {
    let left = |show: &dyn Fn(Command)| {
        let folder = tempfile::tempdir().unwrap();
        show(training(&folder, Some("xterm")));
        let run = folder.path().join("run");
        let checkpoint = fs::read(run.join("checkpoints/000006.safetensors")).unwrap();
        (checkpoint, timeless(&run.join("metrics.jsonl")))
    };
    let plain = left(&|mut command| assert!(command.output().unwrap().status.success()));
    let quiet = left(&|mut command| {
        assert!(command.arg("--quiet").output().unwrap().status.success());
    });
    let on_screen = left(&|command| drop(on_terminal(command, 80)));
    assert!(plain == quiet, "--quiet");
    assert!(plain == on_screen, "on a terminal");
}
