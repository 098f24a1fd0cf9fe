use crate::gpu::{Dispatch, Kernel, Program, Recording, Resource, grid};
use std::sync::Arc;

/// Invocations in a workgroup of the one-dimensional kernels.
pub(super) const WIDTH: usize = 64;

/// A kernel without the last of its bindings and with it: where activation derivatives are wanted only at times.
pub(super) const fn with_optional_last(kernel: Kernel) -> [Kernel; 2] {
    let Kernel {
        name,
        source,
        shared,
        bindings,
        immediates,
    } = kernel;
    let without = Kernel {
        name,
        source,
        shared,
        bindings: bindings.split_at(bindings.len() - 1).0,
        immediates,
    };
    [without, kernel]
}

/// A launch over `items` invocations of a one-dimensional kernel with workgroups of [`WIDTH`].
pub(super) fn over(
    recording: &mut Recording,
    program: Program,
    resources: Vec<Resource>,
    immediates: Vec<u32>,
    items: usize,
) {
    recording.dispatch(one_dimensional(program, resources, immediates, items));
}

/// How many blocks of four random numbers the elements from `first` on touch.
pub(super) fn blocks(first: u32, count: usize) -> usize {
    (first as usize % 4 + count).div_ceil(4)
}

/// What [`over`] launches.
pub(super) fn one_dimensional(
    program: Program,
    resources: Vec<Resource>,
    immediates: Vec<u32>,
    items: usize,
) -> Dispatch {
    Dispatch {
        program: Arc::new(program),
        resources,
        immediates,
        step_word: None,
        workgroups: grid(items.div_ceil(WIDTH)),
        flops: items as u64 * 16,
        bytes: 0,
    }
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
        step_word: None,
        workgroups,
        flops,
        bytes: 0,
    });
}
