//! A data set in memory, or generated as it is read.

use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use rand::seq::SliceRandom;

use super::loaded::{Loaded, Numbers, SampleFile, Values, brightness};
use super::planar::Planar;
use super::range;
use super::split::{DataRecord, Split};
use super::{DataError, DataOptions, Scaling, Shape};
use crate::random::{Philox, Stream};

/// The Philox step of the fixed draw of a generated set. No run gets there, so it shares no numbers
/// with a batch.
const FIXED_DRAW: u32 = u32::MAX;

enum Store {
    /// Raw values and the model value of each that a byte can be.
    Bytes {
        bytes: Vec<u8>,
        table: Box<[f32; 256]>,
    },
    /// Brightness of 16 bits.
    Words(Vec<u16>),
    Floats(Vec<f32>),
    /// The points of one draw after the first `seen`.
    Generated {
        planar: &'static Planar,
        seen: usize,
    },
}

impl Values {
    /// The first `kept` values as they are stored, by `scaling`.
    fn stored(self, kept: usize, scaling: &Scaling) -> Store {
        let numbers = match self {
            Values::Bytes { bytes, .. } => Numbers::Bytes(bytes),
            Values::Words(words) => return Store::Words(cut(words, kept)),
            Values::Truth(numbers) | Values::Whole(numbers) | Values::Real(numbers) => numbers,
        };
        match numbers {
            Numbers::Bytes(bytes) => Store::Bytes {
                bytes: cut(bytes, kept),
                table: Box::new(std::array::from_fn(|raw| scaling.value(raw as f64))),
            },
            Numbers::Singles(singles) => {
                let mut floats = cut(singles, kept);
                if scaling.raw.is_some() {
                    for value in &mut floats {
                        *value = scaling.value(f64::from(*value));
                    }
                }
                Store::Floats(floats)
            }
            Numbers::Doubles(doubles) => {
                let doubles = doubles.into_iter().take(kept);
                Store::Floats(doubles.map(|raw| scaling.value(raw)).collect())
            }
        }
    }
}

fn cut<T>(mut values: Vec<T>, kept: usize) -> Vec<T> {
    values.truncate(kept);
    values.shrink_to_fit();
    values
}

/// The order in which an epoch visits a finite set.
struct Permutation {
    epoch: u32,
    order: Vec<usize>,
}

/// Which samples of a store a data set is of.
#[derive(Clone)]
enum Part {
    All,
    /// Those at these places, in ascending order.
    Places(Arc<[usize]>),
}

/// A data set, scaled to model values as it is read.
pub struct Dataset {
    name: &'static str,
    shape: Shape,
    scaling: Scaling,
    seed: u64,
    store: Arc<Store>,
    part: Part,
    /// The places of the samples that were kept from training, where some were.
    kept_back: Option<Arc<[usize]>>,
    record: Option<DataRecord>,
    files: Arc<[SampleFile]>,
    notes: Vec<String>,
    meaning: String,
    permutation: Option<Permutation>,
}

impl Dataset {
    /// A finite set of what a loader read, at most `limit` samples of it (0 for all): the part of it that training sees.
    ///
    /// # Errors
    /// When a value is not finite, the values' scale is not known, or one of the parts would be empty.
    pub(super) fn loaded(
        name: &'static str,
        loaded: Loaded,
        options: &DataOptions,
        seed: u64,
    ) -> Result<Self, DataError> {
        let Loaded {
            shape,
            values,
            mut files,
            mut notes,
        } = loaded;
        let path = PathBuf::from(if options.path.is_empty() {
            name
        } else {
            &options.path
        });
        // Of all values that were read, so that a limit changes no scale.
        let extent = match values.extent() {
            Ok(extent) => extent,
            Err(place) => {
                let sample = place / shape.len();
                return Err(DataError::NonFinite { path, sample });
            }
        };
        // Before their scale, which another model may know.
        options.takes(shape)?;
        let decision = match range::decide(&values, extent, shape, options) {
            Ok(decision) => decision,
            Err(reason) => return Err(DataError::Scale { path, reason }),
        };
        let (scaling, meaning) = match decision.raw {
            Some(raw) => {
                let model = [options.low, options.high];
                (Scaling::between(raw, model), range::arrow(raw, model))
            }
            None => {
                let [low, high] = extent.map(|end| end as f32);
                (
                    Scaling::unscaled(low, high),
                    range::as_they_are([low, high]),
                )
            }
        };
        notes.extend(decision.note);
        files.truncate(options.most());
        let count = (values.len() / shape.len()).min(options.most());
        let split = Split::of(count, options.held_out)?;
        if options.held_out > 0.0 && split.held_out.is_empty() {
            notes.push(format!(
                "nothing is held out of so few samples ({count}): all of them are trained on"
            ));
        }
        let record = split.record(&values, shape.len());
        let is_divided = !split.held_out.is_empty();
        Ok(Dataset {
            name,
            shape,
            scaling,
            seed,
            store: values.stored(count * shape.len(), &scaling).into(),
            part: match is_divided {
                true => Part::Places(split.training.into()),
                false => Part::All,
            },
            kept_back: is_divided.then(|| split.held_out.into()),
            record: Some(record),
            files: files.into(),
            notes,
            meaning: format!("{meaning} ({})", decision.why),
            permutation: None,
        })
    }

    /// A planar set: endless, or with a `limit` above 0 that many points, drawn once. What is listed of it leaves out the first
    /// `seen` points of the draw.
    pub(super) fn planar(planar: &'static Planar, seen: usize, limit: usize, seed: u64) -> Self {
        let mut dataset = Dataset {
            name: planar.name,
            shape: Shape::new(2, 1, 1),
            scaling: Scaling::unscaled(-4.0, 4.0),
            seed,
            store: Store::Generated { planar, seen }.into(),
            part: Part::All,
            kept_back: None,
            record: None,
            files: Arc::new([]),
            notes: Vec::new(),
            meaning: "as they are (generated)".into(),
            permutation: None,
        };
        if limit > 0 {
            dataset.store = Store::Floats(dataset.first(limit)).into();
        }
        dataset
    }

    /// The samples that were kept from training, in the order of the file; none where none were.
    pub fn held_out(&self) -> Option<Dataset> {
        let places = self.kept_back.clone()?;
        Some(self.of_part(Part::Places(places)))
    }

    /// The whole set, what was kept from training among the rest.
    pub fn whole(&self) -> Dataset {
        self.of_part(Part::All)
    }

    fn of_part(&self, part: Part) -> Dataset {
        Dataset {
            name: self.name,
            shape: self.shape,
            scaling: self.scaling,
            seed: self.seed,
            store: Arc::clone(&self.store),
            part,
            kept_back: self.kept_back.clone(),
            record: self.record.clone(),
            files: Arc::clone(&self.files),
            notes: self.notes.clone(),
            meaning: self.meaning.clone(),
            permutation: None,
        }
    }

    /// What either part was made of when it was read; none of a generated set, which its formula says.
    pub fn record(&self) -> Option<&DataRecord> {
        self.record.as_ref()
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

    /// How raw values became model values, for people: `0…16 → −1…1 (black to white)`.
    pub fn meaning(&self) -> &str {
        &self.meaning
    }

    /// How raw values became model values.
    pub fn scaling(&self) -> Scaling {
        self.scaling
    }

    /// Whether raw values are whole numbers.
    pub(crate) fn has_whole_values(&self) -> bool {
        matches!(*self.store, Store::Bytes { .. })
    }

    /// The file that sample `index` came from, where samples have files of their own.
    pub fn file(&self, index: usize) -> Option<&SampleFile> {
        let place = match &self.part {
            Part::All => index,
            Part::Places(places) => *places.get(index)?,
        };
        self.files.get(place)
    }

    /// What was decided when it was opened that a user should know, a line each.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// The number of samples, at least 1; none if samples are generated without end.
    #[expect(clippy::len_without_is_empty)] // never empty
    pub fn len(&self) -> Option<usize> {
        if let Part::Places(places) = &self.part {
            return Some(places.len());
        }
        let values = match &*self.store {
            Store::Bytes { bytes, .. } => bytes.len(),
            Store::Words(words) => words.len(),
            Store::Floats(floats) => floats.len(),
            Store::Generated { .. } => return None,
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
        match &self.part {
            Part::All => self.copy_stored(range, out),
            Part::Places(places) => {
                for &place in &places[range] {
                    self.copy_stored(place..place + 1, out);
                }
            }
        }
    }

    /// The same of what is in the store, whatever the part.
    fn copy_stored(&self, range: Range<usize>, out: &mut Vec<f32>) {
        let values = range.start * self.shape.len()..range.end * self.shape.len();
        match &*self.store {
            Store::Bytes { bytes, table } => {
                out.extend(bytes[values].iter().map(|&raw| table[usize::from(raw)]));
            }
            Store::Words(words) => {
                // As the table of bytes has it, so that equal brightness is an equal value.
                let value = |&word: &u16| self.scaling.value(brightness(word));
                out.extend(words[values].iter().map(value));
            }
            Store::Floats(floats) => out.extend_from_slice(&floats[values]),
            Store::Generated { seen, .. } => {
                let after = |place: usize| place.saturating_add(*seen);
                self.generate(FIXED_DRAW, after(range.start)..after(range.end), out);
            }
        }
    }

    /// Appends the points `range` of the draw of `step`. Does nothing for a finite set.
    fn generate(&self, step: u32, range: Range<usize>, out: &mut Vec<f32>) {
        if let Store::Generated { planar, .. } = *self.store {
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
