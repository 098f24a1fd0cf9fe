use super::launch::{WIDTH, launch};
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
    let program = Program::new(&KERNEL).u32("COUNT", count);
    let resources = vec![counters.into(), keys.into(), words.into()];
    launch(
        recording,
        program,
        resources,
        vec![],
        [count.div_ceil(WIDTH) as u32, 1, 1],
        count as u64 * 100,
    );
}
