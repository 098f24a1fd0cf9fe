//! What samples are compared by: features that a network has learned, or the values themselves.

use super::error::QualityError;
use super::points::Points;
use crate::data::{Scaling, Source};
use crate::kernels::{Activation, ConvGeometry};
use crate::shape::Shape;
use crate::twins::{TwinLayer, conv_forward, dense_geometry};
use safetensors::{Dtype, SafeTensors};
use serde::Serialize;

const DIGITS: &[u8] = include_bytes!("../../../assets/classifiers/digits.safetensors");
/// The layers whose output is the features; the last one, after them, gives a score of each digit.
const FEATURE_LAYERS: usize = 3;

/// Which features a figure is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FeatureName {
    /// Those of the classifier of handwritten digits in `assets/classifiers/`: 64 values.
    DigitsClassifier,
    /// The values of a sample themselves.
    Pixels,
}

/// A map from samples to what they are compared by.
pub struct Features {
    shape: Shape,
    scaling: Scaling,
    /// None of [`FeatureName::Pixels`].
    classifier: Option<Classifier>,
}

impl Features {
    /// Those for samples of `shape` of the data set called `source`: the digits' classifier where they are the embedded
    /// digits, else their values. `scaling` says how the samples came from what the data set holds.
    ///
    /// # Errors
    /// When the embedded classifier is damaged.
    pub fn of(source: &str, shape: Shape, scaling: Scaling) -> Result<Self, QualityError> {
        let is_digits = source == Source::DIGITS.name && shape == Classifier::SHAPE;
        let classifier = match is_digits {
            true => Some(Classifier::digits()?),
            false => None,
        };
        Ok(Features {
            shape,
            scaling,
            classifier,
        })
    }

    /// Which they are.
    pub fn name(&self) -> FeatureName {
        match self.classifier {
            Some(_) => FeatureName::DigitsClassifier,
            None => FeatureName::Pixels,
        }
    }

    /// The features of `samples`, values as the model sees them.
    ///
    /// # Errors
    /// When these are not whole samples, or one is not finite.
    pub fn points(&self, samples: &[f32]) -> Result<Points, QualityError> {
        let values = Points::of_samples(samples, self.shape.len())?;
        match &self.classifier {
            Some(classifier) => classifier.features(&self.in_its_scale(&values)?),
            None => Ok(values),
        }
    }

    /// How many of `samples` are taken for each digit, where the features are those of the digits' classifier.
    ///
    /// # Errors
    /// As those of [`Features::points`].
    pub fn classes(&self, samples: &[f32]) -> Result<Option<Vec<usize>>, QualityError> {
        let values = Points::of_samples(samples, self.shape.len())?;
        let Some(classifier) = &self.classifier else {
            return Ok(None);
        };
        let scores = classifier.scores(&self.in_its_scale(&values)?)?;
        let mut counts = vec![0; scores.dimensions()];
        for scores in scores.iter() {
            let best = scores.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1));
            if let Some((class, _)) = best {
                counts[class] += 1;
            }
        }
        Ok(Some(counts))
    }

    /// The classifier has learned from digits with values from −1 to 1, of raw ones from 0 to 16.
    fn in_its_scale(&self, samples: &Points) -> Result<Points, QualityError> {
        let (scale, offset) = (
            f64::from(self.scaling.scale),
            f64::from(self.scaling.offset),
        );
        let values = samples.iter().flatten();
        let scaled = values.map(|value| (value - offset) / scale / 8.0 - 1.0);
        Points::new(scaled.collect(), samples.dimensions())
    }
}

/// The network that `assets/classifiers/digits.py` trains, in f64 on the host: figures do not depend on the adapter.
pub struct Classifier {
    layers: Vec<TwinLayer>,
}

impl Classifier {
    const SHAPE: Shape = Shape::new(1, 8, 8);

    /// The embedded classifier of digits.
    ///
    /// # Errors
    /// When its file is damaged.
    pub fn digits() -> Result<Self, QualityError> {
        let file = SafeTensors::deserialize(DIGITS).map_err(damaged)?;
        // Named as in PyTorch's Sequential, where activations and flattening have a place, too.
        let layers = [
            (
                "0",
                ConvGeometry::new([1, 8, 8], 16, [3, 3], 1, 1),
                Activation::SILU,
            ),
            (
                "2",
                ConvGeometry::new([16, 8, 8], 32, [3, 3], 2, 1),
                Activation::SILU,
            ),
            ("5", dense_geometry(512, 64), Activation::SILU),
            ("7", dense_geometry(64, 10), Activation::IDENTITY),
        ];
        let layers = layers.map(|(name, geometry, activation)| {
            Ok(TwinLayer {
                geometry,
                activation,
                weight: tensor(&file, &format!("{name}.weight"), geometry.weight_len())?,
                bias: tensor(&file, &format!("{name}.bias"), geometry.out_channels)?,
            })
        });
        Ok(Classifier {
            layers: layers.into_iter().collect::<Result<_, QualityError>>()?,
        })
    }

    /// The features of digits of 8×8 values, from −1 (no ink) to 1: the 64 values before the last layer.
    ///
    /// # Errors
    /// When points are of other dimensions.
    pub fn features(&self, digits: &Points) -> Result<Points, QualityError> {
        self.pass(digits, FEATURE_LAYERS)
    }

    /// A score for each of the ten digits; the highest is what the classifier takes it for.
    ///
    /// # Errors
    /// When points are of other dimensions.
    pub fn scores(&self, digits: &Points) -> Result<Points, QualityError> {
        self.pass(digits, self.layers.len())
    }

    fn pass(&self, digits: &Points, layers: usize) -> Result<Points, QualityError> {
        let (left, right) = (digits.dimensions(), Self::SHAPE.len());
        if left != right {
            return Err(QualityError::Dimensions { left, right });
        }
        let layers = &self.layers[..layers];
        let values = digits.iter().flat_map(|digit| {
            layers.iter().fold(digit.to_vec(), |input, layer| {
                let TwinLayer {
                    geometry,
                    activation,
                    weight,
                    bias,
                } = layer;
                conv_forward(geometry, *activation, 1, &input, weight, bias).output
            })
        });
        let features = layers
            .last()
            .map_or(left, |layer| layer.geometry.out_channels);
        Points::new(values.collect(), features)
    }
}

/// The values of the tensor called `name`, which must be `len`.
fn tensor(file: &SafeTensors<'_>, name: &str, len: usize) -> Result<Vec<f64>, QualityError> {
    let tensor = file.tensor(name).map_err(damaged)?;
    let (words, _) = tensor.data().as_chunks::<4>();
    if tensor.dtype() != Dtype::F32 || words.len() != len {
        return Err(QualityError::Classifier(format!(
            "{name} is not {len} floats"
        )));
    }
    let value = |&word: &[u8; 4]| f64::from(f32::from_le_bytes(word));
    Ok(words.iter().map(value).collect())
}

fn damaged(error: safetensors::SafeTensorError) -> QualityError {
    QualityError::Classifier(error.to_string())
}
