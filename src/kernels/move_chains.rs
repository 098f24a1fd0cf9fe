use crate::gpu::{Buffer, Kernel, Program, Recording};

static KERNEL: Kernel = kernel!("move_chains", 1, [Read, Read, ReadWrite]);

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
    move_chains(
        recording,
        true,
        chains,
        sample_length,
        first,
        [order, replay, x],
    );
}

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
    move_chains(
        recording,
        false,
        chains,
        sample_length,
        first,
        [order, x, replay],
    );
}

fn move_chains(
    recording: &mut Recording,
    take_out: bool,
    chains: usize,
    sample_length: usize,
    first: u32,
    [order, from, to]: [Buffer; 3],
) {
    Program::new(&KERNEL)
        .u32("CHAINS", chains)
        .u32("SAMPLE_LENGTH", sample_length)
        .u32("SLOTS", order.words())
        .flag("TAKE_OUT", take_out)
        .bind([order, from, to])
        .immediates([first])
        .moving(4 * chains * (2 * sample_length + 1))
        .over(recording, chains * sample_length);
}
