//! Files that may be gzipped.

use super::DataError;
use super::file::{open_file, read_up_to, unreadable};
use flate2::bufread::MultiGzDecoder;
use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::path::Path;

const MAGIC: [u8; 2] = [0x1f, 0x8b];

/// What is in a file, after unpacking where it is gzipped.
pub(super) struct Unpacked {
    pub(super) file: Box<dyn BufRead>,
    pub(super) packed: Packed,
}

/// Whether a file is gzipped.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Packed {
    Plain,
    Gzip,
}

impl Unpacked {
    /// Opens the file at `path`.
    pub(super) fn open(path: &Path) -> Result<Self, DataError> {
        let (mut file, _) = open_file(path)?;
        let start = read_up_to(&mut file, MAGIC.len()).map_err(|e| unreadable(path, e))?;
        let is_packed = start == MAGIC;
        let whole = Cursor::new(start).chain(file);
        Ok(match is_packed {
            true => Unpacked {
                file: Box::new(BufReader::new(MultiGzDecoder::new(whole))),
                packed: Packed::Gzip,
            },
            false => Unpacked {
                file: Box::new(whole),
                packed: Packed::Plain,
            },
        })
    }
}

impl Packed {
    /// The error for a failed read of `path`.
    pub(super) fn failure(self, path: &Path, cause: io::Error) -> DataError {
        match self {
            Packed::Plain => unreadable(path, cause),
            Packed::Gzip => DataError::Gzip {
                path: path.into(),
                cause,
            },
        }
    }
}
