//! `afterimage sweep`: trains and evaluates every cell in processes of its own, here or as commands for other machines.

mod cell;
mod child;
mod display;
mod words;
mod workers;

use super::args::{PartArg, SweepArgs};
use super::error::CliError;
use super::output;
use super::signals::Stop;
use crate::config::BaseKind;
use crate::files::create_folder;
use crate::sweep::{Asked, Budget, Cell, Compared, Plan, Written, write};
use cell::{End, Errand, Kept};
use display::Display;
use std::path::{Path, PathBuf};
use workers::work;

/// `afterimage sweep`
pub(super) fn sweep(arguments: &SweepArgs) -> Result<(), CliError> {
    let budgets = arguments.budget.budgets();
    let folder = folder(arguments);
    let plan = Plan::of(&Asked {
        source: &arguments.source.source,
        sets: &arguments.source.sets,
        vary: &arguments.vary,
        rows: &arguments.rows,
        seeds: arguments.seeds,
        budgets,
        most_reuse: arguments.most_reuse,
        folder: &folder,
    })?;
    let errand = Errand::of(&plan, arguments)?;
    if arguments.tasks {
        return tasks(&errand);
    }
    if arguments.collect {
        return collect(&errand, None);
    }
    if let Some(name) = &arguments.cell {
        return one(&errand, name);
    }
    all(&errand)
}

/// The folder that `--out` names, else runs/NAME-sweep, which the same command finds again.
fn folder(arguments: &SweepArgs) -> PathBuf {
    if let Some(folder) = &arguments.out {
        return folder.clone();
    }
    let name = Path::new(&arguments.source.source).file_stem();
    let name = name.unwrap_or("run".as_ref()).to_string_lossy();
    Path::new("runs").join(format!("{name}-sweep"))
}

/// Prints a command for each cell that is still to be done.
fn tasks(errand: &Errand<'_>) -> Result<(), CliError> {
    words::have_whole_paths(errand.arguments, &errand.plan.cells)?;
    for cell in to_do(errand)? {
        output::line(&words::of_cell(
            errand.arguments,
            &errand.plan.folder,
            &cell.name,
        )?)?;
    }
    for one in &errand.plan.senseless {
        if !errand.arguments.quiet {
            let budget = one.budget.name();
            output::note(format_args!(
                "not trained: {}, {budget}: {}",
                one.row, one.reason
            ));
        }
    }
    Ok(())
}

/// The cells without a result that the same command would give again.
fn to_do<'a>(errand: &Errand<'a>) -> Result<Vec<&'a Cell>, CliError> {
    let mut cells = Vec::new();
    for cell in &errand.plan.cells {
        if errand.kept(cell)?.is_none() {
            cells.push(cell);
        }
    }
    Ok(cells)
}

/// Does one cell, as a task of somebody who hands them out.
fn one(errand: &Errand<'_>, name: &str) -> Result<(), CliError> {
    let known = errand.plan.cells.iter().find(|cell| cell.name == name);
    let cell = known.ok_or_else(|| CliError::NoCell { name: name.into() })?;
    create_folder(&errand.plan.folder.join("cells"))?;
    let stop = Stop::on_signals()?;
    let mut display = Display::new(&[cell], 0, errand.arguments.quiet);
    let end = cell::run(errand, cell, stop.asked(), &mut |progress| {
        display.show(0, &progress)
    });
    display.clear();
    match end? {
        End::Done(result) => {
            display.finished(cell, &result, Kept::No);
            match &result.failure {
                None => Ok(()),
                Some(failure) => Err(CliError::CellFailed {
                    name: cell.name.clone(),
                    why: failure.to_string(),
                }),
            }
        }
        End::Kept(result) => {
            display.finished(cell, &result, Kept::Yes);
            Ok(())
        }
        End::Busy => Err(CliError::CellBusy {
            name: cell.name.clone(),
        }),
        End::Stopped => Err(CliError::SweepStopped {
            done: 0,
            of: 1,
            folder: errand.plan.folder.clone(),
            status: stop.status().unwrap_or(1),
        }),
    }
}

/// Does all that is to be done, and compares it.
fn all(errand: &Errand<'_>) -> Result<(), CliError> {
    let (plan, arguments) = (errand.plan, errand.arguments);
    let cells = to_do(errand)?;
    let kept = plan.cells.len() - cells.len();
    create_folder(&plan.folder.join("cells"))?;
    if !arguments.quiet {
        output::note(format_args!("sweep     {}", plan.folder.display()));
        let kept = match kept {
            0 => String::new(),
            kept => format!(", {kept} of them are done already"),
        };
        output::note(format_args!(
            "cells     {} of {} rows with {} seeds{kept}",
            plan.cells.len(),
            plan.rows.len(),
            plan.seeds
        ));
    }
    for one in &plan.senseless {
        if !arguments.quiet {
            let budget = one.budget.name();
            output::note(format_args!(
                "not done  {}, {budget}: {}",
                one.row, one.reason
            ));
        }
    }
    let stop = Stop::on_signals()?;
    let mut display = Display::new(&cells, kept, arguments.quiet);
    let busy = work(errand, &cells, &stop, &mut display)?;
    display.clear();
    let status = stop.status();
    let compared = collect(errand, status);
    match status {
        Some(status) => {
            compared?;
            Err(CliError::SweepStopped {
                done: plan.cells.len() - to_do(errand)?.len(),
                of: plan.cells.len(),
                folder: plan.folder.clone(),
                status,
            })
        }
        None if busy > 0 => Err(CliError::CellsBusy { cells: busy }),
        None => compared,
    }
}

/// Writes what all cells say together. That some failed is an error, unless the sweep was stopped.
fn collect(errand: &Errand<'_>, stopped: Option<u8>) -> Result<(), CliError> {
    let (plan, arguments) = (errand.plan, errand.arguments);
    let compared = Compared::read(plan, &errand.evaluate, words::of_all(arguments)?)?;
    let Written {
        table,
        lines,
        pictures,
        page,
    } = write(&compared)?;
    if arguments.json {
        for (cell, result) in plan.cells.iter().zip(&compared.results) {
            output::json(&serde_json::json!({ "cell": cell.name, "result": result }))?;
        }
    }
    if !arguments.quiet {
        output::note("\nLook at:");
        let show = |path: &Path, what: &str| {
            output::note(format_args!("  {:42}  {what}", path.display().to_string()));
        };
        show(&table, "all rows, with intervals over the seeds");
        show(&lines, "a line for each cell");
        for picture in &pictures {
            show(picture, "the same as a picture");
        }
        show(&page, "all of it on one page, for any browser");
    }
    let named = |is_one: fn(&Option<crate::sweep::CellResult>) -> bool| {
        let cells = plan.cells.iter().zip(&compared.results);
        let cells = cells.filter(|(_, result)| is_one(result));
        cells.map(|(cell, _)| cell.name.clone()).collect::<Vec<_>>()
    };
    let failed = named(|result| {
        result
            .as_ref()
            .is_some_and(|result| result.failure.is_some())
    });
    let missing = named(Option::is_none);
    match (failed.is_empty() && missing.is_empty()) || stopped.is_some() {
        true => Ok(()),
        false => Err(CliError::Cells {
            failed,
            missing,
            of: plan.cells.len(),
            table,
        }),
    }
}

impl<'a> Errand<'a> {
    /// What is asked of every cell; what none of them could be evaluated by is refused, and so is what was made with other
    /// settings.
    fn of(plan: &'a Plan, arguments: &'a SweepArgs) -> Result<Self, CliError> {
        for &part in &arguments.only {
            let has_base = |cell: &Cell| cell.config.network.base == BaseKind::Gaussian;
            let has_density = |cell: &Cell| cell.config.data.source.has_density();
            let why = match part {
                PartArg::Outside => "it needs `afterimage evaluate --against`",
                PartArg::Density if !plan.cells.iter().any(has_density) => {
                    "the density of these data is not known"
                }
                PartArg::Likelihood if !plan.cells.iter().any(has_base) => {
                    "it needs network.base = gaussian"
                }
                PartArg::Density | PartArg::Likelihood | PartArg::Samples | PartArg::Stability => {
                    continue;
                }
            };
            let part = words::name(&part);
            return Err(CliError::NoPart { part, why });
        }
        let errand = Errand {
            plan,
            arguments,
            evaluate: words::of_evaluation(arguments),
        };
        let is_asked = |cell: &&Cell| {
            let one = arguments.cell.as_ref();
            one.is_none_or(|name| *name == cell.name)
        };
        for cell in plan.cells.iter().filter(is_asked) {
            errand.kept(cell)?;
        }
        Ok(errand)
    }
}

impl super::args::BudgetArg {
    fn budgets(self) -> &'static [Budget] {
        match self {
            Self::Steps => &[Budget::Steps],
            Self::Gradients => &[Budget::Gradients],
            Self::Both => &[Budget::Steps, Budget::Gradients],
        }
    }
}
