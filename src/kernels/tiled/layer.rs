use super::conv_forward::{conv_forward, forward_tiles};
use super::conv_input_gradient::{conv_input_gradient, input_gradient_tiles};
use super::conv_weight_gradient::{conv_weight_gradient, weight_gradient_chunks};
use super::maps::Maps;
use super::tile::Tile;
use super::variant::Tiled;
use crate::gpu::{Buffer, GpuError, Recording};
use crate::kernels::activations::Activation;
use crate::kernels::layer_kind::LayerKind;
use crate::kernels::layer_pass::LayerPass;
use crate::kernels::map_reader::MapReader;
use crate::kernels::parameters::LayerParameters;
use crate::kernels::precision::Precision;
use crate::purpose::MAPS;
use crate::shape::Shape;

/// A layer whose kernels read the parameters where they are.
#[derive(Clone, Debug)]
pub struct Layer {
    kind: LayerKind,
    activation: Activation,
    samples: usize,
    /// The tiles of two of the passes; none: the fastest by the cost model.
    forward: Option<Tile>,
    input_gradient: Option<Tile>,
}

impl Tiled {
    pub(crate) fn candidates(&self, kind: LayerKind, samples: usize, pass: LayerPass) -> Vec<Tile> {
        let geometry = kind.flattened();
        match pass {
            LayerPass::Forward => forward_tiles(&geometry, samples),
            LayerPass::InputGradient => input_gradient_tiles(&geometry, samples),
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
        Layer {
            kind,
            activation,
            samples,
            forward,
            input_gradient,
        }
    }
}

impl Layer {
    pub(crate) fn kind(&self) -> LayerKind {
        self.kind
    }

    pub(crate) fn samples(&self) -> usize {
        self.samples
    }

    pub(crate) fn for_samples(&self, samples: usize) -> Self {
        Layer {
            samples,
            ..self.clone()
        }
    }

    pub(crate) fn precision(&self) -> Precision {
        Precision::Full
    }

    pub(crate) fn reading_samples(self) -> Self {
        self
    }

    pub(crate) fn sample_gradient(&self, _: &Maps, gradient: Buffer) -> Maps {
        Maps(gradient)
    }

    pub(crate) fn share_scratch<'a>(_: impl Iterator<Item = &'a mut Self>) {}

    pub(crate) fn for_derivatives(&self, maps: &Maps) -> Maps {
        *maps
    }

    pub(crate) fn prepare(&self, _: &mut Recording, _: LayerParameters) {}

    pub(crate) fn new_maps(
        &self,
        label: &'static str,
        shape: Shape,
        _: &[MapReader<'_, Self>],
        _: Precision,
    ) -> Result<Maps, GpuError> {
        let values = self.samples * shape.len();
        Ok(Maps(Buffer::new(label, values).of(MAPS)))
    }

    pub(crate) fn forward(
        &self,
        recording: &mut Recording,
        parameters: LayerParameters,
        input: &Maps,
        output: &Maps,
        derivative: Option<&Maps>,
    ) {
        conv_forward(
            recording,
            &self.kind.flattened(),
            self.activation,
            self.samples,
            self.forward,
            input.0,
            parameters,
            output.0,
            derivative.map(|maps| maps.0),
        );
    }

    pub(crate) fn input_gradient(
        &self,
        recording: &mut Recording,
        parameters: LayerParameters,
        output_gradient: &Maps,
        input_derivative: Option<&Maps>,
        input_gradient: &Maps,
    ) {
        conv_input_gradient(
            recording,
            &self.kind.flattened(),
            self.samples,
            self.input_gradient,
            output_gradient.0,
            parameters,
            input_derivative.map(|maps| maps.0),
            input_gradient.0,
        );
    }

    pub(crate) fn shares(&self) -> usize {
        weight_gradient_chunks(&self.kind.flattened(), self.samples)
    }

    pub(crate) fn weight_partials(
        &self,
        recording: &mut Recording,
        input: &Maps,
        output_gradient: &Maps,
        factor: Buffer,
        partials: Buffer,
    ) {
        conv_weight_gradient(
            recording,
            &self.kind.flattened(),
            self.samples,
            input.0,
            output_gradient.0,
            factor,
            partials,
        );
    }
}
