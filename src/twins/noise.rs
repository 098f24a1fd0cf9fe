//! Twins of the kernels in `shaders/noise`. Those of the Gaussian are [`GaussianFit::draw`] and [`GaussianFit::energy`].
//!
//! [`GaussianFit::draw`]: crate::method::GaussianFit::draw
//! [`GaussianFit::energy`]: crate::method::GaussianFit::energy

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
