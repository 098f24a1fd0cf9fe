use super::launch::WIDTH;
use crate::gpu::{Buffer, Kernel, Program, Recording};

pub(crate) static KERNEL: Kernel = kernel!("philox_words", 0, [Read, Read, ReadWrite]);

/// `words[i]` = Philox4x32-10 of `counters[i]` (four words each) under `keys[i]` (two words each).
pub fn philox_words(
    recording: &mut Recording,
    count: usize,
    counters: Buffer,
    keys: Buffer,
    words: Buffer,
) {
    let groups = [count.div_ceil(WIDTH) as u32, 1, 1];
    Program::new(&KERNEL)
        .u32("COUNT", count)
        .bind([counters, keys, words])
        .launch(recording, groups, count as u64 * 100);
}
