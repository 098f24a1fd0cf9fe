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
use crate::gpu::{Buffer, GpuError, Recording};
use crate::kernels::activations::Activation;
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
    forward: Pass,
    input_gradient: Pass,
}

impl Lanes {
    pub(crate) fn candidates(&self, kind: LayerKind, _: usize, pass: LayerPass) -> Vec<Tile> {
        tiles(kind, pass)
    }

    pub(crate) fn layer(
        &self,
        kind: LayerKind,
        activation: Activation,
        samples: usize,
        forward: Option<Tile>,
        input_gradient: Option<Tile>,
    ) -> Layer {
        Layer {
            kind,
            activation,
            samples,
            forward: Pass::new(kind, LayerPass::Forward, forward),
            input_gradient: Pass::new(kind, LayerPass::InputGradient, input_gradient),
        }
    }
}

impl Layer {
    /// The borders it needs around its input, and around the gradient in its output.
    fn borders(&self) -> [Border; 2] {
        let LayerKind::Conv(g) = &self.kind else {
            return Default::default();
        };
        let [input, output] = conv_weight_gradient_borders(g);
        let size = |pass: &Pass| [pass.tile.rows, pass.tile.pixels];
        [
            input.max(conv_forward_border(g, size(&self.forward))),
            output.max(conv_input_gradient_border(g, size(&self.input_gradient))),
        ]
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

    pub(crate) fn share_scratch<'a>(_: impl Iterator<Item = &'a mut Self>) {}

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
        for pass in [&self.forward, &self.input_gradient] {
            pass.weights.pack(recording, parameters);
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
        let (activation, pass) = (self.activation, &self.forward);
        match &self.kind {
            LayerKind::Conv(g) => {
                conv_forward(recording, g, activation, pass, input, output, derivative);
            }
            LayerKind::Dense { .. } => {
                let (turn, weights) = (pass.turn, &pass.weights);
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
        let pass = &self.input_gradient;
        let (from, derivative, to) = (output_gradient, input_derivative, input_gradient);
        match &self.kind {
            LayerKind::Conv(g) => conv_input_gradient(recording, g, pass, from, derivative, to),
            LayerKind::Dense { .. } => {
                dense_input_gradient(recording, pass.turn, from, &pass.weights, derivative, to);
            }
        }
    }

    pub(crate) fn shares(&self) -> usize {
        match self.kind {
            LayerKind::Conv(g) => Plan::new(&g, self.samples).shares.count,
            LayerKind::Dense { input, outputs } => {
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
        match &self.kind {
            LayerKind::Conv(g) => {
                conv_weight_gradient(recording, g, input, output_gradient, factor, partials);
            }
            LayerKind::Dense { .. } => {
                dense_weight_gradient(recording, input, output_gradient, factor, partials);
            }
        }
    }
}
