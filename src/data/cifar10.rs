//! The binary version of CIFAR-10 (A. Krizhevsky, *Learning multiple layers of features from tiny images*, 2009).
//!
//! Records of one label byte, 0–9, and 3,072 bytes: the red, green and blue planes of 32×32 pixels.

use std::path::Path;

use super::dataset::Loaded;
use super::file::{files_in, open_file, read_rest, unreadable};
use super::source::{Origin, Source};
use super::{DataError, DataOptions, Shape};

pub(super) const SOURCE: Source = Source {
    name: "cifar10",
    shape: Some(SHAPE),
    origin: Origin::File {
        load,
        is_named: |name| name.ends_with(".bin"),
    },
};

const SHAPE: Shape = Shape::new(3, 32, 32);
const IMAGE_LEN: usize = SHAPE.len();
const RECORD_LEN: usize = 1 + IMAGE_LEN;
const LAST_LABEL: u8 = 9;

/// Loads `path`: one `.bin` file, or a folder of `data_batch_*.bin`.
fn load(path: &Path, _: &DataOptions) -> Result<Loaded, DataError> {
    let mut bytes = Vec::new();
    if path.is_dir() {
        let fits = |name: &str| name.starts_with("data_batch_") && name.ends_with(".bin");
        for file in files_in(path, "data_batch_*.bin", fits)? {
            append(&file, &mut bytes)?;
        }
    } else {
        append(path, &mut bytes)?;
    }
    Ok(Loaded::bytes(SHAPE, bytes, u8::MAX))
}

/// Appends the images of one file, without their labels.
fn append(path: &Path, images: &mut Vec<u8>) -> Result<(), DataError> {
    let (file, len) = open_file(path)?;
    if len == 0 {
        return Err(DataError::Empty { path: path.into() });
    }
    let records = read_rest(file, len, path, |e| unreadable(path, e))?;
    // Labels first: another format fails here, and "cut short" would be the wrong advice for it.
    for (index, record) in records.chunks(RECORD_LEN).enumerate() {
        if record[0] > LAST_LABEL {
            return Err(DataError::Malformed {
                path: path.into(),
                reason: format!(
                    "record {index} has label {}, but labels end at {LAST_LABEL}: unpack the binary version of CIFAR-10 and name one of its .bin files",
                    record[0]
                ),
            });
        }
    }
    if records.len() % RECORD_LEN != 0 {
        return Err(DataError::Truncated {
            path: path.into(),
            expected: len.next_multiple_of(RECORD_LEN as u64),
            found: len,
        });
    }
    images.reserve_exact(records.len() / RECORD_LEN * IMAGE_LEN);
    for record in records.chunks_exact(RECORD_LEN) {
        images.extend_from_slice(&record[1..]);
    }
    Ok(())
}
