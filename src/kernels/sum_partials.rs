use crate::gpu::{Buffer, Kernel, Program, Recording};

pub(crate) static KERNEL: Kernel = kernel!("sum_partials", 1, [Read, ReadWrite]);

/// `gradient[first + i]` = Σₖ `partials[k·length + i]` over the `parts` parts, in order; with `accumulate` the sum is
/// added to what is there.
pub fn sum_partials(
    recording: &mut Recording,
    parts: usize,
    length: usize,
    first: usize,
    accumulate: bool,
    partials: Buffer,
    gradient: Buffer,
) {
    Program::new(&KERNEL)
        .u32("PARTS", parts)
        .u32("LENGTH", length)
        .flag("ACCUMULATE", accumulate)
        .bind([partials, gradient])
        .immediates([first as u32])
        .moving(4 * (parts + 1) * length)
        .over(recording, length);
}
