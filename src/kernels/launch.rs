use crate::gpu::{Dispatch, Kernel, Program, Recording, Resource, grid};
use std::sync::Arc;

/// Invocations in a workgroup of the one-dimensional kernels.
pub(super) const WIDTH: usize = 64;

/// Turns of a reduction over a workgroup (`shaders/shared/reduce.wgsl`).
pub(super) const REDUCTION_TURNS: usize = 6;

/// A kernel without the last of its bindings, with one more of them, and so on to all: where what stands last, such as
/// activation derivatives, is wanted only at times.
pub(super) const fn with_optional_last<const N: usize>(kernel: Kernel) -> [Kernel; N] {
    let mut all = [kernel; N];
    let mut index = 0;
    while index < N {
        let count = kernel.bindings.len() + 1 + index - N;
        all[index].bindings = kernel.bindings.split_at(count).0;
        index += 1;
    }
    all
}

/// How many blocks of four random numbers the elements from `first` on touch.
pub(super) fn blocks(first: u32, count: usize) -> usize {
    (first as usize % 4 + count).div_ceil(4)
}

/// A program with what it is bound to: all of a launch but its size.
pub(super) struct Bound(Dispatch);

impl Program {
    /// Binds the first of its bindings.
    pub(super) fn bind<R: Into<Resource>>(self, first: impl IntoIterator<Item = R>) -> Bound {
        let bound = Bound(Dispatch {
            program: Arc::new(self),
            resources: Vec::new(),
            immediates: Vec::new(),
            step_word: None,
            workgroups: [0; 3],
            flops: 0,
            bytes: 0,
        });
        bound.bind(first)
    }
}

impl Bound {
    /// Binds the next of its bindings.
    pub(super) fn bind<R: Into<Resource>>(mut self, next: impl IntoIterator<Item = R>) -> Self {
        self.0.resources.extend(next.into_iter().map(Into::into));
        self
    }

    /// Gives it its immediates.
    pub(super) fn immediates(mut self, words: impl IntoIterator<Item = u32>) -> Self {
        self.0.immediates.extend(words);
        self
    }

    /// Says which of the immediates is the number of a step: see [`Dispatch::step_word`].
    pub(super) fn step_word(mut self, word: usize) -> Self {
        self.0.step_word = Some(word);
        self
    }

    /// Says how many bytes it reads and writes: see [`Dispatch::bytes`]; for kernels that move data rather
    /// than compute.
    pub(super) fn moving(mut self, bytes: usize) -> Self {
        self.0.bytes = bytes as u64;
        self
    }

    /// Launches `items` invocations of a one-dimensional kernel with workgroups of [`WIDTH`].
    pub(super) fn over(self, recording: &mut Recording, items: usize) {
        let flops = items as u64 * 16;
        self.launch(recording, grid(items.div_ceil(WIDTH)), flops);
    }

    /// Launches so many workgroups, which take `flops` operations together.
    pub(super) fn launch(self, recording: &mut Recording, workgroups: [u32; 3], flops: u64) {
        recording.dispatch(Dispatch {
            workgroups,
            flops,
            ..self.0
        });
    }
}
