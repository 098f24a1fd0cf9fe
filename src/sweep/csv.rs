//! `sweep.csv`: a line for each cell, and one for what makes no sense.

use super::compared::Compared;
use super::error::SweepError;
use super::figures::FIGURES;
use super::result::{CellResult, Spent};

const COLUMNS: &[&str] = &[
    "cell",
    "row",
    "budget",
    "seed",
    "settings",
    "outcome",
    "reason",
    "optimiser_steps",
    "gradient_evaluations",
    "refreshes",
    "effective_sample_size",
    "memory_bytes",
    // A figure of samples is called density.
    "is_density",
    "r_hat",
    "fits",
    "training_processor_seconds",
    "training_wall_seconds",
    "evaluation_processor_seconds",
    "evaluation_wall_seconds",
];

/// The text of the file.
pub(super) fn csv(compared: &Compared<'_>) -> Result<Vec<u8>, SweepError> {
    let mut writer = ::csv::Writer::from_writer(Vec::new());
    let figures = FIGURES.iter().map(|figure| figure.key);
    writer.write_record(COLUMNS.iter().copied().chain(figures.clone()))?;
    for (cell, result) in compared.plan.cells.iter().zip(&compared.results) {
        let budgets: Vec<&str> = cell.budgets.iter().map(|budget| budget.name()).collect();
        let mut line = vec![
            cell.name.clone(),
            cell.row.clone(),
            budgets.join("+"),
            cell.seed.to_string(),
            cell.sets.join(" "),
        ];
        line.extend(match result {
            Some(result) => of_result(result),
            None => {
                let mut rest = vec![String::new(); COLUMNS.len() - line.len()];
                rest[0] = "missing".into();
                rest
            }
        });
        line.extend(figures.clone().map(|key| {
            let value = result.as_ref().and_then(|result| result.figures.get(key));
            value.map_or(String::new(), f64::to_string)
        }));
        writer.write_record(line)?;
    }
    for one in &compared.plan.senseless {
        let mut line = vec![String::new(); COLUMNS.len() + FIGURES.len()];
        line[1] = one.row.clone();
        line[2] = one.budget.name().into();
        line[5] = "not trained".into();
        line[6] = one.reason.clone();
        writer.write_record(line)?;
    }
    Ok(writer
        .into_inner()
        .map_err(|error| ::csv::Error::from(error.into_error()))?)
}

/// The columns from the outcome on.
fn of_result(result: &CellResult) -> Vec<String> {
    let text = |value: Option<String>| value.unwrap_or_default();
    let whole = |value: Option<u64>| text(value.map(|value| value.to_string()));
    let real = |value: Option<f64>| text(value.map(|value| value.to_string()));
    let wall = |spent: Option<Spent>| real(spent.map(|spent| spent.wall_seconds));
    let processor = |spent: Option<Spent>| real(spent.and_then(|spent| spent.processor_seconds));
    let (outcome, reason) = match &result.failure {
        None => ("done", String::new()),
        Some(failure) => ("failed", failure.to_string()),
    };
    let density = result.is_density();
    vec![
        outcome.into(),
        reason,
        whole(result.optimiser_steps),
        whole(result.gradient_evaluations),
        whole(result.refreshes),
        real(result.ess),
        whole(result.memory_bytes),
        text(density.map(|is_one| if is_one { "yes" } else { "no" }.to_owned())),
        real(result.r_hat),
        text(result.fits.clone()),
        processor(result.training),
        wall(result.training),
        processor(result.evaluation),
        wall(result.evaluation),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn no_two_columns_have_one_name() {
        let figures = FIGURES.iter().map(|figure| figure.key);
        let names: Vec<&str> = COLUMNS.iter().copied().chain(figures).collect();
        let different: BTreeSet<&str> = names.iter().copied().collect();
        assert_eq!(different.len(), names.len(), "{names:?}");
    }
}
