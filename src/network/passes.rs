use super::architecture::Architecture;
use crate::gpu::{Buffer, GpuError, Recording};
use crate::kernels::{
    Layer, LayerParameters, Maps, Variant, energy_head, load, quadratic_base_gradient, unload,
};

/// A network laid out for batches of one size: the maps between its layers, and how to record its passes.
///
/// It owns no parameters; every pass takes the parameter buffer, so that the live parameters and the snapshot share
/// one workspace. Passes follow one another as in: [`Self::prepare`] whenever the parameters change, then
/// [`Self::energies`] or [`Self::energy_gradient`], then, after a forward pass that kept derivatives,
/// [`Self::weight_gradient`].
pub struct Network {
    architecture: Architecture,
    samples: usize,
    layers: Vec<Layer>,
    /// Input of every layer. Entry 0 of the tiled variant is unused: samples are read where they are.
    inputs: Vec<Maps>,
    head: Maps,
    /// Activation derivative after every layer but the last.
    derivatives: Vec<Maps>,
    /// Gradient of the energy in every layer's output before its activation; the last is all ones.
    output_gradients: Vec<Maps>,
    input_gradient: Maps,
    /// The head's outputs in a flat buffer.
    outputs: Buffer,
    partials: Buffer,
    /// Of the scratch that the layers share.
    scratch_bytes: u64,
}

impl Network {
    /// Lays out `architecture` for batches of exactly `samples`.
    ///
    /// # Errors
    /// When the batch exceeds the adapter's image size.
    pub fn new(
        architecture: &Architecture,
        samples: usize,
        variant: Variant,
    ) -> Result<Self, GpuError> {
        let mut layers: Vec<Layer> = architecture
            .layers()
            .iter()
            .enumerate()
            .map(|(index, kind)| {
                Layer::new(
                    *kind,
                    architecture.activation_after(index),
                    samples,
                    variant,
                )
            })
            .collect();
        let scratch_bytes = Layer::share_scratch(&mut layers);
        let last = &layers[layers.len() - 1];
        let output_shape = last.kind.output_shape();
        let head = last.new_plain("head", output_shape)?;
        let inputs = layers
            .iter()
            .map(|layer| layer.new_input("layer input"))
            .collect::<Result<_, _>>()?;
        // Written beside the layer's output, so laid out like it: as the input of the layer after.
        let derivatives = layers[1..]
            .iter()
            .map(|layer| layer.new_input("activation derivative"))
            .collect::<Result<_, _>>()?;
        let output_gradients = layers
            .iter()
            .map(|layer| layer.new_output_gradient("output gradient"))
            .collect::<Result<_, _>>()?;
        let input_gradient = layers[0].new_plain("input gradient", architecture.input())?;
        let partial_words = layers.iter().map(Layer::partial_words).max().unwrap_or(1);
        let outputs = match head {
            Maps::Flat(buffer) => buffer,
            Maps::Plane(_) => Buffer::new("head outputs", samples * output_shape.len()),
        };
        Ok(Network {
            architecture: architecture.clone(),
            samples,
            layers,
            inputs,
            head,
            derivatives,
            output_gradients,
            input_gradient,
            outputs,
            partials: Buffer::new("weight gradient partials", partial_words),
            scratch_bytes,
        })
    }

    /// What it computes.
    pub fn architecture(&self) -> &Architecture {
        &self.architecture
    }

    /// Samples in a batch.
    pub fn samples(&self) -> usize {
        self.samples
    }

    /// Bytes on the GPU where only energies and their gradients in x are taken.
    pub fn sampling_bytes(&self) -> u64 {
        self.common_bytes() + own_bytes(&self.input_gradient)
    }

    /// Bytes on the GPU where only energies and their gradients in the parameters are taken.
    pub fn training_bytes(&self) -> u64 {
        self.common_bytes() + self.partials.bytes()
    }

    /// Maps, packed weights, scratch and the head's outputs.
    fn common_bytes(&self) -> u64 {
        let between = self.inputs[1..]
            .iter()
            .chain(&self.derivatives)
            .chain(&self.output_gradients);
        let packed: u64 = self.layers.iter().map(Layer::packed_bytes).sum();
        own_bytes(&self.inputs[0])
            + own_bytes(&self.head)
            + between.map(Maps::bytes).sum::<u64>()
            + packed
            + self.scratch_bytes
            + self.outputs.bytes()
    }

    /// Must be recorded once before anything else: ∂E/∂(outputs of the last layer) = 1.
    pub fn setup(&self, recording: &mut Recording) {
        let ones =
            vec![1.0; self.samples * self.layers[self.layers.len() - 1].kind.output_shape().len()];
        let seed = &self.output_gradients[self.layers.len() - 1];
        match seed {
            Maps::Flat(buffer) => recording.upload_f32(*buffer, 0, &ones),
            Maps::Plane(_) => {
                recording.upload_f32(self.outputs, 0, &ones);
                load(recording, self.outputs, seed);
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
        if let Maps::Plane(_) = self.inputs[0] {
            load(recording, x, &self.inputs[0]);
        }
        for (index, layer) in self.layers.iter().enumerate() {
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

    /// `energies` as above, and `gradient` = ∇ₓE of every sample, in the layout of `x`.
    pub fn energy_gradient(
        &self,
        recording: &mut Recording,
        parameters: Buffer,
        x: Buffer,
        energies: Buffer,
        gradient: Buffer,
    ) {
        self.energies(recording, parameters, x, energies, true);
        self.backward(recording, parameters);
        let first = &self.layers[0];
        let input_gradient = match self.input_gradient {
            Maps::Flat(_) => Maps::Flat(gradient),
            Maps::Plane(_) => self.input_gradient,
        };
        first.input_gradient(
            recording,
            self.layer_parameters(parameters, 0),
            &self.output_gradients[0],
            None,
            &input_gradient,
        );
        if let Maps::Plane(_) = self.input_gradient {
            unload(recording, &self.input_gradient, gradient);
        }
        if let Some(base) = self.architecture.base() {
            let count = self.samples * self.architecture.input().len();
            quadratic_base_gradient(recording, base, count, x, gradient);
        }
    }

    /// `gradient` = Σₙ `factor`ₙ · ∂E(xₙ)/∂θ, after [`Self::energies`] with `keep` on the same `x` and parameters.
    pub fn weight_gradient(
        &self,
        recording: &mut Recording,
        parameters: Buffer,
        x: Buffer,
        factor: Buffer,
        gradient: Buffer,
    ) {
        self.backward(recording, parameters);
        for (index, layer) in self.layers.iter().enumerate() {
            let input = if index == 0 {
                self.first_input(x)
            } else {
                self.inputs[index]
            };
            layer.weight_gradient(
                recording,
                &input,
                &self.output_gradients[index],
                factor,
                self.partials,
                gradient,
                self.architecture.parameter_offset(index),
            );
        }
    }

    /// The gradients in the outputs of all layers, from the last to the first.
    fn backward(&self, recording: &mut Recording, parameters: Buffer) {
        for index in (1..self.layers.len()).rev() {
            self.layers[index].input_gradient(
                recording,
                self.layer_parameters(parameters, index),
                &self.output_gradients[index],
                Some(&self.derivatives[index - 1]),
                &self.output_gradients[index - 1],
            );
        }
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
