//! Where data can come from.

use super::dataset::Loaded;
use super::planar::{Planar, SETS};
use super::{DataError, FILES, digits, images};
use crate::shape::Shape;
use crate::words::{Word, table};
use std::path::Path;
use std::sync::LazyLock;

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
        /// Loads a file or folder, of which no more than so many samples are needed.
        load: fn(&Path, usize) -> Result<Loaded, DataError>,
        /// Whether a file is one of these by its name.
        is_named: fn(&str) -> bool,
    },
}

/// Every source, the default first.
static SOURCES: LazyLock<Vec<Source>> = LazyLock::new(|| {
    let generated = SETS.map(|set| Source {
        name: set.name,
        shape: Some(Shape::new(2, 1, 1)),
        origin: Origin::Generated(set),
    });
    [&[digits::SOURCE][..], &generated, &FILES].concat()
});

table!(Source, Source, &SOURCES);

impl Source {
    /// The embedded digits.
    pub const DIGITS: Source = digits::SOURCE;
    /// Folders of pictures.
    pub const IMAGES: Source = images::SOURCE;

    /// Whether it is read from a file or folder.
    pub fn needs_path(&self) -> bool {
        matches!(self.origin, Origin::File { .. })
    }

    /// Whether the density of its samples is known.
    pub(super) fn has_density(&self) -> bool {
        matches!(self.origin, Origin::Generated(_))
    }

    /// Whether a file of this name is one of its files.
    pub fn has_files_named(&self, name: &str) -> bool {
        matches!(self.origin, Origin::File { is_named, .. } if is_named(name))
    }
}

/// The names of some sources.
pub(super) fn names(which: impl Fn(&Source) -> bool) -> Vec<&'static str> {
    let named = SOURCES.iter().filter(|source| which(source));
    named.map(|source| source.name).collect()
}

/// The names of those that are read from files, as a choice in a sentence.
pub(super) fn names_of_files() -> String {
    let quoted: Vec<String> = names(Source::needs_path)
        .iter()
        .map(|name| format!("`{name}`"))
        .collect();
    match quoted.split_last() {
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
        None => String::new(),
    }
}

/// The source called `name`.
pub(super) fn named(name: &str) -> Result<Source, DataError> {
    Source::named(name).ok_or_else(|| DataError::UnknownSource {
        name: name.into(),
        nearest: nearest(name),
    })
}

/// The known source that `name` most likely means.
fn nearest(name: &str) -> &'static str {
    let name = name.to_lowercase();
    // MNIST and its kin (Fashion-MNIST, EMNIST, …) are no sources of their own: they come as IDX files.
    if name.contains("mnist") {
        return "idx";
    }
    Source::names()
        .into_iter()
        .min_by_key(|known| strsim::damerau_levenshtein(known, &name))
        .unwrap_or_default()
}
