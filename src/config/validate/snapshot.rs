//! `[snapshot]`

use super::rules::{Conditional, Findings, key};
use crate::config::{Config, Interval, SnapshotConfig, SnapshotKind};

const MOST_COMPONENTS: usize = 64;

#[rustfmt::skip]
pub(super) const CONDITIONAL: &[Conditional] = &[
    ("snapshot.ess_threshold", "snapshot.interval", is_adaptive, "only `adaptive` has a threshold"),
    ("snapshot.max_interval", "snapshot.interval", is_adaptive, "only `adaptive` has a limit"),
    ("snapshot.decay", "snapshot.kind", |c| c.snapshot.kind == SnapshotKind::Ema, "only `ema` averages"),
    ("snapshot.components", "snapshot.kind", |c| c.snapshot.kind == SnapshotKind::Mixture, "only `mixture` has components"),
];

#[rustfmt::skip]
pub(super) const WARNED: &[Conditional] = &[
    ("snapshot.interval", "snapshot.kind", |c| c.snapshot.kind.is_refreshed(), "only `copy` and `mixture` are refreshed every so many steps"),
    ("sampler.reuse", "snapshot.kind", |c| c.snapshot.kind.is_refreshed(), "only `copy` and `mixture` share a pool of noise among steps"),
];

pub(super) fn validate(snapshot: &SnapshotConfig, found: &mut Findings) {
    found
        .ensure(
            key!(snapshot.interval),
            snapshot.interval != Interval::Every(0),
            "be 1 or above",
        )
        .meant("snapshot.interval", 1_u64);
    found.share(key!(snapshot.ess_threshold));
    found.at_least_one(key!(snapshot.max_interval));
    found.decay(key!(snapshot.decay));
    found.count(key!(snapshot.components), MOST_COMPONENTS);
}

fn is_adaptive(config: &Config) -> bool {
    config.snapshot.interval == Interval::Adaptive
}
