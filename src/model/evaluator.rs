use super::error::ModelError;
use super::stored::Model;
use crate::gpu::{Buffer, Executor, Recording, at_once};
use crate::network::{Architecture, Network, Preparation, trusted_variant, tuned_kernels};
use crate::shape::Shape;

/// A network with parameters on the GPU: energies and their gradients for batches of one size.
pub struct Evaluator {
    network: Network,
    preparation: Preparation,
    x: Buffer,
    energies: Buffer,
    gradient: Buffer,
}

impl Evaluator {
    /// Lays out `architecture` for batches of `batch` samples and sends `parameters` to the GPU.
    ///
    /// # Errors
    /// When the batch exceeds what the adapter allows, or the GPU fails.
    pub fn new(
        executor: &mut Executor,
        architecture: &Architecture,
        parameters: &[f32],
        batch: usize,
    ) -> Result<Self, ModelError> {
        let variant = trusted_variant(executor)?;
        let kernels = tuned_kernels(executor, architecture, batch, variant)?;
        let network = Network::new(architecture, batch, kernels)?;
        let (evaluator, recording) = Self::on(network, parameters);
        executor.run(&recording)?;
        Ok(evaluator)
    }

    /// On a workspace that may be shared with others, which are not in use while this one is; with what comes before the first
    /// energies.
    fn on(network: Network, parameters: &[f32]) -> (Self, Recording) {
        let (architecture, batch) = (network.architecture(), network.samples());
        let on_gpu = Buffer::new("parameters", architecture.parameter_count());
        let mut recording = Recording::new();
        network.setup(&mut recording);
        recording.upload_f32(on_gpu, 0, parameters);
        let evaluator = Evaluator {
            preparation: network.prepare(&mut recording, on_gpu).preparation(),
            x: Buffer::new("samples", batch * architecture.input().len()),
            energies: Buffer::new("energies", batch),
            // Like every buffer, made at first use: whoever asks for energies only pays nothing for it.
            gradient: Buffer::new("gradient", batch * architecture.input().len()),
            network,
        };
        (evaluator, recording)
    }

    /// The energies of a batch, or of the first samples of one, whose rest keeps the samples before it.
    fn record(&self, recording: &mut Recording, samples: &[f32]) {
        recording.upload_f32(self.x, 0, samples);
        let network = self.network.resume(self.preparation);
        network.energies(recording, self.x, self.energies, false);
    }

    /// Samples in a batch.
    pub fn batch(&self) -> usize {
        self.network.samples()
    }

    /// Shape of one sample.
    pub fn shape(&self) -> Shape {
        self.network.architecture().input()
    }

    /// E(x) for any number of samples from the host, in the model's own scale.
    ///
    /// # Errors
    /// When `samples` is not a whole number of samples, or the GPU fails.
    pub fn energies(
        &mut self,
        executor: &mut Executor,
        samples: &[f32],
    ) -> Result<Vec<f32>, ModelError> {
        at_once(self.energies_async(executor, samples))
    }

    /// [`Self::energies`] for a page, which goes on meanwhile.
    ///
    /// # Errors
    /// As for [`Self::energies`].
    pub async fn energies_async(
        &mut self,
        executor: &mut Executor,
        samples: &[f32],
    ) -> Result<Vec<f32>, ModelError> {
        let length = self.length_of_each(samples)?;
        let mut energies = Vec::with_capacity(samples.len() / length);
        for chunk in samples.chunks(self.batch() * length) {
            let mut recording = Recording::new();
            // The energies of the rest of a last, partial batch are not read.
            self.record(&mut recording, chunk);
            executor.run(&recording)?;
            let words = executor
                .read_words_async(self.energies, 0, chunk.len() / length)
                .await?;
            energies.extend(words.into_iter().map(f32::from_bits));
        }
        Ok(energies)
    }

    /// ∇ₓE(x) for any number of samples from the host, in the model's own scale and laid out as they are.
    ///
    /// # Errors
    /// As for [`Self::energies`].
    pub fn gradients(
        &mut self,
        executor: &mut Executor,
        samples: &[f32],
    ) -> Result<Vec<f32>, ModelError> {
        let length = self.length_of_each(samples)?;
        let mut gradients = Vec::with_capacity(samples.len());
        for chunk in samples.chunks(self.batch() * length) {
            let mut recording = Recording::new();
            recording.upload_f32(self.x, 0, chunk);
            self.energy_gradient(&mut recording, self.x, self.energies, self.gradient)?;
            executor.run(&recording)?;
            let words = executor.read_words(self.gradient, 0, chunk.len())?;
            gradients.extend(words.into_iter().map(f32::from_bits));
        }
        Ok(gradients)
    }

    /// The values of a sample, of which `samples` must be a whole number.
    fn length_of_each(&self, samples: &[f32]) -> Result<usize, ModelError> {
        let (given, shape) = (samples.len(), self.shape());
        match given.is_multiple_of(shape.len()) {
            true => Ok(shape.len()),
            false => Err(ModelError::WrongLength { given, shape }),
        }
    }

    /// Records E and ∇ₓE of one whole batch that lives on the GPU: `x` and `gradient` as (sample, channel, row,
    /// column), `energies` one f32 a sample. Nothing passes through the host. Larger buffers do; what lies behind the
    /// batch is left alone.
    ///
    /// # Errors
    /// When a buffer is too small for a batch; nothing is recorded then.
    pub fn energy_gradient(
        &self,
        recording: &mut Recording,
        x: Buffer,
        energies: Buffer,
        gradient: Buffer,
    ) -> Result<(), ModelError> {
        let values = self.batch() * self.shape().len();
        for (buffer, wanted) in [(x, values), (energies, self.batch()), (gradient, values)] {
            if buffer.words() < wanted {
                return Err(ModelError::BufferTooSmall {
                    label: buffer.label(),
                    words: buffer.words(),
                    wanted,
                });
            }
        }
        let network = self.network.resume(self.preparation);
        network.energy_gradient(recording, x, Some(energies), gradient);
        Ok(())
    }
}

impl Model {
    /// This model on the GPU, for batches of `batch` samples.
    ///
    /// # Errors
    /// When the batch exceeds what the adapter allows, or the GPU fails.
    pub fn evaluator(
        &self,
        executor: &mut Executor,
        batch: usize,
    ) -> Result<Evaluator, ModelError> {
        if batch == 0 {
            let advice = "a batch holds at least one sample";
            return Err(ModelError::OutOfRange {
                what: "a batch",
                given: 0,
                advice,
            });
        }
        Evaluator::new(executor, &self.architecture, &self.parameters, batch)
    }

    /// [`Self::evaluator`] on a workspace of this model's architecture that exists already and is not in use; whoever
    /// uses it afterwards prepares it anew.
    pub(crate) fn evaluator_on(
        &self,
        executor: &mut Executor,
        workspace: &Network,
    ) -> Result<Evaluator, ModelError> {
        let (evaluator, recording) = Evaluator::on(workspace.clone(), &self.parameters);
        executor.run(&recording)?;
        Ok(evaluator)
    }
}

/// Records what the first energies in the workspace of `network` take.
pub(crate) fn first_energies(network: &Network) -> Recording {
    let (evaluator, mut recording) = Evaluator::on(network.clone(), &[]);
    evaluator.record(&mut recording, &[]);
    recording
}
