use super::launch::{REDUCTION_TURNS, WIDTH};
use super::quadratic_base::QuadraticBase;
use crate::gpu::{Buffer, Kernel, Program, Recording, grid};

pub(crate) static KERNEL: Kernel = kernel!("energy_head", 0, [Read, Read, ReadWrite]);

/// Up to so many values a sample are summed by one invocation, more by a workgroup: its reduction costs more than it
/// saves, on software drivers most of all.
const ALONE: usize = 128;

/// `energies[n]` = Σ of the `outputs` values of sample n in `head` + the base at sample n of `x`.
#[allow(clippy::too_many_arguments)]
pub fn energy_head(
    recording: &mut Recording,
    samples: usize,
    outputs: usize,
    head: Buffer,
    base: Option<QuadraticBase>,
    sample_length: usize,
    x: Buffer,
    energies: Buffer,
) {
    let scale = base.map_or(0.0, |base| 0.5 / (base.std * base.std));
    let values = outputs + base.map_or(0, |_| sample_length);
    let alone = values <= ALONE;
    let groups = if alone { samples.div_ceil(64) } else { samples };
    let flops = samples * (outputs + if base.is_some() { 3 * sample_length } else { 0 });
    let turns = if alone {
        values
    } else {
        values.div_ceil(WIDTH) + 1 + REDUCTION_TURNS
    };
    Program::new(&KERNEL)
        .turns(turns)
        .flag("ALONE", alone)
        .u32("SAMPLES", samples)
        .u32("OUTPUTS", outputs)
        .u32("SAMPLE_LENGTH", sample_length)
        .flag("BASE", base.is_some())
        .f32("BASE_MEAN", base.map_or(0.0, |base| base.mean))
        .f32("BASE_SCALE", scale)
        .bind([head, x, energies])
        .moving(4 * samples * (values + 1))
        .launch(recording, grid(groups), flops as u64);
}
