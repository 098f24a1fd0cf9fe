//! What is no error and yet should be known.

use super::output;
use crate::config::SamplerConfig;

/// Warns where the Metropolis test, if there is one, accepted hardly a step of the chains that samples were drawn by.
pub(super) fn standstill(sampler: &SamplerConfig, acceptance: Option<f32>, step_size: f32) {
    if let Some(warning) = sampler.standstill(acceptance, step_size) {
        output::note(warning);
    }
}
