//! Arrays saved by NumPy (*NEP 1: a simple file format for NumPy arrays*): whole numbers, truth values, and floats of up to
//! 64 bits.
//!
//! The header is parsed here because it is untrusted: `npyz` multiplies the claimed sizes unchecked and
//! parses nested Python literals by recursion.

use super::axes::{self, Axes};
use super::file::{read_rest, read_up_to};
use super::loaded::{Loaded, Numbers, Values};
use super::source::{Origin, Reach, Source};
use super::unpacked::Unpacked;
use super::{DataError, DataOptions};
use half::f16;
use std::path::Path;

pub(super) const SOURCE: Source = Source {
    name: "npy",
    shape: None,
    origin: Origin::File {
        load,
        holds: |glimpse| glimpse.start.starts_with(MAGIC),
        reach: Reach::File,
        what: "a NumPy array",
    },
};

const MAGIC: &[u8; 6] = b"\x93NUMPY";
/// NumPy writes about 120 bytes for an array of four dimensions.
const LONGEST_HEADER: usize = 65_535;

const STRUCTURED: &str = "it is a structured array, with named fields: save a plain one, such as \
    np.lib.recfunctions.structured_to_unstructured(array), or np.stack([array[\"x\"], array[\"y\"]], axis=1)";

/// How one element is stored.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Element {
    kind: Kind,
    bytes: usize,
    little: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Truth,
    Unsigned,
    Signed,
    Float,
}

#[derive(Debug, PartialEq)]
struct Header {
    element: Element,
    sizes: Vec<u64>,
}

/// Loads the array at `path`, in C order.
fn load(path: &Path, options: &DataOptions) -> Result<Loaded, DataError> {
    let malformed = |reason: String| DataError::Malformed {
        path: path.into(),
        reason,
    };
    let Unpacked { mut file, packed } = Unpacked::open(path)?;
    let failed = |cause| packed.failure(path, cause);

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
    let mut exactly = |count: usize| {
        let bytes = read_up_to(&mut file, count).map_err(failed)?;
        match bytes.len() < count {
            true => Err(malformed(
                "its header is cut short: save it with np.save again".into(),
            )),
            false => Ok(bytes),
        }
    };
    let length_bytes = match exactly(2)?[0] {
        1 => 2,
        2 | 3 => 4,
        other => {
            return Err(malformed(format!(
                "format version {other} is unknown: save it with np.save again"
            )));
        }
    };
    let length = exactly(length_bytes)?
        .iter()
        .rfold(0, |length, &byte| length << 8 | usize::from(byte));
    if length > LONGEST_HEADER {
        return Err(malformed(format!(
            "the header claims {length} bytes: save it with np.save again"
        )));
    }
    let text = exactly(length)?;
    let Header { element, sizes } =
        parse_header(&String::from_utf8_lossy(&text)).map_err(malformed)?;
    let absurd = || {
        malformed(format!(
            "the header claims the shape {sizes:?}: save it with np.save again"
        ))
    };
    let expected = sizes
        .iter()
        .try_fold(element.bytes as u64, |product, &size| {
            product.checked_mul(size)
        })
        .ok_or_else(absurd)?;
    let sides: Option<Vec<usize>> = sizes.iter().map(|&size| size.try_into().ok()).collect();
    let sides = sides.ok_or_else(absurd)?;
    let read = axes::read(&sides, options.layout, options.scored_by);
    if expected == 0 && sides.len() > 1 {
        return Err(DataError::Empty { path: path.into() });
    }
    let Axes {
        shape,
        channels_last,
        note,
    } = read.map_err(malformed)?;
    let bytes = read_rest(file, expected, path, failed)?;
    let mut numbers = numbers(bytes, element).ok_or_else(|| {
        malformed("its truth values are not all 0 or 1: save it with np.save again".into())
    })?;
    if channels_last {
        numbers = axes::channels_first(numbers, shape);
    }
    let values = match element.kind {
        Kind::Float => Values::Real(numbers),
        Kind::Truth => Values::Truth(numbers),
        Kind::Unsigned | Kind::Signed => Values::Whole(numbers),
    };
    Ok(Loaded {
        notes: note.into_iter().collect(),
        ..Loaded::new(shape, values)
    })
}

/// The elements in `bytes`; none where a truth value is neither 0 nor 1.
fn numbers(bytes: Vec<u8>, element: Element) -> Option<Numbers> {
    let Element {
        kind,
        bytes: size,
        little,
    } = element;
    /// Elements of `$type` as those of a variant.
    macro_rules! decoded {
        ($type:ty, $variant:ident, $convert:expr) => {{
            let (items, _) = bytes.as_chunks();
            let value = |&item: &[u8; size_of::<$type>()]| match little {
                true => $convert(<$type>::from_le_bytes(item)),
                false => $convert(<$type>::from_be_bytes(item)),
            };
            Numbers::$variant(items.iter().map(value).collect())
        }};
    }
    Some(match (kind, size) {
        (Kind::Truth, _) if bytes.iter().any(|&byte| byte > 1) => return None,
        (Kind::Truth, _) | (Kind::Unsigned, 1) => Numbers::Bytes(bytes),
        (Kind::Unsigned, 2) => decoded!(u16, Singles, f32::from),
        (Kind::Unsigned, 4) => decoded!(u32, Doubles, f64::from),
        // Beyond 2⁵³ the nearest f64; a model's value is an f32.
        (Kind::Unsigned, _) => decoded!(u64, Doubles, |value| value as f64),
        (Kind::Signed, 1) => decoded!(i8, Singles, f32::from),
        (Kind::Signed, 2) => decoded!(i16, Singles, f32::from),
        (Kind::Signed, 4) => decoded!(i32, Doubles, f64::from),
        (Kind::Signed, _) => decoded!(i64, Doubles, |value| value as f64),
        (Kind::Float, 2) => decoded!(f16, Singles, f32::from),
        (Kind::Float, 4) => decoded!(f32, Singles, |value| value),
        (Kind::Float, _) => decoded!(f64, Doubles, |value| value),
    })
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
                if rest.trim_start().starts_with(['[', '(', '{']) {
                    return Err(STRUCTURED.into());
                }
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
    let advice = match name.trim_start_matches(['<', '>', '|', '=']).as_bytes() {
        [code @ (b'b' | b'u' | b'i' | b'f'), size] => {
            let (kind, sizes) = match code {
                b'b' => (Kind::Truth, &b"1"[..]),
                b'u' => (Kind::Unsigned, &b"1248"[..]),
                b'i' => (Kind::Signed, &b"1248"[..]),
                _ => (Kind::Float, &b"248"[..]),
            };
            if sizes.contains(size) {
                return Ok(Element {
                    kind,
                    bytes: usize::from(size - b'0'),
                    little: !name.starts_with('>'),
                });
            }
            "save array.astype('float32')"
        }
        [b'c', ..] => "save its parts as real numbers, such as np.abs(array)",
        [b'U' | b'S' | b'a', ..] => {
            "these are texts: save array.astype('float32') if they spell numbers"
        }
        [b'O', ..] => "these are Python objects: save np.stack(array).astype('float32')",
        [b'M' | b'm', ..] => {
            "these are times: save array.astype('int64') if they are to be numbers"
        }
        _ => "save array.astype('float32')",
    };
    Err(format!(
        "its values have type {name:?}, but only whole numbers, truth values and floats of up to 64 bits can be read: {advice}"
    ))
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
