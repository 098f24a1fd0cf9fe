use super::launch::{WIDTH, launch};
use crate::gpu::{Access, Buffer, Kernel, Program, Recording};

pub(crate) static KERNEL: Kernel = Kernel {
    name: "philox_words",
    source: include_str!("../../shaders/philox_words.wgsl"),
    bindings: &[Access::Read, Access::Read, Access::ReadWrite],
    immediates: 0,
};

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
