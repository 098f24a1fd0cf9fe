//! What the chains said of themselves.

use super::chart::{Chart, Plot};
use super::folder::Folder;
use super::numbers::{number, whole};
use crate::config::Config;
use crate::method::SETTLED;
use crate::train::{Diagnostics, Mixing};
use serde_json::{Map, Value};

/// The last look at the chains, and all before it.
pub(super) struct MixingHistory {
    /// What the last look was at.
    pub(super) last: String,
    pub(super) rows: Vec<MixingRow>,
    pub(super) charts: Vec<Chart>,
}

/// A quantity of the last look.
pub(super) struct MixingRow {
    pub(super) name: &'static str,
    pub(super) r_hat: String,
    pub(super) ess: String,
    pub(super) autocorrelation: String,
}

/// The last look that `folder` tells of.
pub(super) fn last(folder: &Folder) -> Option<Diagnostics> {
    let told = folder.summary.get("diagnostics").cloned();
    let told = told.and_then(|value| serde_json::from_value(value).ok());
    told.or(folder.diagnostics.last().copied())
}

/// What `folder` tells of its chains; none where nobody looked at any.
pub(super) fn history(folder: &Folder) -> Option<MixingHistory> {
    let last = last(folder)?;
    let names = ["energy", "projection 1", "projection 2", "projection 3"];
    let all = [
        last.energy,
        last.projections[0],
        last.projections[1],
        last.projections[2],
    ];
    Some(MixingHistory {
        last: told(&last),
        rows: names
            .into_iter()
            .zip(all)
            .map(|(name, of)| row(name, &of))
            .collect(),
        charts: charts(folder),
    })
}

fn told(last: &Diagnostics) -> String {
    let mut text = format!(
        "{} chains over {} steps after optimiser step {}, {} records of each.",
        whole(last.chains as u64),
        whole(last.steps as u64),
        whole(last.step),
        whole(last.records as u64)
    );
    for (count, what) in [(last.lost, "ran away"), (last.still, "stood still")] {
        if count > 0 {
            text += &format!(" {} {what}.", whole(count as u64));
        }
    }
    text
}

fn row(name: &'static str, of: &Mixing) -> MixingRow {
    let shown = |value: Option<f64>| value.map_or("none".into(), number);
    MixingRow {
        name,
        r_hat: shown(of.r_hat),
        ess: shown(of.ess),
        autocorrelation: shown(of.autocorrelation),
    }
}

fn charts(folder: &Folder) -> Vec<Chart> {
    let looks = &folder.diagnostics;
    let steps: Vec<f64> = looks.iter().map(|look| look.step as f64).collect();
    let values = |of: &dyn Fn(&Diagnostics) -> Option<f64>| -> Vec<f64> {
        let found = looks.iter().map(|look| of(look).unwrap_or(f64::NAN));
        found.collect()
    };
    let of_projections = |of: &dyn Fn(&Mixing) -> Option<f64>, pick: fn(f64, f64) -> f64| {
        values(&|look| look.projections.iter().filter_map(of).reduce(pick))
    };
    let energy_r_hat = values(&|look| look.energy.r_hat);
    let worst_r_hat = of_projections(&|of| of.r_hat, f64::max);
    let energy_ess = values(&|look| look.energy.ess);
    let worst_ess = of_projections(&|of| of.ess, f64::min);
    let settled = format!("settled below {SETTLED}");
    let pair = |worst: &str| ["energy".to_owned(), worst.to_owned()];
    let mut charts = Vec::new();
    let of_looks = "Of the chains of one pass of training each, in which they are still on their way: short passes have high R-hat.";
    for (title, y_label, caption, labels, series, level) in [
        (
            "R-hat along training",
            "R-hat",
            of_looks,
            pair("largest of three projections"),
            [&energy_r_hat, &worst_r_hat],
            Some((SETTLED, &settled[..])),
        ),
        (
            "effective sample size along training",
            "independent records",
            "",
            pair("least of three projections"),
            [&energy_ess, &worst_ess],
            None,
        ),
    ] {
        let series = labels.into_iter().zip(series);
        let chart = Plot {
            title,
            caption: caption.into(),
            x_label: "optimiser step",
            y_label,
            logarithmic: false,
            unit: "looks",
            series: series
                .map(|(label, values)| (label, &steps[..], &values[..]))
                .collect(),
            marks: &[],
            level,
        };
        charts.extend(chart.chart());
    }
    charts.extend(acceptance(folder));
    charts
}

/// The acceptance of every step, of samplers that have a test.
fn acceptance(folder: &Folder) -> Option<Chart> {
    let has_test = folder.config.as_ref()?.sampler.kind.is_exact();
    let values = folder.metrics.column("acceptance").filter(|_| has_test)?;
    Plot {
        title: "Metropolis acceptance",
        caption: "Mean over the chains of a step.".into(),
        x_label: "optimiser step",
        y_label: "acceptance",
        logarithmic: false,
        unit: "steps",
        series: vec![("acceptance".into(), folder.metrics.steps(), values)],
        marks: &[],
        level: None,
    }
    .chart()
}

/// The largest R-hat of the probe at the end, for the head of the page.
pub(super) fn worst(folder: &Folder) -> Option<(String, String)> {
    let (what, r_hat) = worst_figure(folder)?;
    Some((
        number(r_hat),
        format!("of {what}, at the last look at the chains"),
    ))
}

/// What that R-hat is of, and the number.
pub(super) fn worst_figure(folder: &Folder) -> Option<(&'static str, f64)> {
    probed(&folder.summary, folder.config.as_ref()?)?.worst()
}

/// What the probe at the end of a run with the settings `config` found, if there was one. Without it `summary` has the last look at a
/// pass of training, which is too short to tell.
pub(crate) fn probed(summary: &Map<String, Value>, config: &Config) -> Option<Diagnostics> {
    if summary.get("stopped") == Some(&Value::Bool(true)) {
        return None;
    }
    let told = summary.get("diagnostics")?.clone();
    let look: Diagnostics = serde_json::from_value(told).ok()?;
    // A probe may also have been given up.
    (look.steps == config.sampler.probe).then_some(look)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;
    use serde_json::json;

    /// Not where the run was stopped, asked for none, or gave it up.
    #[test]
    fn a_pass_of_training_is_no_probe() {
        let config = |probe: usize| {
            let sets = [
                "sampler.steps=40".to_owned(),
                format!("sampler.probe={probe}"),
            ];
            config::load("digits-langevin", &sets).expect("loads")
        };
        let mixing = json!({"r_hat": 1.5, "ess": null, "autocorrelation": null});
        let summary = |steps: usize, stopped: bool| {
            let look = json!({
                "step": 9, "steps": steps, "chains": 2, "records": 4, "lost": 0, "acceptance": 1.0, "step_size": 0.1, "moved": null,
                "energy": mixing, "projections": [mixing, mixing, mixing],
            });
            let summary = json!({"stopped": stopped, "diagnostics": look});
            summary.as_object().expect("is one").clone()
        };
        let found = probed(&summary(500, false), &config(500));
        assert_eq!(
            found.and_then(|look| look.worst()).expect("a figure").1,
            1.5
        );
        assert!(probed(&summary(40, false), &config(500)).is_none());
        assert!(probed(&summary(40, true), &config(40)).is_none());
        assert!(probed(&summary(40, false), &config(0)).is_none());
        assert!(probed(&Map::new(), &config(500)).is_none());
    }
}
