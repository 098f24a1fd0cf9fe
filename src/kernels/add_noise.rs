use crate::gpu::{Buffer, Kernel, Program, Recording};
use crate::random::Stream;

pub(crate) static KERNEL: Kernel = kernel!("add_noise", 4, [ReadWrite]);

/// Adds Gaussian noise of standard deviation `std` to the first `count` values of `x`; value i takes the normal
/// number i of (`seed`, data noise, `step`).
pub fn add_noise(
    recording: &mut Recording,
    seed: u64,
    step: u32,
    std: f32,
    count: usize,
    x: Buffer,
) {
    Program::new(&KERNEL)
        .u32("COUNT", count)
        .u32("STREAM", Stream::DataNoise as usize)
        .bind([x])
        .immediates([seed as u32, (seed >> 32) as u32, step, std.to_bits()])
        .moving(8 * count)
        .over(recording, count.div_ceil(4));
}
