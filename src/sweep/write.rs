//! The files that say what all cells say together.

use super::compared::Compared;
use super::csv::csv;
use super::error::SweepError;
use super::page::page;
use super::plots::{Picture, pictures};
use super::table::markdown;
use crate::files::{create_folder, write_atomically};
use std::path::PathBuf;

/// The files that were written.
pub(crate) struct Written {
    pub(crate) table: PathBuf,
    pub(crate) lines: PathBuf,
    pub(crate) pictures: Vec<PathBuf>,
    pub(crate) page: PathBuf,
}

/// Writes `sweep.csv`, `sweep.md`, the pictures and `report.html` into the sweep's folder.
///
/// # Errors
/// When a file cannot be written.
pub(crate) fn write(compared: &Compared<'_>) -> Result<Written, SweepError> {
    let folder = &compared.plan.folder;
    create_folder(folder)?;
    let put = |name: &str, bytes: &[u8]| -> Result<PathBuf, SweepError> {
        let path = folder.join(name);
        write_atomically(&path, bytes)?;
        Ok(path)
    };
    let lines = put("sweep.csv", &csv(compared)?)?;
    let drawn = pictures(compared)?;
    let table = put("sweep.md", markdown(compared, &drawn).as_bytes())?;
    let mut paths = Vec::new();
    for Picture { name, png, .. } in &drawn {
        paths.push(put(name, png)?);
    }
    let page = put("report.html", page(compared, &drawn).as_bytes())?;
    Ok(Written {
        table,
        lines,
        pictures: paths,
        page,
    })
}
