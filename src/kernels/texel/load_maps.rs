use super::plane::{Plane, PlaneNames, plane_names};
use crate::gpu::{Buffer, Kernel, Program, Recording};

pub(super) static KERNEL: Kernel = kernel!("texel/load_maps", 0, [Read, FormatWrite("FORMAT")]);

const NAMES: PlaneNames = plane_names!("");

/// The texels of all maps of a plane.
pub(super) fn texels(plane: &Plane) -> usize {
    plane.samples * plane.map_texels()
}

/// Copies between a plane and flat (sample, channel, row, column) maps, whichever way `kernel` does.
pub(super) fn copy(
    recording: &mut Recording,
    kernel: &'static Kernel,
    flat: Buffer,
    plane: &Plane,
) {
    let program = Program::new(kernel)
        .u32("SAMPLES", plane.samples)
        .u32("CHANNELS", plane.shape.channels)
        .u32("MAP_WIDTH", plane.shape.width)
        .u32("MAP_HEIGHT", plane.shape.height);
    plane
        .describe(program, &NAMES, 0)
        .bind([flat])
        .bind([plane.image])
        .moving(4 * plane.samples * plane.shape.len() + 16 * texels(plane))
        .over(recording, texels(plane));
}

/// Copies flat (sample, channel, row, column) maps into a plane.
pub(crate) fn load_maps(recording: &mut Recording, flat: Buffer, plane: &Plane) {
    copy(recording, &KERNEL, flat, plane);
}
