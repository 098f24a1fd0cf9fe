//! `[data]`

use super::rules::{Conditional, Findings, key};
use crate::config::{Config, DataConfig};
use crate::data::RawRange;

#[rustfmt::skip]
pub(super) const CONDITIONAL: &[Conditional] = &[
    ("data.held_out", "data.source", is_finite, "what is generated has fresh draws to be scored by, beyond data.limit"),
];

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
    found.decay(key!(data.held_out));
}

fn is_finite(config: &Config) -> bool {
    !config.data.source.is_generated()
}
