use super::conv_forward::{conv_forward, conv_forward_border};
use super::conv_input_gradient::{conv_input_gradient, conv_input_gradient_border};
use super::conv_weight_gradient::{Plan, conv_weight_gradient, conv_weight_gradient_borders};
use super::dense_forward::dense_forward;
use super::dense_input_gradient::dense_input_gradient;
use super::dense_weight_gradient::{dense_weight_gradient, dense_weight_gradient_shares};
use super::maps::Maps;
use super::pass::Pass;
use super::tile::{Tile, tiles};
use super::variant::Lanes;
use super::winograd::{Scratch, Winograd, algorithm};
use super::winograd_passes::{
    winograd_forward, winograd_input_gradient, winograd_weight_gradient, winograd_weights,
};
use crate::gpu::{Buffer, GpuError, Recording};
use crate::kernels::activations::Activation;
use crate::kernels::algorithm::Algorithm;
use crate::kernels::border::Border;
use crate::kernels::layer_kind::LayerKind;
use crate::kernels::layer_pass::LayerPass;
use crate::kernels::map_reader::MapReader;
use crate::kernels::parameters::LayerParameters;
use crate::kernels::precision::Precision;
use crate::shape::Shape;

/// A layer whose kernels read packed copies of the weights, one for each direction.
#[derive(Clone, Debug)]
pub struct Layer {
    kind: LayerKind,
    activation: Activation,
    samples: usize,
    passes: Passes,
}

/// How its passes are computed, with copies of the weights.
#[derive(Clone, Debug)]
enum Passes {
    Direct { forward: Pass, input_gradient: Pass },
    Winograd(Winograd),
}

impl Lanes {
    pub(crate) fn candidates(&self, kind: LayerKind, _: usize, pass: LayerPass) -> Vec<Tile> {
        match algorithm(kind) {
            Algorithm::Direct => tiles(kind, pass),
            Algorithm::Winograd => Vec::new(),
        }
    }

    pub(crate) fn layer(
        &self,
        kind: LayerKind,
        activation: Activation,
        samples: usize,
        forward: Option<Tile>,
        input_gradient: Option<Tile>,
    ) -> Layer {
        let tiles = [forward, input_gradient];
        Layer::planned(kind, activation, samples, tiles, algorithm(kind))
    }
}

impl Layer {
    /// Plans a layer by `algorithm` if that can be done, whatever it costs: for tests.
    pub fn forced(
        kind: LayerKind,
        activation: Activation,
        samples: usize,
        algorithm: Algorithm,
    ) -> Self {
        Self::planned(kind, activation, samples, [None; 2], algorithm)
    }

    fn planned(
        kind: LayerKind,
        activation: Activation,
        samples: usize,
        [forward, input_gradient]: [Option<Tile>; 2],
        algorithm: Algorithm,
    ) -> Self {
        let winograd = match (kind, algorithm) {
            (LayerKind::Conv(g), Algorithm::Winograd) => Winograd::new(&g, samples),
            _ => None,
        };
        let passes = match winograd {
            Some(plan) => Passes::Winograd(plan),
            None => Passes::Direct {
                forward: Pass::new(kind, LayerPass::Forward, forward),
                input_gradient: Pass::new(kind, LayerPass::InputGradient, input_gradient),
            },
        };
        Layer {
            kind,
            activation,
            samples,
            passes,
        }
    }

    /// The algorithm of its passes.
    pub fn algorithm(&self) -> Algorithm {
        match self.passes {
            Passes::Direct { .. } => Algorithm::Direct,
            Passes::Winograd(_) => Algorithm::Winograd,
        }
    }

    /// The borders it needs around its input, and around the gradient in its output.
    fn borders(&self) -> [Border; 2] {
        match (&self.passes, &self.kind) {
            (Passes::Winograd(plan), _) => plan.borders(),
            (
                Passes::Direct {
                    forward,
                    input_gradient,
                },
                LayerKind::Conv(g),
            ) => {
                let [input, output] = conv_weight_gradient_borders(g);
                let size = |pass: &Pass| [pass.tile.rows, pass.tile.pixels];
                [
                    input.max(conv_forward_border(g, size(forward))),
                    output.max(conv_input_gradient_border(g, size(input_gradient))),
                ]
            }
            (Passes::Direct { .. }, LayerKind::Dense { .. }) => Default::default(),
        }
    }

    pub(crate) fn kind(&self) -> LayerKind {
        self.kind
    }

    pub(crate) fn samples(&self) -> usize {
        self.samples
    }

    pub(crate) fn precision(&self) -> Precision {
        Precision::Full
    }

    pub(crate) fn for_samples(&self, samples: usize) -> Self {
        Layer {
            samples,
            ..self.clone()
        }
    }

    pub(crate) fn reading_samples(self) -> Self {
        self
    }

    pub(crate) fn sample_gradient(&self, maps: &Maps, _: Buffer) -> Maps {
        *maps
    }

    pub(crate) fn share_scratch<'a>(layers: impl Iterator<Item = &'a mut Self>) {
        let mut plans: Vec<_> = layers
            .filter_map(|layer| match &mut layer.passes {
                Passes::Winograd(plan) => Some(plan),
                Passes::Direct { .. } => None,
            })
            .collect();
        let needed = plans
            .iter()
            .map(|plan| plan.scratch_words())
            .reduce(|a, b| [0, 1, 2].map(|part| a[part].max(b[part])));
        let Some(needed) = needed else { return };
        let scratch = Scratch::new(needed);
        for plan in &mut plans {
            plan.scratch = scratch;
        }
    }

    pub(crate) fn new_maps(
        &self,
        label: &'static str,
        shape: Shape,
        readers: &[MapReader<'_, Self>],
        _: Precision,
    ) -> Result<Maps, GpuError> {
        let borders = readers.iter().map(|reader| match reader {
            MapReader::Input(layer) => layer.borders()[0],
            MapReader::OutputGradient(layer) => layer.borders()[1],
        });
        let border = borders.fold(Border::default(), Border::max);
        Ok(Maps::new(label, self.samples, shape, border))
    }

    pub(crate) fn for_derivatives(&self, maps: &Maps) -> Maps {
        *maps
    }

    pub(crate) fn prepare(&self, recording: &mut Recording, parameters: LayerParameters) {
        match &self.passes {
            Passes::Winograd(plan) => winograd_weights(recording, plan, parameters),
            Passes::Direct {
                forward,
                input_gradient,
            } => {
                for pass in [forward, input_gradient] {
                    pass.weights.pack(recording, parameters);
                }
            }
        }
    }

    pub(crate) fn forward(
        &self,
        recording: &mut Recording,
        _: LayerParameters,
        input: &Maps,
        output: &Maps,
        derivative: Option<&Maps>,
    ) {
        let activation = self.activation;
        match (&self.passes, &self.kind) {
            (Passes::Winograd(plan), _) => {
                winograd_forward(recording, plan, activation, input, output, derivative);
            }
            (Passes::Direct { forward, .. }, LayerKind::Conv(g)) => {
                conv_forward(recording, g, activation, forward, input, output, derivative);
            }
            (Passes::Direct { forward, .. }, LayerKind::Dense { .. }) => {
                let (turn, weights) = (forward.turn, &forward.weights);
                dense_forward(
                    recording, activation, turn, input, weights, output, derivative,
                );
            }
        }
    }

    pub(crate) fn input_gradient(
        &self,
        recording: &mut Recording,
        _: LayerParameters,
        output_gradient: &Maps,
        input_derivative: Option<&Maps>,
        input_gradient: &Maps,
    ) {
        let (from, derivative, to) = (output_gradient, input_derivative, input_gradient);
        match (&self.passes, &self.kind) {
            (Passes::Winograd(plan), _) => {
                winograd_input_gradient(recording, plan, from, derivative, to);
            }
            (Passes::Direct { input_gradient, .. }, LayerKind::Conv(g)) => {
                conv_input_gradient(recording, g, input_gradient, from, derivative, to);
            }
            (Passes::Direct { input_gradient, .. }, LayerKind::Dense { .. }) => {
                let (turn, weights) = (input_gradient.turn, &input_gradient.weights);
                dense_input_gradient(recording, turn, from, weights, derivative, to);
            }
        }
    }

    pub(crate) fn shares(&self) -> usize {
        match (&self.passes, self.kind) {
            (Passes::Winograd(plan), _) => plan.shares(self.samples),
            (_, LayerKind::Conv(g)) => Plan::new(&g, self.samples).shares.count,
            (_, LayerKind::Dense { input, outputs }) => {
                dense_weight_gradient_shares(input.len(), outputs, self.samples).count
            }
        }
    }

    pub(crate) fn weight_partials(
        &self,
        recording: &mut Recording,
        input: &Maps,
        output_gradient: &Maps,
        factor: Buffer,
        partials: Buffer,
    ) {
        match (&self.passes, &self.kind) {
            (Passes::Winograd(plan), _) => {
                winograd_weight_gradient(recording, plan, input, output_gradient, factor, partials);
            }
            (_, LayerKind::Conv(g)) => {
                conv_weight_gradient(recording, g, input, output_gradient, factor, partials);
            }
            (_, LayerKind::Dense { .. }) => {
                dense_weight_gradient(recording, input, output_gradient, factor, partials);
            }
        }
    }
}
