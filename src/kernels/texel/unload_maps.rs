use super::load_maps::copy;
use super::plane::Plane;
use crate::gpu::{Buffer, Kernel, Recording};

static KERNELS: [Kernel; 2] = [
    kernel!("texel/unload_maps", 0, [ReadWrite, FormatRead("FORMAT")]),
    kernel!("texel/unload_maps", 0, [ReadWrite, Read]),
];

/// Copies a plane into flat (sample, channel, row, column) maps.
pub(crate) fn unload_maps(recording: &mut Recording, plane: &Plane, flat: Buffer) {
    copy(recording, &KERNELS, flat, plane);
}
