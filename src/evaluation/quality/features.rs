//! What samples are compared by: features that a network has learned, or the values themselves.

use super::error::QualityError;
use super::onnx::FeatureNetwork;
use super::points::Points;
use crate::data::{Scaling, Source};
use crate::kernels::{Activation, ConvGeometry};
use crate::shape::Shape;
use crate::twins::{TwinLayer, conv_forward, dense_geometry};
use safetensors::{Dtype, SafeTensors};
use serde::Serialize;

const DIGITS: &[u8] = include_bytes!("../../../assets/classifiers/digits.safetensors");
const MNIST: &[u8] = include_bytes!("../../../assets/classifiers/mnist.safetensors");

/// Which features a figure is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FeatureName {
    /// Those of the classifier of handwritten digits in `assets/classifiers/`: 64 values.
    DigitsClassifier,
    /// Those of the classifier of 28×28 handwritten digits there: 64 values.
    MnistClassifier,
    /// Those of an ONNX network that the user named.
    Onnx,
    /// The values of a sample themselves.
    Pixels,
}

/// A map from samples to what they are compared by.
pub struct Features<'a> {
    shape: Shape,
    scaling: Scaling,
    by: By<'a>,
}

/// What features are computed by.
enum By<'a> {
    Classifier(Classifier),
    Network(&'a FeatureNetwork),
    Values,
}

impl<'a> Features<'a> {
    /// Those that `network` gives samples of `shape`; without one, those of [`Self::of`].
    ///
    /// # Errors
    /// When the network takes other samples, or the embedded classifier is damaged.
    pub fn by(
        network: Option<&'a FeatureNetwork>,
        source: &str,
        shape: Shape,
        scaling: Scaling,
    ) -> Result<Self, QualityError> {
        let Some(network) = network else {
            return Self::of(source, shape, scaling);
        };
        network.check(shape)?;
        Ok(Features {
            shape,
            scaling,
            by: By::Network(network),
        })
    }

    /// Those for samples of `shape` of the data set called `source`: of a classifier where they are the embedded digits, or
    /// of the shape of MNIST's, whatever their source; else their values. `scaling` says which values of a sample are black and
    /// white.
    ///
    /// # Errors
    /// When the embedded classifier is damaged.
    pub fn of(source: &str, shape: Shape, scaling: Scaling) -> Result<Self, QualityError> {
        let is_digits = source == Source::DIGITS.name && shape == DIGITS_SHAPE;
        let by = match (is_digits, shape == MNIST_SHAPE) {
            (true, _) => By::Classifier(Classifier::digits()?),
            (false, true) => By::Classifier(Classifier::mnist()?),
            (false, false) => By::Values,
        };
        Ok(Features { shape, scaling, by })
    }

    /// Which they are.
    pub fn name(&self) -> FeatureName {
        match &self.by {
            By::Classifier(classifier) => classifier.name,
            By::Network(_) => FeatureName::Onnx,
            By::Values => FeatureName::Pixels,
        }
    }

    /// The features of `samples`, values as the model sees them.
    ///
    /// # Errors
    /// When these are not whole samples, or one is not finite.
    pub fn points(&self, samples: &[f32]) -> Result<Points, QualityError> {
        let values = Points::of_samples(samples, self.shape.len())?;
        match &self.by {
            By::Classifier(classifier) => {
                classifier.features(&self.in_range(&values, CLASSIFIERS_RANGE)?)
            }
            By::Network(network) => {
                let range = network.name().range.map(f64::from);
                network.features(&self.in_range(&values, range)?, self.shape)
            }
            By::Values => Ok(values),
        }
    }

    /// How many of `samples` are taken for each digit, where the features are those of the digits' classifier.
    ///
    /// # Errors
    /// As those of [`Features::points`].
    pub fn classes(&self, samples: &[f32]) -> Result<Option<Vec<usize>>, QualityError> {
        let values = Points::of_samples(samples, self.shape.len())?;
        let By::Classifier(classifier) = &self.by else {
            return Ok(None);
        };
        let scores = classifier.scores(&self.in_range(&values, CLASSIFIERS_RANGE)?)?;
        let mut counts = vec![0; scores.dimensions()];
        for scores in scores.iter() {
            let best = scores.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1));
            if let Some((class, _)) = best {
                counts[class] += 1;
            }
        }
        Ok(Some(counts))
    }

    /// `samples` with the ends of their scale at those of `range`.
    fn in_range(&self, samples: &Points, [first, last]: [f64; 2]) -> Result<Points, QualityError> {
        let [low, high] = [self.scaling.low, self.scaling.high].map(f64::from);
        let values = samples.iter().flatten();
        let scaled = values.map(|value| (value - low) / (high - low) * (last - first) + first);
        Points::new(scaled.collect(), samples.dimensions())
    }
}

/// What classifiers have learned from: −1 is black and 1 white.
const CLASSIFIERS_RANGE: [f64; 2] = [-1.0, 1.0];
const DIGITS_SHAPE: Shape = Shape::new(1, 8, 8);
const MNIST_SHAPE: Shape = Shape::new(1, 28, 28);

/// A network that a script in `assets/classifiers/` trains, in f64 on the host: figures do not depend on the adapter.
pub struct Classifier {
    name: FeatureName,
    /// The output of the last but one is the features, that of the last a score of each class.
    layers: Vec<TwinLayer>,
}

impl Classifier {
    /// That of the embedded digits, 1×8×8.
    ///
    /// # Errors
    /// When its file is damaged.
    pub fn digits() -> Result<Self, QualityError> {
        Self::of(
            (FeatureName::DigitsClassifier, DIGITS),
            &[
                ("0", ConvGeometry::new([1, 8, 8], 16, [3, 3], 1, 1)),
                ("2", ConvGeometry::new([16, 8, 8], 32, [3, 3], 2, 1)),
                ("5", dense_geometry(512, 64)),
                ("7", dense_geometry(64, 10)),
            ],
        )
    }

    /// That of MNIST's digits, 1×28×28.
    ///
    /// # Errors
    /// When its file is damaged.
    pub fn mnist() -> Result<Self, QualityError> {
        Self::of(
            (FeatureName::MnistClassifier, MNIST),
            &[
                ("0", ConvGeometry::new([1, 28, 28], 8, [3, 3], 2, 1)),
                ("2", ConvGeometry::new([8, 14, 14], 16, [3, 3], 2, 1)),
                ("4", ConvGeometry::new([16, 7, 7], 32, [3, 3], 2, 1)),
                ("7", dense_geometry(512, 64)),
                ("9", dense_geometry(64, 10)),
            ],
        )
    }

    /// Layers by their names in the file, which are those of PyTorch's Sequential, where activations and flattening have a
    /// place, too. All but the last are followed by SiLU.
    fn of(
        (name, file): (FeatureName, &[u8]),
        layers: &[(&str, ConvGeometry)],
    ) -> Result<Self, QualityError> {
        let file = SafeTensors::deserialize(file).map_err(damaged)?;
        let layer = |(index, (name, geometry)): (usize, &(&str, ConvGeometry))| {
            Ok(TwinLayer {
                geometry: *geometry,
                activation: match index + 1 == layers.len() {
                    true => Activation::IDENTITY,
                    false => Activation::SILU,
                },
                weight: tensor(&file, &format!("{name}.weight"), geometry.weight_len())?,
                bias: tensor(&file, &format!("{name}.bias"), geometry.out_channels)?,
            })
        };
        let layers: Result<_, QualityError> = layers.iter().enumerate().map(layer).collect();
        Ok(Classifier {
            name,
            layers: layers?,
        })
    }

    /// The features of pictures, of values from −1 (no ink) to 1: the values before the last layer.
    ///
    /// # Errors
    /// When points are of other dimensions.
    pub fn features(&self, pictures: &Points) -> Result<Points, QualityError> {
        self.pass(pictures, self.layers.len() - 1)
    }

    /// A score for each of the ten digits; the highest is what the classifier takes it for.
    ///
    /// # Errors
    /// When points are of other dimensions.
    pub fn scores(&self, pictures: &Points) -> Result<Points, QualityError> {
        self.pass(pictures, self.layers.len())
    }

    fn pass(&self, pictures: &Points, layers: usize) -> Result<Points, QualityError> {
        let layers = &self.layers[..layers];
        let (left, right) = (pictures.dimensions(), layers[0].geometry.in_len());
        if left != right {
            return Err(QualityError::Dimensions { left, right });
        }
        let values = pictures.iter().flat_map(|picture| {
            layers.iter().fold(picture.to_vec(), |input, layer| {
                let TwinLayer {
                    geometry,
                    activation,
                    weight,
                    bias,
                } = layer;
                conv_forward(geometry, *activation, 1, &input, weight, bias).output
            })
        });
        let features = layers[layers.len() - 1].geometry.out_channels;
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
