//! When the training states of a run are taken, and the thread that writes them.

use super::recovery::{WAYMARKS_KEPT, waymark_interval};
use super::state::TrainingState;
use super::states::{Keep, Manifest, save};
use crate::config::RunConfig;
use crate::files::FileError;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// The second state is taken so soon, for a run may be over before a minute is.
const SECOND: Duration = Duration::from_secs(5);

/// What became of a state: where its manifest is.
pub(super) type Written = Result<PathBuf, FileError>;

/// The state where this process goes on.
#[derive(PartialEq)]
enum First {
    /// It need not be taken, for it is there.
    There,
    /// It is not taken yet.
    Due,
    /// It was taken after so many steps.
    Taken(u64),
}

impl First {
    fn of(newest: Option<u64>) -> Self {
        match newest {
            Some(_) => First::There,
            None => First::Due,
        }
    }
}

/// Takes states in time, and writes one at a time.
pub(super) struct StateKeeper {
    run: PathBuf,
    /// Between two states; none where time asks for none.
    every: Option<Duration>,
    keep: Keep,
    /// Optimiser steps between two states to go back to; none where time asks for none.
    waymarks: Option<u64>,
    /// Optimiser steps of the whole run.
    steps: u64,
    first: First,
    due: Instant,
    /// Optimiser steps before the newest one that there is, or that was asked for.
    newest: Option<u64>,
    /// Whether one is on its way from the device.
    is_asked: bool,
    writer: Option<JoinHandle<Written>>,
}

impl StateKeeper {
    /// For the run in the folder `run`. Where it goes on from a state after `newest` steps, that is not taken again; the first
    /// one of another run is due at once.
    pub(super) fn new(config: &RunConfig, run: &Path, newest: Option<u64>) -> Self {
        let seconds = config.checkpoint_seconds;
        let mut keeper = StateKeeper {
            run: run.into(),
            every: (seconds > 0.0).then(|| Duration::from_secs_f32(seconds)),
            keep: Keep {
                newest: config.keep_checkpoints,
                waymarks: WAYMARKS_KEPT,
            },
            waymarks: waymark_interval(config),
            steps: config.steps,
            first: First::of(newest),
            due: Instant::now(),
            newest: None,
            is_asked: false,
            writer: None,
        };
        if newest.is_some() {
            keeper.waits(newest);
        }
        keeper
    }

    /// Whether time asks for states at all.
    pub(super) fn is_on(&self) -> bool {
        self.every.is_some()
    }

    /// Whether it is time for a state after so many steps: one to go back to, or one by the clock where the one before it is written.
    pub(super) fn is_due(&self, step: u64) -> bool {
        let is_waymark = |every: u64| step.is_multiple_of(every);
        self.waymarks.is_some_and(is_waymark)
            || self.is_on() && !self.is_asked && self.writer.is_none() && Instant::now() >= self.due
    }

    /// Whether a run that diverges may go back to the state after so many steps, which are not of the clock's choosing.
    pub(super) fn is_waymark(&self, step: u64) -> bool {
        let is_one = |every: u64| {
            step.is_multiple_of(every) || step == self.steps || self.first == First::Taken(step)
        };
        self.waymarks.is_some_and(is_one)
    }

    /// Whether there is one after so many steps, or it was asked for.
    pub(super) fn has(&self, step: u64) -> bool {
        self.newest == Some(step)
    }

    /// The state after so many steps was asked for.
    pub(super) fn asked(&mut self, step: u64) {
        self.is_asked = true;
        if self.first == First::Due {
            self.first = First::Taken(step);
        }
        self.waits(Some(step));
    }

    /// The state that was asked for has come at a time when it could not be written.
    pub(super) fn lost(&mut self) {
        (self.is_asked, self.newest) = (false, None);
    }

    /// The state after `newest` steps is the newest: the next one is due some time after.
    fn waits(&mut self, newest: Option<u64>) {
        if let Some(every) = self.every {
            let is_first = self.newest.is_none();
            let until = if is_first { every.min(SECOND) } else { every };
            self.due = Instant::now() + until;
        }
        self.newest = newest;
    }

    /// Writes `state`, once all of `before` is on the disk, while the run goes on; after the one before it, of which it gives
    /// what became where that had to be waited for.
    pub(super) fn write(
        &mut self,
        state: TrainingState,
        manifest: Manifest,
        before: Vec<File>,
    ) -> Option<Written> {
        self.is_asked = false;
        let last = self.outcome(true);
        let (run, keep) = (self.run.clone(), self.keep);
        let write = move || save(&run, &state, manifest, &before, keep);
        let thread = thread::Builder::new().name("states".into()).spawn(write);
        match thread {
            Ok(thread) => self.writer = Some(thread),
            // The run goes on without this state.
            Err(cause) => return Some(Err(FileError::new("start a thread for", &self.run, cause))),
        }
        last
    }

    /// What became of the state that is being written: if `wait`, once that is known; none where none is, or it is not yet.
    pub(super) fn outcome(&mut self, wait: bool) -> Option<Written> {
        let writer = self.writer.take_if(|writer| wait || writer.is_finished())?;
        // A panic has been told of on stderr, and is a state that was not written.
        writer.join().ok()
    }
}

/// A run that ends early still has the state that is being written.
impl Drop for StateKeeper {
    fn drop(&mut self) {
        self.outcome(true);
    }
}
