//! Keys that are read only with some values of another key.
//!
//! Setting one where nothing reads it is refused, so that no setting is silently without effect. Keys that presets set are
//! not among them, or presets could not be tried with another value of the other key; their comments say who reads them.
//! But for `noise`, `clip` and `bounds` of plain Langevin steps, without which a published recipe is another one.

use super::rules::Conditional;
use super::{network, objective, sampler, snapshot};
use crate::config::Config;
use crate::config::check::not_allowed;
use crate::config::error::ConfigError;
use crate::config::keys::{Section, sections};

fn conditional() -> impl Iterator<Item = &'static Conditional> {
    [
        network::CONDITIONAL,
        objective::CONDITIONAL,
        snapshot::CONDITIONAL,
        sampler::CONDITIONAL,
    ]
    .into_iter()
    .flatten()
}

/// Refuses the first key that is not as it is by default and that nothing reads.
pub(super) fn refuse_unread(config: &Config) -> Result<(), ConfigError> {
    let (given, default) = (sections(config), sections(&Config::default()));
    for &(key, other, is_read, why) in conditional() {
        let value = literal(&given, key);
        if value != literal(&default, key) && !is_read(config) {
            let other_value = literal(&given, other).unwrap_or_default();
            let other_value = other_value.trim_matches('"');
            let allowed = format_args!("be left out with {other} = {other_value}: {why}");
            return Err(not_allowed(key, &value.unwrap_or_default(), allowed));
        }
    }
    Ok(())
}

/// The value of the key called `path`, `section.key`; none where it is absent.
fn literal(sections: &[Section], path: &str) -> Option<String> {
    let (section, key) = path.split_once('.')?;
    let section = sections.iter().find(|known| known.name == section)?;
    section.key(key)?.literal.clone()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_names_keys_that_exist() {
        let sections = sections(&Config::default());
        let exists = |path: &str| {
            let (section, key) = path.split_once('.').expect("has a section");
            let section = sections.iter().find(|known| known.name == section);
            section.is_some_and(|section| section.key(key).is_some())
        };
        for (key, other, ..) in conditional() {
            assert!(exists(key) && exists(other), "{key}, {other}");
        }
    }
}
