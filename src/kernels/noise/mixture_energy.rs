use crate::gpu::{Buffer, Kernel, Program, Recording};

pub(crate) static KERNEL: Kernel = kernel!("noise/mixture_energy", 1, [Read, Read, ReadWrite]);

/// `energies[n]` = −ln (1/M Σ_j exp(`offsets[j]` − E_j(xₙ))), the energy of an even mixture of M = `count` components,
/// where `components` holds the E_j(xₙ) as (component, sample) and `offsets[j]` is −log Z_j, up to a constant that all
/// share.
pub fn mixture_energy(
    recording: &mut Recording,
    count: usize,
    components: Buffer,
    offsets: Buffer,
    energies: Buffer,
) {
    let samples = energies.words();
    Program::new(&KERNEL)
        .u32("SAMPLES", samples)
        .bind([components, offsets, energies])
        .immediates([count as u32])
        .moving(4 * samples * (count + 1))
        .over(recording, samples);
}
