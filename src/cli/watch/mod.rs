//! `afterimage watch`: a run in a terminal, by what lies in its folder, whichever process is at it.

mod curves;
mod draw;
mod picture;
mod screen;
mod seen;

use super::args::WatchArgs;
use super::error::CliError;
use super::{output, signals};
use crate::page::{RunState, number, whole};
use curves::{Scale, charts};
use draw::{Look, draw};
use picture::Colours;
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use screen::Screen;
use seen::Seen;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

/// Between two looks at the folder.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Between two looks at the keys.
const KEYS_EVERY: Duration = Duration::from_millis(50);
/// Between two plain lines where stderr is no screen.
const PLAIN_EVERY: Duration = Duration::from_secs(5);

/// `afterimage watch`
pub(super) fn watch(arguments: &WatchArgs) -> Result<(), CliError> {
    let mut seen = Seen::open(&arguments.run)?;
    let told = signals::told()?;
    if !output::is_screen() {
        return plain(&mut seen, || told.load(Ordering::SeqCst));
    }
    let mut look = Look {
        first: 0,
        scale: Scale::Usual,
        helps: false,
        colours: Colours::of_terminal(
            output::has_colours(),
            std::env::var("COLORTERM").ok().as_deref(),
        ),
    };
    let mut screen = Screen::open()?;
    let mut looked = Instant::now();
    screen.terminal.draw(|frame| draw(frame, &seen, &look))?;
    loop {
        let signal = told.load(Ordering::SeqCst);
        if signal > 0 {
            drop(screen);
            return Err(CliError::Left {
                status: 128 + signal,
            });
        }
        let mut is_new = false;
        if event::poll(KEYS_EVERY)? {
            match event::read()? {
                Event::Key(key) if key.kind == KeyEventKind::Press => match look.press(key) {
                    Pressed::Leave => return Ok(()),
                    Pressed::Seen => is_new = true,
                },
                Event::Resize(..) => is_new = true,
                _ => {}
            }
        }
        if looked.elapsed() >= LOOK_EVERY {
            seen.look();
            looked = Instant::now();
            is_new = true;
        }
        if is_new {
            screen.terminal.draw(|frame| draw(frame, &seen, &look))?;
        }
    }
}

/// What a key asks for.
enum Pressed {
    Leave,
    Seen,
}

impl Look {
    fn press(&mut self, key: KeyEvent) -> Pressed {
        let is_interrupt =
            key.code == KeyCode::Char('c') && key.modifiers.contains(KeyModifiers::CONTROL);
        let count = charts().len();
        match key.code {
            _ if is_interrupt => return Pressed::Leave,
            KeyCode::Esc if self.helps => self.helps = false,
            KeyCode::Char('q') | KeyCode::Esc => return Pressed::Leave,
            KeyCode::Right | KeyCode::Tab => self.first = (self.first + 1) % count,
            KeyCode::Left | KeyCode::BackTab => self.first = (self.first + count - 1) % count,
            KeyCode::Char('l') => self.scale = self.scale.next(),
            KeyCode::Char('h' | '?') => self.helps = !self.helps,
            _ => {}
        }
        Pressed::Seen
    }
}

/// Lines in place of a screen, until the run ends.
fn plain(seen: &mut Seen, signal: impl Fn() -> u8) -> Result<(), CliError> {
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
            return Ok(());
        }
        let said = Instant::now();
        while said.elapsed() < PLAIN_EVERY {
            let signal = signal();
            if signal > 0 {
                return Err(CliError::Left {
                    status: 128 + signal,
                });
            }
            thread::sleep(KEYS_EVERY);
        }
        seen.look();
    }
}
