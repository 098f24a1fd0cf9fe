//! What there is of all cells, by row and budget.

use super::budget::Budget;
use super::cells::Cell;
use super::error::SweepError;
use super::figures::{FIGURES, Figure};
use super::plan::Plan;
use super::result::CellResult;
use super::spread::Spread;

/// A sweep with what there is of its cells.
pub(crate) struct Compared<'a> {
    pub(super) plan: &'a Plan,
    /// In the order of the plan's cells.
    pub(crate) results: Vec<Option<CellResult>>,
    /// What gives the same again.
    pub(super) command: String,
}

/// The cells of a row under a budget.
pub(super) struct Group<'a> {
    pub(super) row: &'a str,
    pub(super) cells: Vec<(&'a Cell, Option<&'a CellResult>)>,
}

impl<'a> Compared<'a> {
    /// What lies in the sweep's folder; `command` gives the same again. A cell that was evaluated with other arguments than
    /// `evaluate` counts as missing: its figures are not those of the others.
    ///
    /// # Errors
    /// Where a cell was made with other settings.
    pub(crate) fn read(
        plan: &'a Plan,
        evaluate: &[String],
        command: String,
    ) -> Result<Self, SweepError> {
        let mut results = Vec::new();
        for cell in &plan.cells {
            let result = plan.result_of(cell)?;
            results.push(result.filter(|result| result.answers(evaluate)));
        }
        Ok(Compared {
            plan,
            results,
            command,
        })
    }

    /// The rows that are trained under `budget`, in their order.
    pub(super) fn groups(&self, budget: Budget) -> Vec<Group<'_>> {
        let rows = self.plan.rows.iter().map(|row| {
            let cells = self.plan.cells.iter().zip(&self.results);
            let cells = cells
                .filter(|(cell, _)| cell.row == *row && cell.budgets.contains(&budget))
                .map(|(cell, result)| (cell, result.as_ref()))
                .collect();
            Group { row, cells }
        });
        rows.filter(|group| !group.cells.is_empty()).collect()
    }

    /// The figures that any cell has, in their order.
    pub(super) fn figures(&self) -> Vec<&'static Figure> {
        let is_there = |figure: &&Figure| {
            let mut found = self.results.iter().flatten();
            found.any(|result| result.figures.contains_key(figure.key))
        };
        FIGURES.iter().filter(is_there).collect()
    }
}

impl Group<'_> {
    /// What there is of its seeds.
    pub(super) fn results(&self) -> impl Iterator<Item = &CellResult> {
        self.cells.iter().filter_map(|(_, result)| *result)
    }

    /// The values of a figure.
    pub(super) fn values(&self, key: &str) -> Vec<f64> {
        let found = self.results();
        found
            .filter_map(|result| result.figures.get(key).copied())
            .collect()
    }

    /// The mean of something else over the seeds that did not fail.
    pub(super) fn mean(&self, of: impl Fn(&CellResult) -> Option<f64>) -> Option<f64> {
        let done = self.results().filter(|result| result.failure.is_none());
        let values: Vec<f64> = done.filter_map(of).collect();
        Spread::of(&values).map(|spread| spread.mean)
    }
}
