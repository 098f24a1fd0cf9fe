use super::launch::over;
use crate::gpu::{Access, Buffer, Kernel, Program, Recording};

pub(crate) static KERNEL: Kernel = Kernel {
    name: "gather_chains",
    source: include_str!("../../shaders/gather_chains.wgsl"),
    bindings: &[Access::Read, Access::Read, Access::ReadWrite],
    immediates: 1,
};

/// Copies chain i from slot `order[first + i]` of `replay` (cyclically) into row i of `x`.
#[allow(clippy::too_many_arguments)]
pub fn gather_chains(
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
