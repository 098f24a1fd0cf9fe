//! One page about a run, `report.html`: what lies in its folder, to be read in any browser, without a network.
//!
//! The page is a function of the folder alone, so that `train` and `evaluate` write it by the same call. What is missing is
//! left out, and what cannot be read is left out with a word about it: nothing that a folder holds makes the page fail.

mod chart;
mod commands;
mod compare;
mod curves;
mod evaluation;
mod figures;
mod folder;
mod histogram;
mod last_look;
mod listed;
mod mixing;
mod numbers;
mod pictures;
mod points;
mod settings;
mod snapshot;
mod view;

pub(crate) use listed::{Listed, RunState, is_run, listed, state_of};
pub(crate) use mixing::probed;
pub(crate) use numbers::{number, whole, with_error};

use crate::files::{FileError, write_atomically};
use std::path::{Path, PathBuf};

/// The file, in a run's folder.
pub const PAGE: &str = "report.html";

/// A page that was written.
#[derive(Debug)]
pub struct Written {
    /// The file.
    pub path: PathBuf,
    /// What could not be read, a line each; the page says it, too.
    pub problems: Vec<String>,
}

/// Writes the page of the run in `folder` into it.
///
/// # Errors
/// When the file cannot be written.
pub fn write(folder: &Path) -> Result<Written, FileError> {
    write_beside(folder, folder)
}

/// Writes the page of the run in `folder` into the folder `evaluation`, with what an evaluation left there in place of what lies
/// in the run's.
///
/// # Errors
/// When the file cannot be written.
pub fn write_beside(folder: &Path, evaluation: &Path) -> Result<Written, FileError> {
    let (text, problems) = html_beside(folder, evaluation);
    let path = evaluation.join(PAGE);
    write_atomically(&path, text.as_bytes())?;
    Ok(Written { path, problems })
}

/// Runs that one page can compare: as many as a chart has colours for.
pub(crate) const MOST_COMPARED: usize = 6;

/// Writes the page that compares the runs in `folders` into the file `path`.
///
/// # Errors
/// When the file cannot be written.
pub(crate) fn write_comparison(folders: &[&Path], path: &Path) -> Result<Written, FileError> {
    let (text, problems) = compare::page(folders);
    write_atomically(path, text.as_bytes())?;
    let path = path.into();
    Ok(Written { path, problems })
}

/// The page of the run in `folder`, and what could not be read.
pub fn html(folder: &Path) -> (String, Vec<String>) {
    html_beside(folder, folder)
}

fn html_beside(folder: &Path, evaluation: &Path) -> (String, Vec<String>) {
    let mut run = folder::Folder::read(folder, evaluation);
    let text = view::page(&mut run);
    (text, run.problems)
}
