//! `afterimage watch`, in a terminal and without one.

use crate::checkpoint::POINT_LAYERS;
use crate::command::{afterimage, run, stderr};
use crate::resume::{start, training};
use crate::setup::{refuses, tiny};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcgetattr, tcsetwinsize};
use std::ffi::OsStr;
use std::fs::File;
use std::io::{Read, Write};
use std::num::NonZero;
use std::os::unix::ffi::OsStrExt;
use std::process::{Child, Command};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

/// What leaves the screen that a program has drawn on, and shows the cursor again.
const RESTORED: [&str; 2] = ["\x1b[?1049l", "\x1b[?25h"];
/// Not for programs that other tests start.
const FLAGS: OpenptFlags = OpenptFlags::RDWR
    .union(OpenptFlags::NOCTTY)
    .union(OpenptFlags::CLOEXEC);
/// Enough for a program to draw, on a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(60);

/// A program in a terminal of its own.
struct Session {
    child: Child,
    keys: File,
    terminal: File,
    pieces: Receiver<Vec<u8>>,
    screen: vt100::Parser,
    written: Vec<u8>,
}

impl Session {
    fn start(mut command: Command, lines: u16, columns: u16) -> Self {
        let keys = File::from(openpt(FLAGS).unwrap());
        grantpt(&keys).unwrap();
        unlockpt(&keys).unwrap();
        let name = ptsname(&keys, Vec::new()).unwrap();
        let path = OsStr::from_bytes(name.to_bytes());
        let terminal = File::options().read(true).write(true).open(path).unwrap();
        tcsetwinsize(&terminal, size(lines, columns)).unwrap();
        let side = || terminal.try_clone().unwrap();
        command.stdin(side()).stdout(side()).stderr(side());
        command
            .env("TERM", "xterm-256color")
            .env_remove("NO_COLOR")
            .env("COLORTERM", "truecolor");
        let child = command.spawn().unwrap();
        let mut shown = keys.try_clone().unwrap();
        let (send, pieces) = channel();
        thread::spawn(move || {
            let mut piece = [0; 4096];
            while let Ok(length @ 1..) = shown.read(&mut piece) {
                if send.send(piece[..length].to_vec()).is_err() {
                    break;
                }
            }
        });
        let [lines, columns] = [lines, columns].map(|side| NonZero::new(side).unwrap());
        Session {
            child,
            keys,
            terminal,
            pieces,
            screen: vt100::Parser::new(lines, columns, 0),
            written: Vec::new(),
        }
    }

    /// Waits until the screen shows all of this.
    fn shows(&mut self, words: &[&str]) {
        self.comes_to(&format!("{words:?}"), |contents| {
            words.iter().all(|word| contents.contains(word))
        });
    }

    /// Waits until the screen is so. What is drawn comes in pieces, each of which may be a part of a picture only.
    fn comes_to(&mut self, what: &str, is_so: impl Fn(&str) -> bool) {
        let began = Instant::now();
        while !is_so(&self.contents()) {
            let left = PATIENCE.saturating_sub(began.elapsed());
            let piece = self.pieces.recv_timeout(left);
            let piece = piece.unwrap_or_else(|_| panic!("no {what}: {}", self.contents()));
            self.take(&piece);
        }
    }

    fn take(&mut self, piece: &[u8]) {
        self.screen.process(piece);
        self.written.extend(piece);
    }

    fn contents(&self) -> String {
        self.screen.screen().contents()
    }

    fn press(&mut self, keys: &[u8]) {
        self.keys.write_all(keys).unwrap();
    }

    fn resize(&mut self, lines: u16, columns: u16) {
        tcsetwinsize(&self.terminal, size(lines, columns)).unwrap();
        let [lines, columns] = [lines, columns].map(|side| NonZero::new(side).unwrap());
        self.screen.screen_mut().set_size(lines, columns);
    }

    fn send(&self, signal: &str) {
        let kill = [signal, &self.child.id().to_string()];
        assert!(Command::new("kill").args(kill).status().unwrap().success());
    }

    /// Its exit status; the terminal has to be as it was.
    fn end(mut self, before: &rustix::termios::Termios) -> Option<i32> {
        let status = self.child.wait().unwrap();
        while let Ok(piece) = self.pieces.recv_timeout(Duration::from_millis(200)) {
            self.take(&piece);
        }
        let written = String::from_utf8_lossy(&self.written).into_owned();
        for sequence in RESTORED {
            assert!(written.contains(sequence), "{sequence:?}");
        }
        assert!(!self.screen.screen().alternate_screen());
        let after = tcgetattr(&self.terminal).unwrap();
        let modes =
            |of: &rustix::termios::Termios| (of.local_modes, of.input_modes, of.output_modes);
        assert_eq!(modes(&after), modes(before));
        status.code()
    }
}

fn size(lines: u16, columns: u16) -> Winsize {
    Winsize {
        ws_row: lines,
        ws_col: columns,
        ws_xpixel: 0,
        ws_ypixel: 0,
    }
}

#[test]
fn a_run_is_watched_in_a_terminal_that_is_as_it_was_afterwards() {
    let folder = tempfile::tempdir().unwrap();
    run(
        &folder,
        &tiny("moons", POINT_LAYERS, &["--quiet", "--out", "run"]),
    );
    let watch = || Session::start(afterimage(&folder, &["watch", "run"]), 24, 80);
    let mut session = watch();
    let before = {
        // Of a terminal that nobody has drawn on.
        let keys = openpt(FLAGS).unwrap();
        grantpt(&keys).unwrap();
        unlockpt(&keys).unwrap();
        tcgetattr(&keys).unwrap()
    };
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
    session.shows(&["loss", "gradient norm", "learning rate"]);
    session.press(b"l");
    session.shows(&["scale: linear"]);
    session.press(b"h");
    session.shows(&["the run goes on"]);
    // Leaves the help, and then the screen.
    session.press(b"\x1b");
    session.resize(24, 80);
    session.shows(&["q leave"]);
    session.press(b"q");
    assert_eq!(session.end(&before), Some(0));

    let mut session = watch();
    session.shows(&["q leave"]);
    session.send("-TERM");
    assert_eq!(session.end(&before), Some(143));
    let mut session = watch();
    session.shows(&["q leave"]);
    session.press(b"\x03");
    assert_eq!(session.end(&before), Some(0));
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
    let output = run(&folder, &["watch", "run"]);
    let said = stderr(&output);
    assert!(
        said.starts_with("interrupted  step ") && said.contains("/2,000  loss "),
        "{said}"
    );
    assert_eq!(said.lines().count(), 1);
}
