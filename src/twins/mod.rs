//! Plain-Rust f64 twins of the GPU kernels: the oracles that the kernels are tested against.
//!
//! One file per WGSL file, of the same name (`dense` for those of a dense layer and `hmc` for those of a Hamiltonian step
//! together, `noise` for those of the folder). They are written to be read and believed, not to be fast: each is the
//! defining loop of its operation.
//! Tensors are flat row-major slices, batch first (NCHW), and weights are laid out (out, in, height, width).
//!
//! # Panics
//!
//! Slices whose lengths disagree with the shapes beside them are a mistake in the calling test, and
//! every twin panics on them; no user input reaches this module but samples, whose length the classifier checks that
//! [`crate::evaluation`] runs by these twins.

mod adam;
mod add_noise;
mod conv_forward;
mod conv_input_gradient;
mod conv_weight_gradient;
mod dense;
mod divergence_head;
mod energy_head;
mod gradient_norm;
mod hmc;
mod jump;
mod langevin;
mod langevin_chain;
mod mixture;
mod move_chains;
mod multiply_add;
mod network;
pub mod noise;
mod philox_normal;
mod philox_words;
mod pool_forward;
mod pool_input_gradient;
mod quadratic_base_gradient;
mod ranking_head;
mod ratio_head;
mod spectral;
mod start_chains;
mod sum_partials;
mod trace;
mod underdamped;
mod winograd;

mod taps;
#[cfg(test)]
pub(crate) mod testing;

pub use adam::{AdamSettings, adam};
pub use add_noise::add_noise;
pub use conv_forward::{ConvForward, conv_forward};
pub use conv_input_gradient::conv_input_gradient;
pub use conv_weight_gradient::{WeightGradient, conv_weight_gradient};
pub use dense::dense_geometry;
pub use divergence_head::divergence_head;
pub use energy_head::{QuadraticBase, energy_head};
pub use gradient_norm::gradient_norm;
pub use hmc::{HmcState, adapted, hmc_step};
pub use jump::{JumpState, jump};
pub use langevin::{Bounds, LangevinSettings, langevin};
pub use langevin_chain::langevin_chain;
pub use mixture::Mixture;
pub use move_chains::{gather_chains, scatter_chains};
pub use multiply_add::multiply_add;
pub use network::{TwinBlock, TwinLayer, TwinNetwork};
pub use philox_normal::normal;
pub use philox_words::philox_words;
pub use pool_forward::pool_forward;
pub use pool_input_gradient::pool_input_gradient;
pub use quadratic_base_gradient::quadratic_base_gradient;
pub use ranking_head::ranking_head;
pub use ratio_head::{
    RatioInput, RatioOutput, importance_normaliser, profiled_normaliser, ratio_head,
};
pub use spectral::{spectral_gradient, spectral_turn, spectral_weights};
pub use start_chains::{ChainStart, start_chains};
pub use sum_partials::sum_partials;
pub use trace::trace;
pub use underdamped::{Underdamped, underdamped_begin, underdamped_step};
pub use winograd::{
    WINOGRAD_POINTS, WinogradMatrices, transposed, winograd_matrices, winograd_transform,
};

/// Panics unless `values` holds `expected` values: an oracle must not answer a malformed question.
#[track_caller]
fn check_len(name: &str, values: &[f64], expected: usize) {
    assert_eq!(
        values.len(),
        expected,
        "{name} has the wrong length for the shapes given with it"
    );
}
