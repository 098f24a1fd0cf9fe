use crate::gpu::{Buffer, Kernel, Program, Recording, grid};

pub(crate) static NOISE: Kernel = kernel!("noise/gaussian_noise", 1, [Read, Read, Read, ReadWrite]);

pub(crate) static ENERGY: Kernel =
    kernel!("noise/gaussian_energy", 0, [Read, Read, Read, ReadWrite]);

/// Fills `samples` from word `first` on with mean + L ξ, one draw for every one that `xi` holds, which is standard
/// normal. `factor` is the lower triangular L, (row, column); `mean` says how long a sample is.
pub(crate) fn gaussian_noise(
    recording: &mut Recording,
    mean: Buffer,
    factor: Buffer,
    xi: Buffer,
    samples: Buffer,
    first: usize,
) {
    let (length, count) = (mean.words(), xi.words());
    Program::new(&NOISE)
        .u32("LENGTH", length)
        .u32("COUNT", count)
        .bind([mean, factor, xi, samples])
        .immediates([first as u32])
        .moving(4 * (2 * count + length * length))
        .over(recording, count);
}

/// `energies[n]` = |M (xₙ − mean)|² / 2 + `constant`: −ln of the density of a Gaussian if `constant` is
/// ln det(2π covariance) / 2. `whitener` is the lower triangular M, (row, column).
pub(crate) fn gaussian_energy(
    recording: &mut Recording,
    mean: Buffer,
    whitener: Buffer,
    constant: f32,
    samples: Buffer,
    energies: Buffer,
) {
    let (length, count) = (mean.words(), energies.words());
    Program::new(&ENERGY)
        .u32("LENGTH", length)
        .u32("SAMPLES", count)
        .f32("CONSTANT", constant)
        .bind([mean, whitener, samples, energies])
        .moving(4 * (count * length + length * length))
        .launch(recording, grid(count), (count * length * length) as u64);
}
