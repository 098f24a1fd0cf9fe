//! How far the live weights get from the snapshot that the noise is of, and when that is taken anew.

use super::chart::{Chart, Plot};
use super::folder::Folder;
use super::numbers::whole;
use crate::config::SnapshotKind;

/// Refreshes that are marked one by one, at most: more are a forest.
const MOST_MARKS: usize = 60;

/// What is told of the snapshot.
pub(super) struct SnapshotHistory {
    /// When it was refreshed, in words.
    pub(super) refreshes: String,
    pub(super) charts: Vec<Chart>,
}

/// What `folder` tells of the snapshot; none without metrics.
pub(super) fn history(folder: &Folder) -> Option<SnapshotHistory> {
    let metrics = &folder.metrics;
    let (steps, ages) = (metrics.steps(), metrics.column("snapshot_age")?);
    let taken: Vec<f64> = steps
        .iter()
        .zip(ages)
        .filter(|(_, age)| **age == 0.0)
        .map(|(step, _)| *step)
        .collect();
    let kind = folder.config.as_ref().map(|config| config.snapshot.kind);
    let (refreshes, marks) = told(kind, &taken, steps.len());
    let ends = marks.map_or(&[][..], |()| &taken);
    let mut charts = Vec::new();
    for (name, title, y_label, caption) in [
        (
            "log_ratio_spread",
            "spread of the log-ratio between snapshot and live weights",
            "standard deviation (nats)",
            "Over the data and the noise of a step: how far the two have moved apart.",
        ),
        (
            "ess",
            "effective sample size of the noise under the live weights",
            "share of the noise samples",
            "1 where the noise is of the live weights themselves.",
        ),
    ] {
        let values = metrics.column(name).unwrap_or_default();
        let chart = Plot {
            title,
            caption: match ends.is_empty() {
                true => caption.into(),
                false => format!("{caption} Vertical lines: refreshes of the snapshot."),
            },
            x_label: "optimiser step",
            y_label,
            logarithmic: false,
            unit: "steps",
            series: vec![(y_label.into(), steps, values)],
            marks: ends,
            level: None,
        };
        charts.extend(chart.chart());
    }
    // How long each snapshot served, where that is not the same for all.
    let served: Vec<f64> = taken.windows(2).map(|pair| pair[1] - pair[0]).collect();
    if served.windows(2).any(|pair| pair[0] != pair[1]) {
        let chart = Plot {
            title: "how long each snapshot served",
            caption: "At the step that ended it.".into(),
            x_label: "optimiser step",
            y_label: "steps",
            logarithmic: false,
            unit: "snapshots",
            series: vec![("steps".into(), &taken[1..], &served)],
            marks: &[],
            level: None,
        };
        charts.extend(chart.chart());
    }
    Some(SnapshotHistory { refreshes, charts })
}

/// What is said of the refreshes at the steps `taken`, and whether they are marked.
fn told(kind: Option<SnapshotKind>, taken: &[f64], steps: usize) -> (String, Option<()>) {
    match kind {
        Some(SnapshotKind::Gaussian | SnapshotKind::Uniform) => {
            return (
                "The noise is of a fixed distribution, which is never refreshed.".into(),
                None,
            );
        }
        Some(SnapshotKind::Ema) => {
            let text = "The snapshot is a moving average of the weights and follows them in every step, so that there is no \
                        refresh to mark.";
            return (text.into(), None);
        }
        Some(SnapshotKind::Copy | SnapshotKind::Mixture) | None => {}
    }
    if taken.len() == steps {
        let text = "The snapshot is taken anew in every step (K = 1), before energies are compared: live and snapshot weights are \
                    then the same, and so are their energies. Refreshes are not marked, as all steps are.";
        return (text.into(), None);
    }
    let count = whole(taken.len() as u64);
    let served = taken.windows(2).map(|pair| pair[1] - pair[0]);
    let shortest = served.clone().fold(f64::INFINITY, f64::min);
    let longest = served.fold(0.0, f64::max);
    let often = if taken.len() < 2 {
        "once, at its start".to_owned()
    } else if shortest == longest {
        format!(
            "every {} steps, {count} times in all",
            whole(longest as u64)
        )
    } else {
        format!(
            "{count} times, after {} to {} steps",
            whole(shortest as u64),
            whole(longest as u64)
        )
    };
    match taken.len() <= MOST_MARKS {
        true => (format!("The snapshot was taken anew {often}."), Some(())),
        false => (
            format!("The snapshot was taken anew {often}: too often to mark each."),
            None,
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_forest_of_refreshes_is_told_in_words() {
        let every = |interval: usize, steps: usize| -> (String, bool) {
            let taken: Vec<f64> = (0..steps)
                .step_by(interval)
                .map(|step| step as f64)
                .collect();
            let (text, marks) = told(Some(SnapshotKind::Copy), &taken, steps);
            (text, marks.is_some())
        };
        let (text, marked) = every(1, 100);
        assert!(text.contains("every step (K = 1)") && !marked, "{text}");
        let (text, marked) = every(10, 100);
        assert!(
            text.contains("every 10 steps, 10 times") && marked,
            "{text}"
        );
        let (text, marked) = every(12, 12_000);
        assert!(
            text.contains("every 12 steps, 1,000 times") && !marked,
            "{text}"
        );
        let (text, marked) = told(Some(SnapshotKind::Gaussian), &[0.0], 50);
        assert!(text.contains("never refreshed") && marked.is_none());
        let (text, _) = told(None, &[0.0, 3.0, 8.0], 50);
        assert!(text.contains("3 times, after 3 to 5 steps"), "{text}");
    }
}
