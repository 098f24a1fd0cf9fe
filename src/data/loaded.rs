//! What a loader reads, before its scale is decided.

use super::Shape;
use std::path::PathBuf;

/// What a loader returns: at least one sample, values in file order.
pub(super) struct Loaded {
    pub(super) shape: Shape,
    pub(super) values: Values,
    /// Where the samples came from, one each; empty where they have no files of their own.
    pub(super) files: Vec<SampleFile>,
    /// What was decided on the way that a user should know, a line each.
    pub(super) notes: Vec<String>,
}

/// The file that a sample came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SampleFile {
    /// From the folder that was opened.
    pub path: PathBuf,
    /// Its class: the first folder below the opened one that it lies in, if it lies in one.
    pub class: Option<String>,
}

impl Loaded {
    /// Samples without files of their own.
    pub(super) fn new(shape: Shape, values: Values) -> Self {
        Loaded {
            shape,
            values,
            files: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// Brightness from 0 to `max`.
    pub(super) fn bytes(shape: Shape, bytes: Vec<u8>, max: u8) -> Self {
        Loaded::new(shape, Values::Bytes { bytes, max })
    }
}

/// Values as they were read; the variants say what is known of their scale.
pub(super) enum Values {
    /// Brightness from black, 0, to white, `max`. Bytes stay bytes: a quarter of the memory of their scaled values.
    Bytes { bytes: Vec<u8>, max: u8 },
    /// Brightness of 16 bits: 257 of its steps are one of a byte, so that both have one white.
    Words(Vec<u16>),
    /// Truth values as 0 and 1.
    Truth(Numbers),
    /// Whole numbers without a scale of their own.
    Whole(Numbers),
    /// Other numbers.
    Real(Numbers),
}

/// Numbers in the least memory that holds them exactly.
pub(super) enum Numbers {
    Bytes(Vec<u8>),
    Singles(Vec<f32>),
    Doubles(Vec<f64>),
}

impl Numbers {
    pub(super) fn are_bytes(&self) -> bool {
        matches!(self, Numbers::Bytes(_))
    }

    pub(super) fn at(&self, index: usize) -> f64 {
        match self {
            Numbers::Bytes(bytes) => bytes[index].into(),
            Numbers::Singles(singles) => singles[index].into(),
            Numbers::Doubles(doubles) => doubles[index],
        }
    }

    pub(super) fn len(&self) -> usize {
        match self {
            Numbers::Bytes(bytes) => bytes.len(),
            Numbers::Singles(singles) => singles.len(),
            Numbers::Doubles(doubles) => doubles.len(),
        }
    }
}

/// Steps of a brightness of 16 bits in one of 8 bits.
pub(super) const STEPS_OF_A_BYTE: u16 = 257;

/// A brightness of 16 bits in steps of one of 8.
pub(super) fn brightness(word: u16) -> f64 {
    f64::from(word) / f64::from(STEPS_OF_A_BYTE)
}

impl Values {
    pub(super) fn len(&self) -> usize {
        match self {
            Values::Bytes { bytes, .. } => bytes.len(),
            Values::Words(words) => words.len(),
            Values::Truth(numbers) | Values::Whole(numbers) | Values::Real(numbers) => {
                numbers.len()
            }
        }
    }

    pub(super) fn at(&self, index: usize) -> f64 {
        match self {
            Values::Bytes { bytes, .. } => bytes[index].into(),
            Values::Words(words) => brightness(words[index]),
            Values::Truth(numbers) | Values::Whole(numbers) | Values::Real(numbers) => {
                numbers.at(index)
            }
        }
    }

    /// The least and the greatest value, or the place of one that is no finite f32.
    pub(super) fn extent(&self) -> Result<[f64; 2], usize> {
        let mut extent = [f64::INFINITY, f64::NEG_INFINITY];
        for index in 0..self.len() {
            let value = self.at(index);
            if !(value as f32).is_finite() {
                return Err(index);
            }
            extent = [extent[0].min(value), extent[1].max(value)];
        }
        Ok(extent)
    }
}
