//! `[data]`

use super::rules::{ensure, finite, key, not_negative};
use crate::config::DataConfig;
use crate::config::error::ConfigError;
use crate::data::RawRange;

pub(super) fn validate(data: &DataConfig) -> Result<(), ConfigError> {
    finite(key!(data.low))?;
    finite(key!(data.high))?;
    ensure(
        key!(data.low),
        data.low < data.high,
        format_args!("lie below data.high = {:?}", data.high),
    )?;
    let ordered = match data.range {
        RawRange::Auto => true,
        RawRange::Given([low, high]) => low.is_finite() && high.is_finite() && low < high,
    };
    ensure(
        key!(data.range),
        ordered,
        "be two finite numbers, the lower one first, or \"auto\"",
    )?;
    not_negative(key!(data.noise))
}
