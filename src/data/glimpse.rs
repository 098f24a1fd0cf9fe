//! A look at files and folders, before it is known what they hold.

use super::DataError;
use super::file::{name_of, open_file, read_up_to, unreadable};
use super::unpacked::{Packed, Unpacked};
use std::fs;
use std::path::{Path, PathBuf};

/// Bytes from the start of a file that tell its kind.
pub(super) const START: usize = 4096;

/// A look at a file.
pub(super) struct Glimpse {
    pub(super) path: PathBuf,
    /// Its first bytes, unpacked where it is gzipped.
    pub(super) start: Vec<u8>,
    /// Its length in bytes; none where it is gzipped.
    pub(super) len: Option<u64>,
}

impl Glimpse {
    pub(super) fn of(path: &Path) -> Result<Self, DataError> {
        let (_, len) = open_file(path)?;
        let Unpacked { mut file, packed } = Unpacked::open(path)?;
        let (start, len) = match packed {
            Packed::Plain => (
                read_up_to(&mut file, START).map_err(|e| unreadable(path, e))?,
                Some(len),
            ),
            // What cannot be unpacked is of no kind.
            Packed::Gzip => (read_up_to(&mut file, START).unwrap_or_default(), None),
        };
        Ok(Glimpse {
            path: path.into(),
            start,
            len,
        })
    }
}

/// The visible files and folders in `folder`, each sorted by name.
pub(super) fn entries(folder: &Path) -> Result<(Vec<PathBuf>, Vec<PathBuf>), DataError> {
    let failed = |cause| unreadable(folder, cause);
    let paths = fs::read_dir(folder).map_err(failed)?;
    let paths: Result<Vec<PathBuf>, _> = paths
        .map(|entry| Ok(entry.map_err(failed)?.path()))
        .collect();
    let mut paths = paths?;
    paths.retain(|path| !name_of(path).starts_with('.'));
    paths.sort();
    let (folders, others): (Vec<_>, Vec<_>) = paths.into_iter().partition(|path| path.is_dir());
    let files = others.into_iter().filter(|path| path.is_file()).collect();
    Ok((files, folders))
}
