//! Twin of `samplers/jump.wgsl` and `samplers/mixture_jump.wgsl`: the Metropolis test of an independence proposal (Tierney 1994).

use super::check_len;

/// States and energies of a batch of chains.
#[derive(Clone, Debug, PartialEq)]
pub struct JumpState {
    /// (chain, value)
    pub x: Vec<f64>,
    pub energies: Vec<f64>,
}

/// Moves every chain to its part of `proposal`, drawn from a law of this log-density, where `uniform[chain]` is below
/// min(1, p(y) q(x) / (p(x) q(y))), p ∝ exp(−E / `temperature`).
pub fn jump(
    state: &mut JumpState,
    proposal: &[f64],
    proposal_energies: &[f64],
    log_density: &dyn Fn(&[f64]) -> f64,
    temperature: f64,
    uniform: &[f64],
) {
    let chains = state.energies.len();
    let length = state.x.len() / chains;
    check_len("proposal", proposal, state.x.len());
    check_len("proposal_energies", proposal_energies, chains);
    check_len("uniform", uniform, chains);
    for chain in 0..chains {
        let place = chain * length..(chain + 1) * length;
        let (x, y) = (&state.x[place.clone()], &proposal[place.clone()]);
        let rise = proposal_energies[chain] - state.energies[chain];
        let test = log_density(x) - log_density(y) - rise / temperature;
        if uniform[chain] < test.exp().min(1.0) {
            state.x[place.clone()].copy_from_slice(&proposal[place]);
            state.energies[chain] = proposal_energies[chain];
        }
    }
}
