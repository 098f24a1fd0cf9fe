use crate::gpu::{Buffer, Kernel, Program, Recording};
use crate::kernels::metrics::METRICS_STRUCT;

static KERNEL: Kernel = kernel!("noise/scale", 0, [Read, ReadWrite]);

/// Leaves among `metrics` the root mean square of the last `noise` values in `samples` over that of the first `data` values, which are
/// next to them; 0 where all of these are 0.
pub fn noise_scale(
    recording: &mut Recording,
    samples: Buffer,
    data: usize,
    noise: usize,
    metrics: Buffer,
) {
    let values = data + noise;
    Program::new(&KERNEL)
        .text("METRICS", METRICS_STRUCT)
        .turns(values.div_ceil(64))
        .u32("DATA", data)
        .u32("NOISE", noise)
        .bind([samples, metrics])
        .moving(4 * values)
        .launch(recording, [1, 1, 1], 2 * values as u64);
}
