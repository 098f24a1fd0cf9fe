use crate::gpu::{Buffer, Recording};

/// A flat (sample, channel, row, column) buffer. At the ends of a network samples, energies and gradients are read and
/// written where they are.
#[derive(Clone, Copy, Debug)]
pub struct Maps(pub Buffer);

impl Maps {
    pub(crate) fn for_samples(&self, _: usize) -> Self {
        *self
    }

    pub(crate) fn at_end(&self, flat: Buffer) -> Self {
        Maps(flat)
    }

    pub(crate) fn flat(&self, _: &'static str) -> Buffer {
        self.0
    }

    pub(crate) fn load(&self, recording: &mut Recording, from: Buffer) {
        copy(recording, from, self.0, self.0.words());
    }

    pub(crate) fn unload(&self, recording: &mut Recording, to: Buffer) {
        copy(recording, self.0, to, self.0.words());
    }

    pub(crate) fn upload(&self, recording: &mut Recording, values: &[f32], _: Buffer) {
        recording.upload_f32(self.0, 0, values);
    }
}

fn copy(recording: &mut Recording, from: Buffer, to: Buffer, words: usize) {
    if from != to {
        recording.copy_range(from, 0, to, 0, words);
    }
}
