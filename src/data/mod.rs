//! Where training data comes from: files by path, the embedded digits, and generated planar sets.
//!
//! [`open`] gives a [`Dataset`], which hands out batches of model values in the order channels, height,
//! width. Whatever a file holds, opening it gives a data set or a [`DataError`], never a panic.

mod axes;
mod cifar10;
mod csv;
mod dataset;
mod digits;
mod error;
mod file;
mod glimpse;
mod idx;
mod images;
mod kinds;
mod loaded;
mod npy;
mod options;
mod planar;
mod range;
mod scaling;
mod source;
mod split;
mod unpacked;

pub use dataset::Dataset;
pub use error::DataError;
pub use loaded::SampleFile;
pub use options::{Channels, Colour, DataOptions, Layout, RawRange, TrainedScaling};
pub use planar::PlanarDensity;
pub use scaling::Scaling;
pub use source::Source;
pub use split::{DataRecord, PartRecord};

use crate::shape::Shape;
use crate::words::{Word, choice, nearest, table};
use kinds::Seen;
use planar::SETS;
use source::Origin;
use std::path::Path;
use std::sync::LazyLock;

/// The sources that are read from files, each in the file of its loader.
const FILES: [Source; 5] = [
    idx::SOURCE,
    cifar10::SOURCE,
    images::SOURCE,
    npy::SOURCE,
    csv::SOURCE,
];

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

    /// Whether it is read from pictures, which have black and white.
    pub(crate) fn is_pictures(&self) -> bool {
        [images::SOURCE, cifar10::SOURCE].contains(self)
    }
}

/// The most points of a generated set that `limit` can ask to hold (512 MiB).
const MOST_HELD_POINTS: usize = 1 << 26;

/// Opens the data set that `options` describe. `seed` decides the order of samples and the points of
/// generated sets.
///
/// # Errors
///
/// Every way in which options, files and folders can be wrong is a [`DataError`].
pub fn open(options: &DataOptions, seed: u64) -> Result<Dataset, DataError> {
    open_after(options, seed, 0)
}

/// As [`open`], but of what a generated set lists without the first `seen` points, which a model has learned from.
pub(crate) fn open_after(
    options: &DataOptions,
    seed: u64,
    seen: usize,
) -> Result<Dataset, DataError> {
    let source = named(&options.source)?;
    let &DataOptions {
        low,
        high,
        limit,
        held_out: share,
        ..
    } = options;
    if !(0.0..1.0).contains(&share) {
        return Err(DataError::NoShare { share });
    }
    if !(low.is_finite() && high.is_finite() && low < high) {
        return Err(DataError::InvalidRange { low, high });
    }
    let name = source.name;
    match (source.needs_path(), options.path.is_empty()) {
        (false, false) => {
            return Err(DataError::UnexpectedPath {
                name,
                path: options.path.clone(),
                readers: names_of_files(),
            });
        }
        (true, true) => return Err(DataError::MissingPath { name }),
        _ => {}
    }
    let loaded = match source.origin {
        Origin::Generated(_) if limit > MOST_HELD_POINTS => {
            return Err(DataError::LimitTooLarge {
                limit,
                most: MOST_HELD_POINTS,
            });
        }
        // Already in their own scale.
        Origin::Generated(_) if !matches!(options.range, RawRange::Auto) => {
            return Err(DataError::UnreadRange { name });
        }
        Origin::Generated(planar) => {
            let data = Dataset::planar(planar, seen, limit, seed);
            options.takes(data.shape())?;
            return Ok(data);
        }
        Origin::Embedded(load) => load()?,
        Origin::File { load, .. } => {
            let path = Path::new(&options.path);
            check_kind(&source, path)?;
            load(path, options)?
        }
    };
    Dataset::loaded(name, loaded, options, seed)
}

/// Refuses what lies at `path` where it is of another kind than `source` reads; what is of no kind its loader refuses.
fn check_kind(source: &Source, path: &Path) -> Result<(), DataError> {
    if kinds::fits(source, path)? {
        return Ok(());
    }
    let Seen { sources, what } = kinds::look(path)?;
    match sources.first() {
        Some(fitting) => Err(DataError::OtherKind {
            path: path.into(),
            what,
            wanted: source.name,
            fitting: fitting.name,
        }),
        None => Ok(()),
    }
}

/// The source that reads the data called `name`: one that needs no file by its name, else that of what lies at this path,
/// told by its content.
///
/// # Errors
/// When there is nothing, or it could be of no kind or of several.
pub fn source_of(name: &str) -> Result<Source, DataError> {
    if let Some(source) = Source::named(name).filter(|source| !source.needs_path()) {
        return Ok(source);
    }
    let path = Path::new(name);
    if !path.exists() {
        return Err(DataError::NoData {
            name: name.into(),
            known: names(|source| !source.needs_path()),
        });
    }
    let Seen { sources, what } = kinds::look(path)?;
    let path = path.to_path_buf();
    match sources[..] {
        [source] => Ok(source),
        [] => Err(DataError::NoKind { path, what }),
        _ => Err(DataError::SeveralKinds {
            path,
            what,
            sources: sources.iter().map(|source| source.name).collect(),
        }),
    }
}

impl PlanarDensity {
    /// The density of the [`Source`] called `source`, after normal noise of standard deviation `noise` was added to both
    /// coordinates.
    ///
    /// # Errors
    /// When the source is not a generated planar set, or the noise is out of range.
    pub fn new(source: &str, noise: f64) -> Result<Self, DataError> {
        let Source { name, origin, .. } = named(source)?;
        match origin {
            Origin::Generated(planar) => PlanarDensity::of(planar, noise),
            Origin::Embedded(_) | Origin::File { .. } => Err(DataError::NoDensity {
                name,
                known: names(Source::has_density),
            }),
        }
    }
}

/// The names of some sources.
fn names(which: impl Fn(&Source) -> bool) -> Vec<&'static str> {
    let named = SOURCES.iter().filter(|source| which(source));
    named.map(|source| source.name).collect()
}

/// The names of those that are read from files, as a choice in a sentence.
fn names_of_files() -> String {
    let quoted: Vec<String> = names(Source::needs_path)
        .iter()
        .map(|name| format!("`{name}`"))
        .collect();
    choice(&quoted)
}

/// The source called `name`.
fn named(name: &str) -> Result<Source, DataError> {
    Source::named(name).ok_or_else(|| DataError::UnknownSource {
        name: name.into(),
        // MNIST and its kin (Fashion-MNIST, EMNIST, …) are no sources of their own: they come as IDX files.
        nearest: match name.to_lowercase().contains("mnist") {
            true => "idx",
            false => nearest(name, &Source::names()),
        },
        known: Source::names(),
    })
}
