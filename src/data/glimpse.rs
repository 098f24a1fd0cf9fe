//! A look at files and folders, before it is known what they hold.

use super::DataError;
use super::file::{name_of, open_file, read_up_to, unreadable};
use super::unpacked::{Packed, Unpacked};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Bytes from the start of a file that tell its kind.
const START: usize = 4096;
/// The same of a table, which can begin with long comments.
pub(super) const START_OF_TABLE: usize = 1 << 20;

/// What lies beside data without the user's doing, in lower case; what begins with a dot is hidden too.
const COMPANIONS: [&str; 3] = ["thumbs.db", "desktop.ini", "__macosx"];

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
        let mut look = || {
            let mut start = read_up_to(&mut file, START)?;
            if start.first() == Some(&b'#') {
                start.extend(read_up_to(&mut file, START_OF_TABLE - START)?);
            }
            Ok(start)
        };
        let (start, len) = match packed {
            Packed::Plain => (look().map_err(|e| unreadable(path, e))?, Some(len)),
            // What cannot be unpacked is of no kind.
            Packed::Gzip => (look().unwrap_or_else(|_: io::Error| Vec::new()), None),
        };
        Ok(Glimpse {
            path: path.into(),
            start,
            len,
        })
    }

    pub(super) fn is_packed(&self) -> bool {
        self.len.is_none()
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
    paths.retain(|path| !is_hidden(&name_of(path)));
    paths.sort();
    let (folders, others): (Vec<_>, Vec<_>) = paths.into_iter().partition(|path| path.is_dir());
    let files = others.into_iter().filter(|path| path.is_file()).collect();
    Ok((files, folders))
}

/// Whether what is called `name` is of the system's making, or not meant to be seen.
pub(super) fn is_hidden(name: &str) -> bool {
    name.starts_with('.') || COMPANIONS.contains(&name.to_lowercase().as_str())
}
