//! A twin of a whole network: layers one after the other, energy head, and both backward passes.

use super::conv_forward::{ConvForward, conv_forward};
use super::conv_input_gradient::conv_input_gradient;
use super::conv_weight_gradient::{WeightGradient, conv_weight_gradient};
use super::energy_head::{QuadraticBase, energy_head};
use super::quadratic_base_gradient::quadratic_base_gradient;
use crate::kernels::geometry::{Activation, ConvGeometry};

/// One layer with its parameters. A dense layer is a 1×1 convolution, see
/// [`dense_geometry`](super::dense_forward::dense_geometry()).
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

/// A network whose energy is the sum of its last layer's outputs, plus the base's energy if there is one.
/// Without layers it is the base alone.
#[derive(Clone, Debug, PartialEq)]
pub struct TwinNetwork {
    /// From the input on; each layer reads the output of the one before, flattened if it is dense.
    pub layers: Vec<TwinLayer>,
    /// The Gaussian whose energy is added.
    pub base: Option<QuadraticBase>,
}

impl TwinNetwork {
    /// E of each sample of `x`, (sample, channel, row, column).
    pub fn energies(&self, x: &[f64], samples: usize) -> Vec<f64> {
        let forwards = self.forward(x, samples);
        let head = forwards.last().map_or(&[][..], |forward| &forward.output);
        let outputs = self
            .layers
            .last()
            .map_or(0, |layer| layer.geometry.out_len());
        energy_head(
            samples,
            outputs,
            head,
            self.base,
            x.len() / samples.max(1),
            x,
        )
    }

    /// ∇ₓE of each sample, of the shape of `x`.
    pub fn energy_gradient(&self, x: &[f64], samples: usize) -> Vec<f64> {
        let gradients = self.pre_activation_gradients(&self.forward(x, samples), samples);
        let mut gradient = match (self.layers.first(), gradients.first()) {
            (Some(layer), Some(output_gradient)) => conv_input_gradient(
                &layer.geometry,
                samples,
                output_gradient,
                &layer.weight,
                None,
            ),
            _ => vec![0.0; x.len()],
        };
        if let Some(base) = self.base {
            quadratic_base_gradient(base, x, &mut gradient);
        }
        gradient
    }

    /// Σₙ factor\[n\] · ∂Eₙ/∂θ, layer by layer; `factor` holds one value per sample.
    pub fn weight_gradient(
        &self,
        x: &[f64],
        samples: usize,
        factor: &[f64],
    ) -> Vec<WeightGradient> {
        let forwards = self.forward(x, samples);
        let gradients = self.pre_activation_gradients(&forwards, samples);
        let inputs = std::iter::once(x).chain(forwards.iter().map(|forward| &forward.output[..]));
        self.layers
            .iter()
            .zip(inputs)
            .zip(&gradients)
            .map(|((layer, input), output_gradient)| {
                conv_weight_gradient(&layer.geometry, samples, input, output_gradient, factor)
            })
            .collect()
    }

    /// What each layer computes.
    fn forward(&self, x: &[f64], samples: usize) -> Vec<ConvForward> {
        let mut forwards: Vec<ConvForward> = Vec::with_capacity(self.layers.len());
        for layer in &self.layers {
            let input = forwards.last().map_or(x, |forward| &forward.output);
            let forward = conv_forward(
                &layer.geometry,
                layer.activation,
                samples,
                input,
                &layer.weight,
                &layer.bias,
            );
            forwards.push(forward);
        }
        forwards
    }

    /// ∂E/∂z of each layer, z being its output before the activation.
    fn pre_activation_gradients(&self, forwards: &[ConvForward], samples: usize) -> Vec<Vec<f64>> {
        let mut gradients = Vec::with_capacity(forwards.len());
        // The head sums its inputs, so ∂E/∂z of the last layer is act′ alone.
        let mut gradient = forwards
            .last()
            .map_or(Vec::new(), |forward| forward.derivative.clone());
        for (layer, before) in self.layers.iter().skip(1).zip(forwards).rev() {
            let carried = conv_input_gradient(
                &layer.geometry,
                samples,
                &gradient,
                &layer.weight,
                Some(&before.derivative),
            );
            gradients.push(std::mem::replace(&mut gradient, carried));
        }
        gradients.push(gradient);
        gradients.reverse();
        gradients
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::twins::dense_geometry;
    use crate::twins::testing::{ACTIVATIONS, assert_close, central_differences, dot, random};

    const SAMPLES: usize = 3;
    const BASE: QuadraticBase = QuadraticBase {
        mean: 0.2,
        std: 0.8,
    };

    fn conv(
        in_shape: [usize; 3],
        out_channels: usize,
        kernel: [usize; 2],
        stride: usize,
        padding: usize,
    ) -> ConvGeometry {
        ConvGeometry {
            in_channels: in_shape[0],
            in_height: in_shape[1],
            in_width: in_shape[2],
            out_channels,
            kernel_height: kernel[0],
            kernel_width: kernel[1],
            stride,
            padding,
        }
    }

    /// Two convolutions with unread rows, a dense layer, and a head of two outputs, the last layer linear.
    fn network(
        channels: usize,
        activation: Activation,
        base: Option<QuadraticBase>,
    ) -> TwinNetwork {
        let geometries = [
            conv([channels, 7, 6], 4, [3, 3], 2, 1),
            conv([4, 4, 3], 3, [2, 3], 2, 0),
            dense_geometry(6, 5),
            dense_geometry(5, 2),
        ];
        let last = geometries.len() - 1;
        let layers = geometries.iter().enumerate().map(|(i, &geometry)| {
            let fan_in = geometry.weight_len() / geometry.out_channels;
            let seed = 10 * i as u64;
            let weight = random(geometry.weight_len(), seed + 1);
            TwinLayer {
                geometry,
                activation: if i == last {
                    Activation::Identity
                } else {
                    activation
                },
                weight: weight.iter().map(|w| w / (fan_in as f64).sqrt()).collect(),
                bias: random(geometry.out_channels, seed + 2),
            }
        });
        TwinNetwork {
            layers: layers.collect(),
            base,
        }
    }

    fn networks() -> Vec<TwinNetwork> {
        let mut networks = Vec::new();
        for activation in ACTIVATIONS {
            for channels in [1, 3] {
                networks.push(network(channels, activation, Some(BASE)));
            }
            let mut curved_head = network(1, activation, None);
            curved_head.layers[3].activation = Activation::Softplus;
            networks.push(curved_head);
        }
        networks
    }

    /// A batch at which no layer of `network` is so near the kink of LeakyReLU that a difference crosses it.
    fn batch(network: &TwinNetwork) -> Vec<f64> {
        let x = random(SAMPLES * network.layers[0].geometry.in_len(), 77);
        let mut input = x.clone();
        for layer in &network.layers {
            let run = |activation, input: &[f64]| {
                conv_forward(
                    &layer.geometry,
                    activation,
                    SAMPLES,
                    input,
                    &layer.weight,
                    &layer.bias,
                )
                .output
            };
            let nearest = run(Activation::Identity, &input)
                .iter()
                .fold(f64::MAX, |m, z| m.min(z.abs()));
            assert!(
                nearest > 2e-4,
                "choose another seed: a value at {nearest} of the kink"
            );
            input = run(layer.activation, &input);
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
            assert_eq!(gradients.len(), network.layers.len());
            for (i, (layer, gradient)) in network.layers.iter().zip(&gradients).enumerate() {
                let objective = |change: &dyn Fn(&mut TwinLayer)| {
                    let mut changed = network.clone();
                    change(&mut changed.layers[i]);
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

    /// Two affine layers without activation compose to one that can be written down.
    #[test]
    fn a_tiny_network_by_hand() {
        let dense = |in_features, out_features, weight: &[f64], bias: &[f64]| TwinLayer {
            geometry: dense_geometry(in_features, out_features),
            activation: Activation::Identity,
            weight: weight.to_vec(),
            bias: bias.to_vec(),
        };
        let network = TwinNetwork {
            layers: vec![
                dense(2, 2, &[1.0, 2.0, 3.0, 4.0], &[0.5, -0.5]),
                dense(2, 1, &[2.0, -1.0], &[10.0]),
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
