use crate::gpu::{Buffer, Kernel, Program, Recording};
use crate::kernels::metrics::METRICS_STRUCT;

pub(crate) static KERNEL: Kernel = kernel!("noise/judge_snapshot", 3, [ReadWrite, ReadWrite]);

/// Sets the first word of `state` to 1 if the snapshot must be refreshed before the next step, else to 0: where the
/// effective sample size among `metrics`, that `after` the update or the one before, is below `ess_threshold`, or the snapshot has served `most` steps; but only
/// after a whole number of times `pool` steps. Keeps the age of this step's snapshot in the second word, and leaves it
/// among `metrics`.
pub fn judge_snapshot(
    recording: &mut Recording,
    ess_threshold: f32,
    most: u64,
    (pool, after): (u64, bool),
    state: Buffer,
    metrics: Buffer,
) {
    let word = |steps: u64| u32::try_from(steps.max(1)).unwrap_or(u32::MAX);
    Program::new(&KERNEL)
        .text("METRICS", METRICS_STRUCT)
        .flag("AFTER", after)
        .bind([state, metrics])
        .immediates([ess_threshold.to_bits(), word(most), word(pool)])
        .moving(24)
        .launch(recording, [1, 1, 1], 16);
}
