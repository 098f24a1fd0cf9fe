//! Where training data comes from: files by path, the embedded digits, and generated planar sets.
//!
//! [`open`] gives a [`Dataset`], which hands out batches of model values in the order channels, height,
//! width. Whatever a file holds, opening it gives a data set or a [`DataError`], never a panic.

mod cifar10;
mod dataset;
mod digits;
mod error;
mod file;
mod idx;
mod images;
mod npy;
mod planar;
mod scaling;

use std::path::Path;

pub use dataset::Dataset;
pub use error::DataError;
pub use planar::PlanarDensity;
pub use scaling::Scaling;

use crate::shape::Shape;
use planar::Planar;

/// What [`open`] does for a source.
#[derive(Clone, Copy)]
enum SourceKind {
    Digits,
    Planar(Planar),
    Idx,
    Cifar10,
    Images,
    Npy,
}

const SOURCE_KINDS: [(&str, SourceKind); 11] = [
    ("digits", SourceKind::Digits),
    ("8gaussians", SourceKind::Planar(Planar::EightGaussians)),
    ("2spirals", SourceKind::Planar(Planar::TwoSpirals)),
    ("checkerboard", SourceKind::Planar(Planar::Checkerboard)),
    ("rings", SourceKind::Planar(Planar::Rings)),
    ("moons", SourceKind::Planar(Planar::Moons)),
    ("pinwheel", SourceKind::Planar(Planar::Pinwheel)),
    ("idx", SourceKind::Idx),
    ("cifar10", SourceKind::Cifar10),
    ("images", SourceKind::Images),
    ("npy", SourceKind::Npy),
];

/// The known sources.
pub const SOURCES: &[&str] = &{
    let mut names = [""; SOURCE_KINDS.len()];
    let mut i = 0;
    while i < names.len() {
        names[i] = SOURCE_KINDS[i].0;
        i += 1;
    }
    names
};

/// The most points of a generated set that `limit` can ask to hold (512 MiB).
const MOST_HELD_POINTS: usize = 1 << 26;

/// Which data to open, and how to scale it.
#[derive(Clone, Debug, PartialEq)]
pub struct DataOptions {
    /// One of [`SOURCES`].
    pub source: String,
    /// File or folder, for `idx` (either), `cifar10` (either), `images` (folder) and `npy` (file); empty
    /// for the others.
    pub path: String,
    /// The model value of the darkest raw value. Raw values of pictures and of byte arrays lie in
    /// [0, 255], of `digits` in [0, 16]; planar sets and float arrays are taken as they are.
    pub low: f32,
    /// The model value of the brightest raw value.
    pub high: f32,
    /// Keep only the first `limit` samples; 0 for all. Makes a finite set of a generated one.
    pub limit: usize,
}

/// The known source that `name` most likely means.
fn nearest(name: &str) -> &'static str {
    let name = name.to_lowercase();
    // MNIST and its kin (Fashion-MNIST, EMNIST, …) are no sources of their own: they come as IDX files.
    if name.contains("mnist") {
        return "idx";
    }
    SOURCES
        .iter()
        .copied()
        .min_by_key(|known| strsim::damerau_levenshtein(known, &name))
        .unwrap_or_default()
}

/// The shape of the samples of `source` where it does not depend on a file.
pub fn known_shape(source: &str) -> Option<Shape> {
    match known(source).ok()?.1 {
        SourceKind::Digits => Some(Shape::new(1, 8, 8)),
        SourceKind::Planar(_) => Some(Shape::new(2, 1, 1)),
        SourceKind::Cifar10 => Some(Shape::new(3, 32, 32)),
        SourceKind::Idx | SourceKind::Images | SourceKind::Npy => None,
    }
}

/// What [`SOURCE_KINDS`] says of the source called `source`.
fn known(source: &str) -> Result<(&'static str, SourceKind), DataError> {
    SOURCE_KINDS
        .into_iter()
        .find(|(name, _)| *name == source)
        .ok_or_else(|| DataError::UnknownSource {
            name: source.into(),
            nearest: nearest(source),
        })
}

/// The planar set called `source`.
fn planar_source(source: &str) -> Result<Planar, DataError> {
    match known(source)? {
        (_, SourceKind::Planar(planar)) => Ok(planar),
        (name, _) => Err(DataError::NoDensity { name }),
    }
}

/// Opens the data set that `options` describe. `seed` decides the order of samples and the points of
/// generated sets.
///
/// # Errors
///
/// Every way in which options, files and folders can be wrong is a [`DataError`].
pub fn open(options: &DataOptions, seed: u64) -> Result<Dataset, DataError> {
    let (name, kind) = known(&options.source)?;
    let &DataOptions {
        low, high, limit, ..
    } = options;
    if !(low.is_finite() && high.is_finite() && low < high) {
        return Err(DataError::InvalidRange { low, high });
    }
    let path = Path::new(&options.path);
    match (kind, options.path.is_empty()) {
        (SourceKind::Digits | SourceKind::Planar(_), false) => {
            return Err(DataError::UnexpectedPath {
                name,
                path: options.path.clone(),
            });
        }
        (SourceKind::Idx | SourceKind::Cifar10 | SourceKind::Images | SourceKind::Npy, true) => {
            return Err(DataError::MissingPath { name });
        }
        _ => {}
    }
    let loaded = match kind {
        SourceKind::Planar(_) if limit > MOST_HELD_POINTS => {
            return Err(DataError::LimitTooLarge {
                limit,
                most: MOST_HELD_POINTS,
            });
        }
        SourceKind::Planar(planar) => return Ok(Dataset::planar(name, planar, limit, seed)),
        SourceKind::Digits => digits::load()?,
        SourceKind::Idx => idx::load(path)?,
        SourceKind::Cifar10 => cifar10::load(path)?,
        SourceKind::Images => images::load(path, if limit == 0 { usize::MAX } else { limit })?,
        SourceKind::Npy => npy::load(path)?,
    };
    Ok(Dataset::loaded(name, loaded, options, seed))
}
