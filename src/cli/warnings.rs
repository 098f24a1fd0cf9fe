//! What is no error and yet should be known.

use super::output;
use crate::config::SamplerConfig;

/// Below this acceptance chains lie about where they started.
const STANDSTILL: f32 = 0.01;

/// Warns where the Metropolis test, if there is one, accepted hardly a step of the chains that samples were drawn by.
pub(super) fn standstill(sampler: &SamplerConfig, acceptance: Option<f32>, step_size: f32) {
    let Some(acceptance) = acceptance.filter(|acceptance| *acceptance < STANDSTILL) else {
        return;
    };
    let advice = match sampler.adapt {
        Some(false) => "train again with a smaller sampler.step_size, or with sampler.adapt = true",
        _ => {
            "take more steps, in the first half of which the step size is adapted, or train again with a smaller sampler.step_size"
        }
    };
    output::note(format_args!(
        "warning: the Metropolis test accepted {:.1} % of the last steps, at a step size of {step_size}, so the chains lie \
         about where they started and are no samples of the model: {advice}",
        100.0 * acceptance
    ));
}
