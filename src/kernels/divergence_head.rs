use super::launch::WIDTH;
use super::metrics::METRICS_STRUCT;
use super::ratio_head::metrics_turns;
use crate::gpu::{Buffer, Kernel, Program, Recording};

pub(crate) static KERNEL: Kernel =
    kernel!("divergence_head", 1, [Read, Read, ReadWrite, ReadWrite]);

/// From the live energies alone to the factors and metrics of contrastive divergence (Hinton 2002), whose loss is the
/// mean energy of the data minus that of the noise: its gradient is that of the likelihood if the noise comes from the
/// live model. `factor` and `metrics` are as in [`super::HeadArguments`]; all log-ratios are 0.
pub fn divergence_head(
    recording: &mut Recording,
    data: usize,
    noise: usize,
    energy_l2: f32,
    live: Buffer,
    factor: Buffer,
    metrics: Buffer,
) {
    let samples = data + noise;
    Program::new(&KERNEL)
        .turns(samples.div_ceil(WIDTH) + metrics_turns(samples))
        .u32("DATA", data)
        .u32("NOISE", noise)
        .text("METRICS", METRICS_STRUCT)
        .bind([live, live, factor, metrics])
        .immediates([energy_l2.to_bits()])
        .moving(8 * (data + noise))
        .launch(recording, [1, 1, 1], (data + noise) as u64 * 50);
}
