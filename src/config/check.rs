//! Checks a parsed table against the structs before serde sees it, so that messages speak the user's language.

use super::error::{ConfigError, Violation};
use super::keys::{Key, Section, ValueKind};
use crate::network::{LAYER_FORMS, LayerSpec};
use crate::words::nearest;
use serde::Deserialize;
use std::fmt::Display;
use toml::{Table, Value};

/// Checks that `table` holds only sections and keys of `known`, each of the right type. `origin` says in messages
/// where the table came from.
pub(super) fn check_table(
    table: &Table,
    known: &[Section],
    origin: &str,
) -> Result<(), ConfigError> {
    for (name, value) in table {
        let section = find_section(known, name, origin)?;
        let Some(entries) = value.as_table() else {
            return Err(wrong_type(origin, name, "a section such as [run]", value));
        };
        for (name, value) in entries {
            let key = find_key(known, section, name, origin)?;
            check_value(section, key, value, origin)?;
        }
    }
    Ok(())
}

/// The section called `name`.
pub(super) fn find_section<'a>(
    known: &'a [Section],
    name: &str,
    origin: &str,
) -> Result<&'a Section, ConfigError> {
    let section = known.iter().find(|section| section.name == name);
    section.ok_or_else(|| {
        // A key at the top level, outside its section, is the likeliest slip.
        let names: Vec<&str> = known
            .iter()
            .flat_map(|section| {
                let keys = section.keys.iter().map(|key| key.name);
                std::iter::once(section.name).chain(keys)
            })
            .collect();
        let nearest = nearest(name, &names);
        let homes = homes_of(known, nearest);
        let is_section = known.iter().any(|section| section.name == nearest);
        let nearest = match is_section || homes.is_empty() {
            true => vec![nearest.to_owned()],
            false => homes,
        };
        unknown(origin, name, nearest)
    })
}

/// The key called `name` in `section`.
pub(super) fn find_key<'a>(
    known: &[Section],
    section: &'a Section,
    name: &str,
    origin: &str,
) -> Result<&'a Key, ConfigError> {
    section.key(name).ok_or_else(|| {
        let names: Vec<&str> = section.keys.iter().map(|key| key.name).collect();
        let homes = homes_of(known, name);
        let nearest = match homes.is_empty() {
            true => vec![format!("{}.{}", section.name, nearest(name, &names))],
            false => homes,
        };
        unknown(origin, &format!("{}.{name}", section.name), nearest)
    })
}

/// The section and the key that `path`, `section.key`, names.
pub(super) fn find_path<'a>(
    known: &'a [Section],
    (section, key): (&str, &str),
    origin: &str,
) -> Result<(&'a Section, &'a Key), ConfigError> {
    let section = find_section(known, section, origin).map_err(|error| {
        // Whose section is misspelt is still known by its key.
        match homes_of(known, key) {
            homes if homes.is_empty() => error,
            homes => unknown(origin, &format!("{section}.{key}"), homes),
        }
    })?;
    Ok((section, find_key(known, section, key, origin)?))
}

/// Checks that `value` is what `key` of `section` holds.
pub(super) fn check_value(
    section: &Section,
    key: &Key,
    value: &Value,
    origin: &str,
) -> Result<(), ConfigError> {
    let path = format!("{}.{}", section.name, key.name);
    if !key.kind.admits(value) {
        return Err(wrong_type(origin, &path, key.kind.wanted(), value));
    }
    if matches!(key.kind, ValueKind::Layers) {
        for (index, layer) in value.as_array().into_iter().flatten().enumerate() {
            check_layer(&format!("{path}[{index}]"), layer, origin)?;
        }
    }
    Ok(())
}

/// Checks that every word in a checked table is one of those that its key takes.
pub(super) fn check_words(table: &Table, known: &[Section]) -> Result<(), ConfigError> {
    let mut violations = Vec::new();
    for section in known {
        for key in &section.keys {
            let value = table.get(section.name).and_then(|keys| keys.get(key.name));
            if let (ValueKind::Word(names), Some(Value::String(word))) = (key.kind, value)
                && !names().contains(&word.as_str())
            {
                let (choices, nearest) = (names().join(", "), nearest(word, &names()));
                violations.push(not_allowed(
                    &format!("{}.{}", section.name, key.name),
                    &format!("{word:?}"),
                    format_args!("be one of {choices}; did you mean `{nearest}`?"),
                ));
            }
        }
    }
    match violations.is_empty() {
        true => Ok(()),
        false => Err(ConfigError::Refused { violations }),
    }
}

/// Checks the form of one layer.
fn check_layer(path: &str, layer: &Value, origin: &str) -> Result<(), ConfigError> {
    let misshapen = || {
        let [first, between @ .., last] = LAYER_FORMS.map(|form| form.example);
        let wanted = format!("{first} or {} or {last}", between.join(", "));
        wrong_type(origin, path, &wanted, layer)
    };
    let entries = layer.as_table().ok_or_else(misshapen)?;
    let mut forms = LAYER_FORMS.map(|form| form.keys).to_vec();
    forms.retain(|keys| entries.contains_key(keys[0]));
    // A residual block has a key that is also the name of a layer.
    if let Some(&first) = forms.first() {
        forms.retain(|keys| keys[0] == first[0] || !first.contains(&keys[0]));
    }
    let known = match forms[..] {
        [keys] => keys.to_vec(),
        _ => LAYER_FORMS.map(|form| form.keys).concat(),
    };
    for (name, value) in entries {
        let path = format!("{path}.{name}");
        if !known.contains(&name.as_str()) {
            return Err(unknown(origin, &path, vec![nearest(name, &known).into()]));
        }
        let kind = match LAYER_FORMS
            .iter()
            .any(|form| form.is_flag && form.keys[0] == name)
        {
            true => ValueKind::Flag,
            false => ValueKind::Whole,
        };
        if !kind.admits(value) {
            return Err(wrong_type(origin, &path, kind.wanted(), value));
        }
        if value.as_bool() == Some(false) {
            let allowed = "be true, or the layer be left out";
            let violations = vec![not_allowed(&path, "false", allowed)];
            return Err(ConfigError::Refused { violations });
        }
    }
    // What still fails here lacks a key, or has those of two layers.
    LayerSpec::deserialize(layer.clone()).map_err(|_| misshapen())?;
    Ok(())
}

/// `section.name` for every section that has a key called `name`.
fn homes_of(known: &[Section], name: &str) -> Vec<String> {
    let homes = known.iter().filter(|section| section.key(name).is_some());
    homes
        .map(|section| format!("{}.{name}", section.name))
        .collect()
}

/// `text` on one line and of bounded length, for messages.
pub(super) fn shown(text: &str) -> String {
    shortened(text.escape_debug())
}

/// The first characters of `text`, for messages.
fn shortened(text: impl Iterator<Item = char>) -> String {
    const LONGEST: usize = 80;
    let mut text = text;
    let mut start: String = text.by_ref().take(LONGEST).collect();
    if text.next().is_some() {
        start.push('…');
    }
    start
}

/// A value that its key does not allow; `allowed` completes the sentence "it must …".
pub(super) fn not_allowed(key: &str, given: &str, allowed: impl Display) -> Violation {
    Violation {
        key: key.into(),
        given: shortened(given.chars()),
        allowed: allowed.to_string(),
        fixes: Vec::new(),
    }
}

fn unknown(origin: &str, key: &str, nearest: Vec<String>) -> ConfigError {
    ConfigError::Unknown {
        origin: origin.into(),
        key: shown(key),
        nearest,
    }
}

fn wrong_type(origin: &str, key: &str, wanted: &str, given: &Value) -> ConfigError {
    ConfigError::Type {
        origin: origin.into(),
        key: shown(key),
        wanted: wanted.into(),
        given: match given {
            Value::String(text) => format!("the text \"{}\"", shown(text)),
            Value::Integer(_) | Value::Float(_) | Value::Boolean(_) | Value::Datetime(_) => {
                given.to_string()
            }
            Value::Array(_) => "a list".into(),
            Value::Table(entries) => {
                let names: Vec<&str> = entries.keys().map(String::as_str).collect();
                format!("a table with the keys ({})", shown(&names.join(", ")))
            }
        },
    }
}
