use super::{ChainBatch, per_chain};
use crate::gpu::{Buffer, Kernel, Recording};

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
    let (program, groups) = per_chain(&KERNEL, batch, batch.stream);
    let count = batch.chains * batch.length;
    // For every value of a chain the ten rounds of a random number.
    let turns = 6 * program.turns;
    program
        .turns(turns)
        .bind([batch.x, before, batch.energies, trace])
        .immediates([batch.seed as u32, (batch.seed >> 32) as u32])
        .immediates([number as u32, 0])
        .moving(8 * count)
        .launch(recording, groups, 64 * count as u64);
}
