use super::geometry::{Activation, ConvGeometry};
use super::maps::Maps;
use super::parameters::LayerParameters;
use super::sum_partials::sum_partials;
use super::texel::{
    self, Algorithm, Border, PackedWeights, Pass, Plane, Winograd, WinogradScratch,
};
use super::tiled;
use super::variant::Variant;
use crate::gpu::{Buffer, GpuError, Recording};
use crate::shape::Shape;

/// What a layer computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LayerKind {
    Conv(ConvGeometry),
    /// Fully connected over the flattened input map.
    Dense {
        input: Shape,
        outputs: usize,
    },
}

impl LayerKind {
    /// Values in the weight.
    pub fn weight_len(&self) -> usize {
        self.as_convolution().weight_len()
    }

    /// Outputs per pixel, which is the length of the bias.
    pub fn outputs(&self) -> usize {
        self.as_convolution().out_channels
    }

    /// Shape of one output sample.
    pub fn output_shape(&self) -> Shape {
        let g = self.as_convolution();
        Shape::new(g.out_channels, g.out_height(), g.out_width())
    }

    /// Shape of one input sample.
    pub fn input_shape(&self) -> Shape {
        let g = self.as_convolution();
        Shape::new(g.in_channels, g.in_height, g.in_width)
    }

    /// A dense layer is a convolution whose kernel covers its input map.
    fn as_convolution(&self) -> ConvGeometry {
        match *self {
            LayerKind::Conv(geometry) => geometry,
            LayerKind::Dense { input, outputs } => ConvGeometry {
                in_channels: input.channels,
                in_height: input.height,
                in_width: input.width,
                out_channels: outputs,
                kernel_height: input.height,
                kernel_width: input.width,
                stride: 1,
                padding: 0,
            },
        }
    }

    /// Flat maps of a dense layer are one pixel with as many channels as there are values.
    fn flattened(&self) -> ConvGeometry {
        match *self {
            LayerKind::Conv(geometry) => geometry,
            LayerKind::Dense { input, outputs } => LayerKind::Dense {
                input: Shape::new(input.len(), 1, 1),
                outputs,
            }
            .as_convolution(),
        }
    }
}

/// One layer for batches of up to a fixed number of samples, in the variant that suits the adapter. Forward pass,
/// input gradient and weight gradient are siblings; what they compute is said by the twins of the same names.
#[derive(Clone, Debug)]
pub struct Layer {
    pub kind: LayerKind,
    pub activation: Activation,
    pub samples: usize,
    shape: LayerShape,
}

#[derive(Clone, Debug)]
enum LayerShape {
    Tiled,
    Texel {
        lanes: usize,
        longest_side: usize,
        forward: TexelPass,
        input_gradient: TexelPass,
    },
}

/// How a pass of a texel layer is computed, with its copy of the weights.
#[derive(Clone, Debug)]
enum TexelPass {
    Direct(PackedWeights),
    Winograd(Box<Winograd>),
}

impl TexelPass {
    /// The bytes of its copy of the weights.
    fn bytes(&self) -> u64 {
        match self {
            TexelPass::Direct(weights) => weights.bytes(),
            TexelPass::Winograd(plan) => plan.weight_bytes(),
        }
    }
}

impl Layer {
    /// Plans a layer over batches of exactly `samples`.
    pub fn new(kind: LayerKind, activation: Activation, samples: usize, variant: Variant) -> Self {
        Self::planned(kind, activation, samples, variant, |pass| {
            let (
                LayerKind::Conv(g),
                Variant::Texel {
                    lanes,
                    longest_side,
                },
            ) = (kind, variant)
            else {
                return Algorithm::Direct;
            };
            texel::algorithm(pass, &g, samples, lanes, longest_side)
        })
    }

    /// As [`Self::new`], by `algorithm` wherever that can be done, whatever it costs: for tests.
    pub fn forced(
        kind: LayerKind,
        activation: Activation,
        samples: usize,
        variant: Variant,
        algorithm: Algorithm,
    ) -> Self {
        Self::planned(kind, activation, samples, variant, |_| algorithm)
    }

    fn planned(
        kind: LayerKind,
        activation: Activation,
        samples: usize,
        variant: Variant,
        algorithm: impl Fn(Pass) -> Algorithm,
    ) -> Self {
        let shape = match variant {
            Variant::Tiled => LayerShape::Tiled,
            Variant::Texel {
                lanes,
                longest_side,
            } => {
                let geometry = kind.as_convolution();
                let planned = |pass| match (kind, algorithm(pass)) {
                    (LayerKind::Conv(g), Algorithm::Winograd) => {
                        Winograd::new(pass, &g, samples, lanes, longest_side)
                    }
                    _ => None,
                };
                let direct = |pass| match (pass, kind) {
                    (Pass::Forward, _) => PackedWeights::forward(&geometry),
                    (Pass::InputGradient, LayerKind::Conv(_)) => {
                        PackedWeights::conv_input_gradient(&geometry)
                    }
                    (Pass::InputGradient, LayerKind::Dense { .. }) => {
                        PackedWeights::dense_input_gradient(&geometry)
                    }
                };
                let pass = |pass| match planned(pass) {
                    Some(plan) => TexelPass::Winograd(Box::new(plan)),
                    None => TexelPass::Direct(direct(pass)),
                };
                LayerShape::Texel {
                    lanes,
                    longest_side,
                    forward: pass(Pass::Forward),
                    input_gradient: pass(Pass::InputGradient),
                }
            }
        };
        Layer {
            kind,
            activation,
            samples,
            shape,
        }
    }

    /// The algorithms of the forward pass and the input gradient.
    pub fn algorithms(&self) -> [Algorithm; 2] {
        match &self.shape {
            LayerShape::Tiled => [Algorithm::Direct; 2],
            LayerShape::Texel {
                forward,
                input_gradient,
                ..
            } => [forward, input_gradient].map(|pass| match pass {
                TexelPass::Direct(_) => Algorithm::Direct,
                TexelPass::Winograd(_) => Algorithm::Winograd,
            }),
        }
    }

    /// Makes `layers`, of which one pass is computed at a time, use the same scratch, and returns its bytes.
    pub fn share_scratch(layers: &mut [Layer]) -> u64 {
        let mut plans: Vec<_> = layers.iter_mut().flat_map(Layer::winograd_plans).collect();
        let needed = plans
            .iter()
            .map(|plan| plan.scratch_texels())
            .reduce(|a, b| [a[0].max(b[0]), a[1].max(b[1])]);
        let Some(needed) = needed else { return 0 };
        let scratch = WinogradScratch::new(needed);
        for plan in &mut plans {
            plan.set_scratch(scratch);
        }
        scratch.bytes()
    }

    fn winograd_plans(&mut self) -> impl Iterator<Item = &mut Winograd> {
        let passes = match &mut self.shape {
            LayerShape::Tiled => vec![],
            LayerShape::Texel {
                forward,
                input_gradient,
                ..
            } => vec![forward, input_gradient],
        };
        passes.into_iter().filter_map(|pass| match pass {
            TexelPass::Direct(_) => None,
            TexelPass::Winograd(plan) => Some(plan.as_mut()),
        })
    }

    /// The border this layer needs around its input maps.
    fn input_border(&self) -> Border {
        match &self.kind {
            LayerKind::Conv(geometry) => self
                .border(Pass::Forward, geometry)
                .max(texel::conv_weight_gradient_borders(geometry).0),
            LayerKind::Dense { .. } => Border::default(),
        }
    }

    fn output_gradient_border(&self) -> Border {
        match &self.kind {
            LayerKind::Conv(geometry) => self
                .border(Pass::InputGradient, geometry)
                .max(texel::conv_weight_gradient_borders(geometry).1),
            LayerKind::Dense { .. } => Border::default(),
        }
    }

    /// The border that a pass of a convolution reads around its maps; maps without storage for one have none.
    fn border(&self, pass: Pass, geometry: &ConvGeometry) -> Border {
        let LayerShape::Texel {
            forward,
            input_gradient,
            ..
        } = &self.shape
        else {
            return Border::default();
        };
        match (pass, forward, input_gradient) {
            (Pass::Forward, TexelPass::Winograd(plan), _)
            | (Pass::InputGradient, _, TexelPass::Winograd(plan)) => plan.border(),
            (Pass::Forward, ..) => texel::conv_forward_border(geometry),
            (Pass::InputGradient, ..) => texel::conv_input_gradient_border(geometry),
        }
    }

    /// Names maps that this layer can read as its input.
    ///
    /// # Errors
    /// When they exceed the adapter's image size.
    pub fn new_input(&self, label: &'static str) -> Result<Maps, GpuError> {
        self.new_maps(label, self.kind.input_shape(), self.input_border())
    }

    /// Names maps for the gradient of the energy in this layer's output before the activation.
    ///
    /// # Errors
    /// As for [`Self::new_input`].
    pub fn new_output_gradient(&self, label: &'static str) -> Result<Maps, GpuError> {
        self.new_maps(
            label,
            self.kind.output_shape(),
            self.output_gradient_border(),
        )
    }

    /// Names maps that nothing reads with a border: the last output, the gradient in the samples.
    ///
    /// # Errors
    /// As for [`Self::new_input`].
    pub fn new_plain(&self, label: &'static str, shape: Shape) -> Result<Maps, GpuError> {
        self.new_maps(label, shape, Border::default())
    }

    fn new_maps(
        &self,
        label: &'static str,
        shape: Shape,
        border: Border,
    ) -> Result<Maps, GpuError> {
        match &self.shape {
            LayerShape::Tiled => Ok(Maps::Flat(Buffer::new(label, self.samples * shape.len()))),
            LayerShape::Texel { longest_side, .. } => {
                Plane::new(label, self.samples, shape, border, *longest_side).map(Maps::Plane)
            }
        }
    }

    /// Words of scratch that the weight gradient needs.
    pub fn partial_words(&self) -> usize {
        self.shares() * (self.kind.weight_len() + self.kind.outputs())
    }

    /// Bytes of copies of the weights in the order the kernels want.
    pub fn packed_bytes(&self) -> u64 {
        match &self.shape {
            LayerShape::Tiled => 0,
            LayerShape::Texel {
                forward,
                input_gradient,
                ..
            } => forward.bytes() + input_gradient.bytes(),
        }
    }

    fn shares(&self) -> usize {
        match (&self.shape, &self.kind) {
            (LayerShape::Tiled, kind) => {
                tiled::weight_gradient_chunks(&kind.flattened(), self.samples)
            }
            (LayerShape::Texel { lanes, .. }, LayerKind::Conv(geometry)) => {
                texel::weight_gradient_shares(geometry, self.samples, *lanes)
            }
            (LayerShape::Texel { lanes, .. }, LayerKind::Dense { input, outputs }) => {
                texel::dense_weight_gradient_shares(*input, *outputs, self.samples, *lanes)
            }
        }
    }

    /// Makes the layer compute with `parameters`: must be recorded whenever they have changed or others are wanted.
    pub fn prepare(&self, recording: &mut Recording, parameters: LayerParameters) {
        let LayerShape::Texel {
            forward,
            input_gradient,
            ..
        } = &self.shape
        else {
            return;
        };
        let geometry = self.kind.as_convolution();
        match forward {
            TexelPass::Winograd(plan) => texel::winograd_weights(recording, plan, parameters),
            TexelPass::Direct(packed) => {
                texel::pack_forward(recording, &geometry, parameters, packed);
            }
        }
        match (input_gradient, self.kind) {
            (TexelPass::Winograd(plan), _) => {
                texel::winograd_weights(recording, plan, parameters);
            }
            (TexelPass::Direct(packed), LayerKind::Conv(_)) => {
                texel::pack_conv_input_gradient(recording, &geometry, parameters, packed);
            }
            (TexelPass::Direct(packed), LayerKind::Dense { .. }) => {
                texel::pack_dense_input_gradient(recording, &geometry, parameters, packed);
            }
        }
    }

    /// `output` = act(W ∗ `input` + b) and, if asked for, `derivative` = act′; both made alike.
    pub fn forward(
        &self,
        recording: &mut Recording,
        parameters: LayerParameters,
        input: &Maps,
        output: &Maps,
        derivative: Option<&Maps>,
    ) {
        match (&self.shape, &self.kind) {
            (LayerShape::Tiled, kind) => tiled::conv_forward(
                recording,
                &kind.flattened(),
                self.activation,
                self.samples,
                flat(input),
                parameters,
                flat(output),
                derivative.map(flat),
            ),
            (LayerShape::Texel { lanes, forward, .. }, kind) => {
                let (input, output) = (plane(input), plane(output));
                let derivative = derivative.map(plane);
                match (forward, kind) {
                    (TexelPass::Winograd(plan), _) => texel::winograd_forward(
                        recording,
                        plan,
                        self.activation,
                        input,
                        output,
                        derivative,
                    ),
                    (TexelPass::Direct(weights), LayerKind::Conv(geometry)) => texel::conv_forward(
                        recording,
                        geometry,
                        self.activation,
                        *lanes,
                        input,
                        weights,
                        output,
                        derivative,
                    ),
                    (TexelPass::Direct(weights), LayerKind::Dense { .. }) => texel::dense_forward(
                        recording,
                        self.activation,
                        *lanes,
                        input,
                        weights,
                        output,
                        derivative,
                    ),
                }
            }
        }
    }

    /// `input_gradient` = Wᵀ ∗ `output_gradient` (× `input_derivative`, the activation derivative of the layer before).
    pub fn input_gradient(
        &self,
        recording: &mut Recording,
        parameters: LayerParameters,
        output_gradient: &Maps,
        input_derivative: Option<&Maps>,
        input_gradient: &Maps,
    ) {
        match (&self.shape, &self.kind) {
            (LayerShape::Tiled, kind) => tiled::conv_input_gradient(
                recording,
                &kind.flattened(),
                self.samples,
                flat(output_gradient),
                parameters,
                input_derivative.map(flat),
                flat(input_gradient),
            ),
            (
                LayerShape::Texel {
                    lanes,
                    input_gradient: pass,
                    ..
                },
                kind,
            ) => {
                let (from, to) = (plane(output_gradient), plane(input_gradient));
                let derivative = input_derivative.map(plane);
                match (pass, kind) {
                    (TexelPass::Winograd(plan), _) => {
                        texel::winograd_input_gradient(recording, plan, from, derivative, to);
                    }
                    (TexelPass::Direct(weights), LayerKind::Conv(geometry)) => {
                        texel::conv_input_gradient(
                            recording, geometry, *lanes, from, weights, derivative, to,
                        );
                    }
                    (TexelPass::Direct(weights), LayerKind::Dense { .. }) => {
                        texel::dense_input_gradient(
                            recording, *lanes, from, weights, derivative, to,
                        );
                    }
                }
            }
        }
    }

    /// Writes Σₙ `factor`ₙ · ∂Eₙ/∂(weight, bias) into `gradient` at word `offset`, through `partials` of
    /// [`Self::partial_words`] words.
    #[allow(clippy::too_many_arguments)]
    pub fn weight_gradient(
        &self,
        recording: &mut Recording,
        input: &Maps,
        output_gradient: &Maps,
        factor: Buffer,
        partials: Buffer,
        gradient: Buffer,
        offset: usize,
    ) {
        match (&self.shape, &self.kind) {
            (LayerShape::Tiled, kind) => tiled::conv_weight_gradient(
                recording,
                &kind.flattened(),
                self.samples,
                flat(input),
                flat(output_gradient),
                factor,
                partials,
            ),
            (LayerShape::Texel { lanes, .. }, LayerKind::Conv(geometry)) => {
                texel::conv_weight_gradient(
                    recording,
                    geometry,
                    *lanes,
                    plane(input),
                    plane(output_gradient),
                    factor,
                    partials,
                )
            }
            (LayerShape::Texel { lanes, .. }, LayerKind::Dense { .. }) => {
                texel::dense_weight_gradient(
                    recording,
                    *lanes,
                    plane(input),
                    plane(output_gradient),
                    factor,
                    partials,
                )
            }
        }
        let length = self.kind.weight_len() + self.kind.outputs();
        sum_partials(recording, self.shares(), length, offset, partials, gradient);
    }
}

/// Copies a flat (sample, channel, row, column) buffer into maps of either storage.
pub fn load(recording: &mut Recording, from: Buffer, maps: &Maps) {
    match maps {
        Maps::Flat(buffer) => recording.copy_range(from, 0, *buffer, 0, buffer.words()),
        Maps::Plane(plane) => texel::load_maps(recording, from, plane),
    }
}

/// Copies maps of either storage into a flat (sample, channel, row, column) buffer.
pub fn unload(recording: &mut Recording, maps: &Maps, to: Buffer) {
    match maps {
        Maps::Flat(buffer) => recording.copy_range(*buffer, 0, to, 0, buffer.words()),
        Maps::Plane(plane) => texel::unload_maps(recording, plane, to),
    }
}

/// All maps of a layer are made by the layer itself, so they have the storage of its variant.
fn flat(maps: &Maps) -> Buffer {
    match maps {
        Maps::Flat(buffer) => *buffer,
        Maps::Plane(_) => unreachable!("a tiled layer was given a plane"),
    }
}

fn plane(maps: &Maps) -> &Plane {
    match maps {
        Maps::Plane(plane) => plane,
        Maps::Flat(_) => unreachable!("a texel layer was given a flat buffer"),
    }
}
