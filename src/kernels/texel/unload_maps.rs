use super::load_maps::{describe, flat_and_plane_bytes, texels};
use super::plane::Plane;
use crate::gpu::{Buffer, Kernel, Recording};
use crate::kernels::launch::over;

pub(super) static KERNEL: Kernel =
    kernel!("texel/unload_maps", 0, [ReadWrite, FormatRead("FORMAT")]);

/// Copies a plane into flat (sample, channel, row, column) maps.
pub(crate) fn unload_maps(recording: &mut Recording, plane: &Plane, flat: Buffer) {
    over(
        recording,
        describe(&KERNEL, plane),
        vec![flat.into(), plane.image.into()],
        vec![],
        texels(plane),
    );
    recording.moves(flat_and_plane_bytes(plane));
}
