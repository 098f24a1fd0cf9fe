//! A program that draws on a terminal of its own.

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Termios, Winsize, tcgetattr, tcsetwinsize};
use std::ffi::OsStr;
use std::fs::File;
use std::io::{Read, Write};
use std::num::NonZero;
use std::os::unix::ffi::OsStrExt;
use std::process::{Child, Command, Stdio};
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
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A program in a terminal of its own.
pub struct Session {
    pub child: Child,
    pub keys: File,
    pub terminal: File,
    pub pieces: Receiver<Vec<u8>>,
    screen: vt100::Parser,
    written: Vec<u8>,
}

impl Session {
    pub fn start(command: Command, lines: u16, columns: u16) -> Self {
        Session::with_stdin(command, None, lines, columns)
    }

    /// The same with `stdin` in place of the terminal's keys.
    pub fn with_stdin(
        mut command: Command,
        stdin: Option<Stdio>,
        lines: u16,
        columns: u16,
    ) -> Self {
        let keys = File::from(openpt(FLAGS).unwrap());
        grantpt(&keys).unwrap();
        unlockpt(&keys).unwrap();
        let name = ptsname(&keys, Vec::new()).unwrap();
        let path = OsStr::from_bytes(name.to_bytes());
        let terminal = File::options().read(true).write(true).open(path).unwrap();
        tcsetwinsize(&terminal, size(lines, columns)).unwrap();
        let side = || terminal.try_clone().unwrap();
        let stdin = stdin.unwrap_or_else(|| side().into());
        command.stdin(stdin).stdout(side()).stderr(side());
        if !command.get_envs().any(|(name, _)| name == "TERM") {
            command.env("TERM", "xterm-256color");
        }
        command.env_remove("NO_COLOR").env("COLORTERM", "truecolor");
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
    pub fn shows(&mut self, words: &[&str]) {
        self.comes_to(&format!("{words:?}"), |contents| {
            words.iter().all(|word| contents.contains(word))
        });
    }

    /// Waits until the screen is so. What is drawn comes in pieces, each of which may be a part of a picture only.
    pub fn comes_to(&mut self, what: &str, is_so: impl Fn(&str) -> bool) {
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

    pub fn contents(&self) -> String {
        self.screen.screen().contents()
    }

    pub fn press(&mut self, keys: &[u8]) {
        self.keys.write_all(keys).unwrap();
    }

    pub fn resize(&mut self, lines: u16, columns: u16) {
        tcsetwinsize(&self.terminal, size(lines, columns)).unwrap();
        let [lines, columns] = [lines, columns].map(|side| NonZero::new(side).unwrap());
        self.screen.screen_mut().set_size(lines, columns);
    }

    pub fn send(&self, signal: &str) {
        let kill = [signal, &self.child.id().to_string()];
        assert!(Command::new("kill").args(kill).status().unwrap().success());
    }

    /// Its exit status, and what is on the screen then; the terminal has to be as it was.
    pub fn end(mut self, before: &Termios) -> (Option<i32>, String) {
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
        let modes = |of: &Termios| (of.local_modes, of.input_modes, of.output_modes);
        assert_eq!(modes(&after), modes(before));
        (status.code(), self.contents())
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

/// The modes of a terminal that nobody has drawn on.
pub fn untouched() -> Termios {
    let keys = openpt(FLAGS).unwrap();
    grantpt(&keys).unwrap();
    unlockpt(&keys).unwrap();
    tcgetattr(&keys).unwrap()
}
