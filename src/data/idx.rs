//! Unsigned-byte images in the IDX format of MNIST (Y. LeCun, C. Cortes, C. Burges, *The MNIST database*).
//!
//! A big-endian header — magic 0x00000803, images, rows, columns, four bytes each — then the pixels.

use std::io::Read;
use std::path::{Path, PathBuf};

use flate2::bufread::MultiGzDecoder;

use super::dataset::Loaded;
use super::file::{files_in, name_of, open_file, read_rest, read_up_to, unreadable};
use super::source::{Origin, Source};
use super::{DataError, DataOptions, Shape};

pub(super) const SOURCE: Source = Source {
    name: "idx",
    shape: None,
    origin: Origin::File {
        load,
        is_named: |name| name.contains("idx3-ubyte") && !name.ends_with(".npy"),
    },
};

const MAGIC: [u8; 4] = [0, 0, 8, 3];
const HEADER_LEN: usize = 16;
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// Loads `path`: an IDX file, plain or gzipped, or a folder that holds one.
fn load(path: &Path, _: &DataOptions) -> Result<Loaded, DataError> {
    let path = if path.is_dir() {
        choose(path)?
    } else {
        path.to_path_buf()
    };
    let (mut file, _) = open_file(&path)?;
    let start = read_up_to(&mut file, GZIP_MAGIC.len()).map_err(|e| unreadable(&path, e))?;
    let whole = start.chain(file);
    if start == GZIP_MAGIC {
        parse(MultiGzDecoder::new(whole), &path, |cause| DataError::Gzip {
            path: path.clone(),
            cause,
        })
    } else {
        parse(whole, &path, |cause| unreadable(&path, cause))
    }
}

/// The only image file in `folder`, or the only one of the training part.
fn choose(folder: &Path) -> Result<PathBuf, DataError> {
    let mut paths = files_in(folder, "*images*idx3-ubyte*", |name| {
        name.find("images")
            .is_some_and(|at| name[at..].contains("idx3-ubyte"))
    })?;
    if paths.iter().any(|path| name_of(path).contains("train")) {
        paths.retain(|path| name_of(path).contains("train"));
    }
    match <[PathBuf; 1]>::try_from(paths) {
        Ok([path]) => Ok(path),
        Err(paths) => Err(DataError::Ambiguous {
            folder: folder.into(),
            names: paths.iter().map(|path| name_of(path)).collect(),
        }),
    }
}

fn parse(
    mut reader: impl Read,
    path: &Path,
    failed: impl Fn(std::io::Error) -> DataError,
) -> Result<Loaded, DataError> {
    let header = read_up_to(&mut reader, HEADER_LEN).map_err(&failed)?;
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
    let bytes = read_rest(reader, expected, path, failed)?;
    Ok(Loaded::bytes(shape, bytes, u8::MAX))
}
