//! `[objective]`

use super::rules::{Conditional, Findings, key};
use crate::config::{Config, NormaliserKind, ObjectiveConfig};
use crate::method::Criterion;
use crate::words::Word;

const MOST_NOISE_RATIO: usize = 1 << 10;
// Below, the weights are those of `kl` to a per cent and the loss a difference of large numbers; above, single samples rule.
const SMALLEST_POWER: f32 = 0.01;
const LARGEST_POWER: f32 = 5.0;
/// f32 ends at e⁸⁸; a weight must leave room for factors and sums.
const LARGEST_LOG_WEIGHT: f32 = 60.0;

#[rustfmt::skip]
pub(super) const CONDITIONAL: &[Conditional] = &[
    ("objective.power", "objective.generator", has_exponent, "only `power` has an exponent"),
    ("objective.clamp", "objective.generator", is_clamped, "its weights are bounded without"),
    ("objective.normaliser_rate", "objective.normaliser", |c| c.objective.normaliser == NormaliserKind::Learned, "only `learned` has a rate"),
    ("objective.normaliser_decay", "objective.normaliser", |c| c.objective.normaliser == NormaliserKind::Importance, "only `importance` averages"),
];

pub(super) fn validate(objective: &ObjectiveConfig, found: &mut Findings) {
    let generator = objective.generator.name();
    found.count(key!(objective.noise_ratio), MOST_NOISE_RATIO);
    let (steepest, normaliser) = match objective.generator {
        Criterion::Bregman(generator) => {
            ((generator.steepest)(objective.power.into()) as f32, None)
        }
        Criterion::Ranking => (0.0, Some("cancels")),
        Criterion::ContrastiveDivergence => (0.0, Some("does not occur")),
    };
    found
        .ensure(
            key!(objective.normaliser),
            normaliser.is_none() || objective.normaliser == NormaliserKind::Zero,
            format_args!(
                "be `zero` with objective.generator = {generator}, where the log-normaliser difference {}",
                normaliser.unwrap_or_default()
            ),
        )
        .mended_by("objective.normaliser", NormaliserKind::Zero);
    found.positive(key!(objective.normaliser_rate));
    found.decay(key!(objective.normaliser_decay));
    found.within(key!(objective.power), SMALLEST_POWER, LARGEST_POWER);
    found.positive(key!(objective.clamp));
    let most = LARGEST_LOG_WEIGHT / steepest;
    // What is not a number is refused on its own.
    let overflows = steepest * objective.clamp > LARGEST_LOG_WEIGHT;
    found
        .ensure(
            key!(objective.clamp),
            !overflows,
            format_args!(
                "be at most {most} with objective.generator = {generator}, or weights would overflow"
            ),
        )
        // The quotient may have been rounded up.
        .mended_by(
            "objective.clamp",
            match steepest * most <= LARGEST_LOG_WEIGHT {
                true => most,
                false => most.next_down(),
            },
        );
    found.not_negative(key!(objective.energy_l2));
}

fn has_exponent(config: &Config) -> bool {
    matches!(config.objective.generator, Criterion::Bregman(generator) if generator.has_exponent())
}

fn is_clamped(config: &Config) -> bool {
    matches!(config.objective.generator, Criterion::Bregman(generator) if generator.is_unbounded())
}
