use super::launch::over;
use crate::gpu::{Access, Buffer, Kernel, Program, Recording};

pub(crate) static KERNEL: Kernel = Kernel {
    name: "scatter_chains",
    source: include_str!("../../shaders/scatter_chains.wgsl"),
    bindings: &[Access::ReadWrite, Access::Read, Access::Read],
    immediates: 1,
};

/// Copies row i of `x` into slot `order[first + i]` of `replay` (cyclically). The slots must differ.
#[allow(clippy::too_many_arguments)]
pub fn scatter_chains(
    recording: &mut Recording,
    chains: usize,
    sample_length: usize,
    first: u32,
    replay: Buffer,
    order: Buffer,
    x: Buffer,
) {
    let program = Program::new(&KERNEL)
        .u32("CHAINS", chains)
        .u32("SAMPLE_LENGTH", sample_length)
        .u32("SLOTS", order.words());
    over(
        recording,
        program,
        vec![replay.into(), order.into(), x.into()],
        vec![first],
        chains * sample_length,
    );
    recording.moves(4 * chains * (2 * sample_length + 1));
}
