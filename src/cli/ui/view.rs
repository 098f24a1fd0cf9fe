//! The thread that draws a run and takes keys.

use super::draw::draw;
use super::live::{End, Live};
use crate::cli::signals::Stop;
use crate::cli::watch::{Key, Look, Pressed, Screen, Seen, last_lines, pressed};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// Between two looks at the folder, at least.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Between two looks at the keys.
const KEYS_EVERY: Duration = Duration::from_millis(50);
/// Between two pictures of what no key has changed, at least.
const DRAW_EVERY: Duration = Duration::from_millis(100);
/// Between two of either is so many times what they take, so that the run has the processors; but for a wait that is too long to watch.
const SPARSE: u32 = 200;
const LONGEST: Duration = Duration::from_secs(2);
/// The last lines of stderr, as many as a tall terminal shows while nothing else is there to be seen.
const LINES: usize = 100;

pub(super) struct View {
    live: Arc<Live>,
    stop: Arc<Stop>,
    look: Look,
    /// The run, once its folder has one.
    seen: Option<Seen>,
    /// Whether the question stands if the run is to be stopped.
    asks: bool,
}

/// What follows a key.
#[derive(PartialEq, Eq)]
enum Next {
    Leave,
    Draw,
}

/// A run does not pause any longer when nobody is left who could end that.
struct Unpaused(Arc<Live>);

impl Drop for Unpaused {
    fn drop(&mut self) {
        self.0.go_on();
    }
}

impl View {
    /// To be made before the screen is opened: it says what the terminal can show.
    pub(super) fn new(live: Arc<Live>, stop: Arc<Stop>) -> Self {
        View {
            live,
            stop,
            look: Look::of_terminal(),
            seen: None,
            asks: false,
        }
    }

    /// Draws until the run has ended, and that was seen, or the terminal is gone.
    pub(super) fn draw_on(mut self, mut screen: Screen) {
        let _unpaused = Unpaused(self.live.clone());
        let (mut looked, mut drawn): (Option<Instant>, Option<Instant>) = (None, None);
        let (mut changes, mut cost) = (0, Duration::ZERO);
        let mut is_new = true;
        loop {
            let ended = self.live.shown().end;
            if ended == Some(End::AtOnce) || ended.is_some() && self.is_stopped() {
                return;
            }
            let is_time = |last: Option<Instant>, every: Duration| {
                let every = every.max((SPARSE * cost).min(LONGEST));
                last.is_none_or(|at| at.elapsed() >= every)
            };
            // What ended is seen as it is in the end.
            let has_changed = self.live.changes() != changes;
            let (looks, begins) = (ended.is_some() && has_changed, Instant::now());
            if looks || is_time(looked, LOOK_EVERY) {
                self.look();
                looked = Some(begins);
                is_new = true;
            }
            if is_new || has_changed && is_time(drawn, DRAW_EVERY) {
                changes = self.live.changes();
                if self.draw(&mut screen).is_err() {
                    return;
                }
                drawn = Some(begins);
                cost = begins.elapsed();
            }
            let Pressed::Keys(keys) = pressed(KEYS_EVERY) else {
                return;
            };
            // Drawing takes in what size the terminal has now.
            is_new = !keys.is_empty() || screen.is_resized();
            for key in keys {
                if self.takes(key) == Next::Leave {
                    return;
                }
            }
        }
    }

    fn is_stopped(&self) -> bool {
        self.stop.asked().load(Ordering::Relaxed)
    }

    fn look(&mut self) {
        match &mut self.seen {
            Some(seen) => seen.look(),
            None => self.seen = self.live.shown().folder.as_deref().and_then(Seen::of),
        }
    }

    fn draw(&self, screen: &mut Screen) -> std::io::Result<()> {
        let (shown, lines) = (self.live.shown(), last_lines(LINES));
        let stops = self.is_stopped();
        let seen = self.seen.as_ref();
        screen.draw(|frame| {
            draw(frame, &shown, seen, &self.look, &lines, (stops, self.asks));
        })
    }

    fn takes(&mut self, key: Key) -> Next {
        let has_ended = self.live.shown().end.is_some();
        let asked = std::mem::take(&mut self.asks);
        match key {
            Key::Interrupt | Key::Letter('q') if has_ended => return Next::Leave,
            Key::Interrupt => self.stop.interrupt(),
            Key::Letter('y') if asked && !self.is_stopped() => self.stop.interrupt(),
            // Any other key is an answer, too.
            _ if asked => {}
            Key::Escape if self.look.helps => self.look.helps = false,
            Key::Escape if has_ended => return Next::Leave,
            Key::Letter('q') if !self.is_stopped() => self.asks = true,
            Key::Letter('p') if !has_ended => self.live.pause(),
            Key::Letter('s') if !has_ended && !self.is_stopped() => self.live.want_samples(),
            Key::Letter('c') if !has_ended && !self.is_stopped() => self.live.want_checkpoint(),
            key => self.look.changes(key),
        }
        Next::Draw
    }
}
