//! A run in a line: what a list of runs says of it.

use super::folder::{Folder, SPEED};
use super::{evaluation, mixing, settings};
use crate::files::{RunLock, STATES};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};
use std::fs;
use std::path::{Path, PathBuf};

/// Where a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum RunState {
    /// A process is at it.
    Running,
    /// It has done all that it was asked for.
    Finished,
    /// Somebody stopped it, or what follows the last step failed.
    Stopped,
    /// It diverged, and ended for that.
    Diverged,
    /// It was killed, or crashed.
    Interrupted,
}

impl RunState {
    pub(crate) fn word(self) -> &'static str {
        match self {
            RunState::Running => "running",
            RunState::Finished => "finished",
            RunState::Stopped => "stopped",
            RunState::Diverged => "diverged",
            RunState::Interrupted => "interrupted",
        }
    }
}

/// A run, as its folder tells of it.
#[derive(Debug, Serialize)]
pub(crate) struct Listed {
    #[serde(serialize_with = "as_text")]
    pub(crate) folder: PathBuf,
    /// The preset that gives its configuration with the fewest settings changed, if one does.
    pub(crate) preset: Option<&'static str>,
    /// How many these are.
    pub(crate) changed: Option<usize>,
    pub(crate) state: RunState,
    /// Whether `train --resume` has something to go on from and something to do.
    pub(crate) resumable: bool,
    /// Optimiser steps done.
    pub(crate) steps: u64,
    /// Optimiser steps asked for.
    pub(crate) of: Option<u64>,
    /// Seconds that the steps took, by the rates in the metrics, without what follows the last step; none of a few steps, whose
    /// rates are not known.
    pub(crate) seconds: Option<f64>,
    /// What the model is fitted to, in the run's own words; none before its end.
    pub(crate) fits: Option<String>,
    /// The largest R-hat of the probe at the end; none where nothing but passes of training was looked at, which are too short to tell.
    pub(crate) r_hat: Option<f64>,
    /// The least energy distance of chains from held-out data.
    pub(crate) data_distance: Option<f64>,
    /// What it diverged by.
    pub(crate) diverged: Option<String>,
    /// What `evaluate` found, in words: name and figure, with the weights that it is of where these are not the run's last.
    #[serde(skip)]
    pub(crate) headlines: Vec<(&'static str, String)>,
    /// The whole of it.
    #[serde(skip)]
    pub(crate) evaluation: Map<String, Value>,
}

/// What the run in `folder` has to say of itself; none where there is no run.
pub(crate) fn listed(folder: &Path) -> Option<Listed> {
    is_run(folder).then(|| listed_of(&Folder::read_to_list(folder)))
}

/// Whether there is a run in `folder`.
pub(crate) fn is_run(folder: &Path) -> bool {
    let is_there = ["config.toml", "metrics.jsonl"].map(|name| folder.join(name).is_file());
    is_there == [true, true]
}

/// What a run has to say of itself.
pub(super) fn listed_of(read: &Folder) -> Listed {
    let folder = &read.path;
    let summary = &read.summary;
    let told = |key: &str| summary.get(key).and_then(Value::as_str).map(str::to_owned);
    let nearest = read.config.as_ref().and_then(settings::nearest);
    let state = state_of(folder, summary);
    let diverged = summary.get("diverged").map(|told| {
        let what = told.get("what").and_then(Value::as_str);
        what.unwrap_or_default().to_owned()
    });
    let best = summary
        .get("best")
        .and_then(|best| best.get("data_distance"));
    let headlines = evaluation::headlines(&read.evaluation).into_iter();
    let others = evaluation::of_other_weights(&read.evaluation, read.steps_done());
    let headlines = headlines.map(|(what, value, _)| match &others {
        Some(others) => (what, format!("{value} {others}")),
        None => (what, value),
    });
    Listed {
        folder: folder.clone(),
        preset: nearest.as_ref().map(|nearest| nearest.preset),
        changed: nearest.map(|nearest| nearest.chosen()),
        state,
        resumable: is_resumable(state) && has_state(folder),
        steps: read.steps_done(),
        of: read.config.as_ref().map(|config| config.run.steps),
        seconds: seconds(read),
        fits: told("fits"),
        r_hat: mixing::worst_figure(read).map(|(_, r_hat)| r_hat),
        data_distance: best.and_then(Value::as_f64),
        diverged,
        headlines: headlines.collect(),
        evaluation: read.evaluation.clone(),
    }
}

/// Where the run in `folder` stands, by what `summary.json` holds, or nothing without one.
pub(crate) fn state_of(folder: &Path, summary: &Map<String, Value>) -> RunState {
    if RunLock::is_held(folder) {
        return RunState::Running;
    }
    let is = |key: &str| summary.get(key) == Some(&Value::Bool(true));
    if summary.is_empty() {
        RunState::Interrupted
    } else if summary.contains_key("diverged") {
        RunState::Diverged
    } else if is("stopped") || is("cut_short") {
        RunState::Stopped
    } else {
        RunState::Finished
    }
}

/// A path as text, also where it is none: the rest of a list is worth more than its odd bytes.
fn as_text<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&path.to_string_lossy())
}

/// Whether there may be something left to do; of a run that diverged, after a change that its advice names.
fn is_resumable(state: RunState) -> bool {
    matches!(
        state,
        RunState::Stopped | RunState::Interrupted | RunState::Diverged
    )
}

/// Whether there is a training state; whether it is whole is known once it is read.
fn has_state(folder: &Path) -> bool {
    let entries = fs::read_dir(folder.join(STATES)).into_iter().flatten();
    let mut names = entries.flatten().map(|entry| entry.file_name());
    names.any(|name| {
        Path::new(&name)
            .extension()
            .is_some_and(|end| end == "json")
    })
}

/// How long the steps took: rates are of the last few steps, so that pauses are not in them.
fn seconds(read: &Folder) -> Option<f64> {
    let batch = read.config.as_ref()?.run.batch as f64;
    let rates = read.metrics.column(SPEED)?;
    let known: Vec<f64> = rates.iter().copied().filter(|rate| *rate > 0.0).collect();
    let seconds: f64 = known.iter().map(|rate| batch / rate).sum();
    // The others, the first of a process, took as long as these.
    (!known.is_empty()).then(|| seconds * rates.len() as f64 / known.len() as f64)
}
