use super::architecture::Architecture;
use crate::gpu::{Buffer, Recording};
use crate::kernels::{Layer, LayerParameters, Maps};

/// What the layers of a pass share.
pub(super) struct Passage<'a> {
    pub(super) recording: &'a mut Recording,
    pub(super) samples: usize,
    pub(super) architecture: &'a Architecture,
    pub(super) layers: &'a [Layer],
    /// Those that the layers compute with.
    pub(super) parameters: Buffer,
    pub(super) partials: Buffer,
}

/// Where weight gradients go; see [`Prepared::weight_gradient`](super::Prepared::weight_gradient).
pub(super) struct WeightPass {
    pub(super) factor: Buffer,
    pub(super) gradient: Buffer,
    pub(super) accumulate: bool,
}

/// Where the gradient in a block's input goes, and the activation derivative that it is multiplied by.
pub(super) struct Target {
    pub(super) maps: Maps,
    pub(super) derivative: Option<Maps>,
}

impl Passage<'_> {
    fn parameters(&self, layer: usize) -> LayerParameters {
        LayerParameters {
            buffer: self.parameters,
            offset: self.architecture.parameter_offset(layer),
        }
    }

    /// [`Layer::forward`] of a layer.
    pub(super) fn forward(
        &mut self,
        layer: usize,
        input: &Maps,
        output: &Maps,
        derivative: Option<&Maps>,
    ) {
        let parameters = self.parameters(layer);
        self.layers[layer].forward(self.recording, parameters, input, output, derivative);
    }

    /// [`Layer::input_gradient`] of a layer.
    pub(super) fn input_gradient(
        &mut self,
        layer: usize,
        output_gradient: &Maps,
        input_derivative: Option<&Maps>,
        input_gradient: &Maps,
    ) {
        let parameters = self.parameters(layer);
        self.layers[layer].input_gradient(
            self.recording,
            parameters,
            output_gradient,
            input_derivative,
            input_gradient,
        );
    }

    /// [`Layer::weight_gradient`] of a layer.
    pub(super) fn weight_gradient(
        &mut self,
        layer: usize,
        input: &Maps,
        output_gradient: &Maps,
        weights: &WeightPass,
    ) {
        self.layers[layer].weight_gradient(
            self.recording,
            input,
            output_gradient,
            weights.factor,
            self.partials,
            weights.gradient,
            self.architecture.parameter_offset(layer),
            weights.accumulate,
        );
    }
}
