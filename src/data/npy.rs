//! Arrays saved by NumPy (*NEP 1: a simple file format for NumPy arrays*), of type u8, f32 or f64.
//!
//! The header is parsed here because it is untrusted: `npyz` multiplies the claimed sizes unchecked and
//! parses nested Python literals by recursion.

use std::path::Path;

use super::dataset::{Loaded, Values};
use super::file::{open_file, read_rest, read_up_to, unreadable};
use super::source::{Origin, Source};
use super::{DataError, DataOptions, Shape};

pub(super) const SOURCE: Source = Source {
    name: "npy",
    shape: None,
    origin: Origin::File {
        load,
        is_named: |name| name.ends_with(".npy"),
    },
};

const MAGIC: &[u8; 6] = b"\x93NUMPY";
/// NumPy writes about 120 bytes for an array of four dimensions.
const LONGEST_HEADER: usize = 65_535;

/// How one element is stored.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Element {
    U8,
    F32 { little: bool },
    F64 { little: bool },
}

#[derive(Debug, PartialEq)]
struct Header {
    element: Element,
    sizes: Vec<u64>,
}

/// Loads the array at `path`: N×D, N×H×W or N×C×H×W, in C order.
fn load(path: &Path, _: &DataOptions) -> Result<Loaded, DataError> {
    let malformed = |reason: String| DataError::Malformed {
        path: path.into(),
        reason,
    };
    let failed = |cause| unreadable(path, cause);
    let (mut file, _) = open_file(path)?;

    // Magic, version (major, minor), then the header's length: two bytes in version 1, else four.
    let magic = read_up_to(&mut file, MAGIC.len()).map_err(failed)?;
    if magic != MAGIC {
        return Err(DataError::WrongMagic {
            path: path.into(),
            wanted: "a .npy file",
            expected: MAGIC.to_vec(),
            found: magic,
        });
    }
    let version = exactly(&mut file, 2, path)?;
    let length_bytes = match version[0] {
        1 => 2,
        2 | 3 => 4,
        other => {
            return Err(malformed(format!(
                "format version {other} is unknown: save it with np.save again"
            )));
        }
    };
    let length = exactly(&mut file, length_bytes, path)?
        .iter()
        .rfold(0, |length, &byte| length << 8 | usize::from(byte));
    if length > LONGEST_HEADER {
        return Err(malformed(format!(
            "the header claims {length} bytes: save it with np.save again"
        )));
    }
    let text = exactly(&mut file, length, path)?;
    let header = parse_header(&String::from_utf8_lossy(&text)).map_err(malformed)?;
    let shape = sample_shape(&header.sizes).map_err(malformed)?;

    let item = match header.element {
        Element::U8 => 1u64,
        Element::F32 { .. } => 4,
        Element::F64 { .. } => 8,
    };
    let expected = header
        .sizes
        .iter()
        .try_fold(item, |product, &size| product.checked_mul(size))
        .ok_or_else(|| {
            malformed(format!(
                "the header claims the shape {:?}: save it with np.save again",
                header.sizes
            ))
        })?;
    if expected == 0 {
        return Err(DataError::Empty { path: path.into() });
    }
    let bytes = read_rest(file, expected, path, failed)?;
    let floats: Vec<f32> = match header.element {
        Element::U8 => return Ok(Loaded::bytes(shape, bytes, u8::MAX)),
        Element::F32 { little: true } => decode(&bytes, f32::from_le_bytes),
        Element::F32 { little: false } => decode(&bytes, f32::from_be_bytes),
        Element::F64 { little: true } => decode(&bytes, |b| f64::from_le_bytes(b) as f32),
        Element::F64 { little: false } => decode(&bytes, |b| f64::from_be_bytes(b) as f32),
    };
    if let Some(at) = floats.iter().position(|value| !value.is_finite()) {
        return Err(DataError::NonFinite {
            path: path.into(),
            sample: at / shape.len(),
        });
    }
    Ok(Loaded::new(shape, Values::Floats(floats)))
}

/// Reads exactly `count` bytes of the header.
fn exactly(
    reader: &mut impl std::io::Read,
    count: usize,
    path: &Path,
) -> Result<Vec<u8>, DataError> {
    let bytes = read_up_to(reader, count).map_err(|e| unreadable(path, e))?;
    if bytes.len() < count {
        return Err(DataError::Malformed {
            path: path.into(),
            reason: "its header is cut short: save it with np.save again".into(),
        });
    }
    Ok(bytes)
}

fn decode<const N: usize>(bytes: &[u8], value: impl Fn([u8; N]) -> f32) -> Vec<f32> {
    let (items, _) = bytes.as_chunks();
    items.iter().map(|&item| value(item)).collect()
}

/// The shape of one sample of an array of `sizes`.
fn sample_shape(sizes: &[u64]) -> Result<Shape, String> {
    let [_, sample @ ..] = sizes else {
        return Err("the array has no dimensions: give it the shape N×D, N×H×W or N×C×H×W".into());
    };
    let sample: Vec<usize> = sample
        .iter()
        .map(|&size| size.try_into())
        .collect::<Result<_, _>>()
        .map_err(|_| {
            format!("the header claims the shape {sizes:?}: save it with np.save again")
        })?;
    match sample[..] {
        [values] => Ok(Shape::new(values, 1, 1)),
        [height, width] => Ok(Shape::new(1, height, width)),
        [channels, height, width] => Ok(Shape::new(channels, height, width)),
        _ => Err(format!(
            "the array has {} dimensions: give it the shape N×D, N×H×W or N×C×H×W",
            sizes.len()
        )),
    }
}

/// Parses the one form of header that is an array of plain numbers:
/// `{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }`, with the keys in any order.
fn parse_header(text: &str) -> Result<Header, String> {
    let broken =
        || "its header is not that of a plain array: save it with np.save again".to_string();
    let mut rest = text;
    let (mut element, mut c_order, mut sizes) = (None, false, None);
    take(&mut rest, "{").ok_or_else(broken)?;
    while take(&mut rest, "}").is_none() {
        let key = quoted(&mut rest).ok_or_else(broken)?;
        take(&mut rest, ":").ok_or_else(broken)?;
        match key {
            "descr" => {
                let name = quoted(&mut rest).ok_or_else(broken)?;
                element = Some(parse_element(name)?);
            }
            "fortran_order" => {
                if take(&mut rest, "True").is_some() {
                    return Err(
                        "the array is in Fortran order: save np.ascontiguousarray(array)".into(),
                    );
                }
                take(&mut rest, "False").ok_or_else(broken)?;
                c_order = true;
            }
            "shape" => sizes = Some(tuple(&mut rest).ok_or_else(broken)?),
            _ => return Err(broken()),
        }
        if take(&mut rest, ",").is_none() && !rest.trim_start().starts_with('}') {
            return Err(broken());
        }
    }
    match (element, c_order, sizes) {
        (Some(element), true, Some(sizes)) if rest.trim().is_empty() => {
            Ok(Header { element, sizes })
        }
        _ => Err(broken()),
    }
}

fn parse_element(name: &str) -> Result<Element, String> {
    match name {
        "|u1" | "<u1" | ">u1" => Ok(Element::U8),
        "<f4" | ">f4" => Ok(Element::F32 {
            little: name.starts_with('<'),
        }),
        "<f8" | ">f8" => Ok(Element::F64 {
            little: name.starts_with('<'),
        }),
        _ => Err(format!(
            "its values have type {name:?}, but only u1, f4 and f8 can be read: save array.astype('float32')"
        )),
    }
}

/// Moves past `token` and the blanks before it, if it comes next.
fn take(rest: &mut &str, token: &str) -> Option<()> {
    *rest = rest.trim_start().strip_prefix(token)?;
    Some(())
}

/// Moves past a quoted string without escapes.
fn quoted<'a>(rest: &mut &'a str) -> Option<&'a str> {
    let trimmed = rest.trim_start();
    let quote = trimmed.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
    let (inside, after) = trimmed[1..].split_once(quote)?;
    *rest = after;
    Some(inside)
}

/// Moves past a tuple of whole numbers.
fn tuple(rest: &mut &str) -> Option<Vec<u64>> {
    take(rest, "(")?;
    let (inside, after) = rest.split_once(')')?;
    *rest = after;
    let inside = inside.trim();
    let fields = inside.strip_suffix(',').unwrap_or(inside);
    if fields.is_empty() {
        return Some(Vec::new());
    }
    fields
        .split(',')
        .map(|field| field.trim().parse().ok())
        .collect()
}
