//! The whole of a sweep: what is trained, and into which folder.

use super::axes::{key_of, refuse_own, rows};
use super::budget::{Budget, Common, evaluations_of_a_pass};
use super::cells::{Cell, Senseless, cells};
use super::error::SweepError;
use super::result::{CellResult, Settings, Trained, settings_of};
use crate::config;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// What was asked for.
pub(crate) struct Asked<'a> {
    /// A preset or a file.
    pub(crate) source: &'a str,
    /// Assignments for all cells.
    pub(crate) sets: &'a [String],
    pub(crate) vary: &'a [String],
    pub(crate) rows: &'a [String],
    /// Every row is trained with the seeds 1 to so many.
    pub(crate) seeds: u64,
    pub(crate) budgets: &'a [Budget],
    pub(crate) most_reuse: u64,
    pub(crate) folder: &'a Path,
}

/// A sweep.
#[derive(Debug)]
pub(crate) struct Plan {
    /// The preset or the file.
    pub(crate) source: String,
    pub(crate) budgets: Vec<Budget>,
    pub(crate) seeds: u64,
    /// The names of all rows, in their order.
    pub(crate) rows: Vec<String>,
    pub(crate) cells: Vec<Cell>,
    pub(crate) senseless: Vec<Senseless>,
    /// Where everything goes.
    pub(crate) folder: PathBuf,
    /// The optimiser steps of the preset, with the settings for all cells.
    pub(super) steps: u64,
    /// The one key that is varied, if it is one.
    pub(super) varied: Option<String>,
}

impl Plan {
    /// The sweep that was asked for.
    ///
    /// # Errors
    /// What is no setting, what the preset or file refuses without any row, and where no row makes sense.
    pub(crate) fn of(asked: &Asked<'_>) -> Result<Self, SweepError> {
        refuse_own(asked.sets)?;
        let rows = rows(asked.vary, asked.rows)?;
        // What is wrong with all of them is no matter of a row.
        let base = config::load(asked.source, asked.sets)?;
        let common = Common {
            source: asked.source,
            sets: asked.sets,
            seeds: asked.seeds,
            budgets: asked.budgets,
            pass: evaluations_of_a_pass(&base),
            most_reuse: asked.most_reuse,
        };
        let (cells, senseless) = cells(&common, &rows)?;
        if cells.is_empty() {
            let reasons = senseless.into_iter().map(|one| one.reason).collect();
            return Err(SweepError::NoCells { reasons });
        }
        let varied = match asked.vary {
            [one] => Some(key_of(one).to_owned()),
            _ => None,
        };
        Ok(Plan {
            source: asked.source.into(),
            budgets: asked.budgets.into(),
            seeds: asked.seeds,
            rows: rows.into_iter().map(|row| row.name).collect(),
            cells,
            senseless,
            folder: asked.folder.into(),
            steps: base.run.steps,
            varied,
        })
    }

    /// The folder of a cell: a run folder, with what is known of it beside.
    pub(crate) fn folder_of(&self, cell: &Cell) -> PathBuf {
        self.folder.join("cells").join(&cell.name)
    }

    /// What a picture calls a row: without the key, where there is but one.
    pub(super) fn short<'a>(&self, row: &'a str) -> &'a str {
        let key = self.varied.as_deref();
        let value = key.and_then(|key| row.strip_prefix(key)?.strip_prefix('='));
        value.unwrap_or(row)
    }
}

/// How far a cell is.
pub(crate) enum State {
    /// There is a result that the same command would give again.
    Finished(Box<CellResult>),
    /// It is trained, and not evaluated as asked for.
    Trained(Trained),
    /// Nothing that could be gone on with.
    Begin,
}

impl Plan {
    /// How far `cell` is, which is to be evaluated with the arguments `evaluate`.
    ///
    /// # Errors
    /// Where what there is was made with other settings.
    pub(crate) fn state(&self, cell: &Cell, evaluate: &[String]) -> Result<State, SweepError> {
        let folder = self.folder_of(cell);
        if let Some(result) = self.result_of(cell)?
            && result.is_final()
            && result.answers(evaluate)
        {
            return Ok(State::Finished(Box::new(result)));
        }
        let Some(trained) = Trained::read(&folder) else {
            return Ok(State::Begin);
        };
        self.is_of(cell, &trained.settings)?;
        // Committed results may lie without the model that they are of.
        let is_there = folder.join("checkpoints").is_dir();
        Ok(match is_there {
            true => State::Trained(trained),
            false => State::Begin,
        })
    }

    /// What was written at the end of `cell`; none where it was not.
    ///
    /// # Errors
    /// Where it was made with other settings.
    pub(super) fn result_of(&self, cell: &Cell) -> Result<Option<CellResult>, SweepError> {
        let result = CellResult::read(&self.folder_of(cell));
        if let Some(result) = &result {
            self.is_of(cell, &result.settings)?;
        }
        Ok(result)
    }

    /// Refuses what was made with other settings than `cell` has.
    fn is_of(&self, cell: &Cell, found: &Settings) -> Result<(), SweepError> {
        /// More than these are told by the first of them.
        const TOLD: usize = 3;
        let wanted = settings_of(&cell.config);
        if wanted == *found {
            return Ok(());
        }
        let keys: BTreeSet<&String> = wanted.keys().chain(found.keys()).collect();
        let shown = |settings: &Settings, key: &String| {
            let value = settings.get(key).map_or("its default", String::as_str);
            value.to_owned()
        };
        let all: Vec<String> = keys
            .into_iter()
            .filter(|key| wanted.get(*key) != found.get(*key))
            .map(|key| {
                format!(
                    "{key} is {} there, {} here",
                    shown(found, key),
                    shown(&wanted, key)
                )
            })
            .collect();
        let mut differences = all[..all.len().min(TOLD)].join("; ");
        if all.len() > TOLD {
            differences += &format!("; and {} more", all.len() - TOLD);
        }
        Err(SweepError::OtherSettings {
            folder: self.folder_of(cell),
            differences,
        })
    }
}
