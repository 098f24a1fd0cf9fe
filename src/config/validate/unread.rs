//! Keys that are read only with some values of another key.
//!
//! Setting one where nothing reads it is refused, so that no setting is silently without effect. Keys that presets set are
//! not among them, or presets could not be tried with another value of the other key: who chose one of those is warned.
//! But for `noise`, `clip` and `bounds` of plain Langevin steps, without which a published recipe is another one: a change
//! that drops them from a preset says so.

use super::rules::{Conditional, Findings};
use super::{data, network, objective, optimiser, run, sampler, snapshot};
use crate::config::Config;
use crate::config::assign::set;
use crate::config::check::not_allowed;
use crate::config::keys::{ADAPTIVE, Section, ValueKind, literal, sections};
use serde::Deserialize;
use std::collections::BTreeSet;
use toml::Table;

fn conditional() -> impl Iterator<Item = &'static Conditional> {
    [
        data::CONDITIONAL,
        network::CONDITIONAL,
        objective::CONDITIONAL,
        snapshot::CONDITIONAL,
        sampler::CONDITIONAL,
        run::CONDITIONAL,
    ]
    .into_iter()
    .flatten()
}

/// Refuses the keys that are not as they are by default and that nothing reads.
pub(super) fn refuse_unread(config: &Config, found: &mut Findings) {
    let (given, default) = (sections(config), sections(&Config::default()));
    for &(key, other, is_read, why) in conditional() {
        let (value, plain) = (literal(&given, key), literal(&default, key));
        if value != plain && !is_read(config) {
            let other_value = literal(&given, other).unwrap_or_default();
            let other_value = other_value.trim_matches('"');
            let allowed = format_args!("be left out with {other} = {other_value}: {why}");
            let violation = not_allowed(key, &value.unwrap_or_default(), allowed);
            let found = found
                .refuse(violation)
                .mended_by_default(key, &plain.unwrap_or_default());
            // Of several readers none is the obvious one.
            if let [reader] = &readers(config, &default, other, is_read)[..] {
                found.meant_literally(other, reader);
            }
        }
    }
}

fn warned() -> impl Iterator<Item = &'static Conditional> {
    [
        network::WARNED,
        snapshot::WARNED,
        sampler::WARNED,
        optimiser::WARNED,
    ]
    .into_iter()
    .flatten()
}

/// What is allowed, `chosen` and not as it is by default, and nothing reads: a sentence for each key.
pub(in crate::config) fn ignored(config: &Config, chosen: &BTreeSet<String>) -> Vec<String> {
    let (given, default) = (sections(config), sections(&Config::default()));
    let mut keys = BTreeSet::new();
    let mut sentences = Vec::new();
    for &(key, other, is_read, why) in warned() {
        let value = literal(&given, key);
        let is_plain = value == literal(&default, key);
        if chosen.contains(key) && !is_plain && !is_read(config) && keys.insert(key) {
            let value = value.unwrap_or_default();
            let other_value = literal(&given, other).unwrap_or_default();
            sentences.push(format!(
                "{key} = {value} has no effect with {other} = {other_value}: {why}"
            ));
        }
    }
    sentences
}

/// The values of the key `other` with which `is_read`.
fn readers(
    config: &Config,
    known: &[Section],
    other: &str,
    is_read: fn(&Config) -> bool,
) -> Vec<String> {
    let choices = match kind(known, other) {
        Some(ValueKind::Word(names)) => names(),
        Some(ValueKind::Interval) => vec![ADAPTIVE],
        Some(ValueKind::Flag) => vec!["true", "false"],
        _ => Vec::new(),
    };
    let reads = |choice: &&str| {
        // A configuration with a number that TOML cannot hold has no readers; its range is refused anyway.
        let mut table = Table::try_from(config).ok()?;
        set(&mut table, &format!("{other}={choice}")).ok()?;
        Config::deserialize(table).ok().filter(is_read).map(drop)
    };
    let mut choices: Vec<String> = choices.into_iter().map(str::to_owned).collect();
    choices.retain(|choice| reads(&choice.as_str()).is_some());
    choices
}

fn kind(sections: &[Section], path: &str) -> Option<ValueKind> {
    let (section, key) = path.split_once('.')?;
    let section = sections.iter().find(|known| known.name == section)?;
    Some(section.key(key)?.kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_names_keys_that_exist() {
        let sections = sections(&Config::default());
        for (key, other, ..) in conditional().chain(warned()) {
            let exists = |path| kind(&sections, path).is_some();
            assert!(exists(key) && exists(other), "{key}, {other}");
        }
    }
}
