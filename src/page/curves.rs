//! Metrics over the optimiser steps: all that the lines of `metrics.jsonl` hold.

use super::chart::{Chart, Plot};
use super::folder::Metrics;
use crate::train::CURVES;

/// What the snapshot's own charts show.
pub(super) const OF_SNAPSHOT: [&str; 2] = ["log_ratio_spread", "ess"];
/// What has a place on every other chart, or is told in words.
const NOT_DRAWN: [&str; 2] = ["step", "snapshot_age"];

/// A chart for each group of metrics that have a curve of their own, in its order, but for those of the snapshot.
pub(super) fn main(metrics: &Metrics) -> Vec<Chart> {
    let mut curves: Vec<_> = CURVES
        .iter()
        .filter(|curve| !OF_SNAPSHOT.contains(&curve.name))
        .collect();
    curves.sort_by_key(|curve| curve.place);
    let groups = curves.chunk_by(|a, b| a.title == b.title);
    let charts = groups.filter_map(|group| {
        let named: Vec<(&str, &str)> = group.iter().map(|c| (c.name, c.label)).collect();
        chart(metrics, group[0].title, &named, group[0].log_scale)
    });
    charts.collect()
}

/// A chart for each metric without a curve of its own, that varies.
pub(super) fn others(metrics: &Metrics) -> Vec<Chart> {
    let names = metrics.names().filter(|name| {
        let has_curve = CURVES.iter().any(|curve| curve.name == *name);
        !has_curve && !NOT_DRAWN.contains(name)
    });
    let varying = names.filter(|name| {
        let values = metrics.column(name).unwrap_or_default();
        values
            .iter()
            .any(|value| value.is_finite() && *value != values[0])
    });
    varying
        .filter_map(|name| chart(metrics, &name.replace('_', " "), &[(name, name)], false))
        .collect()
}

/// A chart of some metrics, in nats where they are energies; none where no line has them.
fn chart(
    metrics: &Metrics,
    title: &str,
    named: &[(&str, &str)],
    logarithmic: bool,
) -> Option<Chart> {
    let series = named.iter().filter_map(|(name, label)| {
        let values = metrics.column(name)?;
        Some(((*label).to_owned(), metrics.steps(), values))
    });
    let is_energy = named.iter().all(|(name, _)| name.starts_with("energy_"));
    let (title, caption) = match is_energy && named.len() > 1 {
        true => (
            "energy of data and of noise",
            "Means over the batch of a step, under the live weights. Energies have no zero: what counts is their difference.",
        ),
        false => (title, ""),
    };
    Plot {
        title,
        caption: caption.into(),
        x_label: "optimiser step",
        y_label: if is_energy {
            "energy (nats)"
        } else {
            named.first()?.1
        },
        logarithmic,
        unit: "steps",
        series: series.collect(),
        marks: &[],
        level: None,
    }
    .chart()
}
