//! `[data]`

use super::rules::{ensure, finite, key, not_negative};
use crate::config::DataConfig;
use crate::config::error::ConfigError;

pub(super) fn validate(data: &DataConfig) -> Result<(), ConfigError> {
    finite(key!(data.low))?;
    finite(key!(data.high))?;
    ensure(
        key!(data.low),
        data.low < data.high,
        format_args!("lie below data.high = {:?}", data.high),
    )?;
    not_negative(key!(data.noise))
}
