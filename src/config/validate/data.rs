//! `[data]`

use super::rules::{Findings, key};
use crate::config::DataConfig;
use crate::data::RawRange;

pub(super) fn validate(data: &DataConfig, found: &mut Findings) {
    found.finite(key!(data.low));
    found.finite(key!(data.high));
    // What is not a number was refused on its own.
    let is_upside_down = data.low >= data.high;
    found.ensure(
        key!(data.low),
        !is_upside_down,
        format_args!("lie below data.high = {:?}", data.high),
    );
    let ordered = match data.range {
        RawRange::Auto => true,
        RawRange::Given([low, high]) => low.is_finite() && high.is_finite() && low < high,
    };
    found.ensure(
        key!(data.range),
        ordered,
        "be two finite numbers, the lower one first, or \"auto\"",
    );
    found.not_negative(key!(data.noise));
}
