use super::architecture::Architecture;
use super::tuning::Kernels;
use crate::gpu::{Buffer, GpuError, Recording};
use crate::kernels::{
    Layer, LayerParameters, Maps, energy_head, load, quadratic_base_gradient, unload,
};

/// A network laid out for batches of one size: the maps between its layers, and how to record its passes.
///
/// It owns no parameters; every pass takes the parameter buffer, so that the live parameters and the snapshot share
/// one workspace. Passes follow one another as in: [`Self::prepare`] whenever the parameters change, then
/// [`Self::energies`] or [`Self::energy_gradient`]; [`Self::weight_gradient`] comes right after a forward pass that kept
/// derivatives, and only once, since a backward pass writes over the maps of the forward pass.
#[derive(Clone)]
pub struct Network {
    architecture: Architecture,
    samples: usize,
    layers: Vec<Layer>,
    /// Input of every layer. Going back, it becomes the gradient in the output of the layer before: whoever needs the
    /// input has had it by then. Entry 0 becomes the gradient in the samples; the tiled variant does not use it, because
    /// it reads samples and writes their gradient where they are.
    inputs: Vec<Maps>,
    head: Maps,
    /// Activation derivative after every layer but the last.
    derivatives: Vec<Maps>,
    /// Gradient of the energy in the outputs of the last layer: all ones.
    ones: Maps,
    /// The head's outputs in a flat buffer.
    outputs: Buffer,
    partials: Buffer,
    /// Of the scratch that the layers share.
    scratch_bytes: u64,
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
                match index {
                    0 => layer.reading_samples(),
                    _ => layer,
                }
            })
            .collect();
        let scratch_bytes = Layer::share_scratch(&mut layers);
        let last = &layers[layers.len() - 1];
        let output_shape = last.kind.output_shape();
        let head = last.new_plain("head", output_shape)?;
        let between = |label| {
            let pairs = layers.iter().zip(&layers[1..]);
            pairs.map(move |(layer, next)| layer.new_between(next, label))
        };
        let inputs = std::iter::once(layers[0].new_input("samples in maps"))
            .chain(between("maps between layers"))
            .collect::<Result<_, _>>()?;
        // Written beside the layer's output, so laid out like it.
        let derivatives = between("activation derivative").collect::<Result<_, _>>()?;
        let ones = last.new_output_gradient("output gradient")?;
        let partial_words = layers.iter().map(Layer::partial_words).max().unwrap_or(1);
        let outputs = match head {
            Maps::Flat(buffer) => buffer,
            Maps::Plane(_) => Buffer::new("head outputs", samples * output_shape.len()),
        };
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
            scratch_bytes,
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
            inputs: fewer(&self.inputs),
            head: self.head.for_samples(samples),
            derivatives: fewer(&self.derivatives),
            ones: self.ones.for_samples(samples),
            ..self.clone()
        }
    }

    /// What it computes.
    pub fn architecture(&self) -> &Architecture {
        &self.architecture
    }

    /// Samples in a batch.
    pub fn samples(&self) -> usize {
        self.samples
    }

    /// Bytes on the GPU of the maps between the layers and at both ends, and of the scratch beside them, which all
    /// passes share.
    pub fn map_bytes(&self) -> u64 {
        let between = self.inputs[1..].iter().chain(&self.derivatives);
        own_bytes(&self.inputs[0])
            + own_bytes(&self.head)
            + between.map(Maps::bytes).sum::<u64>()
            + self.ones.bytes()
            + self.scratch_bytes
            + self.outputs.bytes()
    }

    /// Bytes on the GPU of copies of the weights in the order the kernels want.
    pub fn packed_bytes(&self) -> u64 {
        self.layers.iter().map(Layer::packed_bytes).sum()
    }

    /// Bytes on the GPU of what only weight gradients need.
    pub fn partial_bytes(&self) -> u64 {
        self.partials.bytes()
    }

    /// Must be recorded once before anything else: ∂E/∂(outputs of the last layer) = 1.
    pub fn setup(&self, recording: &mut Recording) {
        let ones =
            vec![1.0; self.samples * self.layers[self.layers.len() - 1].kind.output_shape().len()];
        match self.ones {
            Maps::Flat(buffer) => recording.upload_f32(buffer, 0, &ones),
            Maps::Plane(_) => {
                recording.upload_f32(self.outputs, 0, &ones);
                load(recording, self.outputs, &self.ones);
            }
        }
    }

    /// Makes the passes that follow compute with `parameters`; needed again whenever their values have changed.
    pub fn prepare(&self, recording: &mut Recording, parameters: Buffer) {
        for (index, layer) in self.layers.iter().enumerate() {
            layer.prepare(recording, self.layer_parameters(parameters, index));
        }
    }

    /// `energies[n]` = E(xₙ). With `keep` the derivatives are kept for a backward pass.
    ///
    /// `x` is (sample, channel, row, column), `energies` one word a sample.
    pub fn energies(
        &self,
        recording: &mut Recording,
        parameters: Buffer,
        x: Buffer,
        energies: Buffer,
        keep: bool,
    ) {
        self.forward(recording, parameters, x, self.layers.len(), keep);
        if let Maps::Plane(_) = self.head {
            unload(recording, &self.head, self.outputs);
        }
        energy_head(
            recording,
            self.samples,
            self.layers[self.layers.len() - 1].kind.output_shape().len(),
            self.outputs,
            self.architecture.base(),
            self.architecture.input().len(),
            x,
            energies,
        );
    }

    /// The part of [`Self::energies`] with `keep` that [`Self::weight_gradient`] needs, for when the energies are known.
    pub fn derivatives(&self, recording: &mut Recording, parameters: Buffer, x: Buffer) {
        // Nobody asks for the outputs of the last layer, whose derivative is 1.
        self.forward(recording, parameters, x, self.layers.len() - 1, true);
    }

    /// `gradient` = ∇ₓE of every sample, in the layout of `x`, and where they are wanted the `energies` as above, which
    /// cost a little more.
    pub fn energy_gradient(
        &self,
        recording: &mut Recording,
        parameters: Buffer,
        x: Buffer,
        energies: Option<Buffer>,
        gradient: Buffer,
    ) {
        match energies {
            Some(energies) => self.energies(recording, parameters, x, energies, true),
            None => self.derivatives(recording, parameters, x),
        }
        for index in (1..self.layers.len()).rev() {
            self.backward(recording, parameters, index);
        }
        let input_gradient = self.layers[0].sample_gradient(&self.inputs[0], gradient);
        self.layers[0].input_gradient(
            recording,
            self.layer_parameters(parameters, 0),
            &self.output_gradient(0),
            None,
            &input_gradient,
        );
        if let Maps::Plane(_) = input_gradient {
            unload(recording, &input_gradient, gradient);
        }
        if let Some(base) = self.architecture.base() {
            let count = self.samples * self.architecture.input().len();
            quadratic_base_gradient(recording, base, count, x, gradient);
        }
    }

    /// `gradient` = Σₙ `factor`ₙ · ∂E(xₙ)/∂θ, or with `accumulate` that much more than it was, right after
    /// [`Self::energies`] with `keep` or [`Self::derivatives`] on the same `x` and parameters.
    pub fn weight_gradient(
        &self,
        recording: &mut Recording,
        parameters: Buffer,
        x: Buffer,
        factor: Buffer,
        gradient: Buffer,
        accumulate: bool,
    ) {
        for index in (0..self.layers.len()).rev() {
            let input = if index == 0 {
                self.first_input(x)
            } else {
                self.inputs[index]
            };
            self.layers[index].weight_gradient(
                recording,
                &input,
                &self.output_gradient(index),
                factor,
                self.partials,
                gradient,
                self.architecture.parameter_offset(index),
                accumulate,
            );
            if index > 0 {
                self.backward(recording, parameters, index);
            }
        }
    }

    /// The first `count` layers on `x`.
    fn forward(
        &self,
        recording: &mut Recording,
        parameters: Buffer,
        x: Buffer,
        count: usize,
        keep: bool,
    ) {
        if let Maps::Plane(_) = self.inputs[0] {
            load(recording, x, &self.inputs[0]);
        }
        for (index, layer) in self.layers[..count].iter().enumerate() {
            let input = if index == 0 {
                self.first_input(x)
            } else {
                self.inputs[index]
            };
            let output = self.inputs.get(index + 1).unwrap_or(&self.head);
            let derivative = self.derivatives.get(index).filter(|_| keep);
            layer.forward(
                recording,
                self.layer_parameters(parameters, index),
                &input,
                output,
                derivative,
            );
        }
    }

    /// The gradient in the output of layer `index` − 1 from that of layer `index`, in place of the latter's input.
    fn backward(&self, recording: &mut Recording, parameters: Buffer, index: usize) {
        self.layers[index].input_gradient(
            recording,
            self.layer_parameters(parameters, index),
            &self.output_gradient(index),
            Some(&self.derivatives[index - 1]),
            &self.output_gradient(index - 1),
        );
    }

    /// The gradient of the energy in the output of layer `index` before its activation.
    fn output_gradient(&self, index: usize) -> Maps {
        self.inputs.get(index + 1).copied().unwrap_or(self.ones)
    }

    fn first_input(&self, x: Buffer) -> Maps {
        match self.inputs[0] {
            Maps::Flat(_) => Maps::Flat(x),
            Maps::Plane(_) => self.inputs[0],
        }
    }

    fn layer_parameters(&self, buffer: Buffer, index: usize) -> LayerParameters {
        LayerParameters {
            buffer,
            offset: self.architecture.parameter_offset(index),
        }
    }
}

/// Bytes of the maps at the ends of the network: none in the tiled variant, which reads samples and writes their
/// gradient where they are, and whose head is the outputs.
fn own_bytes(maps: &Maps) -> u64 {
    match maps {
        Maps::Plane(_) => maps.bytes(),
        Maps::Flat(_) => 0,
    }
}
