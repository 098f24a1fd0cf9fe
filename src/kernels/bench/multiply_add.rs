use crate::gpu::{Buffer, Kernel, Program, Recording, grid};
use crate::kernels::launch::WIDTH;

/// A loop of multiply-adds in registers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MultiplyAdd {
    /// Independent vectors of four values an invocation.
    pub accumulators: usize,
    pub rounds: usize,
    /// Updates of every accumulator in a round, written out.
    pub updates: usize,
    pub factor: f32,
    pub term: f32,
}

pub(crate) static KERNEL: Kernel = kernel!("bench/multiply_add", 2, [ReadWrite]);

/// Accumulator k of invocation i starts at (0, ¼, ½, ¾) + i mod 64 + k and becomes a ← a · `factor` + `term`, `rounds` ×
/// `updates` times; `sums[i]` is the sum of an invocation's accumulators. `sums` holds four values for each of 64 ×
/// `workgroups` invocations.
pub fn multiply_add(
    recording: &mut Recording,
    settings: &MultiplyAdd,
    workgroups: usize,
    sums: Buffer,
) {
    let s = settings;
    let multiply_adds = workgroups * WIDTH * s.rounds * s.updates * s.accumulators * 4;
    Program::new(&KERNEL)
        .u32("ACCUMULATORS", s.accumulators)
        .u32("ROUNDS", s.rounds)
        .u32("UPDATES", s.updates)
        .bind([sums])
        .immediates([s.factor.to_bits(), s.term.to_bits()])
        .launch(recording, grid(workgroups), 2 * multiply_adds as u64);
}
