use super::architecture::Architecture;
use crate::gpu::{Buffer, Recording};
use crate::kernels::{SpectralWeight, spectral_gradient, spectral_turn, spectral_weights};
use crate::purpose::PACKED_WEIGHTS;

/// The weights of a network under spectral normalisation, as its layers compute with them.
#[derive(Clone)]
pub(super) struct Spectral {
    weights: Vec<SpectralWeight>,
    /// Laid out like the parameters, without the vectors.
    normalised: Buffer,
    scratch: Buffer,
}

impl Spectral {
    /// None where the architecture has no such normalisation.
    pub(super) fn new(architecture: &Architecture) -> Option<Self> {
        if !architecture.spectral_norm() {
            return None;
        }
        let mut words = 0;
        let layers = architecture.layers().iter().enumerate();
        let weights = layers
            .map(|(index, layer)| {
                let weight = SpectralWeight {
                    rows: layer.outputs(),
                    columns: layer.weight_len() / layer.outputs(),
                    weight: architecture.parameter_offset(index),
                    vector: architecture.vector_offset(index),
                    scratch: words,
                };
                words += weight.scratch_words();
                weight
            })
            .collect();
        let count = architecture.parameter_offset(architecture.layers().len());
        Some(Spectral {
            weights,
            normalised: Buffer::new("normalised parameters", count).of(PACKED_WEIGHTS),
            scratch: Buffer::new("spectral scratch", words).of(PACKED_WEIGHTS),
        })
    }

    /// Where the layers find their parameters.
    pub(super) fn normalised(&self) -> Buffer {
        self.normalised
    }

    /// Brings [`Self::normalised`] up to `parameters`.
    pub(super) fn prepare(&self, recording: &mut Recording, parameters: Buffer) {
        for weight in &self.weights {
            spectral_weights(recording, weight, parameters, self.scratch, self.normalised);
        }
    }

    /// Makes of the gradient in the normalised parameters that in `parameters`, for which this was prepared.
    pub(super) fn finish(&self, recording: &mut Recording, parameters: Buffer, gradient: Buffer) {
        let (scratch, normalised) = (self.scratch, self.normalised);
        for weight in &self.weights {
            spectral_gradient(recording, weight, parameters, scratch, normalised, gradient);
        }
    }

    /// One iteration of the power method for each weight of `parameters`.
    pub(super) fn turn(&self, recording: &mut Recording, parameters: Buffer) {
        for weight in &self.weights {
            spectral_turn(recording, weight, parameters, self.scratch);
        }
    }
}
