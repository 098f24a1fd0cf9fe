//! `[run]`

use super::MOST_SAMPLE_STEPS;
use super::rules::{at_least_one, count, ensure, if_given, key};
use crate::config::RunConfig;
use crate::config::error::ConfigError;

/// TOML's whole numbers are signed, so that a larger seed could not be written to a file.
const LARGEST_SEED: u64 = i64::MAX as u64;
const MOST_BATCH: usize = 1 << 20;
const MOST_SAMPLES: usize = 10_000;

pub(super) fn validate(run: &RunConfig) -> Result<(), ConfigError> {
    at_least_one(key!(run.steps))?;
    count(key!(run.batch), MOST_BATCH)?;
    if_given(key!(run.slice), |slice| {
        ensure(slice, *slice.1 >= 1, "be 1 or above")
    })?;
    if_given(key!(run.memory), at_least_one)?;
    ensure(
        key!(run.seed),
        run.seed <= LARGEST_SEED,
        format_args!("be at most {LARGEST_SEED}"),
    )?;
    count(key!(run.samples), MOST_SAMPLES)?;
    count(key!(run.sample_steps), MOST_SAMPLE_STEPS)
}
