//! `[snapshot]`

use super::rules::{Conditional, at_least_one, count, decay, ensure, share};
use crate::config::error::ConfigError;
use crate::config::{Config, Interval, SnapshotConfig, SnapshotKind};
use crate::words::Word;

const MOST_COMPONENTS: u64 = 64;

#[rustfmt::skip]
pub(super) const CONDITIONAL: &[Conditional] = &[
    ("snapshot.ess_threshold", "snapshot.interval", is_adaptive, "only `adaptive` has a threshold"),
    ("snapshot.max_interval", "snapshot.interval", is_adaptive, "only `adaptive` has a limit"),
    ("snapshot.decay", "snapshot.kind", |c| c.snapshot.kind == SnapshotKind::Ema, "only `ema` averages"),
    ("snapshot.components", "snapshot.kind", |c| c.snapshot.kind == SnapshotKind::Mixture, "only `mixture` has components"),
];

pub(super) fn validate(snapshot: &SnapshotConfig) -> Result<(), ConfigError> {
    match snapshot.interval {
        Interval::Every(steps) => at_least_one("snapshot.interval", steps)?,
        Interval::Adaptive => ensure(
            snapshot.kind == SnapshotKind::Copy,
            "snapshot.interval",
            &snapshot.interval,
            || {
                format!(
                    "be a number with snapshot.kind = \"{}\"",
                    snapshot.kind.name()
                )
            },
        )?,
    }
    share("snapshot.ess_threshold", snapshot.ess_threshold)?;
    at_least_one("snapshot.max_interval", snapshot.max_interval)?;
    decay("snapshot.decay", snapshot.decay)?;
    count("snapshot.components", snapshot.components, MOST_COMPONENTS)
}

fn is_adaptive(config: &Config) -> bool {
    config.snapshot.interval == Interval::Adaptive
}
