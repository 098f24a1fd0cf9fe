use super::activations::Activation;
use super::choice::{Choice, Choices, LayerPass};
use super::layer_kind::LayerKind;
use super::maps::Maps;
use super::parameters::LayerParameters;
use super::sum_partials::sum_partials;
use super::texel::{
    self, Algorithm, Border, PackedWeights, Plane, Tiles, Winograd, WinogradScratch,
};
use super::tiled;
use super::variant::{Precision, Variant};
use crate::gpu::{Buffer, GpuError, ImageFormat, Recording};
use crate::purpose::MAPS;
use crate::shape::Shape;

/// One layer for batches of up to a fixed number of samples, in the variant that suits the adapter. Forward pass,
/// input gradient and weight gradient are siblings; what they compute is said by the twins of the same names.
#[derive(Clone, Debug)]
pub struct Layer {
    pub kind: LayerKind,
    pub activation: Activation,
    pub samples: usize,
    shape: LayerShape,
}

/// A network has a handful of these, so their size does not matter.
#[allow(clippy::large_enum_variant)]
#[derive(Clone, Debug)]
enum LayerShape {
    Tiled {
        choices: Choices,
    },
    Texel {
        lanes: usize,
        longest_side: usize,
        precision: Precision,
        forward: TexelPass,
        input_gradient: TexelPass,
        /// Output pixels that a weight gradient takes at a time.
        gradient_pixels: usize,
    },
}

/// How a pass of a texel layer is computed, with its copy of the weights.
#[derive(Clone, Debug)]
enum TexelPass {
    Direct(PackedWeights),
    /// Straight into a flat buffer (see [`Layer::reading_samples`]).
    Samples(PackedWeights),
    Winograd(Box<Winograd>),
}

impl Layer {
    /// Plans a layer over batches of exactly `samples`, by the choices of the cost model.
    pub fn new(kind: LayerKind, activation: Activation, samples: usize, variant: Variant) -> Self {
        Self::with_choices(kind, activation, samples, variant, Choices::default())
    }

    /// As [`Self::new`], by `algorithm` wherever that can be done, whatever it costs: for tests.
    pub fn forced(
        kind: LayerKind,
        activation: Activation,
        samples: usize,
        variant: Variant,
        algorithm: Algorithm,
    ) -> Self {
        let choices = Choices::default();
        Self::planned(kind, activation, samples, variant, choices, |_| algorithm)
    }

    /// The algorithm that the cost model picks for a pass.
    fn algorithm(kind: LayerKind, samples: usize, variant: Variant, pass: LayerPass) -> Algorithm {
        match (kind, variant) {
            (
                LayerKind::Conv(g),
                Variant::Texel {
                    lanes,
                    longest_side,
                    ..
                },
            ) => texel::algorithm(pass, &g, samples, lanes, longest_side),
            _ => Algorithm::Direct,
        }
    }

    /// The ways to compute a pass of such a layer: first the cost model's choice, then those it thinks slower. None where
    /// it is Winograd's method, which has only one way.
    pub fn candidates(
        kind: LayerKind,
        samples: usize,
        variant: Variant,
        pass: LayerPass,
    ) -> Vec<Choice> {
        if Self::algorithm(kind, samples, variant, pass) == Algorithm::Winograd {
            return Vec::new();
        }
        match variant {
            Variant::Tiled => {
                let geometry = kind.flattened();
                let places = match pass {
                    LayerPass::Forward => tiled::forward_tiles(&geometry, samples),
                    LayerPass::InputGradient => tiled::input_gradient_tiles(&geometry, samples),
                };
                places.into_iter().map(Choice::Tiled).collect()
            }
            Variant::Texel { lanes, .. } => {
                let tiles = match kind {
                    LayerKind::Conv(geometry) => texel::conv_tiles(&geometry, pass, lanes),
                    LayerKind::Dense { input, outputs } => {
                        texel::dense_tiles(input, outputs, samples, pass, lanes)
                    }
                };
                tiles.into_iter().map(Choice::Texel).collect()
            }
        }
    }

    /// As [`Self::new`], but by `choices`. One that is not among [`Self::candidates`] counts as none.
    pub fn with_choices(
        kind: LayerKind,
        activation: Activation,
        samples: usize,
        variant: Variant,
        choices: Choices,
    ) -> Self {
        Self::planned(kind, activation, samples, variant, choices, |pass| {
            Self::algorithm(kind, samples, variant, pass)
        })
    }

    fn planned(
        kind: LayerKind,
        activation: Activation,
        samples: usize,
        variant: Variant,
        choices: Choices,
        algorithm: impl Fn(LayerPass) -> Algorithm,
    ) -> Self {
        let possible = |pass| {
            let chosen = choices.of(pass)?;
            Self::candidates(kind, samples, variant, pass)
                .contains(&chosen)
                .then_some(chosen)
        };
        let choices = Choices {
            forward: possible(LayerPass::Forward),
            input_gradient: possible(LayerPass::InputGradient),
        };
        let shape = match variant {
            Variant::Tiled => LayerShape::Tiled { choices },
            Variant::Texel {
                lanes,
                longest_side,
                precision,
            } => {
                let geometry = kind.as_convolution();
                let mut tiles = match kind {
                    LayerKind::Conv(_) => Tiles::for_convolution(&geometry, lanes),
                    LayerKind::Dense { input, outputs } => {
                        Tiles::for_dense(input, outputs, samples, lanes)
                    }
                };
                if let Some(Choice::Texel(tile)) = choices.forward {
                    tiles.forward = tile;
                }
                if let Some(Choice::Texel(tile)) = choices.input_gradient {
                    tiles.input_gradient = tile;
                }
                let direct = |pass| match (pass, kind) {
                    (LayerPass::Forward, _) => PackedWeights::forward(&geometry, tiles.forward),
                    (LayerPass::InputGradient, LayerKind::Conv(_)) => {
                        PackedWeights::conv_input_gradient(&geometry, tiles.input_gradient)
                    }
                    (LayerPass::InputGradient, LayerKind::Dense { .. }) => {
                        PackedWeights::dense_input_gradient(&geometry, tiles.input_gradient)
                    }
                };
                let winograd = |pass| match (kind, algorithm(pass)) {
                    (LayerKind::Conv(g), Algorithm::Winograd) => {
                        Winograd::new(pass, &g, samples, lanes, longest_side)
                    }
                    _ => None,
                };
                let pass = |pass| match winograd(pass) {
                    Some(plan) => TexelPass::Winograd(Box::new(plan)),
                    None => TexelPass::Direct(direct(pass)),
                };
                LayerShape::Texel {
                    lanes,
                    longest_side,
                    precision,
                    forward: pass(LayerPass::Forward),
                    input_gradient: pass(LayerPass::InputGradient),
                    gradient_pixels: tiles.weight_gradient,
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
            LayerShape::Tiled { .. } => [Algorithm::Direct; 2],
            LayerShape::Texel {
                forward,
                input_gradient,
                ..
            } => [forward, input_gradient].map(|pass| match pass {
                TexelPass::Direct(_) | TexelPass::Samples(_) => Algorithm::Direct,
                TexelPass::Winograd(_) => Algorithm::Winograd,
            }),
        }
    }

    /// Makes `layers`, of which one pass is computed at a time, use the same scratch.
    pub fn share_scratch(layers: &mut [Layer]) {
        let mut plans: Vec<_> = layers.iter_mut().flat_map(Layer::winograd_plans).collect();
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

    fn winograd_plans(&mut self) -> impl Iterator<Item = &mut Winograd> {
        let passes = match &mut self.shape {
            LayerShape::Tiled { .. } => vec![],
            LayerShape::Texel {
                forward,
                input_gradient,
                ..
            } => vec![forward, input_gradient],
        };
        passes.into_iter().filter_map(|pass| match pass {
            TexelPass::Direct(_) | TexelPass::Samples(_) => None,
            TexelPass::Winograd(plan) => Some(plan.as_mut()),
        })
    }

    /// The same layer as the first of a network, which writes the gradient in its input where [`Self::sample_gradient`]
    /// says. To be called before anything else is asked of it.
    pub fn reading_samples(mut self) -> Self {
        if let (
            LayerShape::Texel {
                lanes,
                input_gradient,
                ..
            },
            LayerKind::Conv(geometry),
        ) = (&mut self.shape, &self.kind)
            && geometry.in_channels < 4
        {
            let tile = Tiles::for_samples(geometry, *lanes);
            *input_gradient =
                TexelPass::Samples(PackedWeights::conv_sample_gradient(geometry, tile));
        }
        self
    }

    /// Where the first layer of a network writes the gradient in the samples: into the flat buffer `gradient`, or into
    /// `maps` to be unloaded from there.
    pub fn sample_gradient(&self, maps: &Maps, gradient: Buffer) -> Maps {
        match self.shape {
            LayerShape::Texel {
                input_gradient: TexelPass::Direct(_) | TexelPass::Winograd(_),
                ..
            } => *maps,
            _ => Maps::Flat(gradient),
        }
    }

    /// The borders this layer needs around its input maps and around the gradient in its outputs.
    fn borders(&self) -> (Border, Border) {
        let (
            LayerShape::Texel {
                forward,
                input_gradient,
                gradient_pixels,
                ..
            },
            LayerKind::Conv(geometry),
        ) = (&self.shape, &self.kind)
        else {
            return (Border::default(), Border::default());
        };
        let (input, output) = texel::conv_weight_gradient_borders(geometry, *gradient_pixels);
        let forward = match forward {
            TexelPass::Winograd(plan) => plan.border(),
            TexelPass::Direct(weights) | TexelPass::Samples(weights) => {
                texel::conv_forward_border(geometry, weights.tile().pixels)
            }
        };
        let input_gradient = match input_gradient {
            TexelPass::Winograd(plan) => plan.border(),
            TexelPass::Direct(weights) | TexelPass::Samples(weights) => {
                texel::conv_input_gradient_border(geometry, weights.tile())
            }
        };
        (input.max(forward), output.max(input_gradient))
    }

    /// Texels of zeros that this layer needs around its input maps.
    pub fn input_border(&self) -> Border {
        self.borders().0
    }

    /// Texels of zeros that it needs around the gradient in its outputs.
    pub fn output_border(&self) -> Border {
        self.borders().1
    }

    /// The same layer for a batch of fewer samples. It shares the packed weights, so that [`Self::prepare`] of one
    /// prepares both.
    pub fn for_samples(&self, samples: usize) -> Layer {
        let mut layer = Layer {
            samples,
            ..self.clone()
        };
        for plan in layer.winograd_plans() {
            plan.take_samples(samples);
        }
        layer
    }

    /// Names maps that this layer can read as its input, of f32 in every precision.
    ///
    /// # Errors
    /// When they exceed the adapter's image size.
    pub fn new_input(&self, label: &'static str) -> Result<Maps, GpuError> {
        self.new_ends(label, self.kind.input_shape(), self.borders().0)
    }

    /// Names maps between this layer and the one after it, which can hold the output of this one, its derivative, or
    /// the gradient of the energy in it, in the variant's precision.
    ///
    /// # Errors
    /// As for [`Self::new_input`].
    pub fn new_between(&self, next: &Layer, label: &'static str) -> Result<Maps, GpuError> {
        let border = self.borders().1.max(next.borders().0);
        self.new_maps(label, self.kind.output_shape(), border)
    }

    /// Names maps for the gradient of the energy in this layer's output before the activation, in the variant's
    /// precision.
    ///
    /// # Errors
    /// As for [`Self::new_input`].
    pub fn new_output_gradient(&self, label: &'static str) -> Result<Maps, GpuError> {
        let border = self.borders().1;
        self.new_maps(label, self.kind.output_shape(), border)
    }

    /// Names maps that nothing reads with a border, of f32 in every precision: the last output, the gradient in the
    /// samples.
    ///
    /// # Errors
    /// As for [`Self::new_input`].
    pub fn new_plain(&self, label: &'static str, shape: Shape) -> Result<Maps, GpuError> {
        self.new_ends(label, shape, Border::default())
    }

    /// Names maps of any `shape` inside the network, in the variant's precision.
    ///
    /// # Errors
    /// As for [`Self::new_input`].
    pub fn new_maps(
        &self,
        label: &'static str,
        shape: Shape,
        border: Border,
    ) -> Result<Maps, GpuError> {
        self.maps_in(label, shape, border, self.precision())
    }

    /// Names maps of any `shape` at an end of the network, of f32 in every precision.
    ///
    /// # Errors
    /// As for [`Self::new_input`].
    pub fn new_ends(
        &self,
        label: &'static str,
        shape: Shape,
        border: Border,
    ) -> Result<Maps, GpuError> {
        self.maps_in(label, shape, border, Precision::Full)
    }

    fn precision(&self) -> Precision {
        match self.shape {
            LayerShape::Tiled { .. } => Precision::Full,
            LayerShape::Texel { precision, .. } => precision,
        }
    }

    fn maps_in(
        &self,
        label: &'static str,
        shape: Shape,
        border: Border,
        precision: Precision,
    ) -> Result<Maps, GpuError> {
        let format = match precision {
            Precision::Full => ImageFormat::F32,
            Precision::Mixed => ImageFormat::F16,
        };
        match &self.shape {
            LayerShape::Tiled { .. } => Ok(Maps::Flat(
                Buffer::new(label, self.samples * shape.len()).of(MAPS),
            )),
            LayerShape::Texel { longest_side, .. } => {
                Plane::new(label, self.samples, shape, border, format, *longest_side)
                    .map(Maps::Plane)
            }
        }
    }

    /// Words of scratch that the weight gradient needs.
    pub fn partial_words(&self) -> usize {
        self.shares() * (self.kind.weight_len() + self.kind.outputs())
    }

    fn shares(&self) -> usize {
        match (&self.shape, &self.kind) {
            (LayerShape::Tiled { .. }, kind) => {
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
            TexelPass::Direct(packed) | TexelPass::Samples(packed) => {
                texel::pack_forward(recording, &geometry, parameters, packed);
            }
        }
        match (input_gradient, self.kind) {
            (TexelPass::Winograd(plan), _) => {
                texel::winograd_weights(recording, plan, parameters);
            }
            (TexelPass::Samples(packed), _) => {
                texel::pack_conv_sample_gradient(recording, &geometry, parameters, packed);
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
            (LayerShape::Tiled { choices }, kind) => tiled::conv_forward(
                recording,
                &kind.flattened(),
                self.activation,
                self.samples,
                place(choices.forward),
                input.flat(),
                parameters,
                output.flat(),
                derivative.map(Maps::flat),
            ),
            (LayerShape::Texel { lanes, forward, .. }, kind) => {
                let (input, output) = (input.plane(), output.plane());
                let derivative = derivative.map(Maps::plane);
                match (forward, kind) {
                    (TexelPass::Winograd(plan), _) => texel::winograd_forward(
                        recording,
                        plan,
                        self.activation,
                        input,
                        output,
                        derivative,
                    ),
                    (
                        TexelPass::Direct(weights) | TexelPass::Samples(weights),
                        LayerKind::Conv(geometry),
                    ) => texel::conv_forward(
                        recording,
                        geometry,
                        self.activation,
                        *lanes,
                        input,
                        weights,
                        output,
                        derivative,
                    ),
                    (
                        TexelPass::Direct(weights) | TexelPass::Samples(weights),
                        LayerKind::Dense { .. },
                    ) => texel::dense_forward(
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
            (LayerShape::Tiled { choices }, kind) => tiled::conv_input_gradient(
                recording,
                &kind.flattened(),
                self.samples,
                place(choices.input_gradient),
                output_gradient.flat(),
                parameters,
                input_derivative.map(Maps::flat),
                input_gradient.flat(),
            ),
            (
                LayerShape::Texel {
                    lanes,
                    input_gradient: pass,
                    ..
                },
                kind,
            ) => {
                let from = output_gradient.plane();
                let derivative = input_derivative.map(Maps::plane);
                match (pass, kind) {
                    (TexelPass::Samples(weights), kind) => texel::conv_sample_gradient(
                        recording,
                        &kind.as_convolution(),
                        *lanes,
                        from,
                        weights,
                        input_gradient.flat(),
                    ),
                    (TexelPass::Winograd(plan), _) => {
                        let to = input_gradient.plane();
                        texel::winograd_input_gradient(recording, plan, from, derivative, to);
                    }
                    (TexelPass::Direct(weights), LayerKind::Conv(geometry)) => {
                        texel::conv_input_gradient(
                            recording,
                            geometry,
                            *lanes,
                            from,
                            weights,
                            derivative,
                            input_gradient.plane(),
                        );
                    }
                    (TexelPass::Direct(weights), LayerKind::Dense { .. }) => {
                        texel::dense_input_gradient(
                            recording,
                            *lanes,
                            from,
                            weights,
                            derivative,
                            input_gradient.plane(),
                        );
                    }
                }
            }
        }
    }

    /// Writes Σₙ `factor`ₙ · ∂Eₙ/∂(weight, bias) into `gradient` at word `offset`, or with `accumulate` adds it to what
    /// is there, through `partials` of [`Self::partial_words`] words.
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
        accumulate: bool,
    ) {
        match (&self.shape, &self.kind) {
            (LayerShape::Tiled { .. }, kind) => tiled::conv_weight_gradient(
                recording,
                &kind.flattened(),
                self.samples,
                input.flat(),
                output_gradient.flat(),
                factor,
                partials,
            ),
            (
                LayerShape::Texel {
                    lanes,
                    gradient_pixels,
                    ..
                },
                LayerKind::Conv(geometry),
            ) => texel::conv_weight_gradient(
                recording,
                geometry,
                *lanes,
                *gradient_pixels,
                input.plane(),
                output_gradient.plane(),
                factor,
                partials,
            ),
            (LayerShape::Texel { lanes, .. }, LayerKind::Dense { .. }) => {
                texel::dense_weight_gradient(
                    recording,
                    *lanes,
                    input.plane(),
                    output_gradient.plane(),
                    factor,
                    partials,
                )
            }
        }
        let length = self.kind.weight_len() + self.kind.outputs();
        sum_partials(
            recording,
            self.shares(),
            length,
            offset,
            accumulate,
            partials,
            gradient,
        );
    }
}

/// The place in the table of tiles, of the tiled variant.
fn place(choice: Option<Choice>) -> Option<usize> {
    match choice {
        Some(Choice::Tiled(place)) => Some(place),
        _ => None,
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
