//! `afterimage train --ui`: a run in the terminal that it was started from, as `afterimage watch` shows it, with keys for the run.
//!
//! A thread of its own draws, by what lies in the run's folder, so that no step waits for the terminal. All that the run takes from it
//! is what is wished between two steps.

mod draw;
mod live;
mod view;

use super::error::CliError;
use super::output;
use super::signals::Stop;
use super::watch::Screen;
use crate::train::Wishes;
use live::{End, Live};
use std::io::{IsTerminal, stdin, stdout};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Between two looks whether a pause is over.
const LOOK: Duration = Duration::from_millis(20);

/// The view of a run that this process trains.
pub(super) struct Ui {
    live: Arc<Live>,
    stop: Arc<Stop>,
    thread: Option<JoinHandle<()>>,
}

/// Whether a run can be shown and asked; says so where it cannot.
pub(super) fn has_terminal() -> bool {
    let has_one = stdin().is_terminal() && stdout().is_terminal() && output::is_screen();
    if !has_one {
        output::note(
            "note: --ui needs a terminal that can be drawn on behind stdin, stdout and stderr; there are plain lines instead",
        );
    }
    has_one
}

impl Ui {
    /// Begins to draw, before anything that takes long: what is called `name`, or goes on in `folder`. Until this ends, what is
    /// written to stderr is kept, and shown. None where the terminal refuses, after saying so.
    pub(super) fn open(name: String, folder: Option<PathBuf>, stop: Arc<Stop>) -> Option<Self> {
        let live = Arc::new(Live::new(name, folder));
        let view = view::View::new(live.clone(), stop.clone());
        let drawn = Screen::open_alone().and_then(|screen| {
            let draw = move || view.draw_on(screen);
            thread::Builder::new().name("view".into()).spawn(draw)
        });
        match drawn {
            Ok(thread) => Some(Ui {
                live,
                stop,
                thread: Some(thread),
            }),
            Err(error) => {
                output::note(format_args!(
                    "note: the run cannot be drawn ({error}); there are plain lines instead"
                ));
                None
            }
        }
    }

    /// Something else is done from now on.
    pub(super) fn phase(&self, phase: &'static str) {
        self.live.phase(phase);
    }

    /// So much is done of what a run does outside of its steps. Waits while it is to pause.
    pub(super) fn part(&self, phase: &'static str, done: usize, of: usize) {
        self.live.part(phase, done, of);
        while self.live.is_paused() && !self.stop.asked().load(Ordering::Relaxed) {
            thread::sleep(LOOK);
        }
    }

    /// There is a run in `folder`, of samples that can be shown or not.
    pub(super) fn begins(&self, folder: &Path, has_pictures: bool) {
        self.live.begins(folder, has_pictures);
    }

    /// A file of the run was written.
    pub(super) fn wrote(&self, path: &Path) {
        let folder = self.live.shown().folder;
        let inner = folder.and_then(|folder| Some(path.strip_prefix(folder).ok()?.to_owned()));
        let path = inner.as_deref().unwrap_or(path);
        self.live.news(format!("wrote {}", path.display()));
    }

    /// Passes on what is wished after a step, which may be the last.
    pub(super) fn tell(&self, wishes: &mut Wishes, is_last: bool) {
        self.live.tell(wishes, is_last);
    }

    /// Shows how it ended until a key is pressed, unless there was no run, or somebody has stopped it; then the terminal is as it
    /// was, and has what was written to stderr meanwhile.
    pub(super) fn end(mut self, outcome: &Result<(), CliError>) {
        let has_begun = self.live.shown().began.is_some();
        let end = match outcome {
            Err(CliError::Stopped { .. }) => End::AtOnce,
            _ if !has_begun => End::AtOnce,
            Err(error) => End::ByKey(Some(error.to_string())),
            Ok(()) => End::ByKey(None),
        };
        self.finish(end);
    }

    fn finish(&mut self, end: End) {
        self.stop.ends();
        self.live.show(|shown| shown.end = Some(end));
        if let Some(thread) = self.thread.take() {
            // A panic of it has been told of.
            let _ = thread.join();
        }
    }
}

/// Where a panic ends the run.
impl Drop for Ui {
    fn drop(&mut self) {
        self.finish(End::AtOnce);
    }
}
