//! Unsigned-byte images in the IDX format of MNIST (Y. LeCun, C. Cortes, C. Burges, *The MNIST database*).
//!
//! A big-endian header — magic 0x00000803, images, rows, columns, four bytes each — then the pixels.

use super::file::{name_of, read_rest, read_up_to};
use super::glimpse::{Glimpse, entries};
use super::loaded::{Loaded, Numbers, Values};
use super::source::{Origin, Reach, Source};
use super::unpacked::Unpacked;
use super::{DataError, DataOptions, Shape};
use std::path::{Path, PathBuf};

pub(super) const SOURCE: Source = Source {
    name: "idx",
    shape: None,
    origin: Origin::File {
        load,
        holds,
        reach: Reach::Folder,
        what: "IDX images",
    },
};

const MAGIC: [u8; 4] = [0, 0, 8, 3];
const HEADER_LEN: usize = 16;

fn holds(glimpse: &Glimpse) -> bool {
    glimpse.start.starts_with(&MAGIC)
}

/// Loads `path`: an IDX file, plain or gzipped, or a folder that holds one.
fn load(path: &Path, _: &DataOptions) -> Result<Loaded, DataError> {
    if !path.is_dir() {
        return load_file(path);
    }
    let (path, note) = choose(path)?;
    Ok(Loaded {
        notes: vec![note],
        ..load_file(&path)?
    })
}

/// The only image file in `folder`, or the only one of the training part, and a note that names it. Of a file and the same
/// one gzipped it is the first.
fn choose(folder: &Path) -> Result<(PathBuf, String), DataError> {
    let mut paths = Vec::new();
    for path in entries(folder)?.0 {
        if holds(&Glimpse::of(&path)?) {
            paths.push(path);
        }
    }
    let found: Vec<String> = paths.iter().map(|path| name_of(path)).collect();
    if found.iter().any(|name| name.contains("train")) {
        paths.retain(|path| name_of(path).contains("train"));
    }
    // Sorted by name, so that a file comes before what it is called when gzipped.
    paths.dedup_by(|path, before| name_of(path) == format!("{}.gz", name_of(before)));
    let names: Vec<String> = paths.iter().map(|path| name_of(path)).collect();
    match <[PathBuf; 1]>::try_from(paths) {
        Ok([path]) => {
            let chosen = name_of(&path);
            let others: Vec<String> = found.into_iter().filter(|name| *name != chosen).collect();
            let besides = match others.is_empty() {
                true => String::new(),
                false => format!(" (beside {}; data.path names one)", others.join(", ")),
            };
            Ok((path, format!("file: {chosen}{besides}")))
        }
        Err(paths) if paths.is_empty() => Err(DataError::NothingInFolder {
            folder: folder.into(),
            pattern: "IDX images",
        }),
        Err(_) => Err(DataError::Ambiguous {
            folder: folder.into(),
            names,
        }),
    }
}

fn load_file(path: &Path) -> Result<Loaded, DataError> {
    let Unpacked { mut file, packed } = Unpacked::open(path)?;
    let failed = |cause| packed.failure(path, cause);
    let header = read_up_to(&mut file, HEADER_LEN).map_err(failed)?;
    if !header.starts_with(&MAGIC) {
        return Err(DataError::WrongMagic {
            path: path.into(),
            wanted: "an IDX file of byte images",
            expected: MAGIC.to_vec(),
            found: header.into_iter().take(MAGIC.len()).collect(),
        });
    }
    let (words, _) = header.as_chunks();
    let &[_, count, height, width] = words else {
        return Err(DataError::Truncated {
            path: path.into(),
            expected: HEADER_LEN as u64,
            found: header.len() as u64,
        });
    };
    let sizes = [count, height, width].map(u32::from_be_bytes);
    let [count, height, width] = sizes;
    let expected = sizes
        .iter()
        .try_fold(1u64, |product, &size| product.checked_mul(size.into()))
        .ok_or_else(|| DataError::Malformed {
            path: path.into(),
            reason: format!(
                "the header claims {count} images of {height}×{width} pixels: fetch the file again"
            ),
        })?;
    if expected == 0 {
        return Err(DataError::Empty { path: path.into() });
    }
    let shape = Shape::new(1, height as usize, width as usize);
    let bytes = read_rest(file, expected, path, failed)?;
    Ok(Loaded::new(shape, Values::Whole(Numbers::Bytes(bytes))))
}
