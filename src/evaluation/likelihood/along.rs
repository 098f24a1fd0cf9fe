//! What estimates along kept snapshots say, and which estimate of log Z is reported.

use super::estimates::Estimate;
use super::figures::{CostFigures, TelescopedFigures, sentences};
use super::log_z::{LogZ, MOST_APART, Problem};
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

/// Which estimate is log Z, and why none is.
pub(super) struct Verdict {
    pub(super) log_z: Option<Estimate>,
    /// What it is by.
    pub(super) by: Option<&'static str>,
    /// Why there is none.
    pub(super) not_valid: Vec<String>,
}

/// Of annealed chains, and of those along snapshots where there are any. Bennett's ratio of annealed chains is reported where
/// it is valid: it asks nothing of the laws on the way, and on images its intervals are no wider (docs/evaluation.md has the
/// figures). Where nothing is wrong with annealed chains but that they are too few or too fast, an estimate along the
/// snapshots stands in for it. Where both are valid they must agree.
pub(super) fn verdict(annealed: &LogZ, along: Option<&Telescope>) -> Verdict {
    let along = along.and_then(Telescope::valid);
    let (bennett, both) = (annealed.bennett, along.map(|found| found.both));
    let is_short = annealed.problems.iter().all(|problem| match problem {
        Problem::FewChainsCount { .. } | Problem::NoOverlap { .. } => true,
        Problem::Disagree { .. } | Problem::Drift { .. } | Problem::Frozen => false,
    });
    let is = |log_z: Estimate, by| Verdict {
        log_z: Some(log_z),
        by: Some(by),
        not_valid: Vec::new(),
    };
    let none = |not_valid| Verdict {
        log_z: None,
        by: None,
        not_valid,
    };
    match (annealed.is_valid(), both) {
        (true, Some(both)) => {
            let difference = (both.value - bennett.value).abs();
            let error = both.standard_error.hypot(bennett.standard_error);
            let rounding = 1e-9 * (1.0 + bennett.value.abs());
            match difference > MOST_APART * error && difference > rounding {
                true => none(vec![format!(
                    "annealed chains give {:.2} and those along the snapshots {:.2}, {:.1} standard errors apart: one of them has \
                     not reached the model's law; ask for longer chains with --evaluations {}",
                    bennett.value,
                    both.value,
                    difference / error.max(f64::MIN_POSITIVE),
                    annealed.wanted_evaluations
                )]),
                false => is(bennett, "bennett"),
            }
        }
        (true, None) => is(bennett, "bennett"),
        (false, Some(both)) if is_short => is(both, "telescoped"),
        (false, _) => none(sentences(annealed)),
    }
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
