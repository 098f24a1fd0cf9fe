//! What is left of a cell: one small file, written at its end.

use super::cells::Cell;
use super::error::SweepError;
use super::figures::{FIGURES, figures_of};
use crate::config::{Config, differences};
use crate::files::write_atomically;
use crate::page::number;
use crate::train::{Diagnostics, MemoryAccount, MetricsRow};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::fmt;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::Path;

/// In the folder of a cell: what came out, written last of all; and that training has ended well, written before it is
/// evaluated.
const RESULT: &str = "cell.json";
const TRAINED: &str = "trained.json";

/// All settings that are not defaults, as TOML.
pub(crate) type Settings = BTreeMap<String, String>;

/// What a process took.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Spent {
    /// Of all its threads, in user and system mode; none where the system does not tell.
    pub(crate) processor_seconds: Option<f64>,
    pub(crate) wall_seconds: f64,
}

/// Why a cell has no figures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Failure {
    /// `training` or `evaluation`.
    pub(crate) stage: String,
    /// How the process ended: `exit status 1`, `signal 9`.
    pub(crate) status: String,
    /// What it said.
    pub(crate) error: String,
    /// Whether training diverged: the same again would do so again.
    pub(crate) diverged: bool,
}

/// That a cell is trained.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Trained {
    pub(crate) settings: Settings,
    pub(crate) training: Spent,
}

/// What came out of a cell.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct CellResult {
    /// Of which Afterimage.
    pub(crate) version: String,
    pub(crate) row: String,
    pub(crate) seed: u64,
    pub(crate) settings: Settings,
    /// Arguments of `afterimage evaluate`.
    pub(crate) evaluate: Vec<String>,
    pub(crate) failure: Option<Failure>,
    /// What was really spent; none where training did not begin.
    pub(crate) optimiser_steps: Option<u64>,
    pub(crate) gradient_evaluations: Option<u64>,
    /// How often the snapshot was taken.
    pub(crate) refreshes: Option<u64>,
    /// The median effective sample size of the noise, as a share.
    pub(crate) ess: Option<f64>,
    /// The peak of GPU memory, in bytes.
    pub(crate) memory_bytes: Option<u64>,
    /// What the model is fitted to, in words.
    pub(crate) fits: Option<String>,
    /// The largest R-hat of the last look at the chains.
    pub(crate) r_hat: Option<f64>,
    pub(crate) training: Option<Spent>,
    pub(crate) evaluation: Option<Spent>,
    pub(crate) figures: BTreeMap<String, f64>,
}

/// The settings of a configuration that are not defaults.
pub(crate) fn settings_of(config: &Config) -> Settings {
    let found = differences(config, &Config::default()).into_iter();
    found
        .map(|found| (found.key, found.value.unwrap_or_default()))
        .collect()
}

impl CellResult {
    /// What lies in `folder` of a cell, after its training and its evaluation, or what failed of these.
    pub(crate) fn read_off(
        folder: &Path,
        cell: &Cell,
        evaluate: &[String],
        [training, evaluation]: [Option<Spent>; 2],
        failure: Option<Failure>,
    ) -> Self {
        let summary = object(&folder.join("summary.json"));
        let mut metrics = metrics(&folder.join("metrics.jsonl"));
        let of = |key: &str| summary.get(key).cloned().unwrap_or_default();
        if let Some(step) = of("diverged").get("step").and_then(Value::as_u64) {
            // The device was handed steps ahead of the one that showed it, as many as the clock would have it.
            metrics.retain(|row| row.step <= step);
        }
        let memory = serde_json::from_value::<MemoryAccount>(of("memory"));
        let look = serde_json::from_value::<Diagnostics>(of("diagnostics"));
        let mut ess: Vec<f64> = metrics.iter().map(|row| f64::from(row.ess)).collect();
        ess.sort_by(f64::total_cmp);
        let figures = match failure {
            // What an evaluation has left before it failed would be told as if it were all.
            Some(_) => BTreeMap::new(),
            None => figures_of(&object(&folder.join("evaluation.json"))),
        };
        CellResult {
            version: env!("CARGO_PKG_VERSION").into(),
            row: cell.row.clone(),
            seed: cell.seed,
            settings: settings_of(&cell.config),
            evaluate: evaluate.into(),
            failure,
            optimiser_steps: metrics.last().map(|row| row.step + 1),
            gradient_evaluations: metrics.last().map(|row| row.gradient_evaluations),
            refreshes: (!metrics.is_empty() && cell.is_refreshed())
                .then(|| metrics.iter().filter(|row| row.snapshot_age == 0).count() as u64),
            ess: ess.get(ess.len() / 2).copied(),
            memory_bytes: memory.ok().map(|memory| memory.total()),
            fits: of("fits").as_str().map(str::to_owned),
            r_hat: look.ok().and_then(|look| Some(look.worst()?.1)),
            training,
            evaluation,
            figures,
        }
    }

    /// What was written of the cell in `folder`; none where there is nothing, or nothing that can be read.
    pub(crate) fn read(folder: &Path) -> Option<Self> {
        let text = fs::read(folder.join(RESULT)).ok()?;
        serde_json::from_slice(&text).ok()
    }

    /// Writes it into `folder`.
    pub(crate) fn write(&self, folder: &Path) -> Result<(), SweepError> {
        write_json(&folder.join(RESULT), self)
    }

    /// Whether the same command would give the same again: there are figures, or training diverged.
    pub(crate) fn is_final(&self) -> bool {
        self.failure.as_ref().is_none_or(|failure| failure.diverged)
    }

    /// Whether it has the figures of an evaluation with the arguments `evaluate`, or none at all.
    pub(super) fn answers(&self, evaluate: &[String]) -> bool {
        self.evaluate == evaluate || self.failure.is_some()
    }

    /// The figure that is compared first, with its name.
    pub(crate) fn headline(&self) -> Option<String> {
        let found = FIGURES
            .iter()
            .find_map(|figure| Some((figure, self.figures.get(figure.key)?)));
        found.map(|(figure, value)| format!("{} {}", figure.title, number(*value)))
    }

    /// Whether its verdict is that it is a density; none where there is no verdict.
    pub(super) fn is_density(&self) -> Option<bool> {
        Some(self.fits.as_ref()?.starts_with("a density"))
    }
}

impl Trained {
    /// What was written of the cell in `folder`.
    pub(crate) fn read(folder: &Path) -> Option<Self> {
        let text = fs::read(folder.join(TRAINED)).ok()?;
        serde_json::from_slice(&text).ok()
    }

    /// Writes it into `folder`.
    pub(crate) fn write(&self, folder: &Path) -> Result<(), SweepError> {
        write_json(&folder.join(TRAINED), self)
    }
}

fn write_json(path: &Path, value: &impl Serialize) -> Result<(), SweepError> {
    // All of it is text, numbers and lists, which JSON can hold.
    let text = serde_json::to_vec_pretty(value).unwrap_or_default();
    Ok(write_atomically(path, &text)?)
}

/// The object in the file at `path`; an empty one where there is none.
fn object(path: &Path) -> Map<String, Value> {
    let text = fs::read(path).unwrap_or_default();
    serde_json::from_slice(&text).unwrap_or_default()
}

/// The whole lines of `metrics.jsonl`.
fn metrics(path: &Path) -> Vec<MetricsRow> {
    let file = File::open(path).into_iter();
    file.flat_map(|file| BufReader::new(file).lines())
        .map_while(Result::ok)
        .map_while(|line| serde_json::from_str(&line).ok())
        .collect()
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ended with {}", self.stage, self.status)?;
        match self.error.is_empty() {
            true => Ok(()),
            false => write!(f, ": {}", self.error),
        }
    }
}
