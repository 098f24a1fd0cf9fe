//! Whether a run has diverged, told from its metrics as they arrive.

use super::metrics::MetricsRow;
use crate::config::{Config, Interval};
use crate::network::Precision;
use std::fmt;

/// Steps in a row that show energies running away. The chains of the comment after next left what healthy runs show at step 2105,
/// passed the limit at step 2167, and are found at 2194; the device is handed a few steps ahead.
const WINDOW: usize = 25;
/// Steps in a row that show that nothing is learned.
const STUCK: usize = 50;
/// Nats a dimension that the mean energies of data and noise may lie apart. In no healthy recipe of the presets were they more than
/// 2.2 apart; Langevin chains on digits, five updates on a pool, went from 0.5 to 50 in 200 steps, and on to 10⁶.
const GAP_PER_DIMENSION: f32 = 10.0;
/// The same in few dimensions, where the networks of sharp densities are steep: a ratio of e¹⁰⁰⁰ is no density's.
const LEAST_GAP: f32 = 1000.0;
/// How many times as large as the data noise may be, by its root mean square, and as the noise of the first step. Healthy runs of the
/// presets stay below 2.
const OUTSIDE: f32 = 10.0;
/// How near to 0 or 1 an accuracy is stuck there: less than one sample in 500 on its other side.
const CERTAIN: f32 = 0.002;
/// A gradient has vanished at this share of the largest of the run.
const VANISHED: f32 = 1e-6;
/// So many refreshes have not changed it: a snapshot that is about to be replaced may well be told apart without fail.
const REFRESHES: usize = 3;
/// Snapshots in a row whose noise was at the floor of its effective sample size in all steps after the first. Runs on digits that use
/// noise twice or three times came back after 37 and 25 of them, with poor samples; one that diverged had 60. A planar run that
/// ended sound went down to ten times the floor.
const FLOORED: usize = 100;
/// The floor is one sample; as much as this many are at it.
const AT_FLOOR: f32 = 2.0;
/// Of fewer samples no floor is told.
const FEWEST: usize = 16;

/// What shows that a run has diverged.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Divergence {
    /// A value is not finite: which.
    NotFinite(&'static str),
    /// The mean energies of data and noise lie so many nats apart, further than `limit`, and draw no nearer.
    RunAway { gap: f32, limit: f32 },
    /// The noise lies far outside the data's range, and draws no nearer: it is so many times as large, by its root mean square, more
    /// than `limit`.
    Outside { scale: f32, limit: f32 },
    /// Data and noise are told apart without fail, or always taken for each other, over several snapshots, and the gradient has
    /// vanished.
    Vanished { accuracy: f32 },
    /// Under so many snapshots in a row all weight was on a single sample of the noise.
    Floored { snapshots: usize },
}

/// As the rest of a sentence that begins "the run diverged:".
impl fmt::Display for Divergence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Divergence::NotFinite(what) => write!(f, "{what} is not finite"),
            Divergence::RunAway { gap, limit } => write!(
                f,
                "the mean energies of data and noise have run away from each other, {gap:.0} nats apart (more than {limit:.0} for \
                 {WINDOW} steps)"
            ),
            Divergence::Outside { scale, limit } => write!(
                f,
                "the noise lies far outside the data's range, {scale:.0} times as large (more than {limit:.0} times for {WINDOW} steps)"
            ),
            Divergence::Vanished { accuracy } => write!(
                f,
                "nothing is learned any more: the accuracy has been {accuracy:.3} for {STUCK} steps, and the gradient has \
                 vanished"
            ),
            Divergence::Floored { snapshots } => write!(
                f,
                "the noise says nothing any more: under {snapshots} snapshots in a row the effective sample size was that of a single \
                 sample"
            ),
        }
    }
}

impl Divergence {
    /// Which settings of `config` to change.
    pub(super) fn advice(self, config: &Config) -> String {
        let mut advice = match (config.longest_use(), config.sampler.reuse) {
            (1, _) => "lower optimiser.rate".to_owned(),
            (reuse, Interval::Every(_)) => format!(
                "update fewer than {reuse} times on the same noise (sampler.reuse), or lower optimiser.rate"
            ),
            (reuse, Interval::Adaptive) => format!(
                "update fewer than {reuse} times on the same noise (sampler.max_reuse), raise sampler.reuse_threshold, or lower \
                 optimiser.rate"
            ),
        };
        advice += match self {
            Divergence::NotFinite(_) => {
                " or sampler.step_size, refresh more often (snapshot.interval), or add objective.energy_l2"
            }
            Divergence::RunAway { .. } => {
                ", give the chains more steps a pass (sampler.steps), widen data.noise, or add objective.energy_l2"
            }
            Divergence::Outside { .. } => {
                ", lower sampler.step_size, give the model a base (network.base = \"gaussian\"), or bound the chains (sampler.bounds)"
            }
            Divergence::Floored { .. } => {
                ", or refresh more often (snapshot.interval), or take a larger run.batch"
            }
            Divergence::Vanished { .. } => {
                ", refresh more often (snapshot.interval), or widen data.noise, so that data and noise overlap"
            }
        };
        if config.run.precision == Precision::Mixed {
            advice += "; or try run.precision = \"full\", since f16 ends at 65504";
        }
        advice
    }
}

/// Sees the metrics of all steps, in order.
pub(super) struct Watch {
    /// The last step in which there was no sign of a divergence.
    sound: u64,
    /// Of the mean energies, in nats.
    gap: Limit,
    /// Of the noise's scale; none before the first step.
    scale: Option<Limit>,
    largest_gradient: f32,
    /// Steps in a row with a certain accuracy and no gradient, and refreshes in these.
    vanished: usize,
    refreshes: usize,
    floor: Floor,
}

impl Watch {
    /// For samples of so many values, and so many noise samples a step.
    pub(super) fn new(dimensions: usize, noise: usize) -> Self {
        Watch {
            sound: 0,
            gap: Limit::of((GAP_PER_DIMENSION * dimensions as f32).max(LEAST_GAP)),
            scale: None,
            largest_gradient: 0.0,
            vanished: 0,
            refreshes: 0,
            floor: Floor {
                // So few samples are always near it.
                floor: match noise < FEWEST {
                    true => 0.0,
                    false => AT_FLOOR / noise as f32,
                },
                in_a_row: 0,
                present: None,
            },
        }
    }

    /// What the metrics of the next step show, with the samples `lost` to energies that are not finite.
    pub(super) fn see(&mut self, row: &MetricsRow, lost: f32) -> Option<Divergence> {
        if let Some(what) = row.not_finite(lost) {
            return Some(Divergence::NotFinite(what));
        }
        let signs = [
            self.run_away(row),
            self.outside(row),
            self.vanished(row),
            self.floor.see(row),
        ];
        let scale = self.scale.as_ref();
        let is_sound = self.gap.above.is_empty()
            && scale.is_none_or(|scale| scale.above.is_empty())
            && self.vanished == 0
            && self.floor.in_a_row == 0;
        if is_sound {
            self.sound = row.step;
        }
        signs.into_iter().flatten().next()
    }

    /// The last step so far in which there was no sign of a divergence, be it that it has not lasted.
    pub(super) fn sound(&self) -> u64 {
        self.sound
    }

    fn run_away(&mut self, row: &MetricsRow) -> Option<Divergence> {
        let limit = self.gap.limit;
        let gap = self.gap.see((row.energy_noise - row.energy_data).abs())?;
        Some(Divergence::RunAway { gap, limit })
    }

    fn outside(&mut self, row: &MetricsRow) -> Option<Divergence> {
        // Chains may well start far out.
        let first = || Limit::of(OUTSIDE * row.noise_scale.max(1.0));
        let limit = self.scale.get_or_insert_with(first);
        let scale = limit.see(row.noise_scale)?;
        let limit = limit.limit;
        Some(Divergence::Outside { scale, limit })
    }

    fn vanished(&mut self, row: &MetricsRow) -> Option<Divergence> {
        self.largest_gradient = self.largest_gradient.max(row.gradient_norm);
        let accuracy = row.nce_accuracy;
        let certain = accuracy.min(1.0 - accuracy) < CERTAIN;
        if !certain || row.gradient_norm > VANISHED * self.largest_gradient {
            (self.vanished, self.refreshes) = (0, 0);
            return None;
        }
        self.vanished += 1;
        self.refreshes += usize::from(row.snapshot_age == 0);
        (self.vanished >= STUCK && self.refreshes >= REFRESHES)
            .then_some(Divergence::Vanished { accuracy })
    }
}

/// What a value may not exceed in [`WINDOW`] steps in a row without drawing nearer.
struct Limit {
    limit: f32,
    /// The values of the last steps, in all of which they were above the limit.
    above: Vec<f32>,
}

impl Limit {
    fn of(limit: f32) -> Self {
        Limit {
            limit,
            above: Vec::new(),
        }
    }

    /// The mean of the last of them where the value of the next step completes such steps.
    fn see(&mut self, value: f32) -> Option<f32> {
        if value <= self.limit {
            self.above.clear();
            return None;
        }
        self.above.push(value);
        let last = self.above.len().checked_sub(WINDOW)?;
        let (before, after) = self.above[last..].split_at(WINDOW / 2);
        // What comes back by itself is left alone.
        let (before, after) = (mean(before), mean(after));
        (after >= before).then_some(after)
    }
}

/// How long the noise has been at the floor of its effective sample size.
struct Floor {
    /// A share of the samples.
    floor: f32,
    /// Snapshots in a row under which it was, but for the present one.
    in_a_row: usize,
    /// Whether it was in all steps under the present one but the first, in which it is a sample of the model; none before the second.
    present: Option<bool>,
}

impl Floor {
    fn see(&mut self, row: &MetricsRow) -> Option<Divergence> {
        if row.snapshot_age > 0 {
            let before = self.present.unwrap_or(true);
            self.present = Some(before && row.ess <= self.floor);
            return None;
        }
        self.in_a_row = match self.present.take() {
            Some(true) => self.in_a_row + 1,
            Some(false) | None => 0,
        };
        let snapshots = self.in_a_row;
        (snapshots >= FLOORED).then_some(Divergence::Floored { snapshots })
    }
}

fn mean(values: &[f32]) -> f32 {
    values.iter().sum::<f32>() / values.len() as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first step at which `row` of the step shows a divergence, and which.
    fn found(steps: u64, row: impl Fn(u64) -> MetricsRow) -> Option<(u64, Divergence)> {
        let mut watch = Watch::new(64, 32);
        (0..steps).find_map(|step| Some((step, watch.see(&row(step), 0.0)?)))
    }

    fn row(gap: f32) -> MetricsRow {
        MetricsRow {
            energy_noise: gap,
            gradient_norm: 1.0,
            nce_accuracy: 0.5,
            ..MetricsRow::default()
        }
    }

    #[test]
    fn energies_that_run_away_are_found_within_a_hundred_steps() {
        for sign in [1.0, -1.0] {
            // Above the limit of 1000 from step 200 on.
            let outcome = found(400, |step| row(sign * 1.0351_f32.powi(step as i32)));
            let Some((step, Divergence::RunAway { gap, limit: 1000.0 })) = outcome else {
                panic!("{outcome:?}");
            };
            assert!((200..300).contains(&step) && gap > 1000.0, "{step}: {gap}");
        }
    }

    #[test]
    fn a_gap_that_closes_is_left_alone() {
        assert_eq!(
            found(400, |step| row(5000.0 * 0.99_f32.powi(step as i32))),
            None
        );
        // Nor is one that is exceeded now and then.
        let spikes = |step: u64| {
            row(if step.is_multiple_of(20) {
                10.0
            } else {
                2000.0
            })
        };
        assert_eq!(found(4000, spikes), None);
    }

    #[test]
    fn noise_far_outside_the_data_is_found_unless_it_began_there() {
        let far = |from: f32| {
            move |step: u64| MetricsRow {
                noise_scale: if step < 100 { from } else { 30.0 + step as f32 },
                ..row(1.0)
            }
        };
        let outcome = found(400, far(1.0));
        let Some((124, Divergence::Outside { limit: 10.0, .. })) = outcome else {
            panic!("{outcome:?}");
        };
        assert_eq!(found(400, far(50.0)), None);
        // Nor where it comes back.
        let back = |step: u64| MetricsRow {
            noise_scale: if step == 0 {
                1.0
            } else {
                100.0 * 0.95_f32.powi(step as i32)
            },
            ..row(1.0)
        };
        assert_eq!(found(400, back), None);
    }

    #[test]
    fn an_accuracy_that_is_stuck_without_a_gradient_is_found_over_several_snapshots() {
        let stuck = |accuracy: f32, refresh_every: u64, gradient: f32| {
            move |step: u64| MetricsRow {
                nce_accuracy: if step < 100 { 0.7 } else { accuracy },
                gradient_norm: if step < 100 { 1.0 } else { gradient },
                snapshot_age: step % refresh_every,
                ..MetricsRow::default()
            }
        };
        for accuracy in [0.0, 1.0] {
            let outcome = found(400, stuck(accuracy, 10, 0.0));
            let Some((149, Divergence::Vanished { .. })) = outcome else {
                panic!("{outcome:?}");
            };
        }
        // A snapshot that is kept long is told apart in the end, ...
        assert_eq!(found(400, stuck(1.0, 200, 0.0)), None);
        // ... and where there is a gradient there is something to learn.
        assert_eq!(found(400, stuck(1.0, 10, 1e-3)), None);
        assert_eq!(found(400, stuck(0.9, 10, 0.0)), None);
    }

    #[test]
    fn noise_at_the_floor_under_many_snapshots_is_found() {
        let floored = |every: u64, ess: f32| {
            move |step: u64| MetricsRow {
                snapshot_age: step % every,
                ess: if step.is_multiple_of(every) { 1.0 } else { ess },
                ..row(1.0)
            }
        };
        let floor = 1.0 / 32.0;
        assert_eq!(
            found(400, floored(3, 1.5 * floor)),
            Some((300, Divergence::Floored { snapshots: 100 }))
        );
        // Above the floor, where there is nothing but fresh noise, and where a single step is better.
        assert_eq!(found(4000, floored(3, 3.0 * floor)), None);
        assert_eq!(found(4000, floored(1, floor)), None);
        let better = |step: u64| MetricsRow {
            ess: if step % 150 == 100 { 0.5 } else { floor },
            snapshot_age: step % 3,
            ..row(1.0)
        };
        assert_eq!(found(4000, better), None);
    }

    #[test]
    fn what_is_not_finite_is_found_at_once() {
        let outcome = found(10, |step| MetricsRow {
            loss: if step == 3 { f32::NAN } else { 1.0 },
            ..row(1.0)
        });
        assert_eq!(outcome, Some((3, Divergence::NotFinite("the loss"))));
    }
}
