//! `[optimiser]`

use super::rules::{decay, ensure, not_negative, one_of, positive, share};
use crate::config::OptimiserConfig;
use crate::config::error::ConfigError;

/// The names that `optimiser.schedule` takes.
pub const SCHEDULES: &[&str] = &["constant", "cosine", "exponential"];

pub(super) fn validate(optimiser: &OptimiserConfig) -> Result<(), ConfigError> {
    positive("optimiser.rate", optimiser.rate)?;
    one_of("optimiser.schedule", &optimiser.schedule, SCHEDULES)?;
    share("optimiser.final_rate", optimiser.final_rate)?;
    ensure(
        optimiser.schedule != "exponential" || optimiser.final_rate > 0.0,
        "optimiser.final_rate",
        &optimiser.final_rate,
        || "be above 0 with the exponential schedule, which never reaches 0".into(),
    )?;
    decay("optimiser.beta1", optimiser.beta1)?;
    decay("optimiser.beta2", optimiser.beta2)?;
    positive("optimiser.epsilon", optimiser.epsilon)?;
    not_negative("optimiser.weight_decay", optimiser.weight_decay)?;
    not_negative("optimiser.gradient_clip", optimiser.gradient_clip)?;
    decay("optimiser.average", optimiser.average)
}
