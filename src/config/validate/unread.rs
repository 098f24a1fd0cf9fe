//! Keys that are read only with some values of another key.
//!
//! Setting one where nothing reads it is refused, so that no setting is silently without effect. Keys that presets set are
//! not among them, or presets could not be tried with another value of the other key; their comments say who reads them.
//! But for `noise`, `clip` and `bounds` of plain Langevin steps, without which a published recipe is another one.

use crate::config::check::shortened;
use crate::config::error::ConfigError;
use crate::config::keys::{Section, sections};
use crate::config::{BaseKind, Config, Interval, NormaliserKind, SnapshotKind, StartKind};
use crate::method::Criterion;

/// A key, the key that decides whether it is read, whether it is, and why not or where else.
type Conditional = (
    &'static str,
    &'static str,
    fn(&Config) -> bool,
    &'static str,
);

const LAW: &str = "its steps would no longer follow the law of the energy";

// A line each.
#[rustfmt::skip]
const CONDITIONAL: &[Conditional] = &[
    ("network.base_mean", "network.base", |c| c.network.base != BaseKind::None, "there is no base to have a mean"),
    ("objective.power", "objective.generator", has_exponent, "only `power` has an exponent"),
    ("objective.clamp", "objective.generator", is_clamped, "its weights are bounded without"),
    ("objective.normaliser_rate", "objective.normaliser", |c| c.objective.normaliser == NormaliserKind::Learned, "only `learned` has a rate"),
    ("objective.normaliser_decay", "objective.normaliser", |c| c.objective.normaliser == NormaliserKind::Importance, "only `importance` averages"),
    ("snapshot.ess_threshold", "snapshot.interval", is_adaptive, "only `adaptive` has a threshold"),
    ("snapshot.max_interval", "snapshot.interval", is_adaptive, "only `adaptive` has a limit"),
    ("snapshot.decay", "snapshot.kind", |c| c.snapshot.kind == SnapshotKind::Ema, "only `ema` averages"),
    ("snapshot.components", "snapshot.kind", |c| c.snapshot.kind == SnapshotKind::Mixture, "only `mixture` has components"),
    ("sampler.noise", "sampler.kind", |c| kind_reads(c, "noise"), "set sampler.temperature instead"),
    ("sampler.clip", "sampler.kind", |c| kind_reads(c, "clip"), LAW),
    ("sampler.bounds", "sampler.kind", |c| kind_reads(c, "bounds"), LAW),
    ("sampler.leapfrog", "sampler.kind", |c| kind_reads(c, "leapfrog"), "its steps have no leaps"),
    ("sampler.friction", "sampler.kind", |c| kind_reads(c, "friction"), "it has no velocity to keep"),
    ("sampler.adapt", "sampler.kind", adapts_or_does_not_ask_to, "it has no acceptance to adapt to"),
    ("sampler.target_acceptance", "sampler.kind", |c| kind_reads(c, "target_acceptance"), "it accepts every step"),
    ("sampler.target_acceptance", "sampler.adapt", |c| c.sampler.adapt != Some(false), "its step size stays as it is"),
    ("sampler.data_share", "sampler.start", |c| c.sampler.start == StartKind::Mixture, "only `mixture` has a share from data"),
];

fn is_adaptive(config: &Config) -> bool {
    config.snapshot.interval == Interval::Adaptive
}

fn has_exponent(config: &Config) -> bool {
    matches!(config.objective.generator, Criterion::Bregman(generator) if generator.has_exponent())
}

fn is_clamped(config: &Config) -> bool {
    matches!(config.objective.generator, Criterion::Bregman(generator) if generator.is_unbounded())
}

fn kind_reads(config: &Config, key: &str) -> bool {
    config.sampler.kind.keys.contains(&key)
}

/// That nothing is adapted may be said of any kind.
fn adapts_or_does_not_ask_to(config: &Config) -> bool {
    config.sampler.adapt == Some(false) || kind_reads(config, "adapt")
}

/// Refuses the first key that is not as it is by default and that nothing reads.
pub(super) fn refuse_unread(config: &Config) -> Result<(), ConfigError> {
    let (given, default) = (sections(config), sections(&Config::default()));
    for &(key, other, is_read, why) in CONDITIONAL {
        let value = literal(&given, key);
        if value != literal(&default, key) && !is_read(config) {
            let other_value = literal(&given, other).unwrap_or_default();
            return Err(ConfigError::Value {
                key: key.into(),
                given: shortened(value.unwrap_or_default().chars()),
                allowed: format!(
                    "be left out with {other} = {}: {why}",
                    other_value.trim_matches('"')
                ),
            });
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
        for (key, other, ..) in CONDITIONAL {
            assert!(exists(key) && exists(other), "{key}, {other}");
        }
    }
}
