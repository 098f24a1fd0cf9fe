use super::load_maps::copy;
use super::maps::Maps;
use crate::gpu::{Buffer, Kernel, Recording};

static KERNEL: Kernel = kernel!("lanes/unload_maps", 0, [ReadWrite, Read]);

impl Maps {
    /// Copies them into a flat (sample, channel, row, column) buffer.
    pub(crate) fn unload(&self, recording: &mut Recording, to: Buffer) {
        copy(recording, &KERNEL, to, self);
    }
}
