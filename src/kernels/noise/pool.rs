//! A pool of noise that several steps draw from, and that the GPU refills when it decides to.

use crate::gpu::{Buffer, Kernel, Program, Recording};
use crate::kernels::metrics::METRICS_STRUCT;
use crate::random::Stream;

static TURN: Kernel = kernel!("noise/take_turn", 0, [Read, Read, ReadWrite]);
static KEEP: Kernel = kernel!("noise/keep_noise", 1, [Read, Read, ReadWrite]);
static PICK: Kernel = kernel!("noise/pick_noise", 4, [Read, Read, ReadWrite]);
static JUDGE: Kernel = kernel!("noise/judge_pool", 3, [ReadWrite, Read, ReadWrite]);

/// Words of a pool's state: whether new noise is due, steps that the newest has served, passes so far, and those of them
/// since the last refresh.
pub const POOL_WORDS: usize = 4;

/// Sets `turn`, a word a chain of a pass, to the slots whose turn it is: in pass n, from the words of `state`, those from n times
/// as many on in `order`, cyclically.
pub fn take_turn(recording: &mut Recording, state: Buffer, order: Buffer, turn: Buffer) {
    Program::new(&TURN)
        .u32("CHAINS", turn.words())
        .u32("SLOTS", order.words())
        .bind([state, order, turn])
        .moving(8 * turn.words())
        .launch(recording, [1, 1, 1], 16);
}

/// Keeps the first `count` values of `x`, which are those of a pass from `first` on, in the place of the present pass in
/// `kept`: (pass, chain, value), `passes` of them, the oldest of which gives way.
pub fn keep_noise(
    recording: &mut Recording,
    state: Buffer,
    x: Buffer,
    (first, count): (usize, usize),
    kept: Buffer,
    passes: usize,
) {
    Program::new(&KEEP)
        .u32("COUNT", count)
        .u32("PASSES", passes)
        .u32("PASS_VALUES", kept.words() / passes)
        .bind([state, x, kept])
        .immediates([first as u32])
        .moving(8 * count)
        .over(recording, count);
}

/// A pool that [`pick_noise`] picks from.
#[derive(Clone, Copy, Debug)]
pub struct NoisePool {
    /// See [`POOL_WORDS`].
    pub state: Buffer,
    /// (pass, chain, value)
    pub kept: Buffer,
    pub passes: usize,
    /// Chains of a pass.
    pub chains: usize,
}

/// Fills `samples` from word `first` on with the noise of optimiser step `step`: of each chain of a pass the state in one of the
/// passes since the refresh, which random numbers of (`seed`, `step`) choose.
pub fn pick_noise(
    recording: &mut Recording,
    pool: &NoisePool,
    (seed, step): (u64, u32),
    samples: Buffer,
    first: usize,
) {
    let count = pool.kept.words() / pool.passes;
    Program::new(&PICK)
        .u32("CHAINS", pool.chains)
        .u32("SAMPLE_LENGTH", count / pool.chains)
        .u32("PASSES", pool.passes)
        .u32("STREAM", Stream::NoisePool as usize)
        .bind([pool.state, pool.kept, samples])
        .immediates([seed as u32, (seed >> 32) as u32, step, first as u32])
        .moving(8 * count)
        .over(recording, count);
}

/// Decides whether the next step draws new noise: where the effective sample size among `metrics` is below `ess_threshold`, the
/// newest noise has served `most` steps, or a refresh is due, of which `refreshes` or the first word of `snapshot` tells, and after
/// which no older noise is valid. Leaves the passes so far among the metrics.
pub fn judge_pool(
    recording: &mut Recording,
    (ess_threshold, most): (f32, u64),
    refreshes: bool,
    state: Buffer,
    snapshot: Buffer,
    metrics: Buffer,
) {
    let most = u32::try_from(most.max(1)).unwrap_or(u32::MAX);
    Program::new(&JUDGE)
        .text("METRICS", METRICS_STRUCT)
        .bind([state, snapshot, metrics])
        .immediates([ess_threshold.to_bits(), most, u32::from(refreshes)])
        .moving(4 * (POOL_WORDS + 4))
        .launch(recording, [1, 1, 1], 16);
}
