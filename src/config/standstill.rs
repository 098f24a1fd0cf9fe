//! Chains that a Metropolis test holds where they are.

use super::SamplerConfig;

/// Below this acceptance chains lie about where they started.
const STANDSTILL: f32 = 0.01;

impl SamplerConfig {
    /// What to say where the Metropolis test, if there is one, has accepted hardly a step of the chains that samples were drawn by.
    pub fn standstill(&self, acceptance: Option<f32>, step_size: f32) -> Option<String> {
        let acceptance = acceptance.filter(|acceptance| *acceptance < STANDSTILL)?;
        let advice = match self.adapt {
            Some(false) => {
                "train again with a smaller sampler.step_size, or with sampler.adapt = true"
            }
            _ => {
                "take more steps, in the first half of which the step size is adapted, or train again with a smaller sampler.step_size"
            }
        };
        Some(format!(
            "warning: the Metropolis test accepted {:.1} % of the last steps, at a step size of {step_size}, so the chains lie \
             about where they started and are no samples of the model: {advice}",
            100.0 * acceptance
        ))
    }
}
