//! Metrics as the page takes them.

use afterimage::train::MetricsRow;

/// What a row holds, in this order.
pub(crate) const FIELDS: [&str; 9] = [
    "step",
    "snapshot_age",
    "loss",
    "energy_data",
    "energy_noise",
    "accuracy",
    "log_ratio_spread",
    "ess",
    "samples_per_second",
];

/// The numbers of a row. Steps up to 2²⁴ are exact as f32, which no run in a page reaches.
pub(crate) fn numbers(row: &MetricsRow) -> [f32; FIELDS.len()] {
    [
        row.step as f32,
        row.snapshot_age as f32,
        row.loss,
        row.energy_data,
        row.energy_noise,
        row.nce_accuracy,
        row.log_ratio_spread,
        row.ess,
        row.samples_per_second,
    ]
}
