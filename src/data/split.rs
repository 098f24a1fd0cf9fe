//! Which samples of a finite set training never sees, and a record by which the same split is known again.

use super::DataError;
use super::loaded::{Numbers, Values};
use crate::random::{Philox, Stream};
use crc32fast::Hasher;
use serde::{Deserialize, Serialize};

/// Of fewer samples none are kept back: a single one of them says next to nothing.
const FEWEST_DIVIDED: usize = 10;

/// What a data set was made of when it was read: how many samples in either part, and checksums of their raw values.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataRecord {
    /// The samples that training sees.
    pub training: PartRecord,
    /// Those that it does not.
    pub held_out: PartRecord,
}

/// A part of a data set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartRecord {
    /// Samples.
    pub count: usize,
    /// CRC-32 of their raw values in the order of the file, in eight hexadecimal digits.
    pub crc32: String,
}

/// The places of the samples of both parts, in ascending order.
pub(super) struct Split {
    pub(super) training: Vec<usize>,
    pub(super) held_out: Vec<usize>,
}

impl Split {
    /// Of `count` samples, `share` of which, rounded, are kept back: those whose places have the least random numbers.
    ///
    /// Every place has its own, which depends on no seed: runs of one file share their split whatever else differs, and of two
    /// shares the smaller one is a part of the other.
    ///
    /// # Errors
    /// When one of the parts would be empty.
    pub(super) fn of(count: usize, share: f32) -> Result<Self, DataError> {
        let kept = match count < FEWEST_DIVIDED {
            true => 0,
            false => (f64::from(share) * count as f64).round() as usize,
        };
        if share > 0.0 && count >= FEWEST_DIVIDED && (kept == 0 || kept >= count) {
            return Err(DataError::EmptyPart { share, count, kept });
        }
        let mut drawn: Vec<([u32; 4], usize)> = (0..count)
            .map(|place| {
                let words = Philox::words(0, Stream::HeldOut, 0, place as u32);
                (words, place)
            })
            .collect();
        if kept > 0 {
            drawn.select_nth_unstable(kept - 1);
        }
        let part = |drawn: &[([u32; 4], usize)]| {
            let mut places: Vec<usize> = drawn.iter().map(|(_, place)| *place).collect();
            places.sort_unstable();
            places
        };
        Ok(Split {
            held_out: part(&drawn[..kept]),
            training: part(&drawn[kept..]),
        })
    }

    /// The record of this split of `values`, of which each sample has `length`.
    pub(super) fn record(&self, values: &Values, length: usize) -> DataRecord {
        let of = |places: &[usize]| {
            let mut hasher = Hasher::new();
            for &place in places {
                hash(values, place * length..(place + 1) * length, &mut hasher);
            }
            PartRecord {
                count: places.len(),
                crc32: format!("{:08x}", hasher.finalize()),
            }
        };
        DataRecord {
            training: of(&self.training),
            held_out: of(&self.held_out),
        }
    }
}

/// Adds some raw values, little-endian and as wide as they are held.
fn hash(values: &Values, range: std::ops::Range<usize>, hasher: &mut Hasher) {
    let bytes: Vec<u8> = match values {
        Values::Bytes { bytes, .. } => return hasher.update(&bytes[range]),
        Values::Words(words) => words[range].iter().flat_map(|v| v.to_le_bytes()).collect(),
        Values::Truth(numbers) | Values::Whole(numbers) | Values::Real(numbers) => match numbers {
            Numbers::Bytes(bytes) => return hasher.update(&bytes[range]),
            Numbers::Singles(singles) => {
                let bytes = singles[range].iter().flat_map(|v| v.to_le_bytes());
                bytes.collect()
            }
            Numbers::Doubles(doubles) => {
                let bytes = doubles[range].iter().flat_map(|v| v.to_le_bytes());
                bytes.collect()
            }
        },
    };
    hasher.update(&bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held_out(count: usize, share: f32) -> Vec<usize> {
        Split::of(count, share).unwrap().held_out
    }

    #[test]
    fn parts_are_disjoint_and_together_all() {
        let Split { training, held_out } = Split::of(1797, 0.1).unwrap();
        assert_eq!((training.len(), held_out.len()), (1617, 180));
        let mut all = [training, held_out].concat();
        all.sort_unstable();
        assert!(all.into_iter().eq(0..1797));
    }

    /// Fixed for ever: another draw would make figures of earlier runs ones of data that training has seen.
    #[test]
    fn the_draw_is_a_fixed_one() {
        assert_eq!(held_out(20, 0.2), [2, 7, 12, 16]);
        // The smaller share is a part of the larger.
        let larger = held_out(1000, 0.5);
        assert!(
            held_out(1000, 0.1)
                .iter()
                .all(|place| larger.contains(place))
        );
    }

    /// Of 10,000 a share is spread over the file as evenly as chance has it: the first half gets 500 ± 15 of 1,000.
    #[test]
    fn the_draw_is_spread_over_the_file() {
        let first = held_out(10_000, 0.1);
        let first = first.iter().filter(|place| **place < 5000).count();
        assert!((430..=570).contains(&first), "{first}");
    }

    #[test]
    fn few_samples_are_not_divided_and_no_part_is_empty() {
        assert!(held_out(9, 0.5).is_empty());
        assert_eq!(held_out(10, 0.1).len(), 1);
        assert!(held_out(50, 0.0).is_empty());
        for (count, share) in [(10, 0.01), (10, 0.99)] {
            let refused = Split::of(count, share).err().unwrap().to_string();
            assert!(refused.contains("data.held_out"), "{refused}");
        }
    }
}
