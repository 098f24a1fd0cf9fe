//! `[data]`

use super::rules::{Conditional, Findings, key};
use crate::config::{Config, SnapshotKind};
use crate::data::RawRange;

#[rustfmt::skip]
pub(super) const CONDITIONAL: &[Conditional] = &[
    ("data.noise_fall", "data.noise_start", |config| config.data.noise_start != 0.0, "noise is the same throughout"),
    ("data.held_out", "data.source", is_finite, "what is generated has fresh draws to be scored by, beyond data.limit"),
];

pub(super) fn validate(config: &Config, found: &mut Findings) {
    let data = &config.data;
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
    found.not_negative(key!(data.noise_start));
    found.share(key!(data.noise_fall));
    let start = data.noise_start;
    found
        .ensure(
            key!(data.noise_start),
            start == 0.0 || start >= data.noise && data.noise > 0.0,
            "be 0, or at least data.noise, from which it is a factor away, and that above 0",
        )
        .mended_by("data.noise_start", 0.0_f32);
    let is_fixed = matches!(
        config.snapshot.kind,
        SnapshotKind::Gaussian | SnapshotKind::Uniform
    );
    found
        .ensure(
            key!(data.noise_start),
            start == 0.0 || !is_fixed,
            "be 0 with snapshot.kind = gaussian or uniform, which is fitted to the data once",
        )
        .mended_by("data.noise_start", 0.0_f32);
    found.decay(key!(data.held_out));
}

fn is_finite(config: &Config) -> bool {
    !config.data.source.is_generated()
}
