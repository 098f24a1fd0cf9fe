use crate::gpu::{Buffer, Kernel, Program, Recording};
use crate::kernels::metrics::METRICS_STRUCT;

static KERNEL: Kernel = kernel!("noise/scale", 0, [Read, ReadWrite]);

/// Values of each kind that are looked at: no more are needed, and a workgroup is not to take long.
pub const MOST_SCALED: usize = 1 << 18;

/// Leaves among `metrics` the root mean square of the `noise` values in `samples` that follow the first `data` values over that of
/// these, of the first [`MOST_SCALED`] of each; 0 where all of the data are 0.
pub fn noise_scale(
    recording: &mut Recording,
    samples: Buffer,
    data: usize,
    noise: usize,
    metrics: Buffer,
) {
    let first = data;
    let (data, noise) = (data.min(MOST_SCALED), noise.min(MOST_SCALED));
    let values = data + noise;
    Program::new(&KERNEL)
        .text("METRICS", METRICS_STRUCT)
        .turns(values.div_ceil(64))
        .u32("FIRST", first)
        .u32("DATA", data)
        .u32("NOISE", noise)
        .bind([samples, metrics])
        .moving(4 * values)
        .launch(recording, [1, 1, 1], 2 * values as u64);
}
