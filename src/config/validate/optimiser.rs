//! `[optimiser]`

use super::rules::{decay, ensure, key, not_negative, positive, share};
use crate::config::OptimiserConfig;
use crate::config::error::ConfigError;
use crate::method::Schedule;

pub(super) fn validate(optimiser: &OptimiserConfig) -> Result<(), ConfigError> {
    positive(key!(optimiser.rate))?;
    share(key!(optimiser.final_rate))?;
    ensure(
        key!(optimiser.final_rate),
        optimiser.schedule != Schedule::Exponential || optimiser.final_rate > 0.0,
        "be above 0 with the exponential schedule, which never reaches 0",
    )?;
    decay(key!(optimiser.beta1))?;
    decay(key!(optimiser.beta2))?;
    positive(key!(optimiser.epsilon))?;
    not_negative(key!(optimiser.weight_decay))?;
    not_negative(key!(optimiser.gradient_clip))?;
    decay(key!(optimiser.average))
}
