//! The table of a sweep, as Markdown and for the page.

use super::budget::Budget;
use super::compared::{Compared, Group};
use super::figures::Shown;
use super::plots::Picture;
use super::result::CellResult;
use super::spread::{FEWEST_FOR_T, Spread};
use crate::page::{number, whole, with_error};

/// The rows under a budget.
pub(super) struct Table {
    pub(super) title: String,
    pub(super) head: Vec<String>,
    pub(super) rows: Vec<Vec<String>>,
    /// What is to be said of rows, a sentence each.
    pub(super) notes: Vec<String>,
}

const NONE: &str = "–";

/// A table for each budget.
pub(super) fn tables(compared: &Compared<'_>) -> Vec<Table> {
    let budgets = compared.plan.budgets.iter();
    budgets.map(|&budget| table(compared, budget)).collect()
}

fn table(compared: &Compared<'_>, budget: Budget) -> Table {
    let plan = compared.plan;
    let shown = compared.figures().into_iter();
    let shown: Vec<_> = shown
        .filter(|figure| figure.shown != Shown::InFile)
        .collect();
    let mut head = vec![plan.varied.clone().unwrap_or_else(|| "row".into())];
    head.extend(shown.iter().map(|figure| figure.title.to_owned()));
    head.extend(
        [
            "density",
            "R-hat, highest",
            "effective sample size, median",
            "optimiser steps",
            "snapshots",
            "evaluations, millions",
            "processor time, s",
            "memory, MiB",
            "seeds",
        ]
        .map(str::to_owned),
    );
    let groups = compared.groups(budget);
    let rows = groups.iter().map(|group| {
        let mut row = vec![plan.short(group.row).to_owned()];
        row.extend(shown.iter().map(|figure| spread(group, figure.key)));
        row.extend(costs(group));
        row
    });
    let rows = rows.collect();
    let mut notes: Vec<String> = Vec::new();
    for group in &groups {
        let note = group.cells.first().and_then(|(cell, _)| cell.note(budget));
        notes.extend(note.map(|note| format!("{}: {note}.", group.row)));
    }
    let senseless = plan.senseless.iter().filter(|one| one.budget == budget);
    notes.extend(senseless.map(|one| format!("{}: not trained, {}.", one.row, one.reason)));
    Table {
        title: match budget {
            Budget::Steps => format!(
                "Equal optimiser steps: {}, noise used once",
                whole(plan.steps)
            ),
            Budget::Gradients => format!(
                "Equal energy-gradient evaluations: those of {} passes, noise used again as far as its snapshot lasts",
                whole(plan.steps)
            ),
        },
        head,
        rows,
        notes,
    }
}

/// A figure over the seeds, with its interval.
fn spread(group: &Group<'_>, key: &str) -> String {
    let values = group.values(key);
    let Some(found) = Spread::of(&values) else {
        return NONE.into();
    };
    match found.count {
        1 => number(found.mean),
        count if count < FEWEST_FOR_T => format!(
            "{} ({} to {})",
            number(found.mean),
            number(found.low),
            number(found.high)
        ),
        _ => {
            let (mean, half) = with_error(found.mean, found.high - found.mean);
            format!("{mean} ± {half}")
        }
    }
}

/// What it cost, and what the chains said.
fn costs(group: &Group<'_>) -> Vec<String> {
    let shown = |value: Option<f64>| value.map_or(NONE.into(), number);
    let done: Vec<&CellResult> = group
        .results()
        .filter(|result| result.failure.is_none())
        .collect();
    let verdicts: Vec<bool> = done
        .iter()
        .filter_map(|result| result.is_density())
        .collect();
    let density = match verdicts.len() {
        0 => NONE.into(),
        all => format!(
            "{} of {all}",
            verdicts.iter().filter(|is_one| **is_one).count()
        ),
    };
    let r_hat = done.iter().filter_map(|result| result.r_hat);
    let r_hat: f64 = r_hat.fold(f64::NEG_INFINITY, f64::max);
    let mut seeds = vec![done.len().to_string()];
    let failed = group.results().filter(|result| result.failure.is_some());
    let missing = group.cells.iter().filter(|(_, result)| result.is_none());
    for (count, what) in [(failed.count(), "failed"), (missing.count(), "missing")] {
        if count > 0 {
            seeds.push(format!("{count} {what}"));
        }
    }
    vec![
        density,
        shown(r_hat.is_finite().then(|| (1e3 * r_hat).round() / 1e3)),
        shown(
            group
                .mean(|result| result.ess)
                .map(|share| (1e3 * share).round() / 1e3),
        ),
        shown(
            group
                .mean(|result| Some(result.optimiser_steps? as f64))
                .map(f64::round),
        ),
        shown(group.mean(|result| Some(result.refreshes? as f64))),
        shown(group.mean(|result| Some(result.gradient_evaluations? as f64 / 1e6))),
        shown(
            group
                .mean(|result| result.training?.processor_seconds)
                .map(f64::round),
        ),
        shown(group.mean(|result| Some(result.memory_bytes? as f64 / f64::from(1 << 20)))),
        seeds.join(", "),
    ]
}

/// What the tables have in their cells.
pub(super) fn about(compared: &Compared<'_>) -> String {
    let seeds = compared.plan.seeds;
    let interval = match seeds {
        1 => "One seed, so that there are no intervals.".to_owned(),
        2 => "Means over 2 seeds; behind them the least and the most, since two seeds make no interval.".to_owned(),
        _ => format!(
            "Means over {seeds} seeds; ± is half an interval of 95 % for the mean, by Student's t over the seeds (where fewer than \
             {FEWEST_FOR_T} are left, the least and the most in parentheses)."
        ),
    };
    format!(
        "{interval} Processor time is that of training with its last look at the chains and its last pictures, of all threads; \
         evaluations are those spent on noise while training."
    )
}

/// Cells that failed, a line each.
pub(super) fn failures(compared: &Compared<'_>) -> Vec<String> {
    let cells = compared.plan.cells.iter().zip(&compared.results);
    let failed = cells.filter_map(|(cell, result)| {
        let failure = result.as_ref()?.failure.as_ref()?;
        Some(format!("{}: {failure}", cell.name))
    });
    failed.collect()
}

/// The whole of `sweep.md`.
pub(super) fn markdown(compared: &Compared<'_>, pictures: &[Picture]) -> String {
    let plan = compared.plan;
    let mut text = format!(
        "# Sweep of {}\n\n    {}\n\n{}\n",
        plan.source,
        compared.command,
        about(compared)
    );
    for table in tables(compared) {
        text += &format!("\n## {}\n\n", table.title);
        text += &line(&table.head);
        text += &format!("|{}\n", "---|".repeat(table.head.len()));
        for row in &table.rows {
            text += &line(row);
        }
        text += &list("", &table.notes);
    }
    text += &list("## Failed\n", &failures(compared));
    for picture in pictures {
        text += &format!("\n![{}]({})\n", picture.alt, picture.name);
    }
    text
}

fn line(cells: &[String]) -> String {
    let cells: Vec<String> = cells.iter().map(|cell| cell.replace('|', "\\|")).collect();
    format!("| {} |\n", cells.join(" | "))
}

fn list(title: &str, items: &[String]) -> String {
    if items.is_empty() {
        return String::new();
    }
    let items: String = items.iter().map(|item| format!("- {item}\n")).collect();
    match title {
        "" => format!("\n{items}"),
        title => format!("\n{title}\n{items}"),
    }
}
