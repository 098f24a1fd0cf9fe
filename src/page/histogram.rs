//! Energies at the end of a run: a histogram for each kind of samples, on common bins.

use super::chart::{LEFT, Px, RIGHT, Tick, WIDTH, across, axis, ticks};
use super::folder::Folder;
use super::numbers::{number, whole};
use crate::report::{binned, energy_range};
use serde_json::Value;

const BINS: usize = 40;
/// The height of a row, and of the bars in it.
const ROW: f64 = 94.0;
const BARS: f64 = 54.0;
const BOTTOM: f64 = 40.0;

/// The order of known kinds; others follow.
const ORDER: [&str; 4] = ["data", "held_out", "buffer", "fresh"];

/// Histograms below each other.
pub(super) struct Histograms {
    pub(super) rows: Vec<Row>,
    pub(super) ticks: Vec<Tick>,
    pub(super) width: Px,
    pub(super) height: Px,
    pub(super) left: Px,
    pub(super) right: Px,
    /// Where the axis is.
    pub(super) floor: Px,
    pub(super) caption: String,
    pub(super) alt: String,
}

/// The energies of a kind of samples.
pub(super) struct Row {
    pub(super) style: usize,
    pub(super) label: String,
    /// How many, and their mean and spread.
    pub(super) told: String,
    /// Where its two lines of words and its bars stand.
    pub(super) label_at: Px,
    pub(super) told_at: Px,
    pub(super) floor: Px,
    pub(super) bars: Vec<Bar>,
}

/// A bin.
pub(super) struct Bar {
    pub(super) x: Px,
    pub(super) y: Px,
    pub(super) width: Px,
    pub(super) height: Px,
    /// What it holds, for who points at it.
    pub(super) told: String,
}

/// Energies under a name.
struct Energies {
    name: String,
    finite: Vec<f64>,
    lost: usize,
}

/// Histograms of the energies that the summary in `folder` holds; none without any.
pub(super) fn histograms(folder: &Folder) -> Option<Histograms> {
    let of_kinds = folder.summary.get("energies")?.as_object()?;
    let mut kinds: Vec<Energies> = of_kinds
        .iter()
        .filter_map(|(name, values)| {
            let values = values.as_array()?;
            let finite: Vec<f64> = values.iter().filter_map(Value::as_f64).collect();
            let lost = values.len() - finite.len();
            let name = name.clone();
            Some(Energies { name, finite, lost })
        })
        .filter(|kind| kind.finite.len() + kind.lost > 0)
        .collect();
    let place = |kind: &Energies| ORDER.iter().position(|name| *name == kind.name);
    kinds.sort_by_key(|kind| place(kind).unwrap_or(ORDER.len()));
    let mut pooled: Vec<f64> = kinds
        .iter()
        .flat_map(|kind| &kind.finite)
        .copied()
        .collect();
    pooled.sort_by(f64::total_cmp);
    let (low, high) = energy_range(&pooled)?;
    let x = axis([low, high].into_iter(), false, 0.02)?;

    let shares: Vec<Vec<f64>> = kinds
        .iter()
        .map(|kind| binned(&kind.finite, low, high, BINS))
        .collect();
    let tallest = shares.iter().flatten().copied().fold(0.0, f64::max);
    let outside = pooled.iter().filter(|&&e| e < low || e > high).count();
    let edge = |bin: usize| low + (high - low) * bin as f64 / BINS as f64;
    let bars = |shares: &[f64], floor: f64| -> Vec<Bar> {
        let of_bin = |(bin, &share): (usize, &f64)| {
            let (from, to) = (across(&x, edge(bin)).0, across(&x, edge(bin + 1)).0);
            let height = BARS * share / tallest;
            Bar {
                x: Px(from),
                y: Px(floor - height),
                width: Px(to - from - 0.5),
                height: Px(height),
                told: format!(
                    "{} to {}: {} %",
                    number(edge(bin)),
                    number(edge(bin + 1)),
                    number(100.0 * share)
                ),
            }
        };
        let filled = shares.iter().enumerate().filter(|(_, share)| **share > 0.0);
        filled.map(of_bin).collect()
    };
    let rows: Vec<Row> = kinds
        .iter()
        .zip(&shares)
        .enumerate()
        .map(|(place, (kind, shares))| {
            let floor = (place + 1) as f64 * ROW - 2.0;
            Row {
                style: place % 4,
                label: label(&kind.name),
                told: told(kind),
                label_at: Px(place as f64 * ROW + 14.0),
                told_at: Px(place as f64 * ROW + 29.0),
                floor: Px(floor),
                bars: bars(shares, floor),
            }
        })
        .collect();
    let floor = rows.len() as f64 * ROW;
    Some(Histograms {
        ticks: ticks(&x, |value| across(&x, value)),
        width: Px(WIDTH),
        height: Px(floor + BOTTOM),
        left: Px(LEFT),
        right: Px(WIDTH - RIGHT),
        floor: Px(floor),
        caption: match outside {
            0 => String::new(),
            _ => format!("{} energies lie beyond the bins.", whole(outside as u64)),
        },
        alt: alt(&rows),
        rows,
    })
}

fn label(name: &str) -> String {
    match name {
        "data" => "data with the noise of training".into(),
        "held_out" => "held-out data".into(),
        "buffer" => "noise samples of the last step".into(),
        "fresh" => "fresh chains".into(),
        other => other.replace('_', " "),
    }
}

fn told(kind: &Energies) -> String {
    let count = kind.finite.len();
    let mean = kind.finite.iter().sum::<f64>() / count.max(1) as f64;
    let squares = kind.finite.iter().map(|e| (e - mean).powi(2)).sum::<f64>();
    let spread = (squares / count.max(1) as f64).sqrt();
    let mut told = format!(
        "{}: mean {}, sd {}",
        whole(count as u64),
        number(mean),
        number(spread)
    );
    if kind.lost > 0 {
        told += &format!("; {} not finite", whole(kind.lost as u64));
    }
    told
}

fn alt(rows: &[Row]) -> String {
    let rows = rows
        .iter()
        .map(|row| format!("{}, {}", row.label, row.told));
    format!(
        "Histograms of energies: {}.",
        rows.collect::<Vec<_>>().join("; ")
    )
}
