use super::block::{Block, BlockKind, MOST_VALUES, infer};
use super::error::NetworkError;
use super::layer_spec::LayerSpec;
use crate::kernels::{Activation, LayerKind, QuadraticBase, Stack, Variant};
use crate::shape::Shape;

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

/// An energy network: blocks from a sample to its energy, with all shapes inferred.
///
/// E(x) = Σ outputs of the last block + base(x); the activation follows every block with weights but the last of them.
#[derive(Clone, Debug, PartialEq)]
pub struct Architecture {
    input: Shape,
    blocks: Vec<Block>,
    layers: Vec<LayerKind>,
    /// What a checkpoint calls each layer.
    names: Vec<String>,
    activation: Activation,
    base: Option<QuadraticBase>,
    spectral_norm: bool,
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
        let mut blocks: Vec<Block> = Vec::with_capacity(specs.len());
        let mut layers = Vec::new();
        for (index, spec) in specs.iter().enumerate() {
            let block = infer(index, *spec, shape, blocks.last(), &mut layers)?;
            shape = block.output;
            blocks.push(block);
        }
        if layers.is_empty() {
            return Err(NetworkError::NoWeights);
        }
        let (names, layers) = layers.into_iter().unzip();
        let architecture = Architecture {
            input,
            blocks,
            layers,
            names,
            activation,
            base,
            spectral_norm: false,
        };
        architecture.checked()
    }

    /// The same network with every weight divided by an estimate of its largest singular value (Miyato et al. 2018). The
    /// parameters then are the weights before that, the biases, and behind them all one vector for each layer, which
    /// `Network::turn` and no gradient moves.
    ///
    /// # Errors
    /// When there are more parameters than a buffer can address.
    pub fn with_spectral_norm(self) -> Result<Self, NetworkError> {
        let spectral_norm = true;
        Architecture {
            spectral_norm,
            ..self
        }
        .checked()
    }

    fn checked(self) -> Result<Self, NetworkError> {
        match self.parameter_count() {
            parameters if parameters > MOST_VALUES => Err(NetworkError::TooLarge { parameters }),
            _ => Ok(self),
        }
    }

    /// Whether weights are normalised: see [`Self::with_spectral_norm`].
    pub fn spectral_norm(&self) -> bool {
        self.spectral_norm
    }

    /// Shape of one sample.
    pub fn input(&self) -> Shape {
        self.input
    }

    /// The blocks, from the sample to the energy: one for each entry of `network.layers`.
    pub fn blocks(&self) -> &[Block] {
        &self.blocks
    }

    /// The layers with weights, in the order of their parameters; a residual block has two or three.
    pub fn layers(&self) -> &[LayerKind] {
        &self.layers
    }

    /// The activation after the last layer of block `index`: none after a pooling, nor after the last block with weights.
    pub(crate) fn block_activation(&self, index: usize) -> Option<Activation> {
        let mut later = self.blocks[index + 1..].iter();
        let follows = later.any(|block| block.kind.has_weights());
        (follows && self.blocks[index].kind.has_weights()).then_some(self.activation)
    }

    /// The activation right after layer `index`, if there is any. Of the layers of a residual block only the first has
    /// its own; the block's comes after the sum.
    pub fn activation_after(&self, index: usize) -> Activation {
        let of_block = self
            .blocks
            .iter()
            .enumerate()
            .find_map(|(place, block)| match block.kind {
                BlockKind::Layer(layer) if layer == index => Some(self.block_activation(place)),
                BlockKind::Residual(block) if block.conv1 == index => Some(Some(self.activation)),
                _ => None,
            });
        of_block.flatten().unwrap_or(Activation::IDENTITY)
    }

    /// Whether it is a plain chain of convolutions and dense layers.
    pub(crate) fn is_chain(&self) -> bool {
        let is_layer = |block: &Block| matches!(block.kind, BlockKind::Layer(_));
        self.blocks.iter().all(is_layer)
    }

    /// What computes all of it in one launch on batches of at most `samples`, where `variant` has that for it.
    pub(super) fn stack(&self, samples: usize, variant: Variant) -> Option<Stack> {
        let activation = self.activation_after(0);
        let is_plain = self.is_chain() && activation != Activation::IDENTITY;
        is_plain.then(|| variant.stack(&self.layers, activation, samples))?
    }

    /// The quadratic base, if there is one.
    pub(crate) fn base(&self) -> Option<QuadraticBase> {
        self.base
    }

    /// The same network, with the same parameters, without its base.
    pub(crate) fn without_base(self) -> Self {
        Architecture { base: None, ..self }
    }

    /// All parameters, with the vectors of spectral normalisation.
    pub fn parameter_count(&self) -> usize {
        let layers = self.layers.len();
        if self.spectral_norm {
            self.vector_offset(layers)
        } else {
            self.parameter_offset(layers)
        }
    }

    /// The first value of the vector of layer `index`, of as many values as it has outputs, under spectral normalisation.
    pub fn vector_offset(&self, index: usize) -> usize {
        let before = self.layers[..index].iter();
        self.parameter_offset(self.layers.len()) + before.map(LayerKind::outputs).sum::<usize>()
    }

    /// The first parameter of layer `index`: its weight, with the bias right behind.
    pub fn parameter_offset(&self, index: usize) -> usize {
        self.layers[..index]
            .iter()
            .map(|layer| layer.weight_len() + layer.outputs())
            .sum()
    }

    /// Names, shapes and places of the parameters: `layers.0.weight` as (out, in, height, width) or (out, in), …, and
    /// `layers.1.conv1.weight`, `layers.1.conv2.weight`, `layers.1.skip.weight`, … of a residual block. Under spectral
    /// normalisation `weight` is `weight_orig`, and there are `weight_u`, as PyTorch's `spectral_norm` calls them.
    pub fn tensors(&self) -> Vec<ParameterTensor> {
        let mut tensors = Vec::new();
        let mut add = |name, shape: Vec<usize>, offset| {
            let len = shape.iter().product();
            tensors.push(ParameterTensor {
                name,
                shape,
                offset,
                len,
            });
        };
        let weight = match self.spectral_norm {
            true => "weight_orig",
            false => "weight",
        };
        for (index, (layer, name)) in self.layers.iter().zip(&self.names).enumerate() {
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
            add(format!("{name}.{weight}"), shape, offset);
            let bias = offset + layer.weight_len();
            add(format!("{name}.bias"), vec![layer.outputs()], bias);
        }
        if self.spectral_norm {
            for (index, (layer, name)) in self.layers.iter().zip(&self.names).enumerate() {
                let offset = self.vector_offset(index);
                add(format!("{name}.weight_u"), vec![layer.outputs()], offset);
            }
        }
        tensors
    }

    /// The layers of block `index`, by their places in [`Self::layers`].
    fn layers_of(&self, index: usize) -> Vec<usize> {
        match &self.blocks[index].kind {
            BlockKind::Layer(layer) => vec![*layer],
            BlockKind::Pool(_) => Vec::new(),
            BlockKind::Residual(block) => [block.conv1, block.conv2]
                .into_iter()
                .chain(block.skip)
                .collect(),
        }
    }

    /// Parameters of block `index`, as [`Self::parameter_count`] counts them.
    pub fn block_parameter_count(&self, index: usize) -> usize {
        let per_output = if self.spectral_norm { 2 } else { 1 };
        let layers = self.layers_of(index).into_iter();
        layers
            .map(|layer| {
                self.layers[layer].weight_len() + per_output * self.layers[layer].outputs()
            })
            .sum()
    }

    /// Values of the maps that a workspace keeps of block `index` for one sample: its output, the activation's derivative
    /// or the gradient at the end of the network, and what is inside a residual block. Without borders.
    pub fn block_map_len(&self, index: usize) -> usize {
        let block = &self.blocks[index];
        let is_last = index + 1 == self.blocks.len();
        let copies = 1 + usize::from(is_last || self.block_activation(index).is_some());
        let inside = match &block.kind {
            BlockKind::Layer(_) | BlockKind::Pool(_) => 0,
            // The hidden maps, their derivative and the branch; the gradient in the input; both again for a skip.
            BlockKind::Residual(residual) => {
                let skip = usize::from(residual.skip.is_some());
                (3 + skip) * residual.join.input.len() + (1 + skip) * block.input.len()
            }
        };
        copies * block.output.len() + inside
    }

    /// Floating-point operations of block `index` in the forward pass of one sample, counting a multiply-add as two and a
    /// pooling as one for each value that it reads.
    pub fn block_flops(&self, index: usize) -> u64 {
        let of_layer = |layer: usize| {
            let (kind, out) = (&self.layers[layer], self.layers[layer].output_shape());
            2 * kind.weight_len() * out.height * out.width
        };
        let pooled = match &self.blocks[index].kind {
            BlockKind::Layer(_) => 0,
            BlockKind::Pool(pool) => pool.input.len(),
            BlockKind::Residual(block) => 2 * block.join.input.len(),
        };
        let of_layers = self.layers_of(index).into_iter().map(of_layer);
        (pooled + of_layers.sum::<usize>()) as u64
    }

    /// Floating-point operations of one energy-gradient evaluation (NFE): the forward pass and as many backward.
    pub fn flops_per_gradient(&self) -> u64 {
        let forward: u64 = (0..self.blocks.len())
            .map(|index| self.block_flops(index))
            .sum();
        2 * forward
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::LayerFlaw;

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
        Architecture::new(Shape::new(1, 8, 8), &specs, Activation::SILU, None).unwrap()
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
        assert_eq!(network.activation_after(3), Activation::IDENTITY);
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
            Architecture::new(shape, specs, Activation::TANH, None).unwrap_err()
        };
        assert_eq!(build(&[]), NetworkError::NoLayers);
        assert!(matches!(
            build(&[conv(3, 1, 0)]),
            NetworkError::KernelTooLarge { layer: 0, .. }
        ));
        assert!(matches!(
            build(&[conv(1, 0, 0)]),
            NetworkError::Layer {
                flaw: LayerFlaw::Zero { key: "stride" },
                ..
            }
        ));
        assert!(matches!(
            build(&[LayerSpec::Dense { features: 2 }, conv(1, 1, 0)]),
            NetworkError::Layer {
                layer: 1,
                flaw: LayerFlaw::AfterDense,
                ..
            }
        ));
        for absurd in [
            LayerSpec::Dense {
                features: usize::MAX / 2,
            },
            conv(usize::MAX, 1, usize::MAX - 1),
            conv(1 << 16, 1, 1 << 15),
        ] {
            let (layer, spec) = (0, absurd);
            assert_eq!(
                build(&[absurd]),
                NetworkError::LayerTooLarge { layer, spec }
            );
        }
    }
}
