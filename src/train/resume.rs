//! Runs that were interrupted, and how they go on.

use super::best::BestSoFar;
use super::energy_rows::EnergyRow;
use super::error::TrainError;
use super::metrics::MetricsRow;
use super::state::TrainingState;
use super::states::{Manifest, Unusable, load, manifests};
use crate::config::{self, Config, differences};
use crate::data::Dataset;
use crate::files::{ENERGIES, LinesMark, RunLock, SNAPSHOTS, STATES, read_marked};
use crate::gpu::AdapterSummary;
use crate::method::{Diagnostics, LIVE_PARAMETERS, Schedule};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};

/// Settings that may change where a run goes on: they say how long it is, what it writes on the way and what follows its last
/// step, and no step that is left depends on them but by [`Schedule`].
const CHANGEABLE: &[&str] = &[
    "run.steps",
    "run.sample_every",
    "run.samples",
    "run.sample_steps",
    "run.checkpoint_every",
    "run.checkpoint_seconds",
    "run.keep_checkpoints",
    "run.rollbacks",
    "run.figure_every",
    "run.tensorboard",
    "sampler.probe",
    // It has to hold the same data.
    "data.path",
];

/// Whether runs of these settings are one, by all that its steps depend on. A run that goes on elsewhere may have other kernels.
pub(super) fn is_same_run(config: &Config, other: &Config) -> bool {
    let found = differences(config, other).into_iter();
    let mut keys = found.map(|found| found.key);
    keys.all(|key| key == "run.kernels" || CHANGEABLE.contains(&key.as_str()))
}

/// A run that has not come to its end, with the state that it goes on from. Nobody else can write into its folder meanwhile.
pub struct Interrupted {
    pub(super) folder: PathBuf,
    pub(super) whole: Whole,
    pub(super) lock: RunLock,
    config: Config,
    notes: Vec<String>,
}

/// What is read of the summary of a run.
#[derive(Deserialize)]
struct Ended {
    steps: u64,
    stopped: bool,
    cut_short: bool,
    diverged: Option<Value>,
}

impl Interrupted {
    /// The run in `folder` at its newest whole state, with the settings of `sets` (as `section.key=value`) in place of its own.
    /// Nothing of it is changed before [`resume`](super::resume).
    ///
    /// # Errors
    /// When there is no run or no state, another process is writing into it, the newest state is of another version of the format,
    /// the run is finished, or a setting is not one that may change.
    pub fn open(folder: &Path, sets: &[String]) -> Result<Self, TrainError> {
        let path = folder.to_path_buf();
        if !folder.join("metrics.jsonl").is_file() {
            return Err(TrainError::NoRun { path });
        }
        let lock = RunLock::take(folder)?;
        let mut notes = Vec::new();
        let mut found = None;
        for manifest in manifests(folder) {
            match whole(folder, &manifest) {
                Ok(state) => {
                    found = Some(state);
                    break;
                }
                Err(Unusable::Version(version)) => {
                    let path = manifest;
                    return Err(TrainError::StateVersion { path, version });
                }
                Err(Unusable::Unreadable(error)) => return Err(error.into()),
                Err(Unusable::Damaged(what)) => notes.push(format!(
                    "warning: the training state {} cannot be used ({what}); the one before it is taken",
                    manifest.display()
                )),
            }
        }
        let Some(whole) = found else {
            return Err(match (finished(folder), notes.is_empty()) {
                (Some(steps), true) => TrainError::Finished { path, steps },
                (None, true) => TrainError::NoState { path },
                (_, false) => TrainError::NoWholeState {
                    path,
                    notes: notes.join("; "),
                },
            });
        };
        if whole.manifest.energies.is_some() && whole.energies.is_none() {
            notes.push(format!(
                "warning: {} is missing or damaged: pictures of energies begin where the run goes on",
                folder.join(ENERGIES).display()
            ));
        }
        let stored = config::parse_stored(&whole.manifest.config, "the run's configuration")
            .map_err(|error| TrainError::Resume(error.to_string()))?;
        notes.extend(
            stored
                .derived
                .iter()
                .map(|derived| format!("note: a stored setting is refused today: {derived}")),
        );
        let config = changed(&stored.config, sets, whole.state.step())?;
        if finished(folder) == Some(config.run.steps) {
            let steps = config.run.steps;
            return Err(TrainError::Finished { path, steps });
        }
        let is_longer = config.run.steps != stored.config.run.steps;
        if is_longer && config.optimiser.schedule != Schedule::Constant {
            notes.push(format!(
                "note: the learning rate of the steps that are left is that of a run of {} steps in all, and no longer of {}",
                config.run.steps, stored.config.run.steps
            ));
        }
        Ok(Interrupted {
            folder: path,
            whole,
            lock,
            config,
            notes,
        })
    }

    /// The same run with settings that were chosen for it before.
    pub(super) fn with_config(mut self, config: Config) -> Self {
        self.config = config;
        self
    }

    /// Whether the state was taken with the settings `config`.
    pub(super) fn is_of(&self, config: &Config) -> bool {
        config::to_toml(config) == self.whole.manifest.config
    }

    /// What it goes on with.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Optimiser steps done.
    pub fn step(&self) -> u64 {
        self.whole.state.step()
    }

    /// What it goes on from.
    pub fn state(&self) -> &TrainingState {
        &self.whole.state
    }

    /// What there is to say of it, a line each: states that cannot be used, and what changed settings mean.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Refuses other data than those that it began with.
    ///
    /// # Errors
    /// When their checksums differ.
    pub fn check_data(&self, data: &Dataset) -> Result<(), TrainError> {
        match data.record() == self.whole.manifest.data.as_ref() {
            true => Ok(()),
            false => Err(TrainError::OtherData {
                name: match self.config.data.path.as_str() {
                    "" => data.name().into(),
                    path => path.into(),
                },
            }),
        }
    }

    /// What to say where it goes on on another adapter than before; none where it is the same one.
    pub fn other_adapter(&self, adapter: &AdapterSummary) -> Option<String> {
        let now = adapter_name(adapter);
        (now != self.whole.manifest.adapter).then(|| {
            format!(
                "warning: the run began on {} and goes on on {now}: its bits are not those of a run on one of them",
                self.whole.manifest.adapter
            )
        })
    }
}

/// What a manifest calls an adapter: with its driver, whose versions compute in their own ways.
pub(super) fn adapter_name(adapter: &AdapterSummary) -> String {
    format!("{adapter}, {}", adapter.driver)
}

/// A state with what the run had written before it.
pub(super) struct Whole {
    pub(super) state: TrainingState,
    pub(super) manifest: Manifest,
    pub(super) rows: Vec<MetricsRow>,
    pub(super) diagnoses: Vec<Diagnostics>,
    /// Which only pictures are made of; none where there are none, or they cannot be used.
    pub(super) energies: Option<Vec<EnergyRow>>,
    /// The best weights so far.
    pub(super) best: Option<BestSoFar>,
}

/// The state whose manifest is at `path`, if everything agrees.
pub(super) fn whole(folder: &Path, path: &Path) -> Result<Whole, Unusable> {
    let (state, manifest) = load(path)?;
    let rows: Vec<MetricsRow> = lines(&folder.join("metrics.jsonl"), &manifest.metrics)?;
    let diagnoses = match &manifest.diagnostics {
        Some(mark) => lines(&folder.join("diagnostics.jsonl"), mark)?,
        None => Vec::new(),
    };
    let energies = match &manifest.energies {
        Some(mark) => match lines(&folder.join(ENERGIES), mark) {
            Err(Unusable::Damaged(_)) => None,
            found => Some(found?),
        },
        None => None,
    };
    if rows.len() as u64 != state.step() {
        return Err(Unusable::Damaged(
            "it has other steps than metrics.jsonl".into(),
        ));
    }
    let best = match manifest.best {
        None => None,
        Some(step) => {
            let count = state.words(LIVE_PARAMETERS).len();
            let words = state.best();
            let best = words.and_then(|words| BestSoFar::of_words(step, words, &rows, count));
            let lacks =
                || Unusable::Damaged("its best weights are those of none of its steps".into());
            Some(best.ok_or_else(lacks)?)
        }
    };
    Ok(Whole {
        state,
        manifest,
        rows,
        diagnoses,
        energies,
        best,
    })
}

/// What the file at `path` held at `mark`.
fn lines<T: DeserializeOwned>(path: &Path, mark: &LinesMark) -> Result<Vec<T>, Unusable> {
    let text = read_marked(path, mark)?;
    let rows: Result<Vec<T>, _> = text.lines().map(serde_json::from_str).collect();
    rows.map_err(|error| Unusable::Damaged(format!("{}: {error}", path.display())))
}

/// `config` with `sets`, at `step`.
fn changed(config: &Config, sets: &[String], step: u64) -> Result<Config, TrainError> {
    let failed = |error: config::ConfigError| TrainError::Resume(error.to_string());
    if sets.is_empty() {
        return Ok(config.clone());
    }
    let changed = config::amended(config, sets).map_err(failed)?;
    let keys = differences(&changed, config)
        .into_iter()
        .map(|found| found.key);
    let fixed: Vec<String> = keys
        .filter(|key| !CHANGEABLE.contains(&key.as_str()))
        .collect();
    if !fixed.is_empty() {
        return Err(TrainError::Fixed {
            keys: fixed.join(", "),
            changeable: CHANGEABLE.join(", "),
        });
    }
    match changed.run.steps < step {
        true => Err(TrainError::StepsDone {
            done: step,
            steps: changed.run.steps,
        }),
        false => Ok(changed),
    }
}

/// The steps of the run in `folder`, if it has come to its end.
fn finished(folder: &Path) -> Option<u64> {
    let summary = fs::read(folder.join("summary.json")).ok()?;
    let ended: Ended = serde_json::from_slice(&summary).ok()?;
    let is_whole = !ended.stopped && !ended.cut_short && ended.diverged.is_none();
    is_whole.then_some(ended.steps)
}

/// Removes what the process that wrote into the folder last left half-written, and what says how the run ended.
pub(super) fn clean(folder: &Path, lock: &mut RunLock) {
    lock.clean(written(folder));
    for name in ["summary.json", "report.html"] {
        let _ = fs::remove_file(folder.join(name));
    }
}

/// Removes what this process left half-written, when it has written all.
pub(super) fn clean_own(folder: &Path, lock: &RunLock) {
    for folder in written(folder) {
        lock.clean_own(&folder);
    }
}

/// The folders that a run writes into.
fn written(folder: &Path) -> impl Iterator<Item = PathBuf> {
    let inner = ["samples", "checkpoints", SNAPSHOTS, STATES].map(|name| folder.join(name));
    [folder.to_path_buf()].into_iter().chain(inner)
}
