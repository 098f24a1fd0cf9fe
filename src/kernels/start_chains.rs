use super::launch::blocks;
use crate::gpu::{Buffer, Kernel, Program, Recording};
use crate::random::Stream;

/// Where fresh chains start.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ChainStart {
    /// Every value normal with this mean and standard deviation.
    Gaussian { mean: f32, std: f32 },
    /// Every value uniform on (low, high).
    Uniform { low: f32, high: f32 },
}

impl ChainStart {
    /// As the shaders take it: whether it is uniform, and its two numbers.
    pub(super) fn numbers(self) -> (bool, [f32; 2]) {
        match self {
            ChainStart::Gaussian { mean, std } => (false, [mean, std]),
            ChainStart::Uniform { low, high } => (true, [low, high]),
        }
    }
}

pub(crate) static KERNEL: Kernel = kernel!("start_chains", 8, [ReadWrite]);

/// Fills the first `count` values of `x` with fresh starts; value i takes the random number `first_element` + i of
/// (`seed`, `stream`, `step`).
#[allow(clippy::too_many_arguments)]
pub fn start_chains(
    recording: &mut Recording,
    start: ChainStart,
    stream: Stream,
    seed: u64,
    step: u32,
    first_element: u32,
    count: usize,
    x: Buffer,
) {
    let (uniform, [a, b]) = start.numbers();
    Program::new(&KERNEL)
        .u32("STREAM", stream as usize)
        .flag("UNIFORM", uniform)
        .bind([x])
        .immediates([seed as u32, (seed >> 32) as u32, step])
        .immediates([first_element, count as u32, a.to_bits(), b.to_bits()])
        // The shader's struct is as long as a multiple of its alignment, that of the seed's vec2.
        .immediates([0])
        .moving(4 * count)
        .over(recording, blocks(first_element, count));
}
