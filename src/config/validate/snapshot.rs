//! `[snapshot]`

use super::rules::{Conditional, at_least_one, count, decay, ensure, key, share};
use crate::config::error::ConfigError;
use crate::config::{Config, Interval, SnapshotConfig, SnapshotKind};
use crate::words::Word;

const MOST_COMPONENTS: usize = 64;

#[rustfmt::skip]
pub(super) const CONDITIONAL: &[Conditional] = &[
    ("snapshot.ess_threshold", "snapshot.interval", is_adaptive, "only `adaptive` has a threshold"),
    ("snapshot.max_interval", "snapshot.interval", is_adaptive, "only `adaptive` has a limit"),
    ("snapshot.decay", "snapshot.kind", |c| c.snapshot.kind == SnapshotKind::Ema, "only `ema` averages"),
    ("snapshot.components", "snapshot.kind", |c| c.snapshot.kind == SnapshotKind::Mixture, "only `mixture` has components"),
];

pub(super) fn validate(snapshot: &SnapshotConfig) -> Result<(), ConfigError> {
    let kind = snapshot.kind;
    ensure(
        key!(snapshot.interval),
        snapshot.interval != Interval::Every(0),
        "be 1 or above",
    )?;
    ensure(
        key!(snapshot.interval),
        snapshot.interval != Interval::Adaptive || kind == SnapshotKind::Copy,
        format_args!("be a number with snapshot.kind = \"{}\"", kind.name()),
    )?;
    share(key!(snapshot.ess_threshold))?;
    at_least_one(key!(snapshot.max_interval))?;
    decay(key!(snapshot.decay))?;
    count(key!(snapshot.components), MOST_COMPONENTS)
}

fn is_adaptive(config: &Config) -> bool {
    config.snapshot.interval == Interval::Adaptive
}
