use crate::gpu::{Buffer, Kernel, Program, Recording};
use crate::kernels::metrics::METRICS_STRUCT;

static KERNEL: Kernel = kernel!("noise/effective_sample_size", 0, [Read, Read, ReadWrite]);

/// Leaves among `metrics` the effective sample size of the weights ω = exp(E_φ − E_θ) as a share of their number n, (Σω)² / (n Σω²)
/// (Kong, Liu & Wong 1994), for the n energies in `live` and those from word `first` on in `snapshot`.
pub fn effective_sample_size(
    recording: &mut Recording,
    live: Buffer,
    snapshot: Buffer,
    first: usize,
    metrics: Buffer,
) {
    let count = live.words();
    Program::new(&KERNEL)
        .text("METRICS", METRICS_STRUCT)
        .turns(2 * count.div_ceil(64))
        .u32("COUNT", count)
        .u32("FIRST", first)
        .bind([live, snapshot, metrics])
        .moving(16 * count)
        .launch(recording, [1, 1, 1], 16 * count as u64);
}
