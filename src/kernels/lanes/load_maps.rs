use super::maps::{GROUP, Maps, ONLY};
use crate::gpu::{Buffer, Kernel, Program, Recording};

static KERNEL: Kernel = kernel!("lanes/load_maps", 0, [Read, ReadWrite]);

/// Copies between maps and a flat (sample, channel, row, column) buffer, whichever way `kernel` does.
pub(super) fn copy(recording: &mut Recording, kernel: &'static Kernel, flat: Buffer, maps: &Maps) {
    let values = maps.shape.len();
    let program = Program::new(kernel)
        .u32("GROUP", GROUP)
        .u32("SAMPLES", maps.samples)
        .u32("GROUPS", maps.groups())
        .u32("CHANNELS", maps.shape.channels)
        .u32("MAP_HEIGHT", maps.shape.height)
        .u32("MAP_WIDTH", maps.shape.width);
    maps.describe(program, &ONLY)
        .bind([flat, maps.buffer])
        .moving(8 * maps.samples * values)
        .over(recording, maps.groups() * GROUP * values);
}

impl Maps {
    /// Copies a flat (sample, channel, row, column) buffer into them.
    pub(crate) fn load(&self, recording: &mut Recording, from: Buffer) {
        copy(recording, &KERNEL, from, self);
    }

    pub(crate) fn upload(&self, recording: &mut Recording, values: &[f32], through: Buffer) {
        recording.upload_f32(through, 0, values);
        self.load(recording, through);
    }
}
