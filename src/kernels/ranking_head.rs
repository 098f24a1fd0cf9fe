use super::launch::{REDUCTION_TURNS, WIDTH};
use super::metrics::METRICS_STRUCT;
use super::ratio_head::{HeadArguments, metrics_turns};
use crate::gpu::{Kernel, Program, Recording};

pub(crate) static KERNEL: Kernel = kernel!("ranking_head", 1, [Read, Read, ReadWrite, ReadWrite]);

/// From energies to per-sample factors, loss and metrics of ranking noise-contrastive estimation (Ma & Collins, EMNLP
/// 2018; Singh, Tu & Sindhwani 2023). Datum i has the N = `noise` / `data` negatives i·N to i·N + N − 1; noise samples
/// beyond the last whole set of N count for nothing but the penalty on their energies.
pub fn ranking_head(
    recording: &mut Recording,
    data: usize,
    noise: usize,
    energy_l2: f32,
    arguments: &HeadArguments,
) {
    let sets = data.div_ceil(WIDTH) * (1 + 3 * (noise / data.max(1)));
    let rest = data.div_ceil(WIDTH) + 2 * REDUCTION_TURNS + metrics_turns(data + noise);
    Program::new(&KERNEL)
        .turns(sets + rest)
        .u32("DATA", data)
        .u32("NOISE", noise)
        .text("METRICS", METRICS_STRUCT)
        .bind([arguments.live, arguments.snapshot])
        .bind([arguments.factor, arguments.metrics])
        .immediates([energy_l2.to_bits()])
        .moving(12 * (data + noise))
        .launch(recording, [1, 1, 1], (data + noise) as u64 * 200);
}
