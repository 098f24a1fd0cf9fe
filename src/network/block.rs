use super::error::NetworkError;
use super::layer_spec::LayerSpec;
use crate::kernels::{ConvGeometry, LayerKind, Pooling};
use crate::shape::Shape;

/// The most values that one buffer can address.
pub(super) const MOST_VALUES: usize = 1 << 30;

/// One entry of `network.layers` with its shapes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Block {
    /// What was asked for.
    pub spec: LayerSpec,
    pub kind: BlockKind,
    /// Shape of one input sample.
    pub input: Shape,
    /// Shape of one output sample.
    pub output: Shape,
}

/// What a block computes, by the places of its layers with weights in [`super::Architecture::layers`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum BlockKind {
    /// A convolution or a dense layer.
    Layer(usize),
    /// A pooling, which has no weights and no activation.
    Pool(Pooling),
    Residual(ResidualBlock),
}

/// act(pool(conv2(act(conv1(x))) + skip(x))), both convolutions keeping the size of the map.
///
/// The activation comes after the sum and not before the convolutions, as in the residual networks of Du & Mordatch
/// (*Implicit Generation and Modeling with Energy-Based Models*, 2019; <https://github.com/openai/ebm_code_release>).
/// Their average pooling of the sum is the sum of both branches' poolings.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ResidualBlock {
    pub conv1: usize,
    pub conv2: usize,
    /// A 1×1 convolution where the channels change; x itself where they do not.
    pub skip: Option<usize>,
    /// What the sum of both branches passes through.
    pub join: Pooling,
}

impl BlockKind {
    /// Whether there is something to learn, and an activation behind it.
    pub(crate) fn has_weights(&self) -> bool {
        !matches!(self, BlockKind::Pool(_))
    }
}

/// Infers the shapes of layer number `index` over `input` and adds what it has of weights to `layers`, each with what a
/// checkpoint calls it.
pub(super) fn infer(
    index: usize,
    spec: LayerSpec,
    input: Shape,
    previous: Option<&Block>,
    layers: &mut Vec<(String, LayerKind)>,
) -> Result<Block, NetworkError> {
    let after_dense = previous.is_some_and(|block| block.spec.is_flat());
    spec.check(after_dense)
        .map_err(|flaw| NetworkError::Layer {
            layer: index,
            spec,
            flaw,
        })?;
    let mut add = |part: &str, kind: LayerKind| {
        layers.push((format!("layers.{index}{part}"), kind));
        layers.len() - 1
    };
    let kind = spec.infer(Place { index, spec }, input, &mut add)?;
    let output = match &kind {
        BlockKind::Layer(layer) => layers[*layer].1.output_shape(),
        BlockKind::Pool(pooling) => pooling.output_shape(),
        BlockKind::Residual(block) => block.join.output_shape(),
    };
    Ok(Block {
        spec,
        kind,
        input,
        output,
    })
}

impl LayerSpec {
    /// What it computes of a map of shape `input`. `add` takes what it has of weights, each with what a checkpoint calls
    /// that part of the layer, and gives its place.
    fn infer(
        self,
        at: Place,
        input: Shape,
        add: &mut dyn FnMut(&str, LayerKind) -> usize,
    ) -> Result<BlockKind, NetworkError> {
        match self {
            LayerSpec::Conv {
                channels,
                kernel,
                stride,
                padding,
            } => {
                let geometry = at.convolution(input, channels, kernel, stride, padding)?;
                Ok(BlockKind::Layer(add("", LayerKind::Conv(geometry))))
            }
            LayerSpec::Dense { features } => {
                at.limited(&[features, input.len()])?;
                let outputs = features;
                let layer = LayerKind::Dense { input, outputs };
                Ok(BlockKind::Layer(add("", layer)))
            }
            LayerSpec::Residual {
                channels,
                kernel,
                pool,
            } => {
                let conv1 = at.convolution(input, channels, kernel, 1, kernel / 2)?;
                let hidden = LayerKind::Conv(conv1).output_shape();
                let conv2 = at.convolution(hidden, channels, kernel, 1, kernel / 2)?;
                let skip = if channels == input.channels {
                    None
                } else {
                    Some(at.convolution(input, channels, 1, 1, 0)?)
                };
                Ok(BlockKind::Residual(ResidualBlock {
                    conv1: add(".conv1", LayerKind::Conv(conv1)),
                    conv2: add(".conv2", LayerKind::Conv(conv2)),
                    skip: skip.map(|skip| add(".skip", LayerKind::Conv(skip))),
                    join: at.pooling(hidden, pool)?,
                }))
            }
            LayerSpec::Pool { size } => Ok(BlockKind::Pool(at.pooling(input, size)?)),
            LayerSpec::GlobalSum => Ok(BlockKind::Pool(Pooling::global_sum(input))),
        }
    }
}

/// A layer, for messages.
#[derive(Clone, Copy)]
struct Place {
    index: usize,
    spec: LayerSpec,
}

impl Place {
    /// Refuses a product of `factors` that one buffer cannot address.
    fn limited(self, factors: &[usize]) -> Result<(), NetworkError> {
        factors
            .iter()
            .try_fold(1_usize, |product, factor| product.checked_mul(*factor))
            .filter(|product| *product <= MOST_VALUES)
            .map(|_| ())
            .ok_or(NetworkError::LayerTooLarge {
                layer: self.index,
                spec: self.spec,
            })
    }

    fn convolution(
        self,
        input: Shape,
        channels: usize,
        kernel: usize,
        stride: usize,
        padding: usize,
    ) -> Result<ConvGeometry, NetworkError> {
        let (height, width) = (input.height, input.width);
        let padded = |side: usize| padding.saturating_mul(2).saturating_add(side);
        // The padded input bounds the outputs.
        self.limited(&[channels, padded(height), padded(width)])?;
        if kernel > padded(height) || kernel > padded(width) {
            return Err(NetworkError::KernelTooLarge {
                layer: self.index,
                spec: self.spec,
                kernel,
                height,
                width,
                padding,
            });
        }
        self.limited(&[channels, input.channels, kernel, kernel])?;
        Ok(ConvGeometry {
            in_channels: input.channels,
            in_height: height,
            in_width: width,
            out_channels: channels,
            kernel_height: kernel,
            kernel_width: kernel,
            stride,
            padding,
        })
    }

    fn pooling(self, input: Shape, size: usize) -> Result<Pooling, NetworkError> {
        let (height, width) = (input.height, input.width);
        if size > height || size > width {
            return Err(NetworkError::WindowTooLarge {
                layer: self.index,
                spec: self.spec,
                size,
                height,
                width,
            });
        }
        Ok(Pooling::average(input, size))
    }
}
