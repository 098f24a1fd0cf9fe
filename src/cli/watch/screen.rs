//! The terminal while it is drawn on, and as it was before.

use super::capture;
use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::cursor::{Hide, Show};
use ratatui::crossterm::execute;
use ratatui::crossterm::terminal::{
    EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use ratatui::{Frame, Terminal};
use std::cell::Cell;
use std::io::{self, BufWriter, Write, stderr};
use std::panic;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, TryLockError};
use std::thread;
use std::time::Duration;

/// Held by whoever writes to the terminal.
static WRITING: Mutex<()> = Mutex::new(());
/// Whether the terminal is drawn on, and not as it was.
static OPEN: AtomicBool = AtomicBool::new(false);

thread_local! {
    /// Whether this thread is the one that draws, and what it draws is a part of the whole yet.
    static DRAWS: Cell<bool> = const { Cell::new(false) };
}

/// A terminal that takes nothing for so long is left all the same.
const PATIENCE: Duration = Duration::from_secs(1);
/// Between two looks whether somebody writes to it.
const LOOK: Duration = Duration::from_millis(2);

/// The terminal behind stderr. It is as it was when this is dropped, and before a panic is told of.
pub(in crate::cli) struct Screen {
    terminal: Terminal<CrosstermBackend<BufWriter<Box<dyn Write + Send>>>>,
}

impl Screen {
    /// Draws on the terminal behind stderr, to which nothing else may be written meanwhile.
    ///
    /// # Errors
    /// When the terminal refuses.
    pub(super) fn open() -> io::Result<Self> {
        Screen::on(Box::new(stderr()))
    }

    /// As [`Self::open`], while all else that is written to stderr is kept until the terminal is as it was.
    ///
    /// # Errors
    /// When the terminal refuses, or the system has no way to keep it.
    pub(in crate::cli) fn open_alone() -> io::Result<Self> {
        let terminal = capture::begin()?;
        Screen::on(Box::new(terminal))
    }

    fn on(mut terminal: Box<dyn Write + Send>) -> io::Result<Self> {
        let before = panic::take_hook();
        let drawing = thread::current().id();
        panic::set_hook(Box::new(move |info| {
            // Threads beside the work may fail without ending it; where stderr is kept, that is told of like all else.
            let ends = thread::current().id() == drawing || DRAWS.get();
            if ends || !capture::is_on() {
                restore();
            }
            before(info);
        }));
        OPEN.store(true, Ordering::SeqCst);
        let opened = enable_raw_mode()
            .and_then(|()| execute!(terminal, EnterAlternateScreen, Hide))
            .and_then(|()| Terminal::new(CrosstermBackend::new(BufWriter::new(terminal))));
        match opened {
            Ok(terminal) => Ok(Screen { terminal }),
            Err(error) => {
                restore();
                Err(error)
            }
        }
    }

    /// # Errors
    /// When the terminal refuses, or has been left.
    pub(in crate::cli) fn draw(&mut self, what: impl FnOnce(&mut Frame<'_>)) -> io::Result<()> {
        let _writing = turn();
        if !OPEN.load(Ordering::SeqCst) {
            return Err(io::ErrorKind::NotConnected.into());
        }
        DRAWS.set(true);
        let drawn = self.terminal.draw(what).map(|_| ());
        DRAWS.set(false);
        drawn
    }

    /// Whether the terminal has another size than what was drawn last.
    pub(in crate::cli) fn is_resized(&mut self) -> bool {
        let drawn = self.terminal.get_frame().area().as_size();
        self.terminal.size().is_ok_and(|size| size != drawn)
    }

    /// Leaves the terminal as it was, for good: nobody draws or ends in any other way from then on. For any thread, before the
    /// program ends.
    pub(in crate::cli) fn leave() {
        let writing = turn();
        leave(writing.as_ref());
        std::mem::forget(writing);
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        restore();
    }
}

/// Waits until nobody else writes to the terminal, for a while; none where this thread does, or somebody is stuck in it.
fn turn() -> Option<MutexGuard<'static, ()>> {
    if DRAWS.get() {
        return None;
    }
    let mut waited = Duration::ZERO;
    loop {
        match WRITING.try_lock() {
            Ok(turn) => return Some(turn),
            Err(TryLockError::Poisoned(poisoned)) => return Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) if waited >= PATIENCE => return None,
            Err(TryLockError::WouldBlock) => {}
        }
        thread::sleep(LOOK);
        waited += LOOK;
    }
}

/// Leaves the terminal as it was, if it is not: nothing is drawn until it is opened again.
pub(in crate::cli) fn restore() {
    leave(turn().as_ref());
}

/// The same, for whoever has the turn to write.
fn leave(_turn: Option<&MutexGuard<'static, ()>>) {
    if !OPEN.swap(false, Ordering::SeqCst) {
        return;
    }
    let kept = capture::end();
    // Nothing can be done where the terminal is gone.
    let _ = execute!(stderr(), LeaveAlternateScreen, Show);
    let _ = disable_raw_mode();
    let _ = stderr().write_all(&kept);
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
    use rustix::termios::{Termios, Winsize, tcgetattr, tcsetwinsize};
    use std::ffi::OsStr;
    use std::fs::File;
    use std::io::Read;
    use std::os::unix::ffi::OsStrExt;
    use std::process::Command;

    /// Says to the test below that it is to run.
    const DRAWS: &str = "AFTERIMAGE_TEST_DRAWS";

    #[test]
    #[ignore = "a part of the test below, which runs it in a terminal"]
    fn draws_and_panics() {
        if std::env::var_os(DRAWS).is_none() {
            return;
        }
        let mut screen = Screen::open_alone().expect("a terminal");
        screen
            .draw(|frame| frame.render_widget("drawn", frame.area()))
            .expect("draws");
        eprintln!("said meanwhile");
        let beside = thread::spawn(|| panic!("beside the work"));
        beside.join().expect_err("panics");
        screen
            .draw(|frame| frame.render_widget("drawn again", frame.area()))
            .expect("is still drawn on");
        screen
            .draw(|_| panic!("in the middle of a picture"))
            .expect("never comes to that");
    }

    /// What tears a picture is told of after it, on a terminal that is as it was.
    #[test]
    fn a_panic_leaves_the_terminal_as_it_was() {
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let mut shown = File::from(openpt(flags).expect("a terminal"));
        grantpt(&shown).expect("is ours");
        unlockpt(&shown).expect("is ours");
        let name = ptsname(&shown, Vec::new()).expect("has a name");
        let path = OsStr::from_bytes(name.to_bytes());
        let options = File::options().read(true).write(true).open(path);
        let terminal = options.expect("opens");
        let modes = |of: &Termios| (of.local_modes, of.input_modes, of.output_modes);
        let size = Winsize {
            ws_row: 24,
            ws_col: 80,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        tcsetwinsize(&terminal, size).expect("takes a size");
        let before = tcgetattr(&terminal).expect("has modes");
        let side = || terminal.try_clone().expect("a handle");
        let test = "cli::watch::screen::tests::draws_and_panics";
        let mut command = Command::new(std::env::current_exe().expect("a path"));
        command
            .args([test, "--exact", "--ignored", "--nocapture"])
            .env(DRAWS, "1")
            .env("TERM", "xterm")
            .stdin(side())
            .stdout(side())
            .stderr(side());
        let mut child = command.spawn().expect("starts");
        drop(command);
        let reader = thread::spawn(move || {
            let mut written = Vec::new();
            // Some systems tell by an error that the terminal has nobody left.
            let _ = shown.read_to_end(&mut written);
            String::from_utf8_lossy(&written).into_owned()
        });
        child.wait().expect("ends");
        let after = tcgetattr(&terminal).expect("has modes");
        drop(terminal);
        let written = reader.join().expect("reads");
        assert_eq!(modes(&after), modes(&before));
        let place = |words: &str| {
            let place = written.find(words);
            place.unwrap_or_else(|| panic!("no {words}: {written:?}"))
        };
        let places = [
            "\x1b[?1049h",
            "drawn",
            "again",
            "\x1b[?1049l",
            "said meanwhile",
            "beside the work",
            "in the middle of a picture",
        ]
        .map(place);
        assert!(places.is_sorted(), "{places:?}: {written:?}");
    }
}
