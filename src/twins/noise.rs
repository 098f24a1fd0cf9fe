//! Twins of the kernels in `shaders/noise`.

/// `follower` ← `decay` · `follower` + (1 − `decay`) · `leader`.
pub fn follow(decay: f64, leader: &[f64], follower: &mut [f64]) {
    for (follower, leader) in follower.iter_mut().zip(leader) {
        *follower = decay * *follower + (1.0 - decay) * leader;
    }
}

/// −ln (1/M Σ_j exp(`offsets[j]` − E_j)) for every sample, from `components`, the E_j as (component, sample).
pub fn mixture_energy(components: &[f64], offsets: &[f64]) -> Vec<f64> {
    let samples = components.len() / offsets.len();
    let energy = |sample: usize| {
        let exponents = offsets.iter().enumerate();
        let exponents: Vec<f64> = exponents
            .map(|(j, offset)| offset - components[j * samples + sample])
            .collect();
        let largest = exponents.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let sum: f64 = exponents.iter().map(|e| (e - largest).exp()).sum();
        -largest - (sum / offsets.len() as f64).ln()
    };
    (0..samples).map(energy).collect()
}

/// −ln of the uniform density on [`low`, `high`] in each of `length` values, `outside` more beyond it.
pub fn box_energy(samples: &[f64], length: usize, low: f64, high: f64, outside: f64) -> Vec<f64> {
    let inside = |sample: &[f64]| sample.iter().all(|&v| (low..=high).contains(&v));
    let energy = length as f64 * (high - low).ln();
    samples
        .chunks_exact(length)
        .map(|sample| {
            if inside(sample) {
                energy
            } else {
                energy + outside
            }
        })
        .collect()
}

/// mean + L ξ for every ξ that `xi` holds; `factor` is the lower triangular L, (row, column), and `mean` says how long a
/// sample is.
pub fn gaussian_noise(mean: &[f64], factor: &[f64], xi: &[f64]) -> Vec<f64> {
    let value = |xi: &[f64], row: usize| {
        let columns = factor[row * mean.len()..].iter().zip(&xi[..=row]);
        mean[row] + columns.map(|(l, xi)| l * xi).sum::<f64>()
    };
    xi.chunks_exact(mean.len())
        .flat_map(|xi| (0..mean.len()).map(move |row| value(xi, row)))
        .collect()
}

/// |M (x − mean)|² / 2 + `constant` for every sample; `whitener` is the lower triangular M, (row, column).
pub fn gaussian_energy(mean: &[f64], whitener: &[f64], constant: f64, samples: &[f64]) -> Vec<f64> {
    let energy = |x: &[f64]| {
        let squares = (0..mean.len()).map(|row| {
            let columns = whitener[row * mean.len()..].iter().zip(&x[..=row]);
            let z: f64 = columns.zip(mean).map(|((m, x), mean)| m * (x - mean)).sum();
            0.5 * z * z
        });
        constant + squares.sum::<f64>()
    };
    samples.chunks_exact(mean.len()).map(energy).collect()
}

/// (Σω)² / (n Σω²) of the n weights ω = exp(E_φ − E_θ), from the energies under the `live` parameters and under the snapshot.
pub fn effective_sample_size(live: &[f64], snapshot: &[f64]) -> f64 {
    let logarithms: Vec<f64> = snapshot.iter().zip(live).map(|(s, l)| s - l).collect();
    let largest = logarithms.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let weights = || logarithms.iter().map(|w| (w - largest).exp());
    let (sum, squares): (f64, f64) = (weights().sum(), weights().map(|w| w * w).sum());
    sum * sum / (squares * live.len() as f64)
}

/// The root mean square of the `samples` behind the first `data` values over that of these, of the first `most` of each; 0 where all of
/// the data are 0.
pub fn noise_scale(samples: &[f64], data: usize, most: usize) -> f64 {
    let mean_square =
        |values: &[f64]| values.iter().map(|x| x * x).sum::<f64>() / values.len() as f64;
    let (data, noise) = samples.split_at(data);
    let [data, noise] = [data, noise].map(|values| &values[..values.len().min(most)]);
    match mean_square(data) {
        0.0 => 0.0,
        data => (mean_square(noise) / data).sqrt(),
    }
}
