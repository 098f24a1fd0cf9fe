//! Changes of what a stored configuration says of its data.

use super::error::ConfigError;
use super::{Config, DataConfig, parse, set, to_toml};
use toml::Table;

/// The data of `config` after the assignments of `sets` (see [`set`]), which may be about nothing else.
///
/// # Errors
/// Everything that [`set`] and [`parse`] refuse, and an assignment to a key outside `[data]`.
pub fn with_data(config: &Config, sets: &[String]) -> Result<DataConfig, ConfigError> {
    let data = Config {
        data: config.data.clone(),
        ..Config::default()
    };
    let mut table: Table = to_toml(&data).parse().unwrap_or_default();
    for assignment in sets {
        set(&mut table, assignment)?;
        if !assignment.trim_start().starts_with("data.") {
            return Err(ConfigError::NotData {
                assignment: assignment.clone(),
            });
        }
    }
    Ok(parse(&table.to_string(), "--set")?.data)
}
