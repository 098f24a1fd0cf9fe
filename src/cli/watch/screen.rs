//! The terminal while it is drawn on, and as it was before.

use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::cursor::{Hide, Show};
use ratatui::crossterm::execute;
use ratatui::crossterm::terminal::{
    EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use ratatui::{Frame, Terminal};
use std::io::{self, Stderr, stderr};
use std::panic;
use std::sync::{Mutex, PoisonError};

/// Held by whoever writes to the terminal.
static WRITING: Mutex<()> = Mutex::new(());

/// The terminal behind stderr. It is as it was when this is dropped, and before a panic is told of.
pub(super) struct Screen {
    terminal: Terminal<CrosstermBackend<Stderr>>,
}

impl Screen {
    /// # Errors
    /// When the terminal refuses.
    pub(super) fn open() -> io::Result<Self> {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            restore();
            before(info);
        }));
        enable_raw_mode()?;
        let opened = execute!(stderr(), EnterAlternateScreen, Hide)
            .and_then(|()| Terminal::new(CrosstermBackend::new(stderr())));
        match opened {
            Ok(terminal) => Ok(Screen { terminal }),
            Err(error) => {
                restore();
                Err(error)
            }
        }
    }

    /// # Errors
    /// When the terminal refuses.
    pub(super) fn draw(&mut self, what: impl FnOnce(&mut Frame<'_>)) -> io::Result<()> {
        let _writing = WRITING.lock().unwrap_or_else(PoisonError::into_inner);
        self.terminal.draw(what)?;
        Ok(())
    }

    /// Whether the terminal has another size than what was drawn last.
    pub(super) fn is_resized(&mut self) -> bool {
        let drawn = self.terminal.get_frame().area().as_size();
        self.terminal.size().is_ok_and(|size| size != drawn)
    }

    /// Leaves the terminal as it was, for good: nothing is drawn from then on. For any thread, before the program ends.
    pub(super) fn leave() {
        let writing = WRITING.lock().unwrap_or_else(PoisonError::into_inner);
        restore();
        std::mem::forget(writing);
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        restore();
    }
}

fn restore() {
    // Nothing can be done where the terminal is gone.
    let _ = execute!(stderr(), LeaveAlternateScreen, Show);
    let _ = disable_raw_mode();
}
