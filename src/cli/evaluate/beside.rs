//! The run's page, beside the report.

use crate::cli::output;
use crate::files::FileError;
use crate::page::{self, Written};
use std::fs;
use std::path::Path;

/// Writes the page of `model` with what `report` holds, beside it. Where there is none, it is said unless `quiet`.
pub(super) fn write_page(
    model: &Path,
    report: &Path,
    quiet: bool,
) -> Result<Option<Written>, FileError> {
    let folder = report.parent().unwrap_or(Path::new("."));
    let none = |why: String| {
        if !quiet {
            output::note(format_args!("note: no {}: {why}", page::PAGE));
        }
        Ok(None)
    };
    if !model.is_dir() {
        let model = model.display();
        return none(format!(
            "{model} is a checkpoint; a page is of a run folder"
        ));
    }
    let real = |path: &Path| fs::canonicalize(path).ok();
    if real(model) == real(folder) {
        return page::write(model).map(Some);
    }
    if folder.join("config.toml").exists() {
        let folder = folder.display();
        return none(format!(
            "{folder} is another run's folder, which has its own"
        ));
    }
    page::write_beside(model, folder).map(Some)
}
