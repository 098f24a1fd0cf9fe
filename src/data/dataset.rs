//! A data set in memory, or generated as it is read.

use std::ops::Range;
use std::path::PathBuf;

use rand::seq::SliceRandom;

use super::planar::Planar;
use super::{Scaling, Shape};
use crate::random::{Philox, Stream};

/// The Philox step of the fixed draw of a generated set. No run gets there, so it shares no numbers
/// with a batch.
const FIXED_DRAW: u32 = u32::MAX;

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
    /// The folder below the opened one that it lies in, where there are several: its class.
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

    /// Raw values from 0 to `max`.
    pub(super) fn bytes(shape: Shape, bytes: Vec<u8>, max: u8) -> Self {
        Loaded::new(shape, Values::Bytes { bytes, max })
    }
}

/// Values as they were read. Bytes stay bytes: a quarter of the memory of their scaled values.
pub(super) enum Values {
    /// Raw values from 0 to `max`.
    Bytes { bytes: Vec<u8>, max: u8 },
    /// Brightness of 16 bits: 257 of its steps are one of a byte, so that both have one white.
    #[expect(dead_code)] // until pictures are read with all their bits
    Words(Vec<u16>),
    /// Values taken as they are; all finite.
    Floats(Vec<f32>),
}

/// Steps of a brightness of 16 bits in one of 8 bits.
const STEPS_OF_A_BYTE: f64 = 257.0;

enum Store {
    /// Raw values and the model value of each of them.
    Bytes {
        bytes: Vec<u8>,
        table: Box<[f32; 256]>,
    },
    /// Brightness of 16 bits.
    Words(Vec<u16>),
    Floats(Vec<f32>),
    Generated(&'static Planar),
}

/// The order in which an epoch visits a finite set.
struct Permutation {
    epoch: u32,
    order: Vec<usize>,
}

/// A data set, scaled to model values as it is read.
pub struct Dataset {
    name: &'static str,
    shape: Shape,
    scaling: Scaling,
    seed: u64,
    store: Store,
    files: Vec<SampleFile>,
    notes: Vec<String>,
    permutation: Option<Permutation>,
}

impl Dataset {
    /// A finite set of what a loader read, at most `limit` samples of it (0 for all).
    pub(super) fn loaded(
        name: &'static str,
        loaded: Loaded,
        options: &super::DataOptions,
        seed: u64,
    ) -> Self {
        let Loaded {
            shape,
            values,
            mut files,
            notes,
        } = loaded;
        files.truncate(options.most());
        let kept = options.most().saturating_mul(shape.len());
        let (scaling, store) = match values {
            Values::Bytes { mut bytes, max } => {
                bytes.truncate(kept);
                bytes.shrink_to_fit();
                let (low, high) = (f64::from(options.low), f64::from(options.high));
                let step = (high - low) / f64::from(max);
                let table = std::array::from_fn(|raw| (low + step * raw as f64) as f32);
                let scaling = Scaling::from_raw_max(f32::from(max), options.low, options.high);
                let table = Box::new(table);
                (scaling, Store::Bytes { bytes, table })
            }
            Values::Words(mut words) => {
                words.truncate(kept);
                words.shrink_to_fit();
                let scaling = Scaling::from_raw_max(u8::MAX.into(), options.low, options.high);
                (scaling, Store::Words(words))
            }
            Values::Floats(mut floats) => {
                floats.truncate(kept);
                floats.shrink_to_fit();
                let low = floats.iter().copied().fold(f32::INFINITY, f32::min);
                let high = floats.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                (Scaling::unscaled(low, high), Store::Floats(floats))
            }
        };
        Dataset {
            name,
            shape,
            scaling,
            seed,
            store,
            files,
            notes,
            permutation: None,
        }
    }

    /// A planar set: endless, or with a `limit` above 0 that many points, drawn once.
    pub(super) fn planar(planar: &'static Planar, limit: usize, seed: u64) -> Self {
        let mut dataset = Dataset {
            name: planar.name,
            shape: Shape::new(2, 1, 1),
            scaling: Scaling::unscaled(-4.0, 4.0),
            seed,
            store: Store::Generated(planar),
            files: Vec::new(),
            notes: Vec::new(),
            permutation: None,
        };
        if limit > 0 {
            dataset.store = Store::Floats(dataset.first(limit));
        }
        dataset
    }

    /// The name of its [`Source`](super::Source).
    pub fn name(&self) -> &str {
        self.name
    }

    /// The shape of one sample.
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// Whether its samples are points in the plane.
    pub fn is_planar(&self) -> bool {
        self.shape.is_planar()
    }

    /// How raw values became model values.
    pub fn scaling(&self) -> Scaling {
        self.scaling
    }

    /// Whether raw values are whole numbers.
    pub(crate) fn has_whole_values(&self) -> bool {
        matches!(self.store, Store::Bytes { .. })
    }

    /// The file that sample `index` came from, where samples have files of their own.
    pub fn file(&self, index: usize) -> Option<&SampleFile> {
        self.files.get(index)
    }

    /// What was decided when it was opened that a user should know, a line each.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// The number of samples, at least 1; none if samples are generated without end.
    #[expect(clippy::len_without_is_empty)] // never empty
    pub fn len(&self) -> Option<usize> {
        let values = match &self.store {
            Store::Bytes { bytes, .. } => bytes.len(),
            Store::Words(words) => words.len(),
            Store::Floats(floats) => floats.len(),
            Store::Generated(_) => return None,
        };
        Some(values / self.shape.len())
    }

    /// Replaces `out` with the `count` samples of optimiser step `step`: count × channels × height ×
    /// width model values.
    ///
    /// A pure function of (seed, `step`, `count`), whatever was read before. A finite set is visited in
    /// a fresh random order every epoch, and a batch may span epochs; a generated set draws fresh points.
    pub fn batch(&mut self, step: u64, count: usize, out: &mut Vec<f32>) {
        out.clear();
        out.reserve(count * self.shape.len());
        // Steps and epochs wrap after 2³² of them, which no run reaches.
        let (Some(len), start) = (self.len(), u128::from(step) * count as u128) else {
            return self.generate(step as u32, 0..count, out);
        };
        for position in start..start + count as u128 {
            let (epoch, place) = (position / len as u128, position % len as u128);
            let index = self.order(epoch as u32, len)[place as usize];
            self.copy(index..index + 1, out);
        }
    }

    /// The first `count` samples in file order, or all if there are fewer: count × channels × height ×
    /// width model values. Of a generated set, the first `count` points of one fixed draw, which
    /// depends on the seed.
    pub fn first(&self, count: usize) -> Vec<f32> {
        self.samples(0..count)
    }

    /// The samples `range` of what [`first`](Dataset::first) lists; a range beyond a finite set is cut.
    pub fn samples(&self, range: Range<usize>) -> Vec<f32> {
        let end = range.end.min(self.len().unwrap_or(usize::MAX));
        let range = range.start.min(end)..end;
        let mut out = Vec::with_capacity(range.len() * self.shape.len());
        self.copy(range, &mut out);
        out
    }

    /// Appends the samples `range`, which must lie inside a finite set.
    fn copy(&self, range: Range<usize>, out: &mut Vec<f32>) {
        let values = range.start * self.shape.len()..range.end * self.shape.len();
        match &self.store {
            Store::Bytes { bytes, table } => {
                out.extend(bytes[values].iter().map(|&raw| table[usize::from(raw)]));
            }
            Store::Words(words) => {
                let (scale, offset) = (
                    f64::from(self.scaling.scale),
                    f64::from(self.scaling.offset),
                );
                let value = |&word: &u16| f64::from(word) / STEPS_OF_A_BYTE * scale + offset;
                out.extend(words[values].iter().map(|word| value(word) as f32));
            }
            Store::Floats(floats) => out.extend_from_slice(&floats[values]),
            Store::Generated(_) => self.generate(FIXED_DRAW, range, out),
        }
    }

    /// Appends the points `range` of the draw of `step`. Does nothing for a finite set.
    fn generate(&self, step: u32, range: Range<usize>, out: &mut Vec<f32>) {
        if let Store::Generated(planar) = self.store {
            let mut random = Philox::new(self.seed, Stream::Data, step);
            for index in 0..range.end {
                let point = (planar.point)(&mut random);
                if index >= range.start {
                    out.extend(point);
                }
            }
        }
    }

    /// The order in which `epoch` visits the `len` samples, remembered until another epoch is asked for.
    fn order(&mut self, epoch: u32, len: usize) -> &[usize] {
        let seed = self.seed;
        let fresh = || {
            let mut order: Vec<usize> = (0..len).collect();
            order.shuffle(&mut Philox::new(seed, Stream::Data, epoch));
            Permutation { epoch, order }
        };
        let known = self.permutation.take().filter(|p| p.epoch == epoch);
        &self.permutation.insert(known.unwrap_or_else(fresh)).order
    }
}
