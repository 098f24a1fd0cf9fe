//! How values are read.

use crate::kernels::KernelFamily;
use crate::words::Word;
use clap::builder::{PossibleValuesParser, TypedValueParser};

/// The largest seed: a run's configuration is TOML, whose whole numbers are signed.
const LARGEST_SEED: u64 = i64::MAX as u64;

/// Reads a family of kernels.
pub(super) fn family() -> impl TypedValueParser<Value = KernelFamily> {
    PossibleValuesParser::new(KernelFamily::names())
        .try_map(|name| KernelFamily::named(&name).ok_or("is no family of kernels"))
}

/// Reads a seed that a run's configuration can hold.
pub(super) fn seed() -> clap::builder::RangedU64ValueParser<u64> {
    clap::value_parser!(u64).range(..=LARGEST_SEED)
}

/// Reads two numbers with a comma between them.
pub(super) fn two_numbers(text: &str) -> Result<[f32; 2], String> {
    let number = |text: &str| {
        text.trim()
            .parse()
            .ok()
            .filter(|number: &f32| number.is_finite())
    };
    let pair = text.split_once(',');
    let pair = pair.and_then(|(low, high)| Some([number(low)?, number(high)?]));
    pair.filter(|[low, high]| low < high)
        .ok_or_else(|| "it must be two numbers, the lower first, as 0,1 or -1,1".into())
}

/// Reads an error that `afterimage evaluate` can promise.
pub(super) fn tolerance(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(nats) if (1e-6..=0.1).contains(&nats) => Ok(nats),
        _ => Err("it must be a number from 1e-6 to 0.1".into()),
    }
}

/// Reads how many processes run at a time.
pub(super) fn jobs(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(jobs) if (1..=1024).contains(&jobs) => Ok(jobs),
        _ => Err("it must be a whole number from 1 to 1024".into()),
    }
}

/// Reads a time that can be waited for.
pub(super) fn seconds(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(seconds) if (0.0..=3600.0).contains(&seconds) => Ok(seconds),
        _ => Err("it must be a number of seconds from 0 to 3600".into()),
    }
}
