use super::{ChainBatch, per_chain};
use crate::gpu::{Buffer, Dispatch, Kernel, Program, Recording, grid};
use std::sync::Arc;

/// Values of one record of one chain: energy, three projections, mean squared distance a coordinate.
pub const TRACE_VALUES: usize = 5;

static KERNEL: Kernel = kernel!("samplers/trace", 4, [Read, Read, Read, ReadWrite]);

/// Writes record `number` of every chain into `trace`, (record, chain, value): the chain's value in `energies`, the
/// projections of its state on three directions that depend on seed and stream alone, and how far the state is from
/// `before`.
pub fn trace_chains(
    recording: &mut Recording,
    batch: &ChainBatch,
    number: usize,
    before: Buffer,
    trace: Buffer,
) {
    let (groups, alone) = per_chain(batch);
    let program = Program::new(&KERNEL)
        .flag("ALONE", alone)
        .u32("CHAINS", batch.chains)
        .u32("SAMPLE_LENGTH", batch.length)
        .u32("STREAM", batch.stream as usize);
    let count = (batch.chains * batch.length) as u64;
    recording.dispatch(Dispatch {
        program: Arc::new(program),
        resources: vec![
            batch.x.into(),
            before.into(),
            batch.energies.into(),
            trace.into(),
        ],
        immediates: vec![
            batch.seed as u32,
            (batch.seed >> 32) as u32,
            number as u32,
            0,
        ],
        step_word: None,
        workgroups: grid(groups),
        flops: 64 * count,
        bytes: 8 * count,
    });
}
