//! Where data can come from.

use super::glimpse::Glimpse;
use super::loaded::Loaded;
use super::planar::Planar;
use super::{DataError, DataOptions};
use crate::shape::Shape;
use std::path::Path;

/// Where data can come from.
#[derive(Clone, Copy)]
pub struct Source {
    /// What configurations call it.
    pub name: &'static str,
    /// The shape of its samples where it does not depend on a file.
    pub shape: Option<Shape>,
    pub(super) origin: Origin,
}

/// What opens a source.
#[derive(Clone, Copy)]
pub(super) enum Origin {
    /// Loads what is part of the program.
    Embedded(fn() -> Result<Loaded, DataError>),
    Generated(&'static Planar),
    File {
        /// Loads a file or folder, read as the options say; of their other fields it needs none.
        load: fn(&Path, &DataOptions) -> Result<Loaded, DataError>,
        /// Whether a file is one of these by its content, whatever its name.
        holds: fn(&Glimpse) -> bool,
        reach: Reach,
        /// What such files are, in words.
        what: &'static str,
    },
}

/// What a source can be read from, beside a single file.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    File,
    /// A folder of such files.
    Folder,
    /// Such a folder and the folders below it.
    Tree,
}

impl Source {
    /// Whether it is read from a file or folder.
    pub fn needs_path(&self) -> bool {
        matches!(self.origin, Origin::File { .. })
    }

    /// Whether the density of its samples is known.
    pub(crate) fn has_density(&self) -> bool {
        self.is_generated()
    }

    /// Whether its samples are drawn by a formula, as many as are asked for.
    pub(crate) fn is_generated(&self) -> bool {
        matches!(self.origin, Origin::Generated(_))
    }

    /// What it is read from; none where it needs no file.
    pub(super) fn reach(&self) -> Option<Reach> {
        match self.origin {
            Origin::File { reach, .. } => Some(reach),
            Origin::Embedded(_) | Origin::Generated(_) => None,
        }
    }
}
