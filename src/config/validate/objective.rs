//! `[objective]`

use super::rules::{count, decay, ensure, not_negative, one_of, positive, within};
use crate::config::ObjectiveConfig;
use crate::config::error::ConfigError;
use crate::method::Criterion;

/// The names that `objective.generator` takes.
pub const GENERATORS: &[&str] = &Criterion::NAMES;
/// The names that `objective.normaliser` takes.
pub const NORMALISERS: &[&str] = &["zero", "learned", "profiled", "importance"];

const MOST_NOISE_RATIO: u64 = 1 << 10;
// Below, the weights are those of `kl` to a per cent and the loss a difference of large numbers; above, single samples rule.
const SMALLEST_POWER: f32 = 0.01;
const LARGEST_POWER: f32 = 5.0;
/// f32 ends at e⁸⁸; a weight must leave room for factors and sums.
const LARGEST_LOG_WEIGHT: f32 = 60.0;

pub(super) fn validate(objective: &ObjectiveConfig) -> Result<(), ConfigError> {
    one_of("objective.generator", &objective.generator, GENERATORS)?;
    count(
        "objective.noise_ratio",
        objective.noise_ratio,
        MOST_NOISE_RATIO,
    )?;
    one_of("objective.normaliser", &objective.normaliser, NORMALISERS)?;
    let criterion = Criterion::named(&objective.generator);
    let why = match criterion {
        Some(Criterion::Ranking) => "cancels",
        Some(Criterion::ContrastiveDivergence) => "does not occur",
        _ => "",
    };
    ensure(
        why.is_empty() || objective.normaliser == "zero",
        "objective.normaliser",
        &objective.normaliser,
        || {
            format!(
                "be `zero` with objective.generator = {}, where the log-normaliser difference {why}",
                objective.generator
            )
        },
    )?;
    positive("objective.normaliser_rate", objective.normaliser_rate)?;
    decay("objective.normaliser_decay", objective.normaliser_decay)?;
    within(
        "objective.power",
        objective.power,
        SMALLEST_POWER,
        LARGEST_POWER,
    )?;
    positive("objective.clamp", objective.clamp)?;
    let steepest = match criterion {
        Some(Criterion::Bregman(generator)) => (generator.steepest)(objective.power.into()) as f32,
        _ => 0.0,
    };
    ensure(
        steepest * objective.clamp <= LARGEST_LOG_WEIGHT,
        "objective.clamp",
        &objective.clamp,
        || {
            let most = LARGEST_LOG_WEIGHT / steepest;
            format!(
                "be at most {most} with objective.generator = {}, or weights would overflow",
                objective.generator
            )
        },
    )?;
    not_negative("objective.energy_l2", objective.energy_l2)
}
