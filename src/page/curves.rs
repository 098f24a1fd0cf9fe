//! Metrics over the optimiser steps: all that the lines of `metrics.jsonl` hold.

use super::chart::{Chart, Plot};
use super::folder::{Folder, Metrics};
use super::numbers::number;
use crate::train::CURVES;

/// What the snapshot's own charts show.
pub(super) const OF_SNAPSHOT: [&str; 2] = ["log_ratio_spread", "ess"];
/// What has a place on every other chart, or is told in words.
const NOT_DRAWN: [&str; 3] = ["step", "snapshot_age", DISTANCE];
/// What has a chart of its own.
const DISTANCE: &str = "data_distance";

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

/// The steps in which the distance of chains from data was computed, and the distances.
pub(super) fn judged(metrics: &Metrics) -> (Vec<f64>, Vec<f64>) {
    let values = metrics.column(DISTANCE).unwrap_or_default();
    let judged = metrics.steps().iter().zip(values);
    judged.filter(|(_, value)| value.is_finite()).unzip()
}

/// How far chains were from data, in the steps where that was computed, with the least of it marked; none without any.
pub(super) fn distance(folder: &Folder) -> Option<Chart> {
    let (steps, distances) = judged(&folder.metrics);
    let best = folder.summary.get("best");
    let float = |key: &str| best?.get(key)?.as_f64();
    let data = best.and_then(|best| best.get("data_is")?.as_str());
    let kept = float("step").map(|step| {
        let kept = float("data_distance").map_or(String::new(), |least| format!(" ({})", number(least)));
        format!(
            " Vertical line: step {step}, the least{kept}, whose weights are kept as best.safetensors. The least of many figures is \
             lower than one of the same weights would be again."
        )
    });
    let deviation = float("floor_deviation").map_or(String::new(), |deviation| {
        format!(" Horizontal line: the mean of what data themselves have, with a standard deviation of {}.", number(deviation))
    });
    let marks: Vec<f64> = float("step").into_iter().collect();
    Plot {
        title: "energy distance of chains from data",
        caption: format!(
            "Between chains as training has them and {} with the noise of training.{}{deviation}",
            data.unwrap_or("data"),
            kept.unwrap_or_default()
        ),
        x_label: "optimiser step",
        y_label: "energy distance (units of the values)",
        logarithmic: false,
        unit: "figures",
        series: vec![("distance".into(), &steps, &distances)],
        marks: &marks,
        level: float("floor").map(|floor| (floor, "data themselves")),
    }
    .chart()
}

/// A chart for each metric without a curve of its own, that varies.
pub(super) fn others(metrics: &Metrics) -> Vec<Chart> {
    varying(metrics)
        .filter_map(|name| chart(metrics, &name.replace('_', " "), &[(name, name)], false))
        .collect()
}

/// The metrics without a curve of their own, that vary.
pub(super) fn varying(metrics: &Metrics) -> impl Iterator<Item = &str> {
    let names = metrics.names().filter(|name| {
        let has_curve = CURVES.iter().any(|curve| curve.name == *name);
        !has_curve && !NOT_DRAWN.contains(name)
    });
    names.filter(|name| {
        let values = metrics.column(name).unwrap_or_default();
        values
            .iter()
            .any(|value| value.is_finite() && *value != values[0])
    })
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
