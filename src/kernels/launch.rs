use crate::gpu::{Dispatch, Program, Recording, Resource, grid};
use std::sync::Arc;

/// Invocations in a workgroup of the one-dimensional kernels.
pub(super) const WIDTH: usize = 64;

/// A launch over `items` invocations of a one-dimensional kernel with workgroups of [`WIDTH`].
pub(super) fn over(
    recording: &mut Recording,
    program: Program,
    resources: Vec<Resource>,
    immediates: Vec<u32>,
    items: usize,
) {
    launch(
        recording,
        program,
        resources,
        immediates,
        grid(items.div_ceil(WIDTH)),
        items as u64 * 16,
    );
}

/// Any launch.
pub(super) fn launch(
    recording: &mut Recording,
    program: Program,
    resources: Vec<Resource>,
    immediates: Vec<u32>,
    workgroups: [u32; 3],
    flops: u64,
) {
    recording.dispatch(Dispatch {
        program: Arc::new(program),
        resources,
        immediates,
        workgroups,
        flops,
        bytes: 0,
    });
}
