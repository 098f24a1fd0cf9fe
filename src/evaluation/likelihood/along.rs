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
pub(super) fn disagreement(annealed: &LogZ, along: Option<&Telescope>) -> Option<String> {
    let along = along.and_then(Telescope::valid)?.both;
    let bennett = annealed.bennett;
    let difference = (along.value - bennett.value).abs();
    let error = along.standard_error.hypot(bennett.standard_error);
    let rounding = 1e-9 * (1.0 + bennett.value.abs());
    let disagree = annealed.is_valid() && difference > MOST_APART * error && difference > rounding;
    disagree.then(|| {
        format!(
            "annealed chains give {:.2} and those along the snapshots {:.2}, {:.1} standard errors apart: one of them has not \
             reached the model's law; ask for longer chains with --evaluations {}",
            bennett.value,
            along.value,
            difference / error.max(f64::MIN_POSITIVE),
            annealed.wanted_evaluations
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
