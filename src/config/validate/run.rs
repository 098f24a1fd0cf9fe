//! `[run]`

use super::MOST_SAMPLE_STEPS;
use super::rules::{at_least_one, count, ensure};
use crate::config::RunConfig;
use crate::config::error::ConfigError;

/// TOML's whole numbers are signed, so that a larger seed could not be written to a file.
const LARGEST_SEED: u64 = i64::MAX as u64;
const MOST_BATCH: u64 = 1 << 20;
const MOST_SAMPLES: u64 = 10_000;

pub(super) fn validate(run: &RunConfig) -> Result<(), ConfigError> {
    at_least_one("run.steps", run.steps)?;
    count("run.batch", run.batch, MOST_BATCH)?;
    at_least_one("run.slice", run.slice.unwrap_or(1) as u64)?;
    at_least_one("run.memory", run.memory.unwrap_or(1))?;
    ensure(run.seed <= LARGEST_SEED, "run.seed", &run.seed, || {
        format!("be at most {LARGEST_SEED}")
    })?;
    count("run.samples", run.samples, MOST_SAMPLES)?;
    count("run.sample_steps", run.sample_steps, MOST_SAMPLE_STEPS)
}
