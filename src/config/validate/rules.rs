//! What values are checked by, and the words in which they are refused.

use crate::config::Config;
use crate::config::check::not_allowed;
use crate::config::error::ConfigError;
use crate::config::keys::Setting;
use std::fmt::Display;

/// A key, the key that decides whether it is read, whether it is, and why not or where else. Each section's file lists its
/// own, a line each.
pub(super) type Conditional = (
    &'static str,
    &'static str,
    fn(&Config) -> bool,
    &'static str,
);

/// A key and its value.
pub(super) type Given<'a, T> = (&'static str, &'a T);

/// The key `section.key`, with its value in the variable called `section`.
macro_rules! key {
    ($section:ident.$key:ident) => {
        (
            concat!(stringify!($section), ".", stringify!($key)),
            &$section.$key,
        )
    };
}
pub(super) use key;

/// Refuses a value unless it is `fine`; `allowed` completes the sentence "it must …".
pub(super) fn ensure<T: Setting>(
    (key, given): Given<T>,
    fine: bool,
    allowed: impl Display,
) -> Result<(), ConfigError> {
    if fine {
        return Ok(());
    }
    let given = given.literal().unwrap_or_default();
    Err(not_allowed(key, &given, allowed))
}

/// Checks a value that may be absent by `rule`.
pub(super) fn if_given<T>(
    (key, given): Given<Option<T>>,
    rule: fn(Given<T>) -> Result<(), ConfigError>,
) -> Result<(), ConfigError> {
    given.as_ref().map_or(Ok(()), |given| rule((key, given)))
}

pub(super) fn at_least_one(given: Given<u64>) -> Result<(), ConfigError> {
    ensure(given, *given.1 >= 1, "be 1 or above")
}

/// A number of things that must be held or done.
pub(super) fn count(given: Given<usize>, most: usize) -> Result<(), ConfigError> {
    let allowed = format_args!("lie between 1 and {most}");
    ensure(given, (1..=most).contains(given.1), allowed)
}

pub(super) fn at_most(given: Given<usize>, most: usize) -> Result<(), ConfigError> {
    ensure(given, *given.1 <= most, format_args!("be at most {most}"))
}

// The comparisons below are written so that NaN fails each of them.

pub(super) fn finite(given: Given<f32>) -> Result<(), ConfigError> {
    ensure(given, given.1.is_finite(), "be a finite number")
}

pub(super) fn positive(given: Given<f32>) -> Result<(), ConfigError> {
    let fine = *given.1 > 0.0 && given.1.is_finite();
    ensure(given, fine, "be a finite number above 0")
}

pub(super) fn not_negative(given: Given<f32>) -> Result<(), ConfigError> {
    let fine = *given.1 >= 0.0 && given.1.is_finite();
    ensure(given, fine, "be a finite number, 0 or above")
}

pub(super) fn within(given: Given<f32>, low: f32, high: f32) -> Result<(), ConfigError> {
    let allowed = format_args!("lie between {low} and {high}");
    ensure(given, (low..=high).contains(given.1), allowed)
}

/// A share lies in [0, 1].
pub(super) fn share(given: Given<f32>) -> Result<(), ConfigError> {
    within(given, 0.0, 1.0)
}

/// The decay of a moving average lies in [0, 1).
pub(super) fn decay(given: Given<f32>) -> Result<(), ConfigError> {
    let fine = (0.0..1.0).contains(given.1);
    ensure(given, fine, "be 0 or above and below 1")
}
