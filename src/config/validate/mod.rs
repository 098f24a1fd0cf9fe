//! The ranges and enumerations of the configuration's values: a file for each section, and for what makes sense only
//! across sections `together.rs`.
//!
//! A rule says what is wrong and which assignments would mend it, each on its own; who has set what, and which of them is
//! therefore taken, is not its business.

mod data;
mod network;
mod objective;
mod optimiser;
mod rules;
mod run;
mod sampler;
mod snapshot;
mod together;
mod unread;

use super::Config;
use rules::Findings;
pub(super) use rules::{Finding, Fix};
pub(super) use unread::ignored;

// Limits called MOST_… are what no machine could hold or finish, so that a slip of the keyboard is an error and not an
// exhausted memory.
const MOST_SAMPLE_STEPS: usize = 1 << 24;

/// Everything that is wrong with `config`.
pub(super) fn findings(config: &Config) -> Vec<Finding> {
    let mut found = Findings::default();
    data::validate(config, &mut found);
    network::validate(&config.network, &mut found);
    objective::validate(&config.objective, &mut found);
    snapshot::validate(&config.snapshot, &mut found);
    sampler::validate(&config.sampler, &mut found);
    optimiser::validate(&config.optimiser, &mut found);
    run::validate(&config.run, &mut found);
    // What nothing reads goes before what does not go together with it.
    unread::refuse_unread(config, &mut found);
    sampler::validate_together(&config.sampler, &mut found);
    optimiser::validate_in(&config.run, &config.optimiser, &mut found);
    together::validate(config, &mut found);
    found.all()
}
