//! What values are checked by, and the words in which they are refused.

use crate::config::Config;
use crate::config::check::{not_allowed, shortened};
use crate::config::error::ConfigError;
use std::fmt::Debug;

/// A key, the key that decides whether it is read, whether it is, and why not or where else. Each section's file lists its
/// own, a line each.
pub(super) type Conditional = (
    &'static str,
    &'static str,
    fn(&Config) -> bool,
    &'static str,
);

/// Refuses `given` unless it is `fine`; `allowed` completes the sentence "it must …".
pub(super) fn ensure<T: Debug>(
    fine: bool,
    key: &str,
    given: &T,
    allowed: impl FnOnce() -> String,
) -> Result<(), ConfigError> {
    if fine {
        return Ok(());
    }
    let given = shortened(format!("{given:?}").chars());
    Err(not_allowed(key, &given, allowed()))
}

pub(super) fn at_least_one(key: &str, given: u64) -> Result<(), ConfigError> {
    ensure(given >= 1, key, &given, || "be 1 or above".into())
}

/// A number of things that must be held or done.
pub(super) fn count(key: &str, given: usize, most: u64) -> Result<(), ConfigError> {
    ensure((1..=most).contains(&(given as u64)), key, &given, || {
        format!("lie between 1 and {most}")
    })
}

// The comparisons below are written so that NaN fails each of them.

pub(super) fn finite(key: &str, given: f32) -> Result<(), ConfigError> {
    ensure(given.is_finite(), key, &given, || {
        "be a finite number".into()
    })
}

pub(super) fn positive(key: &str, given: f32) -> Result<(), ConfigError> {
    ensure(given > 0.0 && given.is_finite(), key, &given, || {
        "be a finite number above 0".into()
    })
}

pub(super) fn not_negative(key: &str, given: f32) -> Result<(), ConfigError> {
    ensure(given >= 0.0 && given.is_finite(), key, &given, || {
        "be a finite number, 0 or above".into()
    })
}

pub(super) fn within(key: &str, given: f32, low: f32, high: f32) -> Result<(), ConfigError> {
    ensure((low..=high).contains(&given), key, &given, || {
        format!("lie between {low} and {high}")
    })
}

/// A share lies in [0, 1].
pub(super) fn share(key: &str, given: f32) -> Result<(), ConfigError> {
    ensure((0.0..=1.0).contains(&given), key, &given, || {
        "lie between 0 and 1".into()
    })
}

/// The decay of a moving average lies in [0, 1).
pub(super) fn decay(key: &str, given: f32) -> Result<(), ConfigError> {
    ensure((0.0..1.0).contains(&given), key, &given, || {
        "be 0 or above and below 1".into()
    })
}
