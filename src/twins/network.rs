//! A twin of a whole network: layers one after the other, energy head, and both backward passes.

use super::conv_forward::{ConvForward, conv_forward};
use super::conv_input_gradient::conv_input_gradient;
use super::conv_weight_gradient::{WeightGradient, conv_weight_gradient};
use super::energy_head::{QuadraticBase, energy_head};
use super::pool_forward::pool_forward;
use super::pool_input_gradient::pool_input_gradient;
use super::quadratic_base_gradient::quadratic_base_gradient;
use crate::kernels::Pooling;
use crate::kernels::activations::Activation;
use crate::kernels::geometry::ConvGeometry;

/// One layer with its parameters. A dense layer is a 1×1 convolution, see
/// [`dense_geometry`](super::dense_geometry()).
#[derive(Clone, Debug, PartialEq)]
pub struct TwinLayer {
    /// The layer's shape.
    pub geometry: ConvGeometry,
    /// Applied to the layer's output.
    pub activation: Activation,
    /// (out, in, height, width).
    pub weight: Vec<f64>,
    /// One value per output channel.
    pub bias: Vec<f64>,
}

/// One block of a network.
// A network has a handful of these, so their size does not matter.
#[allow(clippy::large_enum_variant)]
#[derive(Clone, Debug, PartialEq)]
pub enum TwinBlock {
    /// A convolution or a dense layer.
    Layer(TwinLayer),
    /// A pooling.
    Pool(Pooling),
    /// activation(join(second(first(x)) + skip(x))); the skip is x itself where there is none.
    Residual {
        /// With its own activation.
        first: TwinLayer,
        /// Without.
        second: TwinLayer,
        /// Without, either.
        skip: Option<TwinLayer>,
        /// What the sum passes through.
        join: Pooling,
        /// Applied to the block's output.
        activation: Activation,
    },
}

impl From<TwinLayer> for TwinBlock {
    fn from(layer: TwinLayer) -> Self {
        TwinBlock::Layer(layer)
    }
}

/// A network whose energy is the sum of its last block's outputs, plus the base's energy if there is one.
/// Without layers it is the base alone.
#[derive(Clone, Debug, PartialEq)]
pub struct TwinNetwork {
    /// From the input on; each reads the output of the one before, flattened if it is dense.
    pub layers: Vec<TwinBlock>,
    /// The Gaussian whose energy is added.
    pub base: Option<QuadraticBase>,
}

/// What a block computes.
struct Computed {
    /// Its output, with the derivative of its activation.
    result: ConvForward,
    /// The output of the first convolution of a residual block; empty for the others.
    inside: ConvForward,
}

impl TwinLayer {
    fn forward(&self, samples: usize, input: &[f64]) -> ConvForward {
        conv_forward(
            &self.geometry,
            self.activation,
            samples,
            input,
            &self.weight,
            &self.bias,
        )
    }

    fn input_gradient(
        &self,
        samples: usize,
        gradient: &[f64],
        derivative: Option<&[f64]>,
    ) -> Vec<f64> {
        conv_input_gradient(&self.geometry, samples, gradient, &self.weight, derivative)
    }
}

impl TwinBlock {
    /// The layers with weights, in the order of their parameters.
    #[cfg(test)]
    pub(crate) fn layers(&self) -> Vec<&TwinLayer> {
        match self {
            TwinBlock::Layer(layer) => vec![layer],
            TwinBlock::Pool(_) => Vec::new(),
            TwinBlock::Residual {
                first,
                second,
                skip,
                ..
            } => [first, second].into_iter().chain(skip).collect(),
        }
    }

    fn forward(&self, samples: usize, input: &[f64]) -> Computed {
        let nothing = ConvForward::default();
        let (result, inside) = match self {
            TwinBlock::Layer(layer) => (layer.forward(samples, input), nothing),
            TwinBlock::Pool(pooling) => {
                let identity = Activation::IDENTITY;
                let pooled = pool_forward(pooling, identity, samples, input, None);
                (pooled, nothing)
            }
            TwinBlock::Residual {
                first,
                second,
                skip,
                join,
                activation,
            } => {
                let inside = first.forward(samples, input);
                let branch = second.forward(samples, &inside.output).output;
                let skipped = match skip {
                    Some(skip) => skip.forward(samples, input).output,
                    None => input.to_vec(),
                };
                let result = pool_forward(join, *activation, samples, &branch, Some(&skipped));
                (result, inside)
            }
        };
        Computed { result, inside }
    }

    /// ∂E/∂input from `gradient` = ∂E/∂z, z being the output before the activation, and Σₙ factor\[n\] · ∂Eₙ/∂θ of each
    /// of its layers, if there are factors.
    fn backward(
        &self,
        samples: usize,
        input: &[f64],
        computed: &Computed,
        gradient: &[f64],
        factor: Option<&[f64]>,
    ) -> (Vec<f64>, Vec<WeightGradient>) {
        let in_weights = |layer: &TwinLayer, input: &[f64], gradient: &[f64]| {
            factor.map(|factor| {
                conv_weight_gradient(&layer.geometry, samples, input, gradient, factor)
            })
        };
        match self {
            TwinBlock::Layer(layer) => (
                layer.input_gradient(samples, gradient, None),
                in_weights(layer, input, gradient).into_iter().collect(),
            ),
            TwinBlock::Pool(pooling) => {
                let back = pool_input_gradient(pooling, samples, gradient, None, None);
                (back, Vec::new())
            }
            TwinBlock::Residual {
                first,
                second,
                skip,
                join,
                ..
            } => {
                let inside = &computed.inside;
                let in_sum = pool_input_gradient(join, samples, gradient, None, None);
                let in_first = second.input_gradient(samples, &in_sum, Some(&inside.derivative));
                let mut gradients = vec![
                    in_weights(first, input, &in_first),
                    in_weights(second, &inside.output, &in_sum),
                ];
                let through_skip = match skip {
                    Some(skip) => {
                        gradients.push(in_weights(skip, input, &in_sum));
                        skip.input_gradient(samples, &in_sum, None)
                    }
                    None => in_sum,
                };
                let through_branch = first.input_gradient(samples, &in_first, None);
                let both = through_branch.iter().zip(&through_skip);
                let gradient = both.map(|(branch, skip)| branch + skip).collect();
                (gradient, gradients.into_iter().flatten().collect())
            }
        }
    }
}

impl TwinNetwork {
    /// E of each sample of `x`, (sample, channel, row, column).
    pub fn energies(&self, x: &[f64], samples: usize) -> Vec<f64> {
        let computed = self.forward(x, samples);
        let head = computed.last().map_or(&[][..], |last| &last.result.output);
        energy_head(
            samples,
            head.len() / samples.max(1),
            head,
            self.base,
            x.len() / samples.max(1),
            x,
        )
    }

    /// ∇ₓE of each sample, of the shape of `x`.
    pub fn energy_gradient(&self, x: &[f64], samples: usize) -> Vec<f64> {
        let (mut gradient, _) = self.backward(x, samples, None);
        if let Some(base) = self.base {
            quadratic_base_gradient(base, x, &mut gradient);
        }
        gradient
    }

    /// Σₙ factor\[n\] · ∂Eₙ/∂θ, layer by layer in the order of the parameters; `factor` holds one value per sample.
    pub fn weight_gradient(
        &self,
        x: &[f64],
        samples: usize,
        factor: &[f64],
    ) -> Vec<WeightGradient> {
        self.backward(x, samples, Some(factor)).1
    }

    /// What each block computes.
    fn forward(&self, x: &[f64], samples: usize) -> Vec<Computed> {
        let mut computed: Vec<Computed> = Vec::with_capacity(self.layers.len());
        for block in &self.layers {
            let input = computed.last().map_or(x, |before| &before.result.output);
            let next = block.forward(samples, input);
            computed.push(next);
        }
        computed
    }

    /// The gradient in `x` of all but the base, and those in the weights.
    fn backward(
        &self,
        x: &[f64],
        samples: usize,
        factor: Option<&[f64]>,
    ) -> (Vec<f64>, Vec<WeightGradient>) {
        let computed = self.forward(x, samples);
        // The head sums its inputs.
        let mut gradient = computed.last().map_or(vec![0.0; x.len()], |last| {
            vec![1.0; last.result.output.len()]
        });
        let mut gradients = Vec::new();
        for (index, block) in self.layers.iter().enumerate().rev() {
            for (value, derivative) in gradient.iter_mut().zip(&computed[index].result.derivative) {
                *value *= derivative;
            }
            let input = match index {
                0 => x,
                _ => &computed[index - 1].result.output,
            };
            let (carried, of_block) =
                block.backward(samples, input, &computed[index], &gradient, factor);
            gradient = carried;
            gradients.splice(0..0, of_block);
        }
        (gradient, gradients)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shape::Shape;
    use crate::twins::dense_geometry;
    use crate::twins::testing::{activations, assert_close, central_differences, dot, random};

    const SAMPLES: usize = 3;
    const BASE: QuadraticBase = QuadraticBase {
        mean: 0.2,
        std: 0.8,
    };

    fn layer(geometry: ConvGeometry, activation: Activation, seed: u64) -> TwinLayer {
        let fan_in = geometry.weight_len() / geometry.out_channels;
        let weight = random(geometry.weight_len(), seed + 1);
        TwinLayer {
            geometry,
            activation,
            weight: weight.iter().map(|w| w / (fan_in as f64).sqrt()).collect(),
            bias: random(geometry.out_channels, seed + 2),
        }
    }

    /// Two convolutions with unread rows, a dense layer, and a head of two outputs, the last layer linear.
    fn network(
        channels: usize,
        activation: Activation,
        base: Option<QuadraticBase>,
    ) -> TwinNetwork {
        let geometries = [
            ConvGeometry::new([channels, 7, 6], 4, [3, 3], 2, 1),
            ConvGeometry::new([4, 4, 3], 3, [2, 3], 2, 0),
            dense_geometry(6, 5),
            dense_geometry(5, 2),
        ];
        let last = geometries.len() - 1;
        let layers = geometries.iter().enumerate().map(|(i, &geometry)| {
            let activation = if i == last {
                Activation::IDENTITY
            } else {
                activation
            };
            layer(geometry, activation, 10 * i as u64).into()
        });
        TwinNetwork {
            layers: layers.collect(),
            base,
        }
    }

    /// Poolings, and residual blocks with both kinds of skips, that leave a row over and that come last.
    fn residual_network(activation: Activation) -> TwinNetwork {
        let residual = |in_shape: [usize; 3], channels, pool, activation, seed| {
            let [in_channels, height, width] = in_shape;
            let first = ConvGeometry::new(in_shape, channels, [3, 3], 1, 1);
            let second = ConvGeometry::new([channels, height, width], channels, [3, 3], 1, 1);
            TwinBlock::Residual {
                first: layer(first, Activation::TANH, seed),
                second: layer(second, Activation::IDENTITY, seed + 10),
                skip: (in_channels != channels).then(|| {
                    let skip = ConvGeometry::new(in_shape, channels, [1, 1], 1, 0);
                    layer(skip, Activation::IDENTITY, seed + 20)
                }),
                join: Pooling::average(Shape::new(channels, height, width), pool),
                activation,
            }
        };
        TwinNetwork {
            layers: vec![
                residual([1, 7, 6], 3, 2, activation, 1),
                residual([3, 3, 3], 3, 1, activation, 2),
                TwinBlock::Pool(Pooling::average(Shape::new(3, 3, 3), 2)),
                residual([3, 1, 1], 4, 1, Activation::IDENTITY, 3),
                TwinBlock::Pool(Pooling::global_sum(Shape::new(4, 1, 1))),
            ],
            base: None,
        }
    }

    fn networks() -> Vec<TwinNetwork> {
        let mut networks = Vec::new();
        for activation in activations() {
            for channels in [1, 3] {
                networks.push(network(channels, activation, Some(BASE)));
            }
            let mut curved_head = network(1, activation, None);
            if let TwinBlock::Layer(head) = &mut curved_head.layers[3] {
                head.activation = Activation::SOFTPLUS;
            }
            networks.push(curved_head);
            networks.push(residual_network(activation));
        }
        networks
    }

    /// A batch at which no activation of `network` is so near the kink of LeakyReLU that a difference crosses it.
    fn batch(network: &TwinNetwork) -> Vec<f64> {
        let x = random(
            SAMPLES * network.layers[0].layers()[0].geometry.in_len(),
            77,
        );
        let mut input = x.clone();
        for block in &network.layers {
            let mut linear = block.clone();
            match &mut linear {
                TwinBlock::Layer(layer) => layer.activation = Activation::IDENTITY,
                TwinBlock::Residual { activation, .. } => *activation = Activation::IDENTITY,
                TwinBlock::Pool(_) => {}
            }
            let before = linear.forward(SAMPLES, &input).result.output;
            let nearest = before.iter().fold(f64::MAX, |m, z| m.min(z.abs()));
            assert!(
                nearest > 2e-4,
                "choose another seed: a value at {nearest} of the kink"
            );
            input = block.forward(SAMPLES, &input).result.output;
        }
        x
    }

    #[test]
    fn the_gradient_in_x_agrees_with_finite_differences() {
        for network in networks() {
            let x = batch(&network);
            let numeric =
                central_differences(&x, |x| network.energies(x, SAMPLES).iter().sum::<f64>());
            assert_close(&network.energy_gradient(&x, SAMPLES), &numeric, 1e-7);
        }
    }

    #[test]
    fn the_gradient_in_every_parameter_agrees_with_finite_differences() {
        for network in networks() {
            let x = batch(&network);
            let factor = random(SAMPLES, 5);
            let gradients = network.weight_gradient(&x, SAMPLES, &factor);
            let places: Vec<(usize, usize)> = (0..network.layers.len())
                .flat_map(|block| {
                    (0..network.layers[block].layers().len()).map(move |part| (block, part))
                })
                .collect();
            assert_eq!(gradients.len(), places.len());
            for ((block, part), gradient) in places.into_iter().zip(&gradients) {
                let layer = network.layers[block].layers()[part].clone();
                let objective = |change: &dyn Fn(&mut TwinLayer)| {
                    let mut changed = network.clone();
                    change(part_of(&mut changed.layers[block], part));
                    dot(&changed.energies(&x, SAMPLES), &factor)
                };
                let in_weight = central_differences(&layer.weight, |weight| {
                    objective(&|layer| layer.weight = weight.to_vec())
                });
                let in_bias = central_differences(&layer.bias, |bias| {
                    objective(&|layer| layer.bias = bias.to_vec())
                });
                assert_close(&gradient.weight, &in_weight, 1e-7);
                assert_close(&gradient.bias, &in_bias, 1e-7);
            }
        }
    }

    fn part_of(block: &mut TwinBlock, part: usize) -> &mut TwinLayer {
        match (block, part) {
            (TwinBlock::Layer(layer) | TwinBlock::Residual { first: layer, .. }, 0) => layer,
            (TwinBlock::Residual { second, .. }, 1) => second,
            (
                TwinBlock::Residual {
                    skip: Some(skip), ..
                },
                2,
            ) => skip,
            _ => panic!("there is no such part"),
        }
    }

    /// Two affine layers without activation compose to one that can be written down.
    #[test]
    fn a_tiny_network_by_hand() {
        let dense = |in_features, out_features, weight: &[f64], bias: &[f64]| TwinLayer {
            geometry: dense_geometry(in_features, out_features),
            activation: Activation::IDENTITY,
            weight: weight.to_vec(),
            bias: bias.to_vec(),
        };
        let network = TwinNetwork {
            layers: vec![
                dense(2, 2, &[1.0, 2.0, 3.0, 4.0], &[0.5, -0.5]).into(),
                dense(2, 1, &[2.0, -1.0], &[10.0]).into(),
            ],
            base: Some(QuadraticBase {
                mean: 0.0,
                std: 1.0,
            }),
        };
        // E = 2 (x₀ + 2x₁ + ½) − (3x₀ + 4x₁ − ½) + 10 + |x|²/2 = 11.5 − x₀ + |x|²/2.
        let x = [1.0, 2.0, -4.0, 0.0];
        assert_eq!(network.energies(&x, 2), [13.0, 23.5]);
        assert_eq!(network.energy_gradient(&x, 2), [0.0, 2.0, -5.0, 0.0]);
        let gradients = network.weight_gradient(&x, 2, &[1.0, 0.5]);
        // ∂E/∂z of layer 0 is [2, −1] for both samples; Σ factor · x = [−1, 2], Σ factor = 1.5.
        assert_eq!(gradients[0].weight, [-2.0, 4.0, 1.0, -2.0]);
        assert_eq!(gradients[0].bias, [3.0, -1.5]);
        // Layer 0 gives [5.5, 10.5] and [−3.5, −12.5].
        assert_eq!(gradients[1].weight, [3.75, 4.25]);
        assert_eq!(gradients[1].bias, [1.5]);
    }

    #[test]
    fn without_layers_the_base_alone_remains() {
        let network = TwinNetwork {
            layers: Vec::new(),
            base: Some(QuadraticBase {
                mean: 1.0,
                std: 0.5,
            }),
        };
        let x = [1.0, 2.0, 0.0, 1.5];
        assert_eq!(network.energies(&x, 2), [2.0, 2.5]);
        assert_eq!(network.energy_gradient(&x, 2), [0.0, 4.0, -4.0, 2.0]);
        assert!(network.weight_gradient(&x, 2, &[1.0, 1.0]).is_empty());
    }
}
