use crate::gpu::{Buffer, Kernel, Program, Recording};

/// The quadratic base |x − mean|² / (2 std²) of an energy.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct QuadraticBase {
    pub mean: f32,
    pub std: f32,
}

pub(crate) static KERNEL: Kernel = kernel!("quadratic_base_gradient", 0, [Read, ReadWrite]);

/// Adds (x − mean) / std² to the first `count` values of `gradient`.
pub fn quadratic_base_gradient(
    recording: &mut Recording,
    base: QuadraticBase,
    count: usize,
    x: Buffer,
    gradient: Buffer,
) {
    Program::new(&KERNEL)
        .u32("COUNT", count)
        .f32("BASE_MEAN", base.mean)
        .f32("BASE_PRECISION", 1.0 / (base.std * base.std))
        .bind([x, gradient])
        .moving(12 * count)
        .over(recording, count);
}
