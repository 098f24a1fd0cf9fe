use crate::gpu::{Buffer, Kernel, Program, Recording};

static KERNEL: Kernel = kernel!("zero_words", 0, [ReadWrite]);

/// Sets `count` words of `buffer` from word `first` on to 0, by a launch, so that it may depend on a condition.
pub fn zero_words(recording: &mut Recording, buffer: Buffer, first: usize, count: usize) {
    Program::new(&KERNEL)
        .u32("FIRST", first)
        .u32("COUNT", count)
        .bind([buffer])
        .moving(4 * count)
        .launch(recording, [1, 1, 1], 16);
}
