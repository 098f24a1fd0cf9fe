//! Changes of what a stored configuration says.

use super::error::ConfigError;
use super::{Config, DataConfig, parse, set, to_toml};
use crate::data::Source;
use crate::words::Word;
use toml::{Table, Value};

/// `config` after the assignments of `sets` (see [`set`]).
///
/// # Errors
/// Everything that [`set`] and [`parse`] refuse.
pub(crate) fn amended(config: &Config, sets: &[String]) -> Result<Config, ConfigError> {
    let mut table: Table = to_toml(config).parse().unwrap_or_default();
    for assignment in sets {
        set(&mut table, assignment)?;
    }
    parse(&table.to_string(), "--set")
}

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
    // Generated sets do not read what the run's own data have kept back.
    let is_set = sets
        .iter()
        .any(|set| set.trim_start().starts_with("data.held_out"));
    if let Some(Value::Table(data)) = table.get_mut("data").filter(|_| !is_set)
        && let Some(source) = data.get("source").and_then(Value::as_str)
        && Source::named(source).is_some_and(|source| source.is_generated())
    {
        data.remove("held_out");
    }
    Ok(parse(&table.to_string(), "--set")?.data)
}
