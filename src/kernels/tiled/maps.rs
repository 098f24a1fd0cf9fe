use super::pool_forward::pool_forward;
use super::pool_input_gradient::pool_input_gradient;
use crate::gpu::{Buffer, Recording};
use crate::kernels::family::FamilyMaps;
use crate::kernels::geometry::Activation;
use crate::kernels::pooling::Pooling;

/// A flat (sample, channel, row, column) buffer. At the ends of a network samples, energies and gradients are read and
/// written where they are.
#[derive(Clone, Copy, Debug)]
pub struct Maps(pub Buffer);

impl FamilyMaps for Maps {
    fn for_samples(&self, _samples: usize) -> Self {
        *self
    }

    fn at_end(&self, flat: Buffer) -> Self {
        Maps(flat)
    }

    fn flat(&self, _label: &'static str) -> Buffer {
        self.0
    }

    fn bytes(&self) -> u64 {
        self.0.bytes()
    }

    fn end_bytes(&self) -> u64 {
        0
    }

    fn load(&self, recording: &mut Recording, from: Buffer) {
        copy(recording, from, self.0, self.0.words());
    }

    fn unload(&self, recording: &mut Recording, to: Buffer) {
        copy(recording, self.0, to, self.0.words());
    }

    fn upload(&self, recording: &mut Recording, values: &[f32], _through: Buffer) {
        recording.upload_f32(self.0, 0, values);
    }

    fn pool_forward(
        &self,
        recording: &mut Recording,
        pooling: &Pooling,
        activation: Activation,
        samples: usize,
        skip: Option<&Self>,
        output: &Self,
        derivative: Option<&Self>,
    ) {
        pool_forward(
            recording,
            pooling,
            activation,
            samples,
            self.0,
            skip.map(|maps| maps.0),
            output.0,
            derivative.map(|maps| maps.0),
        );
    }

    fn pool_input_gradient(
        &self,
        recording: &mut Recording,
        pooling: &Pooling,
        samples: usize,
        added: Option<&Self>,
        input_derivative: Option<&Self>,
        input_gradient: &Self,
    ) {
        pool_input_gradient(
            recording,
            pooling,
            samples,
            self.0,
            added.map(|maps| maps.0),
            input_derivative.map(|maps| maps.0),
            input_gradient.0,
        );
    }
}

fn copy(recording: &mut Recording, from: Buffer, to: Buffer, words: usize) {
    if from != to {
        recording.copy_range(from, 0, to, 0, words);
    }
}
