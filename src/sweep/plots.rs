//! The pictures of a sweep.

use super::budget::Budget;
use super::compared::{Compared, Group};
use super::error::SweepError;
use super::figures::Shown;
use super::spread::Spread;
use crate::report::{CostGroup, CostPanel, DotGroup, DotPanel, costs, dots, png_bytes};

/// A picture that was drawn.
pub(super) struct Picture {
    /// Its file.
    pub(super) name: &'static str,
    pub(super) title: &'static str,
    /// What it shows, for who does not see it.
    pub(super) alt: String,
    pub(super) png: Vec<u8>,
}

/// Quality by row, quality over cost, and memory by row; those for which there are figures.
pub(super) fn pictures(compared: &Compared<'_>) -> Result<Vec<Picture>, SweepError> {
    let drawn = compared.figures().into_iter();
    let drawn: Vec<_> = drawn
        .filter(|figure| figure.shown == Shown::Drawn)
        .collect();
    let mut found = Vec::new();
    let by = compared.plan.varied.as_deref().unwrap_or("row");
    if !drawn.is_empty() {
        let panels = drawn.iter().map(|figure| DotPanel {
            title: drawable(&format!("{} by {by}", figure.title)),
            ..panel(compared, |group| group.values(figure.key))
        });
        let titles: Vec<&str> = drawn.iter().map(|figure| figure.title).collect();
        found.push(Picture {
            name: "quality.png",
            title: "Quality",
            alt: format!("{} by {by}, with intervals over seeds", titles.join("; ")),
            png: png_bytes(&dots(&panels.collect::<Vec<_>>())?)?,
        });
    }
    if let Some(figure) = drawn.first() {
        let panel = CostPanel {
            title: drawable(&format!("{} over processor time of training", figure.title)),
            cost: "processor time of training, s".into(),
            groups: groups(compared, |budget| CostGroup {
                label: budget.title().into(),
                points: points(compared, budget, figure.key),
            }),
        };
        if panel.groups.iter().any(|group| !group.points.is_empty()) {
            found.push(Picture {
                name: "cost.png",
                title: "Quality over cost",
                alt: format!(
                    "{} over processor time of training, means over seeds",
                    figure.title
                ),
                png: png_bytes(&costs(&panel)?)?,
            });
        }
    }
    let memory = DotPanel {
        title: format!("GPU memory at its peak by {by}, MiB"),
        from_zero: true,
        ..panel(compared, |group| {
            let bytes = group.results().filter_map(|result| result.memory_bytes);
            bytes
                .map(|bytes| bytes as f64 / f64::from(1 << 20))
                .collect()
        })
    };
    if memory
        .groups
        .iter()
        .any(|group| group.spreads.iter().any(Option::is_some))
    {
        found.push(Picture {
            name: "memory.png",
            title: "Memory",
            alt: format!("GPU memory at its peak by {by}"),
            png: png_bytes(&dots(&[memory])?)?,
        });
    }
    Ok(found)
}

/// With signs that the font of pictures has.
fn drawable(text: &str) -> String {
    text.replace('‖', "||")
}

fn groups<T>(compared: &Compared<'_>, of: impl Fn(Budget) -> T) -> Vec<T> {
    compared
        .plan
        .budgets
        .iter()
        .map(|&budget| of(budget))
        .collect()
}

/// A panel of the values that `of` gives of each row under each budget.
fn panel(compared: &Compared<'_>, of: impl Fn(&Group<'_>) -> Vec<f64>) -> DotPanel {
    let plan = compared.plan;
    let trained = |row: &&String| plan.cells.iter().any(|cell| cell.row == **row);
    let rows: Vec<&String> = plan.rows.iter().filter(trained).collect();
    DotPanel {
        rows: rows.iter().map(|row| plan.short(row).to_owned()).collect(),
        groups: groups(compared, |budget| {
            let found = compared.groups(budget);
            let values = rows.iter().map(|row| {
                let group = found.iter().find(|group| group.row == **row);
                group.map(&of).unwrap_or_default()
            });
            let dots: Vec<Vec<f64>> = values.collect();
            let spread = |values: &Vec<f64>| {
                let found = Spread::of(values)?;
                Some([found.mean, found.low, found.high])
            };
            DotGroup {
                label: budget.title().into(),
                spreads: dots.iter().map(spread).collect(),
                dots,
            }
        }),
        ..DotPanel::default()
    }
}

/// The mean of a figure over the mean of its cost, for each row; where several budgets ask for the same, under the first.
fn points(compared: &Compared<'_>, budget: Budget, key: &str) -> Vec<(String, f64, f64)> {
    let found = compared.groups(budget);
    let point = |group: &Group<'_>| {
        if group.cells.first()?.0.budgets[0] != budget {
            return None;
        }
        let figure = Spread::of(&group.values(key))?.mean;
        let cost = group.mean(|result| result.training?.processor_seconds)?;
        Some((compared.plan.short(group.row).to_owned(), cost, figure))
    };
    found.iter().filter_map(point).collect()
}
