use crate::gpu::{Buffer, Kernel, Program, Recording};

pub(crate) static KERNEL: Kernel = kernel!(
    "noise/refresh_if_due",
    0,
    [Read, Read, ReadWrite, ReadWrite]
);

/// Copies `live` to `snapshot` and sets all of `normaliser` to 0 if the first word of `state` is not 0.
pub fn refresh_if_due(
    recording: &mut Recording,
    state: Buffer,
    live: Buffer,
    snapshot: Buffer,
    normaliser: Buffer,
) {
    let count = snapshot.words();
    Program::new(&KERNEL)
        .u32("COUNT", count)
        .u32("NORMALISER_WORDS", normaliser.words())
        .bind([state, live, snapshot, normaliser])
        .moving(8 * count)
        .over(recording, count.max(normaliser.words()));
}
