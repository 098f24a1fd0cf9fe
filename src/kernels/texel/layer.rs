use super::conv_forward::{conv_forward, conv_forward_border};
use super::conv_input_gradient::{conv_input_gradient, conv_input_gradient_border};
use super::conv_sample_gradient::conv_sample_gradient;
use super::conv_weight_gradient::{
    conv_weight_gradient, conv_weight_gradient_borders, weight_gradient_shares,
};
use super::dense_forward::dense_forward;
use super::dense_input_gradient::dense_input_gradient;
use super::dense_weight_gradient::{dense_weight_gradient, dense_weight_gradient_shares};
use super::maps::Maps;
use super::pack_weights::PackedWeights;
use super::plane::Plane;
use super::tile::{MOST_CELL_TAPS, Tile, sample_tile, tiles, weight_gradient_pixels};
use super::variant::Texel;
use super::winograd::{Winograd, WinogradScratch, algorithm};
use super::winograd_forward::winograd_forward;
use super::winograd_input_gradient::winograd_input_gradient;
use super::winograd_weights::winograd_weights;
use crate::gpu::{Buffer, GpuError, ImageFormat, Recording};
use crate::kernels::activations::Activation;
use crate::kernels::algorithm::Algorithm;
use crate::kernels::border::Border;
use crate::kernels::geometry::ConvGeometry;
use crate::kernels::layer_kind::LayerKind;
use crate::kernels::layer_pass::LayerPass;
use crate::kernels::map_reader::MapReader;
use crate::kernels::parameters::LayerParameters;
use crate::kernels::precision::Precision;
use crate::shape::Shape;

/// A layer with copies of its weights in the order in which its kernels read them.
#[derive(Clone, Debug)]
pub struct Layer {
    variant: Texel,
    kind: LayerKind,
    activation: Activation,
    samples: usize,
    forward: Pass,
    input_gradient: Pass,
    /// Output pixels that a weight gradient takes at a time.
    gradient_pixels: usize,
}

/// How a pass is computed, with its copy of the weights.
#[derive(Clone, Debug)]
enum Pass {
    Direct(PackedWeights),
    /// Straight into a flat buffer: see [`Layer::reading_samples`].
    Samples(PackedWeights),
    Winograd(Box<Winograd>),
}

/// The same layer as its kernels take it. One whose kernel covers its input moves nowhere, so that its stride does not matter: 1 where all
/// taps would be too much to write out, as kernels of a stride do.
fn as_computed(kind: LayerKind) -> LayerKind {
    match kind {
        LayerKind::Conv(g) if g.covers_input() && g.taps() > MOST_CELL_TAPS => {
            LayerKind::Conv(ConvGeometry { stride: 1, ..g })
        }
        kind => kind,
    }
}

impl Texel {
    /// The algorithm that the cost model picks for a pass.
    fn algorithm(&self, kind: LayerKind, samples: usize, pass: LayerPass) -> Algorithm {
        match as_computed(kind) {
            LayerKind::Conv(g) => algorithm(pass, &g, samples, self.lanes, self.longest_side),
            LayerKind::Dense { .. } => Algorithm::Direct,
        }
    }

    pub(crate) fn candidates(&self, kind: LayerKind, samples: usize, pass: LayerPass) -> Vec<Tile> {
        match self.algorithm(kind, samples, pass) {
            Algorithm::Winograd => Vec::new(),
            Algorithm::Direct => tiles(as_computed(kind), samples, pass, self.lanes),
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
        let chosen = |pass| match pass {
            LayerPass::Forward => forward,
            LayerPass::InputGradient => input_gradient,
        };
        let algorithm = |pass| self.algorithm(kind, samples, pass);
        Layer::planned(*self, kind, activation, samples, chosen, algorithm)
    }
}

impl Layer {
    /// Plans a layer by `algorithm` wherever that can be done, whatever it costs: for tests.
    pub fn forced(
        variant: Texel,
        kind: LayerKind,
        activation: Activation,
        samples: usize,
        algorithm: Algorithm,
    ) -> Self {
        Self::planned(variant, kind, activation, samples, |_| None, |_| algorithm)
    }

    fn planned(
        variant: Texel,
        kind: LayerKind,
        activation: Activation,
        samples: usize,
        chosen: impl Fn(LayerPass) -> Option<Tile>,
        algorithm: impl Fn(LayerPass) -> Algorithm,
    ) -> Self {
        let Texel {
            lanes,
            longest_side,
            ..
        } = variant;
        let kind = as_computed(kind);
        let geometry = kind.as_convolution();
        let direct = |pass| {
            let tile = chosen(pass).unwrap_or_else(|| tiles(kind, samples, pass, lanes)[0]);
            Pass::Direct(match (pass, kind) {
                (LayerPass::Forward, _) => PackedWeights::forward(&geometry, tile),
                (LayerPass::InputGradient, LayerKind::Conv(_)) => {
                    PackedWeights::conv_input_gradient(&geometry, tile)
                }
                (LayerPass::InputGradient, LayerKind::Dense { .. }) => {
                    PackedWeights::dense_input_gradient(&geometry, tile)
                }
            })
        };
        let winograd = |pass| match (kind, algorithm(pass)) {
            (LayerKind::Conv(g), Algorithm::Winograd) => {
                Winograd::new(pass, &g, samples, lanes, longest_side)
            }
            _ => None,
        };
        let pass = |pass| match winograd(pass) {
            Some(plan) => Pass::Winograd(Box::new(plan)),
            None => direct(pass),
        };
        Layer {
            variant,
            kind,
            activation,
            samples,
            forward: pass(LayerPass::Forward),
            input_gradient: pass(LayerPass::InputGradient),
            gradient_pixels: weight_gradient_pixels(&geometry, lanes),
        }
    }

    /// The algorithms of the forward pass and the input gradient.
    pub fn algorithms(&self) -> [Algorithm; 2] {
        [&self.forward, &self.input_gradient].map(|pass| match pass {
            Pass::Direct(_) | Pass::Samples(_) => Algorithm::Direct,
            Pass::Winograd(_) => Algorithm::Winograd,
        })
    }

    fn winograd_plans(&mut self) -> impl Iterator<Item = &mut Winograd> {
        let passes = [&mut self.forward, &mut self.input_gradient].into_iter();
        passes.filter_map(|pass| match pass {
            Pass::Direct(_) | Pass::Samples(_) => None,
            Pass::Winograd(plan) => Some(plan.as_mut()),
        })
    }

    /// The borders it needs around its input, and around the gradient in its output.
    fn borders(&self) -> [Border; 2] {
        let LayerKind::Conv(geometry) = &self.kind else {
            return Default::default();
        };
        let forward = match &self.forward {
            Pass::Winograd(plan) => plan.border(),
            Pass::Direct(weights) | Pass::Samples(weights) => {
                conv_forward_border(geometry, weights.tile.pixels)
            }
        };
        let input_gradient = match &self.input_gradient {
            Pass::Winograd(plan) => plan.border(),
            Pass::Direct(weights) | Pass::Samples(weights) => {
                conv_input_gradient_border(geometry, weights.tile)
            }
        };
        let (input, output) = conv_weight_gradient_borders(geometry, self.gradient_pixels);
        [input.max(forward), output.max(input_gradient)]
    }

    pub(crate) fn kind(&self) -> LayerKind {
        self.kind
    }

    pub(crate) fn samples(&self) -> usize {
        self.samples
    }

    pub(crate) fn precision(&self) -> Precision {
        self.variant.precision
    }

    pub(crate) fn for_samples(&self, samples: usize) -> Self {
        let mut layer = Layer {
            samples,
            ..self.clone()
        };
        for plan in layer.winograd_plans() {
            plan.take_samples(samples);
        }
        layer
    }

    pub(crate) fn reading_samples(mut self) -> Self {
        if let LayerKind::Conv(geometry) = &self.kind
            && geometry.in_channels < 4
            // It writes out all taps.
            && geometry.in_channels * geometry.taps() <= MOST_CELL_TAPS
        {
            let tile = sample_tile(geometry, self.variant.lanes);
            let weights = PackedWeights::conv_sample_gradient(geometry, tile);
            self.input_gradient = Pass::Samples(weights);
        }
        self
    }

    pub(crate) fn sample_gradient(&self, maps: &Maps, gradient: Buffer) -> Maps {
        match self.input_gradient {
            Pass::Samples(_) => Maps::Flat(gradient),
            Pass::Direct(_) | Pass::Winograd(_) => *maps,
        }
    }

    pub(crate) fn share_scratch<'a>(layers: impl Iterator<Item = &'a mut Self>) {
        let mut plans: Vec<_> = layers.flat_map(Self::winograd_plans).collect();
        let needed = plans
            .iter()
            .map(|plan| plan.scratch_texels())
            .reduce(|a, b| [a[0].max(b[0]), a[1].max(b[1])]);
        let Some(needed) = needed else { return };
        let scratch = WinogradScratch::new(needed);
        for plan in &mut plans {
            plan.set_scratch(scratch);
        }
    }

    pub(crate) fn new_maps(
        &self,
        label: &'static str,
        shape: Shape,
        readers: &[MapReader<'_, Self>],
        precision: Precision,
    ) -> Result<Maps, GpuError> {
        let border = readers.iter().map(|reader| match reader {
            MapReader::Input(layer) => layer.borders()[0],
            MapReader::OutputGradient(layer) => layer.borders()[1],
        });
        let border = border.fold(Border::default(), Border::max);
        let format = match precision {
            Precision::Full => ImageFormat::F32,
            Precision::Mixed => ImageFormat::F16,
        };
        let longest_side = self.variant.longest_side;
        Plane::new(label, self.samples, shape, border, format, longest_side).map(Maps::Plane)
    }

    /// In buffers at 16 lanes, where that was measured to be faster; at 8 it was not (docs/kernels.md).
    pub(crate) fn for_derivatives(&self, maps: &Maps) -> Maps {
        match self.variant.lanes {
            16.. => maps.in_buffer(),
            _ => *maps,
        }
    }

    pub(crate) fn prepare(&self, recording: &mut Recording, parameters: LayerParameters) {
        for pass in [&self.forward, &self.input_gradient] {
            match pass {
                Pass::Winograd(plan) => winograd_weights(recording, plan, parameters),
                Pass::Direct(packed) | Pass::Samples(packed) => packed.pack(recording, parameters),
            }
        }
    }

    pub(crate) fn forward(
        &self,
        r: &mut Recording,
        _: LayerParameters,
        input: &Maps,
        output: &Maps,
        derivative: Option<&Maps>,
    ) {
        let (activation, lanes) = (self.activation, self.variant.lanes);
        let (from, to) = (input.plane(), output.plane());
        let derivative = derivative.map(Maps::plane);
        match (&self.forward, self.kind) {
            (Pass::Winograd(plan), _) => {
                winograd_forward(r, plan, activation, from, to, derivative)
            }
            (Pass::Direct(weights) | Pass::Samples(weights), LayerKind::Conv(_)) => {
                conv_forward(r, activation, lanes, from, weights, to, derivative);
            }
            (Pass::Direct(weights) | Pass::Samples(weights), LayerKind::Dense { .. }) => {
                dense_forward(r, activation, lanes, from, weights, to, derivative);
            }
        }
    }

    pub(crate) fn input_gradient(
        &self,
        r: &mut Recording,
        _: LayerParameters,
        output_gradient: &Maps,
        input_derivative: Option<&Maps>,
        input_gradient: &Maps,
    ) {
        let (lanes, from, to) = (self.variant.lanes, output_gradient.plane(), input_gradient);
        let derivative = input_derivative.map(Maps::plane);
        match (&self.input_gradient, self.kind) {
            (Pass::Samples(weights), _) => {
                conv_sample_gradient(r, lanes, from, weights, to.buffer());
            }
            (Pass::Winograd(plan), _) => {
                winograd_input_gradient(r, plan, from, derivative, to.plane());
            }
            (Pass::Direct(weights), LayerKind::Conv(_)) => {
                conv_input_gradient(r, lanes, from, weights, derivative, to.plane());
            }
            (Pass::Direct(weights), LayerKind::Dense { .. }) => {
                dense_input_gradient(r, lanes, from, weights, derivative, to.plane());
            }
        }
    }

    pub(crate) fn shares(&self) -> usize {
        let (samples, lanes) = (self.samples, self.variant.lanes);
        match &self.kind {
            LayerKind::Conv(geometry) => {
                weight_gradient_shares(geometry, samples, lanes, self.gradient_pixels)
            }
            LayerKind::Dense { input, outputs } => {
                dense_weight_gradient_shares(*input, *outputs, samples, lanes)
            }
        }
        .count
    }

    pub(crate) fn weight_partials(
        &self,
        recording: &mut Recording,
        input: &Maps,
        output_gradient: &Maps,
        factor: Buffer,
        partials: Buffer,
    ) {
        let (lanes, input) = (self.variant.lanes, input.plane());
        let gradient = output_gradient.plane();
        match &self.kind {
            LayerKind::Conv(geometry) => conv_weight_gradient(
                recording,
                geometry,
                lanes,
                self.gradient_pixels,
                input,
                gradient,
                factor,
                partials,
            ),
            LayerKind::Dense { .. } => {
                dense_weight_gradient(recording, lanes, input, gradient, factor, partials);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stride_that_moves_nowhere_is_kept_where_all_taps_can_be_written_out() {
        let stride = |side: usize, kernel: usize, padding: usize| {
            let geometry = ConvGeometry::new([4, side, side], 2, [kernel, kernel], 2, padding);
            as_computed(LayerKind::Conv(geometry))
                .as_convolution()
                .stride
        };
        assert_eq!(stride(4, 4, 0), 2);
        assert_eq!(stride(17, 17, 0), 1);
        // Two outputs along each axis.
        assert_eq!(stride(19, 17, 0), 2);
        assert_eq!(stride(17, 17, 1), 2);
    }
}
