use crate::gpu::{Buffer, Kernel, Program, Recording, grid};
use crate::kernels::launch::WIDTH;

pub(crate) static KERNEL: Kernel = kernel!("bench/copy", 0, [Read, ReadWrite]);

/// `to` = `from` over their first `count` vectors of four values; every invocation copies `vectors` of them.
pub fn copy(recording: &mut Recording, count: usize, vectors: usize, from: Buffer, to: Buffer) {
    Program::new(&KERNEL)
        .u32("COUNT", count)
        .u32("VECTORS", vectors)
        .bind([from, to])
        .moving(32 * count)
        .launch(
            recording,
            grid(count.div_ceil(WIDTH * vectors)),
            16 * count as u64,
        );
}
