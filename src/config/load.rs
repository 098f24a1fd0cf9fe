//! Reads a configuration from a preset, a file, a text and assignments, and writes it back.

use super::Config;
use super::check::{check_table, check_value, check_words, find_key, find_section, shown};
use super::error::ConfigError;
use super::keys::{ValueKind, sections};
use super::presets::{preset, presets};
use crate::words::nearest;
use serde::Deserialize;
use std::path::Path;
use toml::{Table, Value};

/// What messages call the place that an assignment came from.
const SET: &str = "--set";

/// The configuration of the preset called `preset_or_path`, or else of that file, after the assignments of `sets`
/// (see [`set`]) in their order. It is validated.
///
/// # Errors
///
/// [`ConfigError::NotFound`] where the name is no preset's, does not end in `.toml` and no such file exists, and
/// everything that [`parse`] and [`set`] refuse.
pub fn load(preset_or_path: &str, sets: &[String]) -> Result<Config, ConfigError> {
    let mut table = match preset(preset_or_path) {
        Some(preset) => read_table(preset.toml, preset_or_path)?,
        None => read_table(&read_file(preset_or_path)?, preset_or_path)?,
    };
    check_table(&table, &sections(&Config::default()), preset_or_path)?;
    for assignment in sets {
        set(&mut table, assignment)?;
    }
    from_table(table, preset_or_path)
}

/// The validated configuration that the TOML text `text` describes. Keys that it leaves out take their defaults;
/// `origin` says in messages where the text came from.
///
/// # Errors
///
/// A [`ConfigError`] for text that is not TOML, an unknown section or key, a value of the wrong type, or one that
/// [`Config::validate`] refuses.
pub fn parse(text: &str, origin: &str) -> Result<Config, ConfigError> {
    let table = read_table(text, origin)?;
    check_table(&table, &sections(&Config::default()), origin)?;
    from_table(table, origin)
}

/// Carries out an assignment `section.key=value` on `table`.
///
/// The value is read as TOML (`1e-3`, `true`, `[{dense=64},{dense=1}]`, `"quoted"`) and taken as a bare text where it
/// is not, or where the key holds a text. An empty value puts the key back to its default. Ranges are not checked
/// here, since a later assignment may mend what this one breaks; [`Config::validate`] does.
///
/// # Errors
///
/// A [`ConfigError`] where `assignment` has another form, names an unknown key or gives a value of the wrong type.
pub fn set(table: &mut Table, assignment: &str) -> Result<(), ConfigError> {
    let malformed = || ConfigError::Assignment {
        assignment: shown(assignment),
    };
    let (path, value) = assignment.split_once('=').ok_or_else(malformed)?;
    let (path, value) = (path.trim(), value.trim());
    let known = sections(&Config::default());
    let Some((section, key)) = path.split_once('.') else {
        // A known section needs a key; anything else gets the nearest name.
        find_section(&known, path, SET)?;
        return Err(malformed());
    };
    let section = find_section(&known, section.trim(), SET)?;
    let key = find_key(&known, section, key.trim(), SET)?;

    let entries = table
        .entry(section.name)
        .or_insert_with(|| Value::Table(Table::new()));
    let Value::Table(entries) = entries else {
        return Err(malformed());
    };
    if value.is_empty() {
        entries.remove(key.name);
        return Ok(());
    }
    let value = assigned_value(key.kind, value);
    check_value(section, key, &value, SET)?;
    entries.insert(key.name.into(), value);
    Ok(())
}

/// The value that `text` stands for on the right of an assignment to a key of `kind`.
fn assigned_value(kind: ValueKind, text: &str) -> Value {
    match text.parse::<Value>() {
        // A folder called 2024, unquoted, is still a text.
        Ok(value) if value.is_str() || !matches!(kind, ValueKind::Text | ValueKind::Word(_)) => {
            value
        }
        _ => Value::String(text.into()),
    }
}

/// The whole of `config` as TOML: every key present, each under a comment that says what it means. An optional key
/// that is absent stands in a comment. The text parses back to an equal configuration if `config` is valid.
pub fn to_toml(config: &Config) -> String {
    let mut text = String::new();
    let comment = |text: &mut String, lines: &[&str]| {
        for line in lines {
            text.push_str(&format!("# {}\n", line.trim()));
        }
    };
    for (index, section) in sections(config).iter().enumerate() {
        if index > 0 {
            text.push('\n');
        }
        comment(&mut text, section.about);
        text.push_str(&format!("[{}]\n", section.name));
        for key in &section.keys {
            comment(&mut text, key.doc);
            match &key.literal {
                Some(literal) => text.push_str(&format!("{} = {literal}\n", key.name)),
                None => text.push_str(&format!("# {} is absent\n", key.name)),
            }
        }
    }
    text
}

/// The text of the file at `path`, where `path` could be one.
fn read_file(path: &str) -> Result<String, ConfigError> {
    if !path.ends_with(".toml") && !Path::new(path).is_file() {
        let names: Vec<&str> = presets().iter().map(|preset| preset.name).collect();
        return Err(ConfigError::NotFound {
            name: shown(path),
            nearest: nearest(path, &names).into(),
        });
    }
    std::fs::read_to_string(path).map_err(|source| ConfigError::Read {
        path: shown(path),
        source,
    })
}

/// The table that `text` holds, not yet checked.
fn read_table(text: &str, origin: &str) -> Result<Table, ConfigError> {
    text.parse::<Table>().map_err(|error| {
        let start = error.span().map_or(0, |span| span.start);
        let before = text.as_bytes().iter().take(start);
        ConfigError::Syntax {
            origin: origin.into(),
            line: 1 + before.filter(|byte| **byte == b'\n').count(),
            problem: error.message().replace('\n', ", "),
        }
    })
}

/// The validated configuration in a checked table.
fn from_table(table: Table, origin: &str) -> Result<Config, ConfigError> {
    check_words(&table, &sections(&Config::default()))?;
    // What can still fail here is a whole number that is too large for this machine's `usize`.
    let config = Config::deserialize(table).map_err(|error| ConfigError::Type {
        origin: origin.into(),
        key: "a value".into(),
        wanted: "one that this machine can hold".into(),
        given: error.message().replace('\n', ", "),
    })?;
    config.validate()?;
    Ok(config)
}
