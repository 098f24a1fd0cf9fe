use crate::kernels::{Activation, ConvGeometry, LayerKind, QuadraticBase};
use crate::shape::Shape;

/// One layer, before shapes are inferred.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LayerSpec {
    Conv {
        channels: usize,
        kernel: usize,
        stride: usize,
        padding: usize,
    },
    Dense {
        features: usize,
    },
}

/// The most values that one buffer can address.
const MOST_VALUES: usize = 1 << 30;

/// Why layers do not fit together.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NetworkError {
    #[error("samples of shape {shape} cannot be learned: they need between 1 and 2³⁰ values")]
    Input { shape: Shape },
    #[error("the network has no layers: give network.layers at least one")]
    NoLayers,
    #[error(
        "layer {layer}: a {kernel}×{kernel} kernel does not fit its {height}×{width} input with padding {padding}: \
         use a smaller kernel, more padding, or fewer strided layers before it"
    )]
    KernelTooLarge {
        layer: usize,
        kernel: usize,
        height: usize,
        width: usize,
        padding: usize,
    },
    #[error("layer {layer}: {what} must be at least 1")]
    Zero { layer: usize, what: &'static str },
    #[error("layer {layer}: a convolution cannot follow a dense layer, which has no pixels")]
    ConvAfterDense { layer: usize },
    #[error(
        "layer {layer} is too large: one buffer cannot address more than 2³⁰ parameters or outputs; make \
         network.layers smaller"
    )]
    LayerTooLarge { layer: usize },
    #[error(
        "the network has {parameters} parameters, more than the 2³⁰ that one buffer can address: make network.layers \
         smaller"
    )]
    TooLarge { parameters: usize },
}

/// A parameter tensor as PyTorch would name and shape it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParameterTensor {
    pub name: String,
    pub shape: Vec<usize>,
    /// Its first value in the flat parameter buffer.
    pub offset: usize,
    /// How many values it has.
    pub len: usize,
}

/// An energy network: layers from a sample to its energy, with all shapes inferred.
///
/// E(x) = Σ outputs of the last layer + base(x); the activation follows every layer but the last.
#[derive(Clone, Debug, PartialEq)]
pub struct Architecture {
    input: Shape,
    layers: Vec<LayerKind>,
    activation: Activation,
    base: Option<QuadraticBase>,
}

impl Architecture {
    /// Infers the shapes of `specs` over samples of shape `input`.
    ///
    /// # Errors
    /// When the layers do not fit together.
    pub fn new(
        input: Shape,
        specs: &[LayerSpec],
        activation: Activation,
        base: Option<QuadraticBase>,
    ) -> Result<Self, NetworkError> {
        if specs.is_empty() {
            return Err(NetworkError::NoLayers);
        }
        let sides = [input.channels, input.height, input.width];
        let values = sides
            .iter()
            .try_fold(1usize, |product, &side| product.checked_mul(side));
        if !values.is_some_and(|values| (1..=1 << 30).contains(&values)) {
            return Err(NetworkError::Input { shape: input });
        }
        let mut shape = input;
        let mut layers: Vec<LayerKind> = Vec::with_capacity(specs.len());
        for (layer, spec) in specs.iter().enumerate() {
            let kind = infer(layer, *spec, shape, layers.last())?;
            shape = kind.output_shape();
            layers.push(kind);
        }
        let architecture = Architecture {
            input,
            layers,
            activation,
            base,
        };
        match architecture.parameter_count() {
            parameters if parameters > MOST_VALUES => Err(NetworkError::TooLarge { parameters }),
            _ => Ok(architecture),
        }
    }

    /// Shape of one sample.
    pub fn input(&self) -> Shape {
        self.input
    }

    /// The layers, from the sample to the energy.
    pub fn layers(&self) -> &[LayerKind] {
        &self.layers
    }

    /// The activation after layer `index`: none after the last.
    pub fn activation_after(&self, index: usize) -> Activation {
        if index + 1 == self.layers.len() {
            Activation::Identity
        } else {
            self.activation
        }
    }

    /// The quadratic base, if there is one.
    pub fn base(&self) -> Option<QuadraticBase> {
        self.base
    }

    /// All parameters.
    pub fn parameter_count(&self) -> usize {
        self.layers
            .iter()
            .map(|layer| layer.weight_len() + layer.outputs())
            .sum()
    }

    /// The first parameter of layer `index`: its weight, with the bias right behind.
    pub fn parameter_offset(&self, index: usize) -> usize {
        self.layers[..index]
            .iter()
            .map(|layer| layer.weight_len() + layer.outputs())
            .sum()
    }

    /// Names, shapes and places of the parameters: `layers.0.weight` as (out, in, height, width) or (out, in), …
    pub fn tensors(&self) -> Vec<ParameterTensor> {
        let mut tensors = Vec::new();
        for (index, layer) in self.layers.iter().enumerate() {
            let offset = self.parameter_offset(index);
            let shape = match *layer {
                LayerKind::Conv(g) => vec![
                    g.out_channels,
                    g.in_channels,
                    g.kernel_height,
                    g.kernel_width,
                ],
                LayerKind::Dense { input, outputs } => vec![outputs, input.len()],
            };
            let len = layer.weight_len();
            tensors.push(ParameterTensor {
                name: format!("layers.{index}.weight"),
                shape,
                offset,
                len,
            });
            tensors.push(ParameterTensor {
                name: format!("layers.{index}.bias"),
                shape: vec![layer.outputs()],
                offset: offset + len,
                len: layer.outputs(),
            });
        }
        tensors
    }

    /// Floating-point operations of one energy-gradient evaluation (NFE): the forward pass and as many backward.
    pub fn flops_per_gradient(&self) -> u64 {
        let forward: usize = self
            .layers
            .iter()
            .map(|layer| {
                let out = layer.output_shape();
                2 * layer.weight_len() * out.height * out.width
            })
            .sum();
        2 * forward as u64
    }
}

fn infer(
    layer: usize,
    spec: LayerSpec,
    input: Shape,
    previous: Option<&LayerKind>,
) -> Result<LayerKind, NetworkError> {
    match spec {
        LayerSpec::Dense { features } => {
            if features == 0 {
                return Err(NetworkError::Zero {
                    layer,
                    what: "dense",
                });
            }
            limited(layer, &[features, input.len()])?;
            Ok(LayerKind::Dense {
                input,
                outputs: features,
            })
        }
        LayerSpec::Conv {
            channels,
            kernel,
            stride,
            padding,
        } => {
            if matches!(previous, Some(LayerKind::Dense { .. })) {
                return Err(NetworkError::ConvAfterDense { layer });
            }
            let positive = [(channels, "conv"), (kernel, "kernel"), (stride, "stride")];
            if let Some((_, what)) = positive.into_iter().find(|(value, _)| *value == 0) {
                return Err(NetworkError::Zero { layer, what });
            }
            let (height, width) = (input.height, input.width);
            let padded = |side: usize| padding.saturating_mul(2).saturating_add(side);
            // The padded input bounds the outputs.
            limited(layer, &[channels, padded(height), padded(width)])?;
            if kernel > padded(height) || kernel > padded(width) {
                return Err(NetworkError::KernelTooLarge {
                    layer,
                    kernel,
                    height,
                    width,
                    padding,
                });
            }
            limited(layer, &[channels, input.channels, kernel, kernel])?;
            Ok(LayerKind::Conv(ConvGeometry {
                in_channels: input.channels,
                in_height: height,
                in_width: width,
                out_channels: channels,
                kernel_height: kernel,
                kernel_width: kernel,
                stride,
                padding,
            }))
        }
    }
}

/// Refuses a layer with a product of `factors` that one buffer cannot address.
fn limited(layer: usize, factors: &[usize]) -> Result<(), NetworkError> {
    factors
        .iter()
        .try_fold(1_usize, |product, factor| product.checked_mul(*factor))
        .filter(|product| *product <= MOST_VALUES)
        .map(|_| ())
        .ok_or(NetworkError::LayerTooLarge { layer })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digits() -> Architecture {
        let conv = |channels, stride| LayerSpec::Conv {
            channels,
            kernel: 3,
            stride,
            padding: 1,
        };
        let specs = [
            conv(32, 1),
            conv(64, 2),
            conv(64, 2),
            LayerSpec::Dense { features: 1 },
        ];
        Architecture::new(Shape::new(1, 8, 8), &specs, Activation::Silu, None).unwrap()
    }

    #[test]
    fn shapes_and_parameters_of_a_known_network() {
        let network = digits();
        assert_eq!(network.layers()[2].output_shape(), Shape::new(64, 2, 2));
        // 9·32+32, 9·32·64+64, 9·64·64+64, 256+1
        assert_eq!(network.parameter_count(), 320 + 18_496 + 36_928 + 257);
        let names: Vec<_> = network
            .tensors()
            .iter()
            .map(|t| (t.name.clone(), t.shape.clone()))
            .collect();
        assert_eq!(names[2], ("layers.1.weight".into(), vec![64, 32, 3, 3]));
        assert_eq!(names[7], ("layers.3.bias".into(), vec![1]));
        assert_eq!(network.activation_after(3), Activation::Identity);
        // KERNELS.md: 0.236 GFLOP for a Langevin step of 128 samples.
        assert!((network.flops_per_gradient() as f64 * 128.0 / 1e9 - 0.236).abs() < 0.002);
    }

    #[test]
    fn layers_that_do_not_fit_are_refused() {
        let shape = Shape::new(1, 2, 2);
        let conv = |kernel, stride, padding| LayerSpec::Conv {
            channels: 1,
            kernel,
            stride,
            padding,
        };
        let build = |specs: &[LayerSpec]| {
            Architecture::new(shape, specs, Activation::Tanh, None).unwrap_err()
        };
        assert_eq!(build(&[]), NetworkError::NoLayers);
        assert!(matches!(
            build(&[conv(3, 1, 0)]),
            NetworkError::KernelTooLarge { layer: 0, .. }
        ));
        assert!(matches!(
            build(&[conv(1, 0, 0)]),
            NetworkError::Zero { what: "stride", .. }
        ));
        assert!(matches!(
            build(&[LayerSpec::Dense { features: 2 }, conv(1, 1, 0)]),
            NetworkError::ConvAfterDense { layer: 1 }
        ));
        for absurd in [
            LayerSpec::Dense {
                features: usize::MAX / 2,
            },
            conv(usize::MAX, 1, usize::MAX - 1),
            conv(1 << 16, 1, 1 << 15),
        ] {
            assert_eq!(build(&[absurd]), NetworkError::LayerTooLarge { layer: 0 });
        }
    }
}
