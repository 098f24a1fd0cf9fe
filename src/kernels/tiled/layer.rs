use super::conv_forward::conv_forward;
use super::conv_input_gradient::conv_input_gradient;
use super::conv_weight_gradient::{conv_weight_gradient, weight_gradient_chunks};
use super::maps::Maps;
use super::tile::Tile;
use crate::gpu::{Buffer, GpuError, Recording};
use crate::kernels::family::{FamilyLayer, MapReader};
use crate::kernels::geometry::Activation;
use crate::kernels::layer_kind::LayerKind;
use crate::kernels::parameters::LayerParameters;
use crate::kernels::precision::Precision;
use crate::shape::Shape;

/// A layer whose kernels read the parameters where they are.
#[derive(Clone, Debug)]
pub struct Layer {
    pub(super) kind: LayerKind,
    pub(super) activation: Activation,
    pub(super) samples: usize,
    /// The tiles of two of the passes; none: the fastest by the cost model.
    pub(super) forward: Option<Tile>,
    pub(super) input_gradient: Option<Tile>,
}

impl FamilyLayer for Layer {
    type Maps = Maps;

    fn kind(&self) -> LayerKind {
        self.kind
    }

    fn samples(&self) -> usize {
        self.samples
    }

    fn for_samples(&self, samples: usize) -> Self {
        Layer {
            samples,
            ..self.clone()
        }
    }

    fn new_maps(
        &self,
        label: &'static str,
        shape: Shape,
        _readers: &[MapReader<'_, Self>],
        _precision: Precision,
    ) -> Result<Maps, GpuError> {
        Ok(Maps(Buffer::new(label, self.samples * shape.len())))
    }

    fn forward(
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

    fn input_gradient(
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

    fn shares(&self) -> usize {
        weight_gradient_chunks(&self.kind.flattened(), self.samples)
    }

    fn weight_partials(
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
