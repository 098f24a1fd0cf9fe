//! Twin of `walk/langevin_chain.wgsl`: Langevin steps on the energy of a network.

use super::langevin::{LangevinSettings, langevin};
use super::network::TwinNetwork;

/// Moves the `samples` chains in `x` by `steps` steps, numbered from `first_step` on, and returns their energies before
/// the last step; none without a step.
///
/// Value i takes its noise from element `first_element + i` of the Langevin stream.
#[allow(clippy::too_many_arguments)]
pub fn langevin_chain(
    network: &TwinNetwork,
    settings: &LangevinSettings,
    seed: u64,
    first_step: u32,
    steps: u32,
    first_element: u32,
    samples: usize,
    x: &mut [f64],
) -> Vec<f64> {
    let mut energies = Vec::new();
    for step in 0..steps {
        energies = network.energies(x, samples);
        let gradient = network.energy_gradient(x, samples);
        let number = first_step.wrapping_add(step);
        langevin(settings, seed, number, first_element, x, &gradient);
    }
    energies
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::twins::{Bounds, QuadraticBase};

    /// On E = x²/2 every noiseless step of size ½ halves x.
    #[test]
    fn energies_are_those_before_the_last_step() {
        let network = TwinNetwork {
            layers: Vec::new(),
            base: Some(QuadraticBase {
                mean: 0.0,
                std: 1.0,
            }),
        };
        let settings = LangevinSettings {
            step_size: 0.5,
            noise: 0.0,
            clip: 0.0,
            bounds: Bounds::None,
        };
        let mut x = [8.0, -4.0];
        let energies = langevin_chain(&network, &settings, 1, 0, 3, 0, 2, &mut x);
        assert_eq!(x, [1.0, -0.5]);
        assert_eq!(energies, [2.0, 0.5]);
    }
}
