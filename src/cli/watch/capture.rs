//! What is written to stderr while the terminal behind it is drawn on: kept, and written when it no longer is.
//!
//! Warnings, a log and what drivers say would tear the picture. They write to the number of stderr, so that this leads elsewhere
//! meanwhile.

// Elsewhere nothing is kept.
#![cfg_attr(not(unix), allow(dead_code))]

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read, Write, stderr};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// Lines that are kept, at most; of more, the last ones.
const MOST_LINES: usize = 1000;
/// A line ends after so many bytes.
const LONGEST_LINE: usize = 1 << 14;
/// What was written comes so soon out of a pipe that nobody writes to any more.
const PATIENCE: Duration = Duration::from_secs(1);

static CAPTURED: Mutex<Option<Captured>> = Mutex::new(None);

/// What stderr was, and what was written to it since.
struct Captured {
    terminal: File,
    lines: Arc<Mutex<Lines>>,
    /// Says that all has been read.
    ended: Receiver<()>,
}

/// What has been written, without the ends of lines.
#[derive(Default)]
struct Lines {
    whole: VecDeque<Vec<u8>>,
    /// The beginning of the next one.
    next: Vec<u8>,
    /// Lines that are no longer kept.
    lost: usize,
}

impl Lines {
    fn take(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            if byte != b'\n' {
                self.next.push(byte);
            }
            if byte == b'\n' || self.next.len() >= LONGEST_LINE {
                self.whole.push_back(std::mem::take(&mut self.next));
            }
        }
        while self.whole.len() > MOST_LINES {
            self.whole.pop_front();
            self.lost += 1;
        }
    }
}

/// From now on what goes to stderr is kept. Gives the terminal behind it, to draw on.
///
/// # Errors
/// When the system refuses, or has no such thing.
#[cfg(unix)]
pub(super) fn begin() -> io::Result<File> {
    use rustix::pipe::{PipeFlags, pipe_with};
    use std::os::fd::AsFd;
    let terminal = File::from(stderr().as_fd().try_clone_to_owned()?);
    let drawn_on = terminal.try_clone()?;
    let (reader, writer) = pipe_with(PipeFlags::CLOEXEC)?;
    let lines = Arc::<Mutex<Lines>>::default();
    let kept = lines.clone();
    let (tell, ended) = channel();
    let read = move || {
        keep(File::from(reader), &kept);
        let _ = tell.send(());
    };
    thread::Builder::new().name("stderr".into()).spawn(read)?;
    rustix::stdio::dup2_stderr(&writer)?;
    *lock(&CAPTURED) = Some(Captured {
        terminal,
        lines,
        ended,
    });
    Ok(drawn_on)
}

#[cfg(not(unix))]
pub(super) fn begin() -> io::Result<File> {
    Err(io::ErrorKind::Unsupported.into())
}

fn keep(mut from: impl Read, lines: &Mutex<Lines>) {
    let mut buffer = [0; 4096];
    loop {
        match from.read(&mut buffer) {
            Ok(length @ 1..) => lock(lines).take(&buffer[..length]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Ok(0) | Err(_) => return,
        }
    }
}

/// The last lines that were written, at most so many, without what colours them.
pub(in crate::cli) fn last_lines(count: usize) -> Vec<String> {
    let captured = lock(&CAPTURED);
    let Some(captured) = captured.as_ref() else {
        return Vec::new();
    };
    let lines = lock(&captured.lines);
    let first = lines.whole.len().saturating_sub(count);
    let last = lines.whole.range(first..);
    last.map(|line| uncoloured(&String::from_utf8_lossy(line)))
        .collect()
}

/// Whether stderr is kept.
pub(super) fn is_on() -> bool {
    lock(&CAPTURED).is_some()
}

/// Stderr is what it was. Gives what was written to it meanwhile, which is to be written when the terminal can take it.
pub(super) fn end() -> Vec<u8> {
    let Some(captured) = lock(&CAPTURED).take() else {
        return Vec::new();
    };
    #[cfg(unix)]
    let _ = rustix::stdio::dup2_stderr(&captured.terminal);
    // It is the only reader, and its other side is closed.
    let _ = captured.ended.recv_timeout(PATIENCE);
    let mut lines = lock(&captured.lines);
    let mut text = Vec::new();
    if lines.lost > 0 {
        let _ = writeln!(text, "({} lines before these are lost)", lines.lost);
    }
    let next = std::mem::take(&mut lines.next);
    for line in lines.whole.drain(..) {
        text.extend(line);
        text.push(b'\n');
    }
    text.extend(next);
    text
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// `text` without the sequences that set colours (ECMA-48).
fn uncoloured(text: &str) -> String {
    let mut parts = text.split("\x1b[");
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part.find(|sign: char| sign.is_ascii_alphabetic());
        plain.push_str(end.map_or("", |end| &part[end + 1..]));
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_kept_without_end_of_what_they_are_cut_from() {
        let mut lines = Lines::default();
        lines.take(b"one\ntw");
        lines.take(b"o\n\nthree");
        assert_eq!(lines.whole, [&b"one"[..], b"two", b""]);
        assert_eq!(lines.next, b"three");
        lines.take(&[b'x'; 2 * LONGEST_LINE]);
        assert!(lines.next.len() < LONGEST_LINE);
        lines.take(&b"\n".repeat(2 * MOST_LINES));
        assert_eq!(lines.whole.len(), MOST_LINES);
        assert_eq!(lines.lost, 3 + 2 + MOST_LINES);
    }

    #[test]
    fn colours_are_left_out() {
        let log = "\x1b[2m12:00\x1b[0m \x1b[33m WARN\x1b[0m slow";
        assert_eq!(uncoloured(log), "12:00  WARN slow");
        assert_eq!(uncoloured("plain \x1b["), "plain ");
    }
}
