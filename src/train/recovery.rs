//! Going back after a divergence: to a state from before its first signs, and on from there at a lower rate with other random numbers.

use crate::config::{Config, RunConfig};
use serde::{Deserialize, Serialize};

/// What is left of the learning rate each time.
const RATE_SHARE: f32 = 0.5;
/// Optimiser steps before the first sign whose states are not trusted. Langevin chains on digits left what healthy runs show 62 steps
/// before the sign.
const MARGIN: u64 = 100;
/// The most states of a whole run that serve to go back to. They lie at steps that do not depend on the clock, so that where a run goes
/// back to does not either.
const WAYMARKS: u64 = 20;
/// States of these that are kept, the newest: a divergence that takes more than 10 % of all steps to be seen goes back to the beginning,
/// whose state is kept, too.
pub(super) const WAYMARKS_KEPT: usize = 3;

/// How a run that had diverged went on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recovery {
    /// The step that showed it, counted from 0.
    pub step: u64,
    /// How.
    pub what: String,
    /// Optimiser steps done in the state that it went back to.
    pub back_to: u64,
    /// From there on learning rates are this share of the configuration's.
    pub rate_share: f32,
}

impl Recovery {
    /// The one that follows after so many `before`.
    pub(super) fn new(step: u64, what: String, back_to: u64, before: usize) -> Self {
        Recovery {
            step,
            what,
            back_to,
            rate_share: share(before + 1),
        }
    }
}

/// Of the learning rate after `count` recoveries.
fn share(count: usize) -> f32 {
    RATE_SHARE.powi(count as i32)
}

/// `config` as it is carried out after `count` recoveries. What the run writes down is `config` itself.
pub(super) fn recovered(config: &Config, count: usize) -> Config {
    let mut config = config.clone();
    config.optimiser.rate *= share(count);
    // The same numbers would lead the chains along the same way. An odd factor, so that no two are the same.
    let apart = 0x9E37_79B9_7F4A_7C15_u64.wrapping_mul(count as u64);
    config.run.seed = config.run.seed.wrapping_add(apart);
    config
}

/// Optimiser steps between two states to go back to; none where there are no states. Also where a run does not go back, for it may be
/// told to when it is gone on with.
pub(super) fn waymark_interval(run: &RunConfig) -> Option<u64> {
    let is_on = run.checkpoint_seconds > 0.0;
    is_on.then(|| run.steps.div_ceil(WAYMARKS).max(MARGIN))
}

/// The beginning of a sentence about a run that ends all the same.
pub(super) fn tried(recoveries: &[Recovery]) -> String {
    match recoveries {
        [] => String::new(),
        [once] => format!(
            "it had gone back once, to {} of the learning rate; ",
            once.rate_share
        ),
        [.., last] => format!(
            "it had gone back {} times, at last to {} of the learning rate; ",
            recoveries.len(),
            last.rate_share
        ),
    }
}

/// The last step whose state is trusted where the metrics were sound up to step `sound`.
pub(super) fn trusted(sound: u64) -> u64 {
    sound.saturating_sub(MARGIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_recovery_halves_the_rate_and_changes_the_random_numbers() {
        let config = Config::default();
        assert_eq!(recovered(&config, 0), config);
        let [once, twice] = [1, 2].map(|count| recovered(&config, count));
        assert_eq!(once.optimiser.rate, 0.5 * config.optimiser.rate);
        assert_eq!(twice.optimiser.rate, 0.25 * config.optimiser.rate);
        assert_eq!(
            Recovery::new(9, String::new(), 0, 1).rate_share,
            share(2),
            "what is written down is what is done"
        );
        let seeds = [&config, &once, &twice].map(|config| config.run.seed);
        assert!(seeds[0] != seeds[1] && seeds[1] != seeds[2] && seeds[0] != seeds[2]);
    }

    #[test]
    fn waymarks_are_few_and_not_dense() {
        let every = |steps| {
            waymark_interval(&RunConfig {
                steps,
                ..RunConfig::default()
            })
        };
        assert_eq!(every(7000), Some(350));
        assert_eq!(every(150), Some(100));
        let off = RunConfig {
            checkpoint_seconds: 0.0,
            ..RunConfig::default()
        };
        assert_eq!(waymark_interval(&off), None);
    }
}
