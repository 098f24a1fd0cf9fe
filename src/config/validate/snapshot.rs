//! `[snapshot]`

use super::rules::{at_least_one, count, decay, ensure, one_of, share};
use crate::config::error::ConfigError;
use crate::config::{Interval, SnapshotConfig};

/// The names that `snapshot.kind` takes.
pub const NOISE_KINDS: &[&str] = &["copy", "ema", "mixture", "gaussian", "uniform"];

const MOST_COMPONENTS: u64 = 64;

pub(super) fn validate(snapshot: &SnapshotConfig) -> Result<(), ConfigError> {
    one_of("snapshot.kind", &snapshot.kind, NOISE_KINDS)?;
    match snapshot.interval {
        Interval::Every(steps) => at_least_one("snapshot.interval", steps)?,
        Interval::Adaptive => ensure(
            snapshot.kind == "copy",
            "snapshot.interval",
            &snapshot.interval,
            || format!("be a number with snapshot.kind = \"{}\"", snapshot.kind),
        )?,
    }
    share("snapshot.ess_threshold", snapshot.ess_threshold)?;
    at_least_one("snapshot.max_interval", snapshot.max_interval)?;
    decay("snapshot.decay", snapshot.decay)?;
    count("snapshot.components", snapshot.components, MOST_COMPONENTS)
}
