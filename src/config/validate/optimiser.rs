//! `[optimiser]`

use super::rules::{Conditional, Findings, key};
use crate::config::{OptimiserConfig, RunConfig};
use crate::method::Schedule;

#[rustfmt::skip]
pub(super) const WARNED: &[Conditional] = &[
    ("optimiser.final_rate", "optimiser.schedule", |c| c.optimiser.schedule != Schedule::Constant, "its rate stays as it is"),
];

pub(super) fn validate(optimiser: &OptimiserConfig, found: &mut Findings) {
    found.positive(key!(optimiser.rate));
    found.share(key!(optimiser.final_rate));
    found
        .ensure(
            key!(optimiser.final_rate),
            optimiser.schedule != Schedule::Exponential || optimiser.final_rate > 0.0,
            "be above 0 with the exponential schedule, which never reaches 0",
        )
        .mended_by(
            "optimiser.final_rate",
            OptimiserConfig::default().final_rate,
        );
    found.decay(key!(optimiser.beta1));
    found.decay(key!(optimiser.beta2));
    found.positive(key!(optimiser.epsilon));
    found.not_negative(key!(optimiser.weight_decay));
    found.not_negative(key!(optimiser.gradient_clip));
    found.decay(key!(optimiser.average));
}

/// What makes sense only together with the length of the run.
pub(super) fn validate_in(run: &RunConfig, optimiser: &OptimiserConfig, found: &mut Findings) {
    found
        .ensure(
            key!(optimiser.warmup),
            optimiser.warmup <= run.steps,
            format_args!(
                "be at most run.steps = {}, or the run would end before it reaches optimiser.rate",
                run.steps
            ),
        )
        .mended_by("optimiser.warmup", run.steps)
        .mended_by("run.steps", optimiser.warmup);
}
