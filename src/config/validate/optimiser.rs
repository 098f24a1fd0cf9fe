//! `[optimiser]`

use super::rules::{decay, ensure, not_negative, positive, share};
use crate::config::OptimiserConfig;
use crate::config::error::ConfigError;
use crate::method::Schedule;

pub(super) fn validate(optimiser: &OptimiserConfig) -> Result<(), ConfigError> {
    positive("optimiser.rate", optimiser.rate)?;
    share("optimiser.final_rate", optimiser.final_rate)?;
    ensure(
        optimiser.schedule != Schedule::Exponential || optimiser.final_rate > 0.0,
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
