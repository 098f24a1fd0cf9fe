//! How many chains the last look compares, which is known before a run starts.

use super::drawing::{can_be_shown, samples_drawn};
use crate::config::Config;
use crate::shape::Shape;

/// Chains of each kind at most.
pub(super) const MOST_CHAINS: usize = 128;
/// And at least: fewer would find hardly any difference.
pub(super) const LEAST_CHAINS: usize = 32;
/// Fresh chains of the last picture are not drawn again where there are as many.
pub(super) const ENOUGH_FRESH: usize = MOST_CHAINS / 2;
/// The look takes at most one energy-gradient evaluation for so many of training. Chains of fewer samples at a time than
/// training has take up to twice as long for each.
pub(super) const SHARE: u64 = 16;
/// What an update of a sample costs, in energy-gradient evaluations.
const UPDATE: u64 = 3;

/// How many chains of each kind a run of `config` over samples of `shape` that spends so many energy-gradient evaluations on
/// sampling compares in the end; 0 where it is too short for it, or asks for no last look.
pub(super) fn chains_compared(config: &Config, shape: Shape, evaluations: u64) -> usize {
    let run = &config.run;
    if config.sampler.probe == 0 {
        return 0;
    }
    let updated = run.batch * (1 + config.objective.noise_ratio);
    let updates = UPDATE
        .saturating_mul(run.steps)
        .saturating_mul(updated as u64);
    let allowed = evaluations.saturating_add(updates) / SHARE;
    // Those of the replay buffer, those from data, and fresh ones where the picture has too few.
    let shown = match can_be_shown(shape) {
        true => samples_drawn(config, shape),
        false => 0,
    };
    let kinds = if shown < ENOUGH_FRESH { 3 } else { 2 };
    let of_chain = kinds * config.dynamics().evaluations(run.sample_steps).max(1) as u64;
    match usize::try_from(allowed / of_chain).unwrap_or(usize::MAX) {
        few if few < LEAST_CHAINS => 0,
        enough => enough.min(MOST_CHAINS),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;

    #[test]
    fn the_look_is_as_large_as_the_run_allows() {
        let of = |sets: &[&str]| {
            let sets: Vec<String> = sets.iter().map(|&set| set.into()).collect();
            let config = config::load("digits-langevin", &sets).expect("is valid");
            let chains = config.run.steps * (config.run.batch * config.sampler.steps) as u64;
            chains_compared(&config, Shape::new(1, 8, 8), chains)
        };
        assert_eq!(of(&[]), 128);
        // (300 · 128 · 10 + 3 · 300 · 256) / 16 = 38,400 evaluations, of two kinds and 500 steps.
        assert_eq!(of(&["run.steps=300"]), 38);
        assert_eq!(of(&["run.steps=200"]), 0);
        // A picture of fewer than 64 samples leaves fresh ones to be drawn.
        assert_eq!(of(&["run.steps=400", "run.samples=63"]), 34);
        assert_eq!(of(&["sampler.probe=0"]), 0);
    }
}
