//! What estimates along kept snapshots say, and whether annealed chains say the same.

use super::figures::{CostFigures, TelescopedFigures};
use super::log_z::{LogZ, MOST_APART};
use super::network_trail::NetworkTrail;
use super::telescope::{Telescope, TelescopeProblem, telescoped};
use crate::evaluation::{EvaluationError, Stage};
use crate::gpu::Executor;
use crate::model::Model;

/// What is said of `telescope`, of `snapshots` snapshots and so many evaluations for all estimates together.
fn figures(telescope: &Telescope, snapshots: usize, evaluations: u64) -> TelescopedFigures {
    let (found, valid) = (telescope.found.as_ref(), telescope.valid());
    let more = evaluations.saturating_mul(4);
    let sentences = telescope.problems.iter();
    TelescopedFigures {
        value: found.map(|found| found.both.value),
        log_z: valid.map(|found| found.both.into()),
        upward: valid.map(|found| found.up.into()),
        downward: valid.map(|found| found.down.into()),
        least_overlap: found.map(|found| found.both.support),
        laws: found.map(|found| found.laws),
        snapshots,
        snapshots_used: found.map(|found| found.kept),
        records: found.map(|found| found.records),
        not_valid: sentences.map(|problem| sentence(problem, more)).collect(),
    }
}

fn sentence(problem: &TelescopeProblem, more: u64) -> String {
    match problem {
        TelescopeProblem::NotFinite => {
            "an energy under a kept snapshot is not finite: the run diverged; evaluate an earlier checkpoint".into()
        }
        TelescopeProblem::Pilot { share } => format!(
            "a pilot along the snapshots came only {share:.1e} of the way with its part of the evaluations: ask for more \
             with --evaluations {more}"
        ),
        TelescopeProblem::Unbridged { share } => format!(
            "{share:.1e} of the way along the snapshots no law is near enough to the next: keep more of them with \
             run.keep_snapshots, or train with a lower optimiser.rate"
        ),
        TelescopeProblem::Budget { laws, least } => format!(
            "chains have to pass {laws} laws along the snapshots, which takes {least} evaluations at least, and better some \
             times as many: ask for more with --evaluations {more}"
        ),
        TelescopeProblem::NoOverlap { overlap } => format!(
            "two neighbouring laws along the snapshots overlap by {overlap:.1e} only, of which 0.1 is the least: ask for \
             longer rests with --evaluations {more}, or keep more snapshots with run.keep_snapshots"
        ),
        TelescopeProblem::Gap {
            values: [up, down],
            apart,
        } => format!(
            "chains from the base give {up:.2} along the snapshots and chains from the model {down:.2}, {apart:.1} standard \
             errors apart: they lag behind the laws; ask for longer rests with --evaluations {more}"
        ),
    }
}

/// Why neither annealed chains nor those along snapshots are to be believed where each are valid alone: they do not agree. Chains
/// of both passes along snapshots may be wrong alike, where they do not cross between modes whose weights change on the way;
/// annealed ones from the base are not.
///
/// Errors are added as those of independent estimates, which these are not quite: the downward chains start at the very places
/// that those of the annealed way back start from, and places that are off by chance move both values the same way. Estimates
/// that are right so lie closer together than is reckoned with, and fewer than one pair in two hundred is refused. That is the
/// safe side for what is right, and not for what is wrong: places that are not of the model's law spoil both values alike, and
/// are not seen here. They are what the annealed way there, which has never been near them, the upward chains and the
/// drift are compared for.
pub(super) fn disagreement(annealed: &LogZ, along: Option<&Telescope>) -> Option<String> {
    let along = along.and_then(Telescope::valid)?.both;
    let bennett = annealed.bennett;
    let difference = (along.value - bennett.value).abs();
    let error = along.standard_error.hypot(bennett.standard_error);
    let rounding = 1e-9 * (1.0 + bennett.value.abs());
    let disagree = annealed.is_valid() && difference > MOST_APART * error && difference > rounding;
    // Annealed sweeps that are valid alone are no longer for more evaluations: with these alone they would say the same again.
    let (chains, more) = (
        4 * annealed.chains,
        annealed.wanted_evaluations.saturating_mul(2),
    );
    disagree.then(|| {
        format!(
            "annealed chains give {:.2} and those along the snapshots {:.2}, {:.1} standard errors apart: one of them has not \
             reached the model's law, or is off by chance, as one pair in two hundred is; ask for narrower intervals with \
             --chains {chains} --evaluations {more}",
            bennett.value,
            along.value,
            difference / error.max(f64::MIN_POSITIVE),
        )
    })
}

/// Chains along the snapshots that training kept.
pub(super) struct Along {
    pub(super) telescope: Telescope,
    pub(super) figures: TelescopedFigures,
    pub(super) cost: CostFigures,
}

/// What chains along `kept` say, whose evaluations are a part of `all` of them. They start from `starts` at the model.
///
/// # Errors
/// When the GPU fails.
pub(super) fn along(
    executor: &mut Executor,
    model: &Model,
    kept: &[Vec<f32>],
    starts: Vec<f32>,
    (evaluations, all, seed): (u64, u64, u64),
    progress: &mut dyn FnMut(Stage, usize, usize),
) -> Result<Along, EvaluationError> {
    let mut trail = NetworkTrail::new(executor, model, kept, starts, seed)?;
    let telescope = telescoped(&mut trail, evaluations, &mut |done, of| {
        progress(Stage::Telescope, done, of);
    })?;
    Ok(Along {
        figures: figures(&telescope, kept.len(), all),
        cost: CostFigures {
            part: "along the snapshots",
            evaluations: telescope.evaluations,
            seconds: telescope.time.as_secs_f64(),
        },
        telescope,
    })
}

#[cfg(test)]
mod tests {
    use super::super::estimates::Estimate;
    use super::super::log_z::{Cost, Problem, SweepStage};
    use super::super::telescope::Telescoped;
    use super::*;
    use std::time::Duration;

    fn estimate(value: f64, standard_error: f64) -> Estimate {
        Estimate {
            value,
            standard_error,
            half_width: 2.0 * standard_error,
            support: 0.5,
        }
    }

    fn annealed(value: f64, standard_error: f64) -> LogZ {
        // Its own parts are not asked.
        let part = estimate(value + 50.0, 0.1);
        LogZ {
            bennett: estimate(value, standard_error),
            there: part,
            back: part,
            problems: Vec::new(),
            at_least: value - 60.0,
            chains: 32,
            steps: 64,
            equilibration: 200,
            length: 1.0,
            variances: [0.1; 2],
            wanted_evaluations: 123_456,
            costs: [(SweepStage::Pilot, Cost::default()); 4],
        }
    }

    fn snapshots(value: f64, standard_error: f64) -> Telescope {
        // Nor is either pass.
        let part = estimate(value - 50.0, 0.1);
        Telescope {
            found: Some(Telescoped {
                both: estimate(value, standard_error),
                up: part,
                down: part,
                laws: 4,
                kept: 2,
                records: 8,
            }),
            problems: Vec::new(),
            evaluations: 1000,
            time: Duration::ZERO,
        }
    }

    /// 3 and 4 are the legs of a triangle whose third side is 5.
    #[test]
    fn estimates_further_apart_than_their_combined_errors_allow_disagree() {
        for sign in [-1.0, 1.0] {
            let at = |errors: f64| {
                let along = snapshots(7.0 + sign * errors * 0.05, 0.04);
                disagreement(&annealed(7.0, 0.03), Some(&along))
            };
            for near in [0.0, 1.0, MOST_APART - 1e-6] {
                assert_eq!(at(near), None, "{near}");
            }
            assert!(at(MOST_APART + 1e-6).is_some());
            let said = at(4.0).expect("four errors apart");
            let both = format!(
                "give 7.00 and those along the snapshots {:.2}, 4.0 standard errors",
                7.0 + sign * 0.2
            );
            assert!(said.contains(&both), "{said}");
            assert!(said.contains("--chains 128 --evaluations 246912"), "{said}");
        }
    }

    #[test]
    fn only_what_is_valid_alone_can_disagree() {
        let (right, far) = (annealed(7.0, 0.03), snapshots(9.0, 0.04));
        assert!(disagreement(&right, Some(&far)).is_some());
        assert_eq!(disagreement(&right, None), None);
        let refused = Telescope {
            problems: vec![TelescopeProblem::NotFinite],
            ..far.clone()
        };
        assert_eq!(disagreement(&right, Some(&refused)), None);
        let nowhere = Telescope {
            found: None,
            ..refused
        };
        assert_eq!(disagreement(&right, Some(&nowhere)), None);
        let wrong = LogZ {
            problems: vec![Problem::Frozen],
            ..right
        };
        assert_eq!(disagreement(&wrong, Some(&far)), None);
    }

    /// A model that is its own base has no error at all but that of rounding.
    #[test]
    fn rounding_is_no_disagreement() {
        let at = |apart: f64| disagreement(&annealed(1e3, 0.0), Some(&snapshots(1e3 + apart, 0.0)));
        assert_eq!(at(5e-7), None);
        assert!(at(2e-6).is_some());
    }
}
