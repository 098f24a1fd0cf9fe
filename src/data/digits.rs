//! The embedded handwritten digits (`assets/digits/README.md` has their origin and licence).

use std::io::Read;
use std::path::Path;

use flate2::read::GzDecoder;

use super::loaded::Loaded;
use super::source::{Origin, Source};
use super::{DataError, Shape};

const PACKED: &[u8] = include_bytes!("../../assets/digits/digits.csv.gz");

const SHAPE: Shape = Shape::new(1, 8, 8);

pub(super) const SOURCE: Source = Source {
    name: "digits",
    shape: Some(SHAPE),
    origin: Origin::Embedded(load),
};

/// The brightest pixel.
const MAX: u8 = 16;

/// Loads the 1,797 digits, 1×8×8.
fn load() -> Result<Loaded, DataError> {
    let path = Path::new("assets/digits/digits.csv.gz");
    let mut text = String::new();
    GzDecoder::new(PACKED)
        .read_to_string(&mut text)
        .map_err(|cause| DataError::Gzip {
            path: path.into(),
            cause,
        })?;
    let mut bytes = Vec::with_capacity(text.len());
    for (index, line) in text.lines().enumerate() {
        let before = bytes.len();
        let pixels = line.split(',').take(SHAPE.len());
        bytes.extend(
            pixels
                .map_while(|field| field.parse().ok())
                .filter(|&value: &u8| value <= MAX),
        );
        if bytes.len() - before != SHAPE.len() {
            return Err(DataError::Malformed {
                path: path.into(),
                reason: format!(
                    "line {} does not start with 64 numbers from 0 to {MAX}: restore the file and rebuild",
                    index + 1
                ),
            });
        }
    }
    Ok(Loaded::bytes(SHAPE, bytes, MAX))
}
