use super::plane::{Plane, PlaneNames, plane_names};
use crate::gpu::{Buffer, Kernel, Program, Recording};

/// Into an image, and into a buffer.
static KERNELS: [Kernel; 2] = [
    kernel!("texel/load_maps", 0, [Read, FormatWrite("FORMAT")]),
    kernel!("texel/load_maps", 0, [Read, ReadWrite]),
];

const NAMES: PlaneNames = plane_names!("");

/// The texels of all maps of a plane.
pub(super) fn texels(plane: &Plane) -> usize {
    plane.samples * plane.map_texels()
}

/// Copies between a plane and flat (sample, channel, row, column) maps, whichever way `kernels` do: that of planes in an image,
/// and that of planes in a buffer.
pub(super) fn copy(
    recording: &mut Recording,
    kernels: &'static [Kernel; 2],
    flat: Buffer,
    plane: &Plane,
) {
    let program = Program::new(&kernels[usize::from(plane.buffer.is_some())])
        .u32("SAMPLES", plane.samples)
        .u32("CHANNELS", plane.shape.channels)
        .u32("MAP_WIDTH", plane.shape.width)
        .u32("MAP_HEIGHT", plane.shape.height)
        .flag("IN_BUFFER", plane.buffer.is_some())
        .u32("ROW", plane.buffer.map_or(0, |_| plane.row()));
    plane
        .describe(program, &NAMES, 0)
        .bind([flat])
        .bind([plane.resource()])
        .moving(4 * plane.samples * plane.shape.len() + 16 * texels(plane))
        .over(recording, texels(plane));
}

/// Copies flat (sample, channel, row, column) maps into a plane.
pub(crate) fn load_maps(recording: &mut Recording, flat: Buffer, plane: &Plane) {
    copy(recording, &KERNELS, flat, plane);
}
