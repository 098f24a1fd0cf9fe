//! What there is to see of a run, read off its folder as it grows.

use super::picture::Scaled;
use crate::cli::error::CliError;
use crate::config::{self, Config};
use crate::page::{RunState, is_run, state_of};
use crate::train::{Diagnostics, MetricsRow};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// A run as it looks now.
pub(in crate::cli) struct Seen {
    pub(in crate::cli) folder: PathBuf,
    pub(in crate::cli) config: Option<Config>,
    pub(in crate::cli) state: RunState,
    pub(in crate::cli) rows: Vec<MetricsRow>,
    /// Every look at the chains, in order.
    pub(in crate::cli) looks: Vec<Diagnostics>,
    /// What it says of itself at its end.
    pub(in crate::cli) summary: Map<String, Value>,
    /// The newest picture, and what it is of.
    pub(in crate::cli) picture: Option<(Scaled, String)>,
    metrics: Tail,
    diagnostics: Tail,
    config_of: Option<SystemTime>,
    summary_of: Option<SystemTime>,
    picture_of: Option<(PathBuf, SystemTime)>,
}

impl Seen {
    /// Looks at the run in `folder` for the first time.
    ///
    /// # Errors
    /// When there is no run.
    pub(in crate::cli) fn open(folder: &Path) -> Result<Self, CliError> {
        match Seen::of(folder) {
            Some(seen) => Ok(seen),
            None => Err(CliError::NoRuns {
                folder: folder.into(),
            }),
        }
    }

    /// Likewise; none where there is no run yet.
    pub(in crate::cli) fn of(folder: &Path) -> Option<Self> {
        if !is_run(folder) {
            return None;
        }
        let mut seen = Seen {
            folder: folder.into(),
            config: None,
            state: RunState::Interrupted,
            rows: Vec::new(),
            looks: Vec::new(),
            summary: Map::new(),
            picture: None,
            metrics: Tail::new(folder.join("metrics.jsonl")),
            diagnostics: Tail::new(folder.join("diagnostics.jsonl")),
            config_of: None,
            summary_of: None,
            picture_of: None,
        };
        seen.look();
        Some(seen)
    }

    /// Takes in what is new. What cannot be read now is left as it was.
    pub(in crate::cli) fn look(&mut self) {
        self.look_at_settings();
        self.look_at_metrics();
        self.look_at_chains();
        self.look_at_summary();
        self.state = state_of(&self.folder, &self.summary);
        self.look_at_pictures();
    }

    /// Settings may change where a run goes on.
    fn look_at_settings(&mut self) {
        let path = self.folder.join("config.toml");
        let written = modified(&path);
        if written == self.config_of {
            return;
        }
        let text = fs::read_to_string(path);
        let config = text.map(|text| config::parse_stored(&text, "config.toml"));
        if let Ok(Ok(resolved)) = config {
            self.config = Some(resolved.config);
            self.config_of = written;
        }
    }

    fn look_at_metrics(&mut self) {
        let mut rows: Vec<MetricsRow> = Vec::new();
        if self.metrics.read(&mut rows) {
            self.rows.clear();
        }
        let goes_on = rows
            .iter()
            .zip(self.rows.len() as u64..)
            .all(|(row, step)| row.step == step);
        if !goes_on && !self.rows.is_empty() {
            // Cut back and grown again between two looks.
            self.metrics.begin_again();
            self.rows.clear();
            rows.clear();
            self.metrics.read(&mut rows);
        }
        self.rows.append(&mut rows);
    }

    fn look_at_chains(&mut self) {
        let mut looks: Vec<Diagnostics> = Vec::new();
        if self.diagnostics.read(&mut looks) {
            self.looks.clear();
        }
        // Cut back and grown again between two looks at the folder.
        let first = looks.first().map_or(u64::MAX, |look| look.step);
        self.looks.retain(|look| look.step < first);
        self.looks.append(&mut looks);
    }

    fn look_at_summary(&mut self) {
        let path = self.folder.join("summary.json");
        let written = modified(&path);
        if written == self.summary_of {
            return;
        }
        let summary = fs::read(&path).ok();
        let summary = summary.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        self.summary = summary.unwrap_or_default();
        self.summary_of = written;
    }

    fn look_at_pictures(&mut self) {
        let Some((path, what)) = self.newest_picture() else {
            return;
        };
        let Some(written) = modified(&path) else {
            return;
        };
        let now = (path, written);
        if self.picture_of.as_ref() == Some(&now) {
            return;
        }
        // What is not whole stays unseen.
        if let Ok(picture) = image::open(&now.0) {
            self.picture = Some((Scaled::new(picture.to_rgb8()), what));
            self.picture_of = Some(now);
        }
    }

    /// The last picture of a run that has ended, else that of the noise samples after the most of the steps that it has done: of later
    /// ones there may be some left where it went on from a state before them.
    fn newest_picture(&self) -> Option<(PathBuf, String)> {
        let last = self.folder.join("samples.png");
        // Else it is of an earlier end, from which the run has gone on.
        let is_of_this_end = self.summary.get("samples").is_some_and(Value::is_string);
        if is_of_this_end && last.is_file() {
            return Some((last, "last samples".into()));
        }
        let entries = fs::read_dir(self.folder.join("samples")).ok()?.flatten();
        let numbered = entries.filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let step: u64 = name.strip_suffix(".png")?.parse().ok()?;
            (step <= self.rows.len() as u64).then(|| (step, entry.path()))
        });
        let (step, path) = numbered.max()?;
        Some((path, format!("noise after {step} steps")))
    }
}

fn modified(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).ok()?.modified().ok()
}

/// A file of lines that grows.
struct Tail {
    path: PathBuf,
    /// Bytes of the whole lines that were read.
    read: u64,
}

impl Tail {
    fn new(path: PathBuf) -> Self {
        Tail { path, read: 0 }
    }

    fn begin_again(&mut self) {
        self.read = 0;
    }

    /// Adds what whole lines there are since the last time; whether it began again, since the file is shorter than it was. Lines
    /// that are something else are left out.
    fn read<T: DeserializeOwned>(&mut self, lines: &mut Vec<T>) -> bool {
        let Ok(mut file) = File::open(&self.path) else {
            return false;
        };
        let length = file.metadata().map_or(0, |data| data.len());
        let is_shorter = length < self.read;
        if is_shorter {
            self.read = 0;
        }
        if file.seek(SeekFrom::Start(self.read)).is_err() {
            return is_shorter;
        }
        let mut reader = BufReader::new(file);
        let mut line = Vec::new();
        while reader.read_until(b'\n', &mut line).is_ok_and(|n| n > 0) {
            if line.last() != Some(&b'\n') {
                break;
            }
            self.read += line.len() as u64;
            lines.extend(serde_json::from_slice::<T>(&line));
            line.clear();
        }
        is_shorter
    }
}
