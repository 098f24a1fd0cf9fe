//! `[data]`

use super::rules::{ensure, finite, not_negative};
use crate::config::DataConfig;
use crate::config::check::one_of;
use crate::config::error::ConfigError;
use crate::data::sources;

pub(super) fn validate(data: &DataConfig) -> Result<(), ConfigError> {
    let names: Vec<_> = sources().map(|source| source.name).collect();
    one_of("data.source", &data.source, &names)?;
    finite("data.low", data.low)?;
    finite("data.high", data.high)?;
    ensure(data.low < data.high, "data.low", &data.low, || {
        format!("lie below data.high = {:?}", data.high)
    })?;
    not_negative("data.noise", data.noise)
}
