use super::plane::{Plane, PlaneNames};
use crate::gpu::{Buffer, Kernel, Program, Recording};
use crate::kernels::launch::over;

pub(super) static KERNEL: Kernel = kernel!("texel/load_maps", 0, [Read, FormatWrite("FORMAT")]);

const NAMES: PlaneNames = PlaneNames {
    format: "FORMAT",
    groups: "GROUPS",
    width: "WIDTH",
    height: "HEIGHT",
    per_row: "PER_ROW",
    x: "X",
    y: "Y",
};

/// Adds the layout of a plane that is copied from or to a flat buffer.
pub(super) fn describe(kernel: &'static Kernel, plane: &Plane) -> Program {
    let program = Program::new(kernel)
        .u32("SAMPLES", plane.samples)
        .u32("CHANNELS", plane.shape.channels)
        .u32("MAP_WIDTH", plane.shape.width)
        .u32("MAP_HEIGHT", plane.shape.height);
    plane.describe(program, &NAMES, 0)
}

/// The texels of all maps of a plane.
pub(super) fn texels(plane: &Plane) -> usize {
    plane.samples * plane.map_texels()
}

/// Bytes of the maps of a plane without their borders, and of the same maps in a flat buffer.
pub(super) fn flat_and_plane_bytes(plane: &Plane) -> usize {
    4 * plane.samples * plane.shape.len() + 16 * texels(plane)
}

/// Copies flat (sample, channel, row, column) maps into a plane.
pub(crate) fn load_maps(recording: &mut Recording, flat: Buffer, plane: &Plane) {
    over(
        recording,
        describe(&KERNEL, plane),
        vec![flat.into(), plane.image.into()],
        vec![],
        texels(plane),
    );
    recording.moves(flat_and_plane_bytes(plane));
}
