//! `afterimage watch`: a run in a terminal, by what lies in its folder, whichever process is at it.

mod capture;
mod curves;
mod draw;
mod keys;
mod picture;
mod screen;
mod seen;

pub(super) use capture::last_lines;
pub(super) use draw::{Look, draw_help, draw_run, facts, name, time_left, verdict};
pub(super) use keys::{Key, Pressed, pressed};
pub(super) use screen::Screen;
#[cfg(unix)]
pub(super) use screen::restore;
pub(super) use seen::Seen;

use super::args::WatchArgs;
use super::error::CliError;
use super::{output, signals};
use crate::page::{RunState, number, whole};
use curves::charts;
use draw::draw;
use std::io::{IsTerminal, stdin};
use std::thread;
use std::time::{Duration, Instant};

/// Between two looks at the folder.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Between two looks at the keys.
const KEYS_EVERY: Duration = Duration::from_millis(50);
/// Between two plain lines where there is no screen, or nobody to press keys.
const PLAIN_EVERY: Duration = Duration::from_secs(5);

/// `afterimage watch`
pub(super) fn watch(arguments: &WatchArgs) -> Result<(), CliError> {
    let mut seen = Seen::open(&arguments.run)?;
    // Without keys nobody could leave the screen; and what is at its end, as /dev/null is, would leave it at once.
    if !output::is_screen() || !stdin().is_terminal() {
        plain(&mut seen);
        return Ok(());
    }
    let mut look = Look::of_terminal();
    let mut screen = Screen::open()?;
    signals::end_after(Screen::leave)?;
    let mut looked = Instant::now();
    screen.draw(|frame| draw(frame, &seen, &look))?;
    loop {
        let Pressed::Keys(keys) = pressed(KEYS_EVERY) else {
            return Ok(());
        };
        // Drawing takes in what size the terminal has now.
        let mut is_new = !keys.is_empty() || screen.is_resized();
        for key in keys {
            if look.takes(key) == Next::Leave {
                return Ok(());
            }
        }
        if looked.elapsed() >= LOOK_EVERY {
            seen.look();
            looked = Instant::now();
            is_new = true;
        }
        if is_new {
            screen.draw(|frame| draw(frame, &seen, &look))?;
        }
    }
}

/// What follows a key.
#[derive(PartialEq, Eq)]
enum Next {
    Leave,
    Draw,
}

impl Look {
    fn takes(&mut self, key: Key) -> Next {
        match key {
            Key::Escape if self.helps => self.helps = false,
            Key::Letter('q') | Key::Escape | Key::Interrupt => return Next::Leave,
            key => self.changes(key),
        }
        Next::Draw
    }

    /// Changes by a key what is chosen to be seen; other keys change nothing.
    pub(super) fn changes(&mut self, key: Key) {
        let count = charts().len();
        match key {
            Key::Right => self.first = (self.first + 1) % count,
            Key::Left => self.first = (self.first + count - 1) % count,
            Key::Letter('l') => self.scale = self.scale.next(),
            Key::Letter('h' | '?') => self.helps = !self.helps,
            Key::Letter(_) | Key::Escape | Key::Interrupt => {}
        }
    }
}

/// Lines in place of a screen, until the run ends.
fn plain(seen: &mut Seen) {
    loop {
        let of = seen.config.as_ref().map(|config| config.run.steps);
        let of = of.map_or(String::new(), |of| format!("/{}", whole(of)));
        let last = seen.rows.last().map_or(String::new(), |row| {
            let (loss, data, noise) = (row.loss, row.energy_data, row.energy_noise);
            format!(
                "  loss {}  energies of data {} and noise {}",
                number(loss.into()),
                number(data.into()),
                number(noise.into())
            )
        });
        let done = whole(seen.rows.len() as u64);
        let state = seen.state.word();
        output::note(format_args!("{state}  step {done}{of}{last}"));
        if seen.state != RunState::Running {
            return;
        }
        thread::sleep(PLAIN_EVERY);
        seen.look();
    }
}
