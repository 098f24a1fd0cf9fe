//! Settings: presets, and configurations as JSON, which Python reads as it is.

use crate::failure::{Failure, Kind};
use afterimage::config::{self as settings, Resolved};
use pyo3::prelude::*;
use serde::Serialize;

/// `value` as JSON, in which 32-bit numbers keep their short decimals.
pub(crate) fn json(value: &impl Serialize) -> PyResult<String> {
    let text = serde_json::to_string(value);
    Ok(text.map_err(|error| Failure::new(Kind::Broken, error))?)
}

/// The settings of a preset or file called `source`, or where there is some of `sections`, JSON in place of a file's TOML; after the
/// assignments `sets`.
pub(crate) fn resolved(
    source: &str,
    sections: Option<&str>,
    sets: &[String],
) -> Result<Resolved, Failure> {
    let Some(sections) = sections else {
        return Ok(settings::resolve(source, sets)?);
    };
    let table: Result<toml::Table, _> = serde_json::from_str(sections);
    let text = table
        .map_err(|error| error.to_string())
        .and_then(|table| toml::to_string(&table).map_err(|error| error.to_string()));
    let text = text.map_err(|error| {
        Failure::value(format!(
            "the settings are not sections of keys with values, such as {{\"run\": {{\"steps\": 200}}}}: {error}"
        ))
    })?;
    Ok(settings::resolve_text(&text, "the settings", sets)?)
}

/// The ready-made configurations: names, and a line about each.
#[pyfunction]
pub(crate) fn presets() -> Vec<(&'static str, &'static str)> {
    settings::presets()
        .iter()
        .map(|preset| (preset.name, preset.summary))
        .collect()
}

/// The settings of `train` for the same arguments, as JSON.
#[pyfunction]
pub(crate) fn config(source: &str, sections: Option<&str>, sets: Vec<String>) -> PyResult<String> {
    json(&resolved(source, sections, &sets)?.config)
}
