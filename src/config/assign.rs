//! Assignments `section.key=value`.

use super::Config;
use super::check::{check_value, find_path, find_section, shown};
use super::error::ConfigError;
use super::keys::{AUTO, ValueKind, may_be_auto, sections};
use super::paths::rooted;
use toml::{Table, Value};

/// What messages call the place that an assignment came from.
const SET: &str = "--set";

/// What is assigned to which key.
pub(super) struct Assignment {
    pub section: &'static str,
    pub key: &'static str,
    pub value: Assigned,
}

pub(super) enum Assigned {
    Value(Value),
    /// Back to the default.
    Default,
    /// Whatever the preset says or goes together with the rest.
    Auto,
}

impl Assignment {
    /// `section.key`
    pub(super) fn path(&self) -> String {
        format!("{}.{}", self.section, self.key)
    }

    /// Reads `text`, whose value must be of its key's type. A relative path is taken from the current folder.
    pub(super) fn read(text: &str) -> Result<Self, ConfigError> {
        let malformed = || ConfigError::Assignment {
            assignment: shown(text),
        };
        let (path, value) = text.split_once('=').ok_or_else(malformed)?;
        let (path, value) = (path.trim(), value.trim());
        let known = sections(&Config::default());
        let Some((section, key)) = path.split_once('.') else {
            // A known section needs a key; anything else gets the nearest name.
            find_section(&known, path, SET)?;
            return Err(malformed());
        };
        let (section, key) = find_path(&known, (section.trim(), key.trim()), SET)?;
        let path = format!("{}.{}", section.name, key.name);
        let value = match value {
            "" => Assigned::Default,
            _ => match assigned_value(key.kind, value) {
                Value::String(word) if word == AUTO && may_be_auto(&path) => Assigned::Auto,
                value => {
                    check_value(section, key, &value, SET)?;
                    Assigned::Value(rooted(&path, value, None))
                }
            },
        };
        Ok(Assignment {
            section: section.name,
            key: key.name,
            value,
        })
    }
}

/// Carries out an assignment `section.key=value` on `table`.
///
/// The value is read as TOML (`1e-3`, `true`, `[{dense=64},{dense=1}]`, `"quoted"`) and taken as a bare text where it
/// is not, or where the key holds a text. An empty value puts the key back to its default, and so does `auto` for a key
/// that can be derived. A relative path is taken from the current folder. Ranges are not checked here, since a later
/// assignment may mend what this one breaks; [`Config::validate`] does.
///
/// # Errors
///
/// A [`ConfigError`] where `assignment` has another form, names an unknown key or gives a value of the wrong type.
pub fn set(table: &mut Table, assignment: &str) -> Result<(), ConfigError> {
    let read = Assignment::read(assignment)?;
    let entries = table
        .entry(read.section)
        .or_insert_with(|| Value::Table(Table::new()));
    let Value::Table(entries) = entries else {
        return Err(ConfigError::Assignment {
            assignment: shown(assignment),
        });
    };
    match read.value {
        Assigned::Value(value) => entries.insert(read.key.into(), value),
        Assigned::Default | Assigned::Auto => entries.remove(read.key),
    };
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
