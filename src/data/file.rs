//! Opening files and folders with errors that name them.

use std::fs::{self, File};
use std::io::{self, BufReader, Read};
use std::path::Path;

use super::DataError;

/// The error for a failed look at `path`.
pub(super) fn unreadable(path: &Path, cause: io::Error) -> DataError {
    let path = path.to_path_buf();
    match cause.kind() {
        io::ErrorKind::NotFound => DataError::NotFound { path },
        _ => DataError::Unreadable { path, cause },
    }
}

/// Opens a regular file and tells its length in bytes.
pub(super) fn open_file(path: &Path) -> Result<(BufReader<File>, u64), DataError> {
    // Before opening, because opening a pipe that nobody writes to waits for ever.
    let metadata = fs::metadata(path).map_err(|e| unreadable(path, e))?;
    if !metadata.is_file() {
        return Err(DataError::WrongKind {
            path: path.into(),
            wanted: "a file",
        });
    }
    let file = File::open(path).map_err(|e| unreadable(path, e))?;
    Ok((BufReader::new(file), metadata.len()))
}

/// Reads the `expected` bytes that must be the rest of `reader`.
///
/// Memory grows with what is really there, so a header that claims an absurd size costs nothing.
pub(super) fn read_rest(
    reader: impl Read,
    expected: u64,
    path: &Path,
    failed: impl Fn(io::Error) -> DataError,
) -> Result<Vec<u8>, DataError> {
    let mut bytes = Vec::new();
    reader
        .take(expected.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    let (path, found) = (path.to_path_buf(), bytes.len() as u64);
    if found < expected {
        return Err(DataError::Truncated {
            path,
            expected,
            found,
        });
    }
    if found > expected {
        return Err(DataError::TrailingBytes { path, expected });
    }
    bytes.shrink_to_fit();
    Ok(bytes)
}

/// Reads up to `count` bytes; fewer only at the end of the file.
pub(super) fn read_up_to(reader: &mut impl Read, count: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    reader.take(count as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The last component of `path`, for matching and for messages.
pub(super) fn name_of(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}
