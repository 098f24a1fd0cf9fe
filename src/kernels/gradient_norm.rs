use crate::gpu::{Buffer, Kernel, Program, Recording};

/// Partial sums of the norm: the words the scratch buffer needs.
pub const NORM_PARTS: usize = 256;
/// Values an invocation sums at least before a reduction over its workgroup pays.
const SHARE: usize = 16;

pub(crate) static KERNEL: Kernel = kernel!("gradient_norm", 1, [Read, ReadWrite]);

/// `norm[place]` = √Σ `gradient`² over its first `count` values, through `scratch` of [`NORM_PARTS`] words.
pub fn gradient_norm(
    recording: &mut Recording,
    count: usize,
    gradient: Buffer,
    scratch: Buffer,
    norm: Buffer,
    place: usize,
) {
    let parts = count.div_ceil(64 * SHARE).clamp(1, NORM_PARTS);
    let program = |last| {
        Program::new(&KERNEL)
            .u32("COUNT", count)
            .u32("PARTS", parts)
            .flag("FINAL", last)
    };
    program(false)
        .bind([gradient, scratch])
        .immediates([place as u32])
        .moving(4 * count)
        .launch(recording, [parts as u32, 1, 1], 2 * count as u64);
    program(true)
        .bind([scratch, norm])
        .immediates([place as u32])
        .moving(4 * parts)
        .launch(recording, [1, 1, 1], parts as u64);
}
