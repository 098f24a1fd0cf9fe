use super::architecture::Architecture;
use super::block::BlockKind;
use super::passage::{Passage, Target, WeightPass};
use super::residual::Residual;
use super::spectral::Spectral;
use super::tuning::Kernels;
use crate::gpu::{Buffer, GpuError, Recording};
use crate::kernels::{
    Activation, Back, Layer, LayerParameters, MapReader, Maps, Pooling, Stack, energy_head, load,
    pool_forward, pool_input_gradient, quadratic_base_gradient, unload,
};

/// A network laid out for batches of one size: the maps between its layers, and how to record its passes.
///
/// It owns no parameters and is prepared for some in turn, so that the live parameters and the snapshot share one
/// workspace; the passes are those of what [`Self::prepare`] returns.
#[derive(Clone)]
pub struct Network {
    architecture: Architecture,
    samples: usize,
    /// Those with weights, in the order of their parameters.
    layers: Vec<Layer>,
    /// One for each block.
    parts: Vec<Part>,
    /// Input of every block. Going back, it becomes the gradient in the output of the block before: whoever needs the
    /// input has had it by then. Entry 0 becomes the gradient in the samples; families that read samples and write their
    /// gradient where they are do not use it.
    inputs: Vec<Maps>,
    head: Maps,
    /// Activation derivative after every block that has an activation.
    derivatives: Vec<Option<Maps>>,
    /// Gradient of the energy in the outputs of the last block: all ones.
    ones: Maps,
    /// The head's outputs in a flat buffer.
    outputs: Buffer,
    partials: Buffer,
    spectral: Option<Spectral>,
    /// What computes all of it at once, where it is made so and the kernels' adapter likes that.
    stack: Option<Stack>,
}

/// What computes a block. A network has a handful of these, so their size does not matter.
#[allow(clippy::large_enum_variant)]
#[derive(Clone, Copy)]
enum Part {
    Layer(usize),
    Pool(Pooling),
    Residual(Residual),
}

impl Network {
    /// Lays out `architecture` for batches of exactly `samples`, to be computed by `kernels`: a [`Variant`] will do.
    ///
    /// [`Variant`]: crate::kernels::Variant
    ///
    /// # Errors
    /// When the batch exceeds the adapter's image size.
    pub fn new(
        architecture: &Architecture,
        samples: usize,
        kernels: impl Into<Kernels>,
    ) -> Result<Self, GpuError> {
        let kernels = kernels.into();
        let mut layers: Vec<Layer> = architecture
            .layers()
            .iter()
            .enumerate()
            .map(|(index, kind)| {
                let layer = Layer::with_choices(
                    *kind,
                    architecture.activation_after(index),
                    samples,
                    kernels.variant,
                    kernels.choices(*kind, samples),
                );
                match architecture.blocks()[0].kind {
                    BlockKind::Layer(first) if first == index => layer.reading_samples(),
                    _ => layer,
                }
            })
            .collect();
        Layer::share_scratch(&mut layers);
        let blocks = architecture.blocks();
        let readers: Vec<_> = blocks
            .iter()
            .map(|block| readers(&block.kind, &layers))
            .collect();
        let parts = blocks
            .iter()
            .enumerate()
            .map(|(index, block)| {
                Ok(match &block.kind {
                    BlockKind::Layer(layer) => Part::Layer(*layer),
                    BlockKind::Pool(pooling) => Part::Pool(*pooling),
                    BlockKind::Residual(residual) => {
                        let activation = architecture.block_activation(index);
                        let activation = activation.unwrap_or(Activation::IDENTITY);
                        Part::Residual(Residual::new(residual, block.input, activation, &layers)?)
                    }
                })
            })
            .collect::<Result<_, GpuError>>()?;
        // Any layer names maps.
        let names = &layers[0];
        let last = blocks.len() - 1;
        let output_shape = blocks[last].output;
        let head = names.new_plain("head", output_shape)?;
        let between = |label, index: usize| {
            let readers = [&readers[index].1[..], &readers[index + 1].0].concat();
            names.new_maps(label, blocks[index].output, &readers)
        };
        let first = names.new_ends("samples in maps", architecture.input(), &readers[0].0);
        let inputs = std::iter::once(first)
            .chain((0..last).map(|index| between("maps between layers", index)))
            .collect::<Result<_, _>>()?;
        // Written beside the block's output, so laid out like it.
        let derivative = |index| {
            let maps = between("activation derivative", index)?;
            Ok(names.for_derivatives(&maps))
        };
        let derivatives = (0..last)
            .map(|index| {
                let activation = architecture.block_activation(index);
                activation.map(|_| derivative(index)).transpose()
            })
            .collect::<Result<_, GpuError>>()?;
        let ones = names.new_maps("output gradient", output_shape, &readers[last].1)?;
        let partial_words = layers.iter().map(Layer::partial_words).max().unwrap_or(1);
        let outputs = head.flat("head outputs");
        Ok(Network {
            architecture: architecture.clone(),
            samples,
            inputs,
            head,
            derivatives,
            ones,
            outputs,
            partials: Buffer::new("weight gradient partials", partial_words),
            layers,
            parts,
            spectral: Spectral::new(architecture),
            stack: architecture.stack(samples, kernels.variant),
        })
    }

    /// The same workspace for batches of `samples`, at most as many as it was laid out for. The two share everything,
    /// so only one of them is in use at a time, and what one has prepared is prepared for the other. Weight gradients
    /// are for the whole workspace only.
    pub fn for_samples(&self, samples: usize) -> Network {
        let samples = samples.min(self.samples);
        let fewer = |maps: &[Maps]| maps.iter().map(|maps| maps.for_samples(samples)).collect();
        Network {
            samples,
            layers: self
                .layers
                .iter()
                .map(|layer| layer.for_samples(samples))
                .collect(),
            parts: self
                .parts
                .iter()
                .map(|part| match part {
                    Part::Residual(residual) => Part::Residual(residual.for_samples(samples)),
                    part => *part,
                })
                .collect(),
            inputs: fewer(&self.inputs),
            head: self.head.for_samples(samples),
            derivatives: self
                .derivatives
                .iter()
                .map(|maps| maps.map(|maps| maps.for_samples(samples)))
                .collect(),
            ones: self.ones.for_samples(samples),
            ..self.clone()
        }
    }

    /// What it computes.
    pub(crate) fn architecture(&self) -> &Architecture {
        &self.architecture
    }

    /// Samples in a batch.
    pub(crate) fn samples(&self) -> usize {
        self.samples
    }

    /// Must be recorded once before anything else: ∂E/∂(outputs of the last block) = 1, and where a stack has which weight.
    pub fn setup(&self, recording: &mut Recording) {
        let ones = vec![1.0; self.samples * self.outputs_per_sample()];
        self.ones.upload(recording, &ones, self.outputs);
        if let Some(stack) = &self.stack {
            stack.setup(recording);
        }
    }

    /// Makes passes compute with `parameters`; needed again whenever their values have changed.
    pub fn prepare(&self, recording: &mut Recording, parameters: Buffer) -> Prepared<'_> {
        let buffer = self.computed_with(parameters);
        if let Some(spectral) = &self.spectral {
            spectral.prepare(recording, parameters);
        }
        if let Some(stack) = &self.stack {
            stack.prepare(recording, buffer);
        } else {
            self.prepare_layers(recording, buffer);
        }
        self.resume(Preparation { parameters })
    }

    /// What one layer after the other computes with.
    fn prepare_layers(&self, recording: &mut Recording, buffer: Buffer) {
        for (index, layer) in self.layers.iter().enumerate() {
            let offset = self.architecture.parameter_offset(index);
            layer.prepare(recording, LayerParameters { buffer, offset });
        }
    }

    /// Goes on, in another recording, with what has been prepared before. Since then neither the values of the parameters
    /// may have changed, nor may a workspace that shares this one's memory have been prepared for others.
    pub(crate) fn resume(&self, preparation: Preparation) -> Prepared<'_> {
        let network = self;
        Prepared {
            network,
            preparation,
        }
    }

    /// Lets the estimates of the largest singular values follow `parameters`, once after each of their steps: one
    /// iteration of the power method, as Miyato et al. (2018) have it. Does nothing without spectral normalisation.
    pub(crate) fn turn(&self, recording: &mut Recording, parameters: Buffer) {
        if let Some(spectral) = &self.spectral {
            spectral.turn(recording, parameters);
        }
    }

    /// The gradient in the output of block `index` − 1, before its activation, goes where the input of block `index` is.
    fn target(&self, index: usize) -> Target {
        Target {
            maps: self.inputs[index],
            derivative: self.derivatives[index - 1],
        }
    }

    /// The gradient of the energy in the output of block `index` before its activation.
    fn output_gradient(&self, index: usize) -> Maps {
        self.inputs.get(index + 1).copied().unwrap_or(self.ones)
    }

    /// The parameters as layers compute with them.
    fn computed_with(&self, parameters: Buffer) -> Buffer {
        let spectral = self.spectral.as_ref();
        spectral.map_or(parameters, Spectral::normalised)
    }

    fn outputs_per_sample(&self) -> usize {
        let blocks = self.architecture.blocks();
        blocks[blocks.len() - 1].output.len()
    }

    /// What block `index` reads.
    fn input(&self, index: usize, x: Buffer) -> Maps {
        match index {
            0 => self.inputs[0].at_end(x),
            _ => self.inputs[index],
        }
    }
}

/// What a network was prepared for, to go on with in other recordings: see [`Network::resume`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Preparation {
    parameters: Buffer,
}

/// A network that is prepared for some parameters: its passes.
#[derive(Clone, Copy)]
pub struct Prepared<'a> {
    network: &'a Network,
    preparation: Preparation,
}

impl<'a> Prepared<'a> {
    /// What it was prepared for.
    pub(crate) fn preparation(&self) -> Preparation {
        self.preparation
    }

    /// The same with the buffer `parameters`, which holds the same values.
    pub(crate) fn with_equal(&self, parameters: Buffer) -> Prepared<'a> {
        self.network.resume(Preparation { parameters })
    }

    /// `energies[n]` = E(xₙ). With `keep` the derivatives are kept for a backward pass.
    ///
    /// `x` is (sample, channel, row, column), `energies` one word a sample.
    pub fn energies(&self, recording: &mut Recording, x: Buffer, energies: Buffer, keep: bool) {
        let network = self.network;
        match &network.stack {
            Some(_) if keep => self.derivatives(recording, x),
            Some(stack) => {
                let outputs = network.outputs;
                stack.compute(recording, network.samples, x, outputs, Back::Nothing);
            }
            None => {
                self.forward(recording, x, network.parts.len(), keep);
                unload(recording, &network.head, network.outputs);
            }
        }
        self.add_up(recording, x, energies);
    }

    /// `energies` from the outputs of the last block.
    fn add_up(&self, recording: &mut Recording, x: Buffer, energies: Buffer) {
        let network = self.network;
        energy_head(
            recording,
            network.samples,
            network.outputs_per_sample(),
            network.outputs,
            network.architecture.base(),
            network.architecture.input().len(),
            x,
            energies,
        );
    }

    /// The part of [`Self::energies`] with `keep` that [`Self::weight_gradient`] needs, for when the energies are known.
    pub fn derivatives(&self, recording: &mut Recording, x: Buffer) {
        let network = self.network;
        if let Some(stack) = &network.stack {
            load(recording, x, &network.input(0, x));
            stack.compute(
                recording,
                network.samples,
                x,
                network.outputs,
                Back::Weights,
            );
            return;
        }
        // Nobody asks for the outputs of the last block, whose derivative is 1, but for what is inside it.
        let last = network.parts.len() - 1;
        let count = match network.parts[last] {
            Part::Residual(_) => last + 1,
            Part::Layer(_) | Part::Pool(_) => last,
        };
        self.forward(recording, x, count, true);
    }

    /// `gradient` = ∇ₓE of every sample, in the layout of `x`, and where they are wanted the `energies` as above, which
    /// cost a little more.
    pub fn energy_gradient(
        &self,
        recording: &mut Recording,
        x: Buffer,
        energies: Option<Buffer>,
        gradient: Buffer,
    ) {
        let network = self.network;
        match &network.stack {
            Some(stack) => {
                let (outputs, back) = (network.outputs, Back::Samples(gradient));
                stack.compute(recording, network.samples, x, outputs, back);
                if let Some(energies) = energies {
                    self.add_up(recording, x, energies);
                }
            }
            None => self.gradient_of_maps(recording, x, energies, gradient),
        }
        if let Some(base) = network.architecture.base() {
            let count = network.samples * network.architecture.input().len();
            quadratic_base_gradient(recording, base, count, x, gradient);
        }
    }

    /// [`Self::energy_gradient`] block by block, without the base in the gradient.
    fn gradient_of_maps(
        &self,
        recording: &mut Recording,
        x: Buffer,
        energies: Option<Buffer>,
        gradient: Buffer,
    ) {
        match energies {
            Some(energies) => self.energies(recording, x, energies, true),
            None => self.derivatives(recording, x),
        }
        let network = self.network;
        for index in (1..network.parts.len()).rev() {
            self.backward(recording, x, index, None, Some(&network.target(index)));
        }
        let maps = match (network.parts[0], network.inputs[0]) {
            (Part::Layer(first), maps) => network.layers[first].sample_gradient(&maps, gradient),
            (_, maps) => maps.at_end(gradient),
        };
        let derivative = None;
        self.backward(recording, x, 0, None, Some(&Target { maps, derivative }));
        unload(recording, &maps, gradient);
    }

    /// `gradient` = Σₙ `factor`ₙ · ∂E(xₙ)/∂θ, or with `accumulate` that much more than it was, right after
    /// [`Self::energies`] with `keep` or [`Self::derivatives`] on the same `x`, and only once, since a backward pass
    /// writes over the maps of the forward pass. To be followed, after the last slice, by [`Self::finish_gradient`].
    pub fn weight_gradient(
        &self,
        recording: &mut Recording,
        x: Buffer,
        factor: Buffer,
        gradient: Buffer,
        accumulate: bool,
    ) {
        let weights = WeightPass {
            factor,
            gradient,
            accumulate,
        };
        if let Some(stack) = &self.network.stack {
            self.weight_gradient_of(stack, recording, x, &weights);
            return;
        }
        for index in (0..self.network.parts.len()).rev() {
            let target = (index > 0).then(|| self.network.target(index));
            let weights = Some(&weights);
            self.backward(recording, x, index, weights, target.as_ref());
        }
    }

    /// [`Self::weight_gradient`] of what a stack has kept.
    fn weight_gradient_of(
        &self,
        stack: &Stack,
        recording: &mut Recording,
        x: Buffer,
        weights: &WeightPass,
    ) {
        let network = self.network;
        let mut passage = self.passage(recording);
        let last = network.layers.len() - 1;
        for layer in (0..=last).rev() {
            let input = match layer {
                0 => network.input(0, x),
                _ => stack.values(layer - 1).into(),
            };
            let output_gradient = match layer == last {
                true => network.ones,
                false => stack.gradients(layer).into(),
            };
            passage.weight_gradient(layer, &input, &output_gradient, weights);
        }
    }

    /// Takes `gradient`, the sum of all slices, through the normalisation of the weights; without one it is finished.
    pub fn finish_gradient(&self, recording: &mut Recording, gradient: Buffer) {
        if let Some(spectral) = &self.network.spectral {
            spectral.finish(recording, self.parameters(), gradient);
        }
    }

    /// The first `count` blocks on `x`.
    fn forward(&self, recording: &mut Recording, x: Buffer, count: usize, keep: bool) {
        let network = self.network;
        load(recording, x, &network.input(0, x));
        let mut passage = self.passage(recording);
        for (index, part) in network.parts[..count].iter().enumerate() {
            let input = network.input(index, x);
            let output = network.inputs.get(index + 1).unwrap_or(&network.head);
            let derivative = network.derivatives.get(index).and_then(Option::as_ref);
            let derivative = derivative.filter(|_| keep);
            match part {
                Part::Layer(layer) => passage.forward(*layer, &input, output, derivative),
                Part::Pool(pooling) => pool_forward(
                    passage.recording,
                    pooling,
                    Activation::IDENTITY,
                    self.network.samples,
                    &input,
                    None,
                    output,
                    None,
                ),
                Part::Residual(residual) => {
                    residual.forward(&mut passage, &input, output, derivative, keep);
                }
            }
        }
    }

    /// The gradients in the weights of block `index`, and in its input, as far as they are asked for.
    fn backward(
        &self,
        recording: &mut Recording,
        x: Buffer,
        index: usize,
        weights: Option<&WeightPass>,
        target: Option<&Target>,
    ) {
        let input = self.network.input(index, x);
        let output_gradient = self.network.output_gradient(index);
        let mut passage = self.passage(recording);
        match &self.network.parts[index] {
            Part::Layer(layer) => {
                if let Some(weights) = weights {
                    passage.weight_gradient(*layer, &input, &output_gradient, weights);
                }
                if let Some(Target { maps, derivative }) = target {
                    let derivative = derivative.as_ref();
                    passage.input_gradient(*layer, &output_gradient, derivative, maps);
                }
            }
            Part::Pool(pooling) => {
                if let Some(Target { maps, derivative }) = target {
                    let (r, samples) = (passage.recording, passage.samples);
                    let (derivative, from) = (derivative.as_ref(), &output_gradient);
                    pool_input_gradient(r, pooling, samples, from, None, derivative, maps);
                }
            }
            Part::Residual(residual) => {
                residual.backward(&mut passage, &input, &output_gradient, weights, target);
            }
        }
    }

    fn passage<'r>(&'r self, recording: &'r mut Recording) -> Passage<'r> {
        let network = self.network;
        Passage {
            recording,
            samples: network.samples,
            architecture: &network.architecture,
            layers: &network.layers,
            parameters: network.computed_with(self.parameters()),
            partials: network.partials,
        }
    }

    fn parameters(&self) -> Buffer {
        self.preparation.parameters
    }
}

/// Who reads the input of a block, and the gradient in its output.
fn readers<'a>(
    block: &BlockKind,
    layers: &'a [Layer],
) -> (Vec<MapReader<'a, Layer>>, Vec<MapReader<'a, Layer>>) {
    match block {
        BlockKind::Layer(layer) => (
            vec![MapReader::Input(&layers[*layer])],
            vec![MapReader::OutputGradient(&layers[*layer])],
        ),
        BlockKind::Pool(_) => Default::default(),
        BlockKind::Residual(block) => Residual::readers(block, layers),
    }
}
