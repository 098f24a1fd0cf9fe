//! `[run]`

use super::MOST_SAMPLE_STEPS;
use super::rules::{Conditional, Findings, key};
use crate::config::{BaseKind, RunConfig};
use crate::files::MOST_ROLLBACKS;

/// TOML's whole numbers are signed, so that a larger seed could not be written to a file.
const LARGEST_SEED: u64 = i64::MAX as u64;
const MOST_BATCH: usize = 1 << 20;
const MOST_SAMPLES: usize = 10_000;
const MOST_SNAPSHOTS: usize = 1000;
/// A day.
const MOST_SECONDS: f32 = 86_400.0;
const MOST_STATES: usize = 1000;

#[rustfmt::skip]
pub(super) const CONDITIONAL: &[Conditional] = &[
    ("run.keep_snapshots", "network.base", |c| c.network.base == BaseKind::Gaussian, "without a base there is no log Z to estimate along them"),
    ("run.figure_every", "snapshot.kind", |c| c.snapshot.kind.needs_chains(), "fixed noise has no chains to judge"),
    ("run.keep_snapshots", "snapshot.kind", |c| c.snapshot.kind.needs_chains(), "fixed noise has no snapshots"),
];

pub(super) fn validate(run: &RunConfig, found: &mut Findings) {
    found.at_least_one(key!(run.steps));
    found.count(key!(run.batch), MOST_BATCH);
    found.if_given(key!(run.slice), |found, slice| {
        found
            .ensure(slice, *slice.1 >= 1, "be 1 or above")
            .meant(slice.0, 1_usize);
    });
    found.if_given(key!(run.memory), Findings::at_least_one);
    found
        .ensure(
            key!(run.seed),
            run.seed <= LARGEST_SEED,
            format_args!("be at most {LARGEST_SEED}"),
        )
        .meant("run.seed", LARGEST_SEED);
    found.count(key!(run.samples), MOST_SAMPLES);
    found.count(key!(run.sample_steps), MOST_SAMPLE_STEPS);
    found.at_most(key!(run.keep_snapshots), MOST_SNAPSHOTS);
    found.ensure(
        key!(run.checkpoint_seconds),
        (0.0..=MOST_SECONDS).contains(&run.checkpoint_seconds),
        format_args!("be between 0 and {MOST_SECONDS}"),
    );
    found.count(key!(run.keep_checkpoints), MOST_STATES);
    found.at_most(key!(run.rollbacks), MOST_ROLLBACKS);
}
