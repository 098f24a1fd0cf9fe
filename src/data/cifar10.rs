//! The binary version of CIFAR-10 (A. Krizhevsky, *Learning multiple layers of features from tiny images*, 2009).
//!
//! Records of one label byte, 0–9, and 3,072 bytes: the red, green and blue planes of 32×32 pixels.

use super::file::{name_of, open_file, read_rest, unreadable};
use super::glimpse::{Glimpse, entries};
use super::loaded::Loaded;
use super::source::{Origin, Reach, Source};
use super::{DataError, DataOptions, Shape};
use std::io::{BufReader, Read};
use std::path::Path;

pub(super) const SOURCE: Source = Source {
    name: "cifar10",
    shape: Some(SHAPE),
    origin: Origin::File {
        load,
        holds: |glimpse| holds(glimpse).unwrap_or(false),
        reach: Reach::Folder,
        what: "CIFAR-10",
    },
};

const SHAPE: Shape = Shape::new(3, 32, 32);
const IMAGE_LEN: usize = SHAPE.len();
const RECORD_LEN: usize = 1 + IMAGE_LEN;
const LAST_LABEL: u8 = 9;

/// Whether a file is of whole records, whose labels are all in range.
fn holds(glimpse: &Glimpse) -> std::io::Result<bool> {
    let Some(len) = glimpse
        .len
        .filter(|&len| len > 0 && len.is_multiple_of(RECORD_LEN as u64))
    else {
        return Ok(false);
    };
    let mut file = BufReader::new(std::fs::File::open(&glimpse.path)?);
    let mut label = [0];
    for _ in 0..len / RECORD_LEN as u64 {
        file.read_exact(&mut label)?;
        if label[0] > LAST_LABEL {
            return Ok(false);
        }
        file.seek_relative(IMAGE_LEN as i64)?;
    }
    Ok(true)
}

/// Loads `path`: one file, or a folder of them, of which those called `data_batch…` are the training part.
fn load(path: &Path, _: &DataOptions) -> Result<Loaded, DataError> {
    let mut bytes = Vec::new();
    let mut notes = Vec::new();
    if path.is_dir() {
        let mut paths = Vec::new();
        for path in entries(path)?.0 {
            // By name as well, so that a damaged batch is an error and not left out.
            if is_batch(&path) || holds(&Glimpse::of(&path)?).unwrap_or(false) {
                paths.push(path);
            }
        }
        if paths.iter().any(|path| is_batch(path)) {
            paths.retain(|path| is_batch(path));
        }
        if paths.is_empty() {
            return Err(DataError::NothingInFolder {
                folder: path.into(),
                pattern: "CIFAR-10",
            });
        }
        for path in &paths {
            append(path, &mut bytes)?;
        }
        let names: Vec<String> = paths.iter().map(|path| name_of(path)).collect();
        notes.push(format!("files: {}", names.join(", ")));
    } else {
        append(path, &mut bytes)?;
    }
    Ok(Loaded {
        notes,
        ..Loaded::bytes(SHAPE, bytes, u8::MAX)
    })
}

fn is_batch(path: &Path) -> bool {
    let name = name_of(path).to_lowercase();
    name.starts_with("data_batch") && name.ends_with(".bin")
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
