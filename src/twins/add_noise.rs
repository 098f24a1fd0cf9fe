//! Twin of `add_noise.wgsl`: Gaussian noise on the data.

use super::philox_normal::normal;
use crate::random::Stream;

/// Adds Gaussian noise of standard deviation `std` to a batch of data; value i takes element i.
pub fn add_noise(seed: u64, step: u32, std: f64, x: &mut [f64]) {
    for (element, x) in (0u32..).zip(x) {
        *x += std * normal(seed, Stream::DataNoise, step, element);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_noise_is_scaled_and_added() {
        let mut x = vec![1.0, -2.0, 0.5, 3.0, 8.0];
        add_noise(4, 6, 0.25, &mut x);
        for (e, before) in [1.0, -2.0, 0.5, 3.0, 8.0].into_iter().enumerate() {
            assert_eq!(
                x[e],
                before + 0.25 * normal(4, Stream::DataNoise, 6, e as u32)
            );
        }
    }
}
