//! What lies in a run folder, read as far as it can be.

use crate::config::{self, Config};
use crate::files::evaluations_by_others;
use crate::train::Diagnostics;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use std::fs::{self, File};
use std::io::{BufRead, BufReader, ErrorKind};
use std::path::{Path, PathBuf};

/// What `evaluate` leaves.
const OF_EVALUATION: [&str; 4] = [
    "evaluation.json",
    "evaluation.png",
    "neighbours.png",
    "stability.png",
];

/// The metric that says how fast a run is.
pub(super) const SPEED: &str = "samples_per_second";

/// A run folder.
pub(super) struct Folder {
    pub(super) path: PathBuf,
    /// Where its evaluation lies: in the run folder, or in one of its own.
    evaluated_in: PathBuf,
    /// The text of `config.toml`, also where it is no configuration.
    pub(super) toml: Option<String>,
    pub(super) config: Option<Config>,
    pub(super) metrics: Metrics,
    pub(super) diagnostics: Vec<Diagnostics>,
    pub(super) summary: Map<String, Value>,
    pub(super) evaluation: Map<String, Value>,
    /// Evaluations by other data than the run's own, with the names of their files.
    pub(super) by_others: Vec<(String, Map<String, Value>)>,
    /// Files that a finished run has and this one lacks.
    pub(super) missing: Vec<&'static str>,
    /// What could not be read, a line each.
    pub(super) problems: Vec<String>,
}

/// The lines of `metrics.jsonl`, key by key: whatever keys there are.
#[derive(Default)]
pub(super) struct Metrics {
    columns: Vec<(String, Vec<f64>)>,
    pub(super) rows: usize,
}

impl Metrics {
    /// The values of a key, a line each: NaN where it has no number. None where no line has the key.
    pub(super) fn column(&self, name: &str) -> Option<&[f64]> {
        let found = self.columns.iter().find(|(known, _)| known == name);
        found.map(|(_, values)| &values[..])
    }

    /// The keys, in the order of their first lines.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(|(name, _)| &name[..])
    }

    /// The optimiser steps that the lines are of.
    pub(super) fn steps(&self) -> &[f64] {
        self.column("step").unwrap_or_default()
    }

    fn push(&mut self, row: Map<String, Value>) {
        for (place, (name, value)) in row.into_iter().enumerate() {
            // All lines have the same keys in the same order, unless they are of different versions.
            let known = match self.columns.get(place) {
                Some((known, _)) if *known == name => Some(place),
                _ => self.columns.iter().position(|(known, _)| *known == name),
            };
            let place = known.unwrap_or_else(|| {
                self.columns.push((name, vec![f64::NAN; self.rows]));
                self.columns.len() - 1
            });
            let values = &mut self.columns[place].1;
            values.truncate(self.rows);
            values.push(value.as_f64().unwrap_or(f64::NAN));
        }
        self.rows += 1;
        for (_, values) in &mut self.columns {
            values.resize(self.rows, f64::NAN);
        }
    }
}

/// What a list needs of a line of metrics.
#[derive(Deserialize)]
struct Speed {
    samples_per_second: Option<f64>,
}

impl Folder {
    /// Reads what a list says of a run: of the metrics how many lines there are, and their speeds.
    pub(super) fn read_to_list(path: &Path) -> Self {
        let mut folder = Folder::new(path, path);
        folder.read_config();
        let mut speeds = Vec::new();
        folder.lines("metrics.jsonl", |row: Speed| {
            speeds.push(row.samples_per_second.unwrap_or(f64::NAN));
        });
        folder.metrics.rows = speeds.len();
        folder.metrics.columns = vec![(SPEED.to_owned(), speeds)];
        folder.summary = folder.json("summary.json").unwrap_or_default();
        folder.evaluation = folder.json("evaluation.json").unwrap_or_default();
        folder
    }

    /// Reads what there is.
    pub(super) fn read(path: &Path, evaluated_in: &Path) -> Self {
        let mut folder = Folder::new(path, evaluated_in);
        folder.read_config();
        let mut metrics = Metrics::default();
        if !folder.lines("metrics.jsonl", |row| metrics.push(row)) {
            folder.missing.push("metrics.jsonl");
        }
        folder.metrics = metrics;
        let mut diagnostics = Vec::new();
        folder.lines("diagnostics.jsonl", |row| diagnostics.push(row));
        folder.diagnostics = diagnostics;
        match folder.json("summary.json") {
            Some(summary) => folder.summary = summary,
            None => folder.missing.push("summary.json"),
        }
        folder.evaluation = folder.json("evaluation.json").unwrap_or_default();
        for name in evaluations_by_others(path) {
            let found = folder.json(&name);
            let found = found.filter(|found| found.contains_key("weights_crc32"));
            folder.by_others.extend(found.map(|found| (name, found)));
        }
        folder
    }

    fn new(path: &Path, evaluated_in: &Path) -> Self {
        Folder {
            path: path.into(),
            evaluated_in: evaluated_in.into(),
            toml: None,
            config: None,
            metrics: Metrics::default(),
            diagnostics: Vec::new(),
            summary: Map::new(),
            evaluation: Map::new(),
            by_others: Vec::new(),
            missing: Vec::new(),
            problems: Vec::new(),
        }
    }

    /// The bytes of a file; none where there is no such file, or with a problem where it cannot be read.
    pub(super) fn bytes(&mut self, name: &str) -> Option<Vec<u8>> {
        let folder = match OF_EVALUATION.contains(&name) {
            true => &self.evaluated_in,
            false => &self.path,
        };
        match fs::read(folder.join(name)) {
            Ok(bytes) => Some(bytes),
            Err(cause) if cause.kind() == ErrorKind::NotFound => None,
            Err(cause) => {
                self.damaged(name, &cause.to_string());
                None
            }
        }
    }

    /// The name of the run's folder: "." and ".." are names of none.
    pub(super) fn name(&self) -> String {
        let real = || fs::canonicalize(&self.path).ok();
        let named = |path: &Path| Some(path.file_name()?.to_string_lossy().into_owned());
        let name = named(&self.path).or_else(|| named(&real()?));
        name.unwrap_or("run".into())
    }

    /// The run's folder and what lies in it, as a command from anywhere has to name it.
    pub(super) fn whole_path(&self, inside: &str) -> String {
        let whole = std::path::absolute(&self.path).unwrap_or_else(|_| self.path.clone());
        let whole = if inside.is_empty() {
            whole
        } else {
            whole.join(inside)
        };
        whole.to_string_lossy().into_owned()
    }

    /// Optimiser steps done: as the summary says, or as many as there are lines of metrics.
    pub(super) fn steps_done(&self) -> u64 {
        let told = self.summary.get("steps").and_then(Value::as_u64);
        told.unwrap_or(self.metrics.rows as u64)
    }

    /// Whether the run has come to an end, and wrote there what its summary calls `key`. What lies in the folder without that is of an
    /// earlier end, from which the run has gone on.
    pub(super) fn wrote(&self, key: &str) -> bool {
        self.summary.get(key).is_some_and(Value::is_string)
    }

    /// Whether the run was stopped before its last step.
    pub(super) fn is_stopped(&self) -> bool {
        self.summary.get("stopped") == Some(&Value::Bool(true))
    }

    /// Says that a file is left out.
    pub(super) fn damaged(&mut self, name: &str, cause: &str) {
        let cause = cause.replace(['\n', '\r'], " ");
        self.problems
            .push(format!("{name} is left out, as it cannot be read: {cause}"));
    }

    fn read_config(&mut self) {
        let name = "config.toml";
        let Some(bytes) = self.bytes(name) else {
            self.missing.push(name);
            return;
        };
        let text = String::from_utf8_lossy(&bytes).into_owned();
        match config::parse_stored(&text, name) {
            Ok(resolved) => self.config = Some(resolved.config),
            Err(cause) => self.problems.push(format!(
                "{name} is shown as it is, but not understood: {cause}"
            )),
        }
        self.toml = Some(text);
    }

    fn json(&mut self, name: &str) -> Option<Map<String, Value>> {
        let bytes = self.bytes(name)?;
        match serde_json::from_slice(&bytes) {
            Ok(map) => Some(map),
            Err(cause) => {
                self.damaged(name, &cause.to_string());
                Some(Map::new())
            }
        }
    }

    /// Hands on every line that can be read, and says how many cannot; false where there is no such file.
    fn lines<T: DeserializeOwned>(&mut self, name: &str, mut take: impl FnMut(T)) -> bool {
        let file = match File::open(self.path.join(name)) {
            Ok(file) => file,
            Err(cause) if cause.kind() == ErrorKind::NotFound => return false,
            Err(cause) => {
                self.damaged(name, &cause.to_string());
                return true;
            }
        };
        let (mut damaged, mut first) = (0, None);
        for (number, line) in (1..).zip(BufReader::new(file).split(b'\n')) {
            let line = match line {
                Ok(line) => line,
                Err(cause) => {
                    self.damaged(name, &cause.to_string());
                    break;
                }
            };
            if line.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            match serde_json::from_slice(&line) {
                Ok(row) => take(row),
                Err(_) => {
                    damaged += 1;
                    first.get_or_insert(number);
                }
            }
        }
        if let Some(first) = first {
            let lines = if damaged == 1 { "line" } else { "lines" };
            self.problems.push(format!(
                "{damaged} {lines} of {name} cannot be read and {} left out, the first of them line {first}",
                if damaged == 1 { "is" } else { "are" }
            ));
        }
        true
    }
}
