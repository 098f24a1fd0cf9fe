use crate::gpu::{Buffer, Kernel, Program, Recording, steps_a_turn};

/// Outside its box a uniform density counts as e⁻⁸⁰ of what it is inside, not as 0, so that logarithms stay finite; no
/// weight that a generator gives notices the difference.
pub const OUTSIDE: f32 = 80.0;

pub(crate) static KERNEL: Kernel = kernel!("noise/box_energy", 0, [Read, ReadWrite]);

/// `energies[n]` = −ln of the uniform density on [`low`, `high`] in each of the `length` values of sample n, or
/// [`OUTSIDE`] more where any of them lies beyond.
pub(crate) fn box_energy(
    recording: &mut Recording,
    length: usize,
    low: f32,
    high: f32,
    samples: Buffer,
    energies: Buffer,
) {
    let count = energies.words();
    let constant = length as f64 * (f64::from(high) - f64::from(low)).ln();
    let steps = steps_a_turn(|steps| length.div_ceil(steps));
    Program::new(&KERNEL)
        .turns(length.div_ceil(steps))
        .steps(steps)
        .u32("LENGTH", length)
        .u32("SAMPLES", count)
        .f32("LOW", low)
        .f32("HIGH", high)
        .f32("CONSTANT", constant as f32)
        .f32("OUTSIDE", OUTSIDE)
        .bind([samples, energies])
        .moving(4 * count * (length + 1))
        .over(recording, count);
}
