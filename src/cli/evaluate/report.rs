//! What an evaluation found, as JSON: printed, and kept in the run folder beside earlier parts of the same weights and data.

use super::asked::name_of;
use super::data::{Named, Opened};
use crate::cli::args::PartArg;
use crate::cli::error::CliError;
use crate::cli::output;
use crate::config::DataConfig;
use crate::data::DataRecord;
use crate::files::write_atomically;
use crate::model::Weights;
use clap::ValueEnum;
use serde::Serialize;
use serde_json::{Map, Value};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// The keys of what parts were asked for with, and of their pictures.
const ARGUMENTS: &str = "arguments";
const PICTURES: &str = "pictures";

/// What was evaluated. Parts of one file are all of the same.
#[derive(Serialize)]
struct About<'a> {
    source: &'static str,
    data_noise: f32,
    weights: Weights,
    step: u64,
    /// The CRC-32 of the weights, as little-endian f32: equal steps of two runs have different ones.
    weights_crc32: String,
    data: &'a DataConfig,
    /// What these were made of when they were read; null for generated ones.
    data_record: Option<&'a DataRecord>,
    /// There where --data has named others than the run's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    named_data: Option<&'a Named>,
}

/// Figures by the names of their parts, and of what they are.
pub(super) struct Report {
    /// What this evaluation found.
    found: Map<String, Value>,
    /// With what earlier ones left in the file.
    kept: Map<String, Value>,
    /// The keys that say what they are of.
    about: Vec<String>,
    /// The file, where there is a run folder.
    pub(super) file: Option<PathBuf>,
}

impl Report {
    /// About the model on the data of `opened`, to be kept in `file`. Says where what the file holds is of something else, or cannot be
    /// read.
    pub(super) fn of(
        Opened {
            model,
            data: evaluated,
            named,
        }: &Opened,
        file: Option<PathBuf>,
    ) -> Result<Self, CliError> {
        let data = &model.config().data;
        let about = About {
            source: data.source.name,
            data_noise: data.noise,
            weights: model.weights(),
            step: model.step(),
            weights_crc32: model.weights_crc32(),
            data,
            data_record: evaluated.record(),
            named_data: named.as_ref(),
        };
        let found = object(json_of(&about)?);
        let mut kept = found.clone();
        if let Some((path, earlier)) = file
            .as_ref()
            .and_then(|path| Some((path, earlier(path).transpose()?)))
        {
            let earlier = earlier?;
            if found
                .iter()
                .all(|(key, value)| earlier.get(key) == Some(value))
            {
                kept = earlier;
            } else {
                output::note(format_args!(
                    "note: {} was of other weights or data and is begun anew",
                    path.display()
                ));
            }
        }
        let about = found.keys().cloned().collect();
        Ok(Report {
            found,
            kept,
            about,
            file,
        })
    }

    /// Adds the figures of `part`, which took so many seconds.
    pub(super) fn add(&mut self, part: PartArg, figures: &Value, seconds: f64) {
        for all in [&mut self.found, &mut self.kept] {
            let mut times = all.shift_remove("seconds").map(object).unwrap_or_default();
            without(all, part, &self.about);
            match (part, figures) {
                // The exact figures stand beside what they are of.
                (PartArg::Density, Value::Object(figures)) => all.extend(figures.clone()),
                _ => drop(all.insert(key(part).into(), figures.clone())),
            }
            if let Some(name) = timed(part) {
                times.insert(name.into(), seconds.into());
            }
            close(all, times);
        }
    }

    /// Adds why there are no figures of `part`.
    pub(super) fn add_reason(&mut self, part: PartArg, reason: &str) {
        for all in [&mut self.found, &mut self.kept] {
            let mut times = all.shift_remove("seconds").map(object).unwrap_or_default();
            without(all, part, &self.about);
            all.insert(key(part).into(), serde_json::json!({ "not_valid": reason }));
            timed(part).and_then(|name| times.shift_remove(name));
            close(all, times);
        }
    }

    /// Says with which arguments `part` was asked for, and which picture of it was written: a path from the report's folder
    /// where it lies in there.
    pub(super) fn made(&mut self, part: PartArg, arguments: Vec<String>, picture: Option<PathBuf>) {
        let folder = self.file.as_deref().and_then(Path::parent);
        let picture = picture.map(|path| {
            let inside = folder.and_then(|folder| path.strip_prefix(folder).ok());
            inside.unwrap_or(&path).display().to_string()
        });
        let entries = [
            (ARGUMENTS, Some(Value::from(arguments))),
            (PICTURES, picture.map(Value::from)),
        ];
        for all in [&mut self.found, &mut self.kept] {
            let times = all.shift_remove("seconds").map(object).unwrap_or_default();
            for (name, entry) in &entries {
                let mut parts = all.shift_remove(*name).map(object).unwrap_or_default();
                parts.shift_remove(&name_of(part));
                parts.extend(entry.clone().map(|entry| (name_of(part), entry)));
                if !parts.is_empty() {
                    all.insert((*name).into(), parts.into());
                }
            }
            close(all, times);
        }
    }

    /// Writes the file, if there is one.
    pub(super) fn save(&self) -> Result<(), CliError> {
        if let Some(path) = &self.file {
            let text = serde_json::to_vec_pretty(&self.kept).map_err(std::io::Error::from)?;
            write_atomically(path, &text)?;
        }
        Ok(())
    }

    /// Prints what this evaluation found.
    pub(super) fn print(&self) -> Result<(), CliError> {
        output::json(&self.found)
    }
}

/// `value` as it is written: by way of its text, so that 32-bit numbers keep their short decimals.
pub(super) fn json_of(value: &impl Serialize) -> Result<Value, CliError> {
    let text = serde_json::to_string(value).map_err(std::io::Error::from)?;
    Ok(serde_json::from_str(&text).map_err(std::io::Error::from)?)
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

/// Takes what an earlier evaluation found of `part` out of `all`, in which `about` says what it is of. The exact figures have no
/// object of their own: they are what is of no other part.
fn without(all: &mut Map<String, Value>, part: PartArg, about: &[String]) {
    if part == PartArg::Density {
        let others = PartArg::value_variants().iter().copied();
        let others: Vec<&str> = others.filter(|&other| other != part).map(key).collect();
        let of_parts = [ARGUMENTS, PICTURES];
        all.retain(|key, _| {
            about.contains(key) || others.contains(&&key[..]) || of_parts.contains(&&key[..])
        });
    }
}

/// What the file at `path` holds; none where there is no such file. One that cannot be understood is put aside, which is said.
fn earlier(path: &Path) -> Result<Option<Map<String, Value>>, CliError> {
    let failed = |cause| CliError::EarlierReport {
        path: path.into(),
        cause,
    };
    let text = match fs::read(path) {
        Ok(text) => text,
        Err(cause) if cause.kind() == ErrorKind::NotFound => return Ok(None),
        Err(cause) => return Err(failed(cause)),
    };
    match serde_json::from_slice(&text) {
        Ok(earlier) => Ok(Some(earlier)),
        Err(cause) => {
            let aside = (1..)
                .map(|number| match number {
                    1 => ending(path, ".damaged"),
                    _ => ending(path, &format!(".damaged-{number}")),
                })
                .find(|aside| !aside.exists())
                .unwrap_or_default();
            fs::rename(path, &aside).map_err(failed)?;
            output::note(format_args!(
                "warning: {} cannot be read ({cause}): it is kept as {}, and begun anew",
                path.display(),
                aside.display()
            ));
            Ok(None)
        }
    }
}

/// `path` with `more` at its end.
fn ending(path: &Path, more: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(more);
    name.into()
}

/// Times come last.
fn close(all: &mut Map<String, Value>, times: Map<String, Value>) {
    if !times.is_empty() {
        all.insert("seconds".into(), times.into());
    }
}

/// The key of a part; of the exact figures only where there are none.
fn key(part: PartArg) -> &'static str {
    match part {
        PartArg::Density => "density",
        PartArg::Likelihood => "likelihood",
        PartArg::Samples => "sample_quality",
        PartArg::Stability => "stability",
        PartArg::Outside => "outside",
    }
}

/// What a part is called among the times, unless its own figures say what it took.
fn timed(part: PartArg) -> Option<&'static str> {
    match part {
        PartArg::Density | PartArg::Likelihood => None,
        PartArg::Samples => Some("samples"),
        PartArg::Stability => Some("stability"),
        PartArg::Outside => Some("outside"),
    }
}
