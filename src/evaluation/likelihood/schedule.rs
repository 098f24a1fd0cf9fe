//! The temperatures and step sizes of a sweep, fixed by a pilot before it: what adapts on the way is no longer unbiased.

use super::estimates::variance;
use super::path::Path;

/// The most that a stage of the pilot changes ln w, in its standard deviations at the temperature before.
const STRIDE: f64 = 0.7;
/// Transitions of a stage.
const STAGE_STEPS: usize = 3;
/// Transitions that adapt the step size before the first stage and after the last.
const SETTLING: usize = 40;
/// Stages after which a pilot gives up.
const MOST_STAGES: usize = 4000;

/// What a pilot saw at one temperature.
#[derive(Clone, Copy, Debug)]
struct Stage {
    beta: f64,
    /// Standard deviation of f.
    spread: f64,
    step_size: f64,
}

/// What a pilot learned: for every β how fast ln w changes there, and how far chains can step.
#[derive(Clone, Debug)]
pub(super) struct Pilot {
    stages: Vec<Stage>,
    /// For each stage ∫ sd_β(f) dβ up to there: the thermodynamic length (Crooks 2007).
    lengths: Vec<f64>,
    /// The variance of ln w that a sweep of so many transitions has, times that number.
    pub(super) variance_times_steps: f64,
    /// Energy-gradient evaluations of one chain.
    pub(super) evaluations: usize,
}

/// One temperature of a sweep.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Stop {
    pub(super) beta: f64,
    pub(super) step_size: f64,
}

/// Why a pilot gave no schedule.
#[derive(Debug)]
pub(super) enum PilotError<E> {
    Path(E),
    /// f is not finite for some chain.
    NotFinite,
    /// β did not get to 1.
    TooLong {
        beta: f64,
    },
    /// The evaluations did not suffice to get further than β.
    Budget {
        beta: f64,
    },
}

impl Pilot {
    /// Moves chains from the base to the model in stages of about [`STRIDE`] each, with at most so many evaluations of a chain.
    /// `progress` is told β.
    pub(super) fn run<P: Path>(
        path: &mut P,
        most_evaluations: usize,
        progress: &mut dyn FnMut(f64),
    ) -> Result<Self, PilotError<P::Error>> {
        let mut evaluations = path.evaluations(SETTLING);
        // Of a last stage, after which chains settle.
        let to_end = path.evaluations(STAGE_STEPS) + path.evaluations(SETTLING);
        if evaluations + to_end > most_evaluations {
            return Err(PilotError::Budget { beta: 0.0 });
        }
        let mut potentials = path.start_at_base().map_err(PilotError::Path)?;
        let mut step_size = path
            .advance(0.0, path.first_step_size(), SETTLING, true)
            .map_err(PilotError::Path)?
            .step_size;
        let mut works = vec![0.0; path.chains()];
        let (mut beta, mut stages) = (0.0, Vec::new());
        loop {
            if potentials.iter().any(|f| !f.is_finite()) {
                return Err(PilotError::NotFinite);
            }
            let spread = variance(&potentials).sqrt();
            stages.push(Stage {
                beta,
                spread,
                step_size,
            });
            if beta >= 1.0 {
                break;
            }
            if stages.len() > MOST_STAGES {
                return Err(PilotError::TooLong { beta });
            }
            if evaluations + to_end > most_evaluations {
                return Err(PilotError::Budget { beta });
            }
            let next = (beta + STRIDE / spread.max(STRIDE)).min(1.0);
            for (work, f) in works.iter_mut().zip(&potentials) {
                *work -= (next - beta) * f;
            }
            beta = next;
            let advanced = path
                .advance(beta, step_size, STAGE_STEPS, true)
                .map_err(PilotError::Path)?;
            evaluations += path.evaluations(STAGE_STEPS);
            (potentials, step_size) = (advanced.potentials, advanced.step_size);
            progress(beta);
        }
        let settled = path
            .advance(1.0, step_size, SETTLING, true)
            .map_err(PilotError::Path)?;
        evaluations += path.evaluations(SETTLING);
        if let Some(last) = stages.last_mut() {
            last.step_size = settled.step_size;
        }
        Ok(Self::of(stages, variance(&works), evaluations))
    }

    fn of(stages: Vec<Stage>, variance: f64, evaluations: usize) -> Self {
        let mut lengths = vec![0.0];
        let (mut length, mut at_rest) = (0.0, 0.0);
        for pair in stages.windows(2) {
            let step = pair[1].beta - pair[0].beta;
            length += step * 0.5 * (pair[0].spread + pair[1].spread);
            at_rest += (step * pair[0].spread).powi(2);
            lengths.push(length);
        }
        // In equilibrium at every stage the variance of ln w would be `at_rest`. Chains that remember for t transitions
        // have 1 + 2t / STAGE_STEPS times that.
        let memory = match at_rest > 0.0 {
            true => (variance / at_rest - 1.0).max(0.0) * STAGE_STEPS as f64 / 2.0,
            false => 0.0,
        };
        Pilot {
            stages,
            lengths,
            variance_times_steps: length * length * (1.0 + 2.0 * memory),
            evaluations,
        }
    }

    /// The length of the whole path.
    pub(super) fn length(&self) -> f64 {
        self.lengths.last().copied().unwrap_or(0.0)
    }

    /// The step size at β = 1.
    pub(super) fn last_step_size(&self) -> f64 {
        self.stages.last().map_or(1.0, |stage| stage.step_size)
    }

    /// β = 0 and `count` temperatures above it up to 1, at equal lengths, which makes the error least for chains that
    /// forget as fast everywhere (Crooks 2007).
    pub(super) fn schedule(&self, count: usize) -> Vec<Stop> {
        let count = count.max(1);
        let mut place = 0;
        let stops = (0..=count).map(|index| {
            let share = index as f64 / count as f64;
            // Of a path of no length all stops are alike.
            let at = share * self.length();
            while place + 2 < self.stages.len() && self.lengths[place + 1] < at {
                place += 1;
            }
            let (from, to) = (
                self.stages[place],
                self.stages[(place + 1).min(self.stages.len() - 1)],
            );
            let width = self.lengths[(place + 1).min(self.lengths.len() - 1)] - self.lengths[place];
            let within = match width > 0.0 {
                true => ((at - self.lengths[place]) / width).clamp(0.0, 1.0),
                false => share,
            };
            let between = |from: f64, to: f64| from + within * (to - from);
            Stop {
                beta: between(from.beta, to.beta),
                step_size: between(from.step_size.ln(), to.step_size.ln()).exp(),
            }
        });
        let mut stops: Vec<Stop> = stops.collect();
        stops[0].beta = 0.0;
        stops[count].beta = 1.0;
        stops
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stage(beta: f64, spread: f64) -> Stage {
        Stage {
            beta,
            spread,
            step_size: 0.1,
        }
    }

    #[test]
    fn stops_lie_at_equal_lengths() {
        // Three quarters of the length lie in the first half.
        let stages = vec![
            stage(0.0, 3.0),
            stage(0.5, 3.0),
            stage(0.5, 1.0),
            stage(1.0, 1.0),
        ];
        let pilot = Pilot::of(stages, 1.0, 0);
        assert!((pilot.length() - 2.0).abs() < 1e-12);
        let betas: Vec<f64> = pilot.schedule(8).iter().map(|stop| stop.beta).collect();
        for (index, beta) in betas.iter().enumerate() {
            let wanted = match index <= 6 {
                true => index as f64 / 12.0,
                false => 0.5 + 0.25 * (index as f64 - 6.0),
            };
            assert!((beta - wanted).abs() < 1e-12, "{betas:?}");
        }
    }

    #[test]
    fn a_path_of_no_length_has_a_schedule_all_the_same() {
        let pilot = Pilot::of(vec![stage(0.0, 0.0), stage(1.0, 0.0)], 0.0, 0);
        let betas: Vec<f64> = pilot.schedule(2).iter().map(|stop| stop.beta).collect();
        assert_eq!(betas, [0.0, 0.5, 1.0]);
    }
}
