//! A feature network that a user names, from an ONNX file.
//!
//! rten runs it: of the libraries in Rust alone it was the smaller by far (`docs/evaluation.md` has the figures).

use super::error::QualityError;
use super::points::Points;
use crate::random::{Philox, Stream};
use crate::shape::Shape;
use rten::{DataType, Dimension, Model, NodeId, Value, ValueType};
use rten_tensor::prelude::*;
use serde::Serialize;
use std::fs;
use std::path::Path;

/// Samples that go through a network of any number of them at a time.
const BATCH: usize = 64;
/// Samples that a network of a fixed number of them takes at most, and values that these have: 256 MiB.
const MOST_SAMPLES: usize = 4096;
const MOST_VALUES: usize = 1 << 26;
/// Features at most, whose covariance takes 512 MiB.
const MOST_FEATURES: usize = 8192;
/// Samples that a network of any number of them is tried on.
const TRIED: usize = 4;
/// How far a sample's features may be from those among other samples, as a share of the largest. Sums of f32 in another order
/// differ by some 1e-6.
const MOST_APART: f64 = 1e-4;
/// The Philox step of the values that it is tried on.
const TRIES: u32 = 2003;

/// Which network features are of.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct NetworkName {
    /// The file, as it was named.
    pub file: String,
    /// The CRC-32 of the file: figures compare under one file only.
    pub crc32: String,
    /// What it was given for the ends of the data's scale, `data.low` and `data.high`: black and white.
    pub range: [f32; 2],
}

/// A network of one input, samples × channels × height × width, and one output, samples first.
pub struct FeatureNetwork {
    name: NetworkName,
    model: Model,
    input: NodeId,
    output: NodeId,
    /// The sides of its input, where they are fixed.
    sides: [Option<usize>; 4],
}

impl FeatureNetwork {
    /// Reads the network in the ONNX file at `path`, which is to be given values such that the ends of the data's scale are
    /// those of `range`.
    ///
    /// # Errors
    /// When the file cannot be read, is no ONNX network that can be run, or has other inputs and outputs than those above, it takes
    /// a fixed number of samples above 4,096, or `range` is no range.
    pub fn load(path: &Path, range: [f32; 2]) -> Result<Self, QualityError> {
        let file = path.display().to_string();
        let refuse = |cause: String| QualityError::Network {
            file: file.clone(),
            cause,
        };
        if !(range[0] < range[1] && range.iter().all(|end| end.is_finite())) {
            return Err(refuse(format!(
                "its values cannot go from {} to {}: give two finite numbers, the lower first",
                range[0], range[1]
            )));
        }
        let bytes = fs::read(path).map_err(|error| refuse(format!("{error}: check the path")))?;
        let crc32 = format!("{:08x}", crc32fast::hash(&bytes));
        let model = Model::load(bytes).map_err(|error| {
            refuse(format!(
                "{error}: name an ONNX file that is whole, with its weights in it"
            ))
        })?;
        let (inputs, outputs) = (model.input_ids(), model.output_ids());
        let (&[input], &[output]) = (inputs, outputs) else {
            return Err(refuse(format!(
                "it has {} inputs and {} outputs, but a feature network has one of each: export it so",
                inputs.len(),
                outputs.len()
            )));
        };
        let dtype = model.node_info(input).and_then(|info| info.dtype());
        if dtype.is_some_and(|dtype| dtype != ValueType::Tensor(DataType::Float)) {
            return Err(refuse(
                "its input is not of 32-bit floats: export it with such an input".into(),
            ));
        }
        let mut sides = [None; 4];
        if let Some(shape) = model.input_shape(0) {
            if shape.len() != 4 {
                return Err(refuse(format!(
                    "its input has {} dimensions, but samples have four: samples, channels, height, width",
                    shape.len()
                )));
            }
            for (side, dimension) in sides.iter_mut().zip(shape) {
                *side = match dimension {
                    Dimension::Fixed(length) => Some(length),
                    Dimension::Symbolic(_) => None,
                };
            }
        }
        if let Some(batch) = sides[0]
            && !(1..=MOST_SAMPLES).contains(&batch)
        {
            return Err(refuse(format!(
                "it takes {batch} samples at a time, which is none of 1 to {MOST_SAMPLES}: export it for fewer, or for any number of them"
            )));
        }
        Ok(FeatureNetwork {
            name: NetworkName { file, crc32, range },
            model,
            input,
            output,
            sides,
        })
    }

    /// Which it is.
    pub fn name(&self) -> &NetworkName {
        &self.name
    }

    fn refuse(&self, cause: String) -> QualityError {
        QualityError::Network {
            file: self.name.file.clone(),
            cause,
        }
    }

    /// Whether it gives samples of `shape` features, each sample by itself: it is run on two batches of random values.
    ///
    /// # Errors
    /// When it takes other samples, or too many values at a time, cannot be run, gives more than 8,192 features, or such of a
    /// sample as change with the others of its batch.
    pub fn check(&self, shape: Shape) -> Result<(), QualityError> {
        self.check_shape(shape)?;
        let batch = self.sides[0].unwrap_or(TRIED);
        let values = batch.checked_mul(shape.len());
        let Some(values) = values.filter(|values| *values <= MOST_VALUES) else {
            return Err(self.refuse(format!(
                "{batch} samples of {} values are more at a time than the {MOST_VALUES} values that fit: export it for fewer samples",
                shape.len()
            )));
        };
        let mut random = Philox::new(0, Stream::Resampling, TRIES);
        let [low, high] = self.name.range;
        let mut random = |count: usize| -> Vec<f32> {
            let values = (0..count).map(|_| low + (high - low) * random.uniform());
            values.collect()
        };
        let first = random(shape.len());
        let [mut among_some, mut among_others] = [Vec::new(), Vec::new()];
        for features in [&mut among_some, &mut among_others] {
            let others = random(values - shape.len());
            self.run([first.clone(), others].concat(), shape, 1, features)?;
        }
        // What is not finite is told of real samples: noise may be none that it is for.
        let largest = among_some
            .iter()
            .fold(0.0, |most: f64, x| most.max(x.abs()));
        let both = among_some.iter().zip(&among_others);
        let apart = both.fold(0.0, |most: f64, (a, b)| most.max((a - b).abs()));
        if apart > MOST_APART * largest {
            return Err(self.refuse(format!(
                "features of a sample change with the other samples of its batch (by {apart:.2e}, and the largest is {largest:.2e}): \
                 export it for inference, in which it treats samples alone"
            )));
        }
        Ok(())
    }

    /// Whether it takes samples of `shape`, by what its file says.
    fn check_shape(&self, shape: Shape) -> Result<(), QualityError> {
        let wanted = [shape.channels, shape.height, shape.width];
        let fits = |(side, wanted): (&Option<usize>, usize)| side.is_none_or(|side| side == wanted);
        if self.sides[1..].iter().zip(wanted).all(fits) {
            return Ok(());
        }
        let side = |side: &Option<usize>| side.map_or("any".to_owned(), |side| side.to_string());
        let sides: Vec<String> = self.sides[1..].iter().map(side).collect();
        Err(self.refuse(format!(
            "it takes samples of {}, and these are of {}×{}×{}: put what resizes them, or repeats grey as colours, in front of \
             it when it is exported",
            sides.join("×"),
            wanted[0],
            wanted[1],
            wanted[2]
        )))
    }

    /// The features of `samples` of `shape`, whose values are in the network's own range.
    pub(super) fn features(&self, samples: &Points, shape: Shape) -> Result<Points, QualityError> {
        self.check_shape(shape)?;
        let length = shape.len();
        let values: Vec<f32> = samples
            .iter()
            .flatten()
            .map(|&value| value as f32)
            .collect();
        let batch = self.sides[0].unwrap_or(BATCH);
        let mut features: Vec<f64> = Vec::new();
        let mut dimensions = None;
        for some in values.chunks(batch * length) {
            let count = some.len() / length;
            let mut given = some.to_vec();
            if self.sides[0].is_some() {
                // A last batch that is not full is filled up with its first sample, whose features are left out.
                given.extend(some[..length].iter().cycle().take((batch - count) * length));
            }
            let of_sample = self.run(given, shape, count, &mut features)?;
            if *dimensions.get_or_insert(of_sample) != of_sample {
                return Err(self.refuse("its number of features differs between batches".into()));
            }
        }
        let dimensions = dimensions.unwrap_or(1);
        if let Some(place) = features.iter().position(|value| !value.is_finite()) {
            return Err(self.refuse(format!(
                "feature {} of sample {} is not finite: does it take values from {} to {}? --features-range sets others",
                place % dimensions,
                place / dimensions,
                self.name.range[0],
                self.name.range[1]
            )));
        }
        Points::new(features, dimensions)
    }

    /// Appends the features of the first `count` of the `given` samples, and says how many one has.
    fn run(
        &self,
        given: Vec<f32>,
        shape: Shape,
        count: usize,
        features: &mut Vec<f64>,
    ) -> Result<usize, QualityError> {
        let batch = given.len() / shape.len();
        let sides = [batch, shape.channels, shape.height, shape.width];
        let failed = |error: &dyn std::fmt::Display| {
            self.refuse(format!("it cannot be run on {batch} samples ({error})"))
        };
        let input = Value::from_shape(sides, given).map_err(|error| failed(&error))?;
        let outputs = self
            .model
            .run(vec![(self.input, input.into())], &[self.output], None);
        let output = outputs.map_err(|error| failed(&error))?.pop();
        let Some(output) = output.and_then(Value::into_tensor::<f32>) else {
            return Err(self.refuse(
                "its output is not of 32-bit floats: export it up to a layer of features".into(),
            ));
        };
        let of_each = output.shape().to_vec();
        let dimensions: usize = of_each.iter().skip(1).product();
        if of_each.first() != Some(&batch) || dimensions == 0 {
            return Err(self.refuse(format!(
                "of {batch} samples it gives an output of shape {of_each:?}, whose first side should be {batch}: export it so that \
                 it treats samples alone"
            )));
        }
        if dimensions > MOST_FEATURES {
            return Err(self.refuse(format!(
                "it gives {dimensions} features, whose covariance does not fit above {MOST_FEATURES}: export it up to a pooled layer"
            )));
        }
        let values = output.to_vec();
        features.extend(
            values[..count * dimensions]
                .iter()
                .map(|&value| f64::from(value)),
        );
        Ok(dimensions)
    }
}
