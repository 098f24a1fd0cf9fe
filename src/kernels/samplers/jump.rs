use super::{ChainBatch, Moment, moment_immediates, per_chain};
use crate::gpu::{Buffer, Kernel, Recording};
use crate::kernels::start_chains::{ChainStart, start_chains};
use crate::random::Stream;

static KERNEL: Kernel = kernel!("samplers/jump", 6, [Read, Read, ReadWrite, ReadWrite]);

/// Offers every chain an independent draw from the law of fresh chains, which it takes or leaves by a Metropolis test, so
/// that its law stays as it is (Tierney 1994). Draws and tests take the random numbers of step `moment.step` of `stream`.
/// `energies_at` records the energies of some states; those of `batch` are up to date before and after. `proposal` is as
/// long as the states, `proposal_energies` has one word a chain.
pub fn jump_chains(
    recording: &mut Recording,
    batch: &ChainBatch,
    start: ChainStart,
    stream: Stream,
    moment: &Moment,
    (proposal, proposal_energies): (Buffer, Buffer),
    energies_at: &dyn Fn(&mut Recording, Buffer, Buffer),
) {
    let count = batch.chains * batch.length;
    start_chains(
        recording,
        start,
        stream,
        batch.seed,
        moment.step,
        (moment.first_chain * batch.length) as u32,
        count,
        proposal,
    );
    energies_at(recording, proposal, proposal_energies);
    let (program, groups) = per_chain(&KERNEL, batch, stream);
    let (uniform, [a, b]) = start.numbers();
    program
        .flag("UNIFORM", uniform)
        .f32("A", a)
        .f32("B", b)
        .bind([proposal, proposal_energies, batch.x, batch.energies])
        .immediates(moment_immediates(batch, moment))
        .moving(12 * count)
        .launch(recording, groups, 8 * count as u64);
}
