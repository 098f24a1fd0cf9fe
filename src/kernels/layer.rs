use super::choice::{Choice, Choices, Pass};
use super::geometry::{Activation, ConvGeometry};
use super::maps::Maps;
use super::parameters::LayerParameters;
use super::sum_partials::sum_partials;
use super::texel::{self, Border, PackedWeights, Plane, Tiles};
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
    Tiled {
        choices: Choices,
    },
    Texel {
        lanes: usize,
        longest_side: usize,
        tiles: Tiles,
        forward: PackedWeights,
        input_gradient: PackedWeights,
    },
}

impl Layer {
    /// Plans a layer over batches of exactly `samples`, by the choices of the cost model.
    pub fn new(kind: LayerKind, activation: Activation, samples: usize, variant: Variant) -> Self {
        Self::with_choices(kind, activation, samples, variant, Choices::default())
    }

    /// The ways to compute a pass of such a layer: first the cost model's choice, then those it thinks slower.
    pub fn candidates(
        kind: LayerKind,
        samples: usize,
        variant: Variant,
        pass: Pass,
    ) -> Vec<Choice> {
        match variant {
            Variant::Tiled => {
                let geometry = kind.flattened();
                let places = match pass {
                    Pass::Forward => tiled::forward_tiles(&geometry, samples),
                    Pass::InputGradient => tiled::input_gradient_tiles(&geometry, samples),
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
        let possible = |pass| {
            let chosen = choices.of(pass)?;
            Self::candidates(kind, samples, variant, pass)
                .contains(&chosen)
                .then_some(chosen)
        };
        let choices = Choices {
            forward: possible(Pass::Forward),
            input_gradient: possible(Pass::InputGradient),
        };
        let shape = match variant {
            Variant::Tiled => LayerShape::Tiled { choices },
            Variant::Texel {
                lanes,
                longest_side,
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
                let tile = tiles.input_gradient;
                let input_gradient = match kind {
                    LayerKind::Conv(_) => PackedWeights::conv_input_gradient(&geometry, tile),
                    LayerKind::Dense { .. } => PackedWeights::dense_input_gradient(&geometry, tile),
                };
                let forward = PackedWeights::forward(&geometry, tiles.forward);
                LayerShape::Texel {
                    lanes,
                    longest_side,
                    tiles,
                    forward,
                    input_gradient,
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

    /// The borders this layer needs around its input maps and around the gradient in its outputs.
    fn borders(&self) -> (Border, Border) {
        let (LayerShape::Texel { tiles, .. }, LayerKind::Conv(geometry)) =
            (&self.shape, &self.kind)
        else {
            return (Border::default(), Border::default());
        };
        let (input, output) = texel::conv_weight_gradient_borders(geometry, tiles.weight_gradient);
        (
            input.max(texel::conv_forward_border(geometry, tiles.forward.pixels)),
            output.max(texel::conv_input_gradient_border(
                geometry,
                tiles.input_gradient,
            )),
        )
    }

    /// The same layer for a batch of fewer samples. It shares the packed weights, so that [`Self::prepare`] of one
    /// prepares both.
    pub fn for_samples(&self, samples: usize) -> Layer {
        Layer {
            samples,
            ..self.clone()
        }
    }

    /// Names maps that this layer can read as its input.
    ///
    /// # Errors
    /// When they exceed the adapter's image size.
    pub fn new_input(&self, label: &'static str) -> Result<Maps, GpuError> {
        self.new_maps(label, self.kind.input_shape(), self.borders().0)
    }

    /// Names maps between this layer and the one after it, which can hold the output of this one, its derivative, or
    /// the gradient of the energy in it.
    ///
    /// # Errors
    /// As for [`Self::new_input`].
    pub fn new_between(&self, next: &Layer, label: &'static str) -> Result<Maps, GpuError> {
        let border = self.borders().1.max(next.borders().0);
        self.new_maps(label, self.kind.output_shape(), border)
    }

    /// Names maps for the gradient of the energy in this layer's output before the activation.
    ///
    /// # Errors
    /// As for [`Self::new_input`].
    pub fn new_output_gradient(&self, label: &'static str) -> Result<Maps, GpuError> {
        self.new_maps(label, self.kind.output_shape(), self.borders().1)
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
            LayerShape::Tiled { .. } => {
                Ok(Maps::Flat(Buffer::new(label, self.samples * shape.len())))
            }
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
            LayerShape::Tiled { .. } => 0,
            LayerShape::Texel {
                forward,
                input_gradient,
                ..
            } => forward.bytes() + input_gradient.bytes(),
        }
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
        texel::pack_forward(recording, &geometry, parameters, forward);
        match self.kind {
            LayerKind::Conv(_) => {
                texel::pack_conv_input_gradient(recording, &geometry, parameters, input_gradient);
            }
            LayerKind::Dense { .. } => {
                texel::pack_dense_input_gradient(recording, &geometry, parameters, input_gradient);
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
                flat(input),
                parameters,
                flat(output),
                derivative.map(flat),
            ),
            (
                LayerShape::Texel {
                    lanes,
                    tiles,
                    forward,
                    ..
                },
                LayerKind::Conv(geometry),
            ) => texel::conv_forward(
                recording,
                geometry,
                self.activation,
                *lanes,
                tiles.forward,
                plane(input),
                forward,
                plane(output),
                derivative.map(plane),
            ),
            (
                LayerShape::Texel {
                    lanes,
                    tiles,
                    forward,
                    ..
                },
                LayerKind::Dense { .. },
            ) => texel::dense_forward(
                recording,
                self.activation,
                *lanes,
                tiles.forward,
                plane(input),
                forward,
                plane(output),
                derivative.map(plane),
            ),
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
                flat(output_gradient),
                parameters,
                input_derivative.map(flat),
                flat(input_gradient),
            ),
            (
                LayerShape::Texel {
                    lanes,
                    tiles,
                    input_gradient: weights,
                    ..
                },
                LayerKind::Conv(geometry),
            ) => {
                texel::conv_input_gradient(
                    recording,
                    geometry,
                    *lanes,
                    tiles.input_gradient,
                    plane(output_gradient),
                    weights,
                    input_derivative.map(plane),
                    plane(input_gradient),
                );
            }
            (
                LayerShape::Texel {
                    lanes,
                    tiles,
                    input_gradient: weights,
                    ..
                },
                LayerKind::Dense { .. },
            ) => {
                texel::dense_input_gradient(
                    recording,
                    *lanes,
                    tiles.input_gradient,
                    plane(output_gradient),
                    weights,
                    input_derivative.map(plane),
                    plane(input_gradient),
                );
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
                flat(input),
                flat(output_gradient),
                factor,
                partials,
            ),
            (LayerShape::Texel { lanes, tiles, .. }, LayerKind::Conv(geometry)) => {
                texel::conv_weight_gradient(
                    recording,
                    geometry,
                    *lanes,
                    tiles.weight_gradient,
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
