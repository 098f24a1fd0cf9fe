//! `[data]`

use super::rules::{ensure, finite, not_negative};
use crate::config::DataConfig;
use crate::config::error::ConfigError;

pub(super) fn validate(data: &DataConfig) -> Result<(), ConfigError> {
    finite("data.low", data.low)?;
    finite("data.high", data.high)?;
    ensure(data.low < data.high, "data.low", &data.low, || {
        format!("lie below data.high = {:?}", data.high)
    })?;
    not_negative("data.noise", data.noise)
}
