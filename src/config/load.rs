//! Reads a configuration from a preset, a file, a text and assignments, and writes it back.

use super::Config;
use super::assign::{Assigned, Assignment};
use super::check::{check_table, shown};
use super::draft::{Draft, Resolved};
use super::error::ConfigError;
use super::keys::{AUTO, may_be_auto, sections};
use super::paths::rooted;
use super::presets::{preset, presets};
use crate::data::Source;
use crate::words::{Word, nearest};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use toml::{Table, Value};

/// The configuration of [`resolve`], without what was derived.
///
/// # Errors
///
/// What [`resolve`] refuses.
pub fn load(preset_or_path: &str, sets: &[String]) -> Result<Config, ConfigError> {
    Ok(resolve(preset_or_path, sets)?.config)
}

/// The configuration of the preset called `preset_or_path`, or else of that file, after the assignments of `sets`
/// (see [`set`](super::set)) in their order. It is validated.
///
/// The keys of `sets` and of a file are chosen by the user, unless their value is `auto`; a preset's are not. Where values
/// do not go together, those that nobody chose give way, if they follow from the others.
///
/// # Errors
///
/// [`ConfigError::NotFound`] where the name is no preset's, does not end in `.toml` and no such file exists, and
/// everything that [`parse`] and [`set`](super::set) refuse.
pub fn resolve(preset_or_path: &str, sets: &[String]) -> Result<Resolved, ConfigError> {
    let (base, own) = match preset(preset_or_path) {
        Some(preset) => (read_table(preset.toml, preset_or_path)?, Table::new()),
        None => {
            let folder = Path::new(preset_or_path).parent();
            let table = read_table(&read_file(preset_or_path)?, preset_or_path)?;
            (Table::new(), with_paths_from(table, folder))
        }
    };
    resolve_tables(base, own, sets, preset_or_path)
}

/// The same of the TOML text `text`, as if it were a file in the working folder; `origin` says in messages where it came from.
///
/// # Errors
///
/// As for [`resolve`].
pub fn resolve_text(text: &str, origin: &str, sets: &[String]) -> Result<Resolved, ConfigError> {
    let own = with_paths_from(read_table(text, origin)?, None);
    resolve_tables(Table::new(), own, sets, origin)
}

/// What nobody chose is in `base`, what was chosen before `sets` in `own`.
fn resolve_tables(
    mut base: Table,
    mut own: Table,
    sets: &[String],
    origin: &str,
) -> Result<Resolved, ConfigError> {
    let mut chosen = keys_of(&own);
    // Of several assignments to a key only the last one counts, so that `auto` finds the preset as it was.
    let mut last = BTreeMap::new();
    for text in sets {
        let read = Assignment::read(text)?;
        last.insert(read.path(), read);
    }
    for (
        path,
        Assignment {
            section,
            key,
            value,
        },
    ) in last
    {
        let is_chosen = !matches!(value, Assigned::Auto);
        match value {
            Assigned::Value(value) => {
                entries(&mut own, section).insert(key.into(), value);
            }
            Assigned::Default => {
                entries(&mut base, section).remove(key);
                entries(&mut own, section).remove(key);
            }
            Assigned::Auto => {
                entries(&mut own, section).remove(key);
            }
        }
        match is_chosen {
            true => chosen.insert(path),
            false => chosen.remove(&path),
        };
    }
    for (section, values) in own {
        let values = values.as_table().cloned().unwrap_or_default();
        entries(&mut base, &section).extend(values);
    }
    let origin = origin.into();
    Draft {
        table: base,
        chosen,
        origin,
    }
    .resolve()
}

/// The validated configuration that the TOML text `text` describes. Keys that it leaves out, or that are `auto`, take their
/// defaults or what follows from the others; `origin` says in messages where the text came from. A relative path stays so.
///
/// # Errors
///
/// A [`ConfigError`] for text that is not TOML, an unknown section or key, a value of the wrong type, or one that
/// [`Config::validate`] refuses.
pub fn parse(text: &str, origin: &str) -> Result<Config, ConfigError> {
    let table = read_table(text, origin)?;
    let chosen = keys_of(&table);
    Ok(resolved(table, chosen, origin)?.config)
}

/// The same of a configuration that was stored with a model. It was valid when it was written: what is no longer gives way
/// where it can, so that the model still opens; the result says what did.
pub(crate) fn parse_stored(text: &str, origin: &str) -> Result<Resolved, ConfigError> {
    let mut table = read_table(text, origin)?;
    let data = entries(&mut table, "data");
    let source = data.get("source").and_then(Value::as_str);
    let source = source.map_or(Some(Source::DIGITS), Source::named);
    // Before there was the key, runs kept nothing back, whatever is the default today.
    if !data.contains_key("held_out") && source.is_some_and(|source| !source.is_generated()) {
        data.insert("held_out".into(), 0.0.into());
    }
    resolved(table, BTreeSet::new(), origin)
}

fn resolved(table: Table, chosen: BTreeSet<String>, origin: &str) -> Result<Resolved, ConfigError> {
    let origin = origin.into();
    let draft = Draft {
        table,
        chosen,
        origin,
    };
    draft.resolve()
}

/// The keys that `table` has, as `section.key`.
fn keys_of(table: &Table) -> BTreeSet<String> {
    let sections = table.iter().flat_map(|(section, values)| {
        let keys = values.as_table().into_iter().flatten();
        keys.map(move |(key, _)| format!("{section}.{key}"))
    });
    sections.collect()
}

/// The entries of a section of a checked table.
fn entries<'a>(table: &'a mut Table, section: &str) -> &'a mut Table {
    let entries = table.entry(section).or_insert_with(|| Table::new().into());
    match entries {
        Value::Table(entries) => entries,
        _ => unreachable!("a checked table has only sections"),
    }
}

/// The whole of `config` as TOML: every key present, each under a comment that says what it means. An optional key
/// that is absent stands in a comment. The text parses back to an equal configuration if `config` is valid.
pub fn to_toml(config: &Config) -> String {
    written(config, |_| None)
}

impl Resolved {
    /// The configuration as [`to_toml`] writes it, with a word beside what was derived.
    pub fn to_toml(&self) -> String {
        written(&self.config, |path| {
            let derived = self.derived.iter().find(|derived| derived.key == path)?;
            Some(format!("  # derived, {}", derived.why))
        })
    }
}

fn written(config: &Config, remark: impl Fn(&str) -> Option<String>) -> String {
    let mut text = String::new();
    let comment = |text: &mut String, lines: &[&str], end: &str| {
        for (place, line) in (1..).zip(lines) {
            let end = if place == lines.len() { end } else { "" };
            text.push_str(&format!("# {}{end}\n", line.trim()));
        }
    };
    for (index, section) in sections(config).iter().enumerate() {
        if index > 0 {
            text.push('\n');
        }
        comment(&mut text, section.about, "");
        text.push_str(&format!("[{}]\n", section.name));
        for key in &section.keys {
            let path = format!("{}.{}", section.name, key.name);
            let end = if may_be_auto(&path) {
                " Or \"auto\"."
            } else {
                ""
            };
            comment(&mut text, key.doc, end);
            let line = match &key.literal {
                Some(literal) => format!("{} = {literal}", key.name),
                None => format!("# {} is absent", key.name),
            };
            let remark = remark(&path).unwrap_or_default();
            text.push_str(&format!("{line}{remark}\n"));
        }
    }
    text
}

/// The text of the file at `path`, where `path` could be one.
fn read_file(path: &str) -> Result<String, ConfigError> {
    // Pipes and devices are read like files.
    let (file, is_toml) = (Path::new(path), path.to_lowercase().ends_with(".toml"));
    if !is_toml && (!file.exists() || file.is_dir()) {
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

/// The checked table that `text` holds, without the keys that are `auto`.
fn read_table(text: &str, origin: &str) -> Result<Table, ConfigError> {
    let mut table = text.parse::<Table>().map_err(|error| {
        let start = error.span().map_or(0, |span| span.start);
        let before = text.as_bytes().iter().take(start);
        ConfigError::Syntax {
            origin: origin.into(),
            line: 1 + before.filter(|byte| **byte == b'\n').count(),
            problem: error.message().replace('\n', ", "),
        }
    })?;
    for (section, values) in &mut table {
        let Value::Table(values) = values else {
            continue;
        };
        values.retain(|key, value| {
            value.as_str() != Some(AUTO) || !may_be_auto(&format!("{section}.{key}"))
        });
    }
    check_table(&table, &sections(&Config::default()), origin)?;
    Ok(table)
}

/// `table` with its relative paths taken from `folder`.
fn with_paths_from(mut table: Table, folder: Option<&Path>) -> Table {
    for (section, values) in &mut table {
        for (key, value) in values.as_table_mut().into_iter().flatten() {
            *value = rooted(&format!("{section}.{key}"), value.clone(), folder);
        }
    }
    table
}
