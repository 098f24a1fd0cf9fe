//! Lines of a run that are kept in memory, too, and written when the disk takes them.

use crate::files::{FileError, JsonLines, LinesMark};
use serde::Serialize;
use std::fs::File;
use std::path::{Path, PathBuf};

/// A file of lines, all of which are in memory: what a full disk refuses is not lost, and what vanishes is written again.
pub(super) struct Lines<T> {
    path: PathBuf,
    file: JsonLines,
    rows: Vec<T>,
    /// How many of them are in the file.
    written: usize,
}

impl<T: Serialize> Lines<T> {
    /// An empty file at `path`; what was there is lost.
    ///
    /// # Errors
    /// When it cannot be created.
    pub(super) fn create(path: &Path) -> Result<Self, FileError> {
        Ok(Lines {
            path: path.into(),
            file: JsonLines::create(path)?,
            rows: Vec::new(),
            written: 0,
        })
    }

    /// The file at `path`, cut back to what it held at `mark`, which are `rows`.
    ///
    /// # Errors
    /// When it cannot be read or written, or holds something else.
    pub(super) fn cut_back(path: &Path, mark: &LinesMark, rows: Vec<T>) -> Result<Self, FileError> {
        Ok(Lines {
            path: path.into(),
            file: JsonLines::cut_back(path, mark)?,
            written: rows.len(),
            rows,
        })
    }

    /// All lines, written or not.
    pub(super) fn rows(&self) -> &[T] {
        &self.rows
    }

    /// Adds a line, and writes it unless others wait before it.
    ///
    /// # Errors
    /// When it cannot be written: it waits from then on.
    pub(super) fn push(&mut self, row: T) -> Result<(), FileError> {
        let waits = self.is_behind();
        self.rows.push(row);
        match waits {
            true => Ok(()),
            false => self.write_rest(),
        }
    }

    /// Whether lines wait to be written.
    pub(super) fn is_behind(&self) -> bool {
        self.written < self.rows.len()
    }

    /// Whether somebody has taken the file away.
    pub(super) fn is_gone(&self) -> bool {
        self.file.is_gone()
    }

    /// Writes what waits, all lines where the file is gone.
    ///
    /// # Errors
    /// When that is still not possible. What has been written is whole.
    pub(super) fn settle(&mut self) -> Result<(), FileError> {
        if self.is_gone() {
            self.file = JsonLines::create(&self.path)?;
            self.written = 0;
        }
        self.write_rest()
    }

    fn write_rest(&mut self) -> Result<(), FileError> {
        for row in &self.rows[self.written..] {
            self.file.append(row)?;
            self.written += 1;
        }
        Ok(())
    }

    /// What the file holds.
    pub(super) fn mark(&self) -> LinesMark {
        self.file.mark()
    }

    /// Another handle of the file.
    ///
    /// # Errors
    /// When the system has no more handles.
    pub(super) fn handle(&self) -> Result<File, FileError> {
        self.file.handle()
    }
}
