//! What a run and its view tell each other.

use crate::train::Wishes;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// How a view ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// At once.
    AtOnce,
    /// With a key: there is something to look at, and what went wrong, if anything did.
    ByKey(Option<String>),
}

/// What there is to show beside what lies in the run's folder.
#[derive(Clone, Debug)]
pub(super) struct Shown {
    /// What is trained.
    pub(super) name: String,
    /// Where, once there is a run.
    pub(super) folder: Option<PathBuf>,
    /// What is done at the moment.
    pub(super) phase: &'static str,
    /// So much of that, where that is known.
    pub(super) part: Option<(usize, usize)>,
    /// When the run began, or went on.
    pub(super) began: Option<Instant>,
    /// The last thing that happened.
    pub(super) news: String,
    pub(super) is_paused: bool,
    /// Whether the last step is done, after which nothing is wished of steps any longer.
    pub(super) is_past_steps: bool,
    pub(super) end: Option<End>,
}

/// The same, and what is wished and not yet taken up.
struct State {
    shown: Shown,
    wants_samples: bool,
    wants_checkpoint: bool,
    has_pictures: bool,
    /// Changes of what is shown.
    changes: u64,
}

impl State {
    fn tells(&mut self, news: &str) {
        self.shown.news = news.into();
        self.changes += 1;
    }
}

pub(super) struct Live(Mutex<State>);

impl Live {
    pub(super) fn new(name: String, folder: Option<PathBuf>) -> Self {
        let shown = Shown {
            name,
            folder,
            phase: "beginning",
            part: None,
            began: None,
            news: String::new(),
            is_paused: false,
            is_past_steps: false,
            end: None,
        };
        Live(Mutex::new(State {
            shown,
            wants_samples: false,
            wants_checkpoint: false,
            has_pictures: true,
            changes: 0,
        }))
    }

    /// Changes what is shown.
    pub(super) fn show(&self, change: impl FnOnce(&mut Shown)) {
        let mut state = self.lock();
        change(&mut state.shown);
        state.changes += 1;
    }

    pub(super) fn shown(&self) -> Shown {
        self.lock().shown.clone()
    }

    /// How often what is shown has changed.
    pub(super) fn changes(&self) -> u64 {
        self.lock().changes
    }

    /// From now on something else is done.
    pub(super) fn phase(&self, phase: &'static str) {
        self.show(|shown| (shown.phase, shown.part) = (phase, None));
    }

    /// So much of that is done.
    pub(super) fn part(&self, phase: &'static str, done: usize, of: usize) {
        self.show(|shown| (shown.phase, shown.part) = (phase, Some((done, of))));
    }

    pub(super) fn news(&self, news: String) {
        self.show(|shown| shown.news = news);
    }

    /// There is a run, of samples that can be shown or not.
    pub(super) fn begins(&self, folder: &Path, has_pictures: bool) {
        self.lock().has_pictures = has_pictures;
        self.show(|shown| {
            shown.folder = Some(folder.into());
            shown.began = Some(Instant::now());
        });
    }

    pub(super) fn pause(&self) {
        self.show(|shown| shown.is_paused = !shown.is_paused);
    }

    /// A pause ends, if there is one.
    pub(super) fn go_on(&self) {
        self.show(|shown| shown.is_paused = false);
    }

    pub(super) fn is_paused(&self) -> bool {
        self.lock().shown.is_paused
    }

    pub(super) fn want_samples(&self) {
        let mut state = self.lock();
        let news = match (state.has_pictures, state.shown.is_past_steps) {
            (_, true) => "the steps are done: a picture of samples follows by itself",
            (false, _) => "samples of this shape have no picture",
            (true, _) => "a picture of the noise follows the step at hand",
        };
        state.wants_samples = state.has_pictures && !state.shown.is_past_steps;
        state.tells(news);
    }

    pub(super) fn want_checkpoint(&self) {
        let mut state = self.lock();
        let is_past_steps = state.shown.is_past_steps;
        state.wants_checkpoint = !is_past_steps;
        state.tells(match is_past_steps {
            true => "the steps are done: their checkpoint is written by itself",
            false => "a checkpoint follows the step at hand",
        });
    }

    /// Passes on what is wished after a step, which may be the last; pictures and checkpoints once.
    pub(super) fn tell(&self, wishes: &mut Wishes, is_last: bool) {
        let mut state = self.lock();
        state.shown.is_past_steps = is_last;
        wishes.samples = std::mem::take(&mut state.wants_samples);
        wishes.checkpoint = std::mem::take(&mut state.wants_checkpoint);
        wishes.pause = state.shown.is_paused;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(live: &Live) -> (bool, bool, bool) {
        let mut wishes = Wishes::default();
        live.tell(&mut wishes, false);
        (wishes.samples, wishes.checkpoint, wishes.pause)
    }

    #[test]
    fn wishes_are_told_once_and_a_pause_until_it_ends() {
        let live = Live::new("moons".into(), None);
        assert_eq!(told(&live), (false, false, false));
        live.want_samples();
        live.want_checkpoint();
        live.pause();
        assert_eq!(told(&live), (true, true, true));
        assert_eq!(told(&live), (false, false, true));
        live.pause();
        assert_eq!(told(&live), (false, false, false));
        live.begins(Path::new("run"), false);
        live.want_samples();
        assert_eq!(told(&live), (false, false, false));
    }

    #[test]
    fn after_the_last_step_nothing_is_promised_that_does_not_come() {
        let live = Live::new("moons".into(), None);
        live.want_samples();
        let mut wishes = Wishes::default();
        live.tell(&mut wishes, true);
        assert!(wishes.samples);
        for (want, news) in [
            (
                Live::want_samples as fn(&Live),
                "a picture of samples follows by itself",
            ),
            (
                Live::want_checkpoint,
                "their checkpoint is written by itself",
            ),
        ] {
            want(&live);
            assert!(live.shown().news.ends_with(news), "{}", live.shown().news);
            let mut wishes = Wishes::default();
            live.tell(&mut wishes, true);
            assert!(!wishes.samples && !wishes.checkpoint);
        }
    }
}
