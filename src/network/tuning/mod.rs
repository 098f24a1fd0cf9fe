//! Which kernels a network runs on: the variant that can be trusted, and for each pass of a layer the fastest of its
//! candidates, measured once on this adapter and kept for later runs.
//!
//! Choices change how long a pass takes and nothing else: see [`LayerPass`].

mod measure;
mod search;
mod table;
mod tuner;

pub use table::Tuning;
pub(super) use tuner::Tuner;
pub use tuner::{TuningOptions, TuningReport};

use super::architecture::Architecture;
use super::known::Known;
use crate::gpu::{Executor, GpuError};
use crate::kernels::{Choices, LayerKind, LayerPass, Variant};
use search::search;
use std::sync::Arc;
use table::key;
use web_time::Instant;

/// The kernels to run: a variant, and what has been measured of it. A variant alone means the cost model's choices.
#[derive(Clone, Debug)]
pub struct Kernels {
    pub variant: Variant,
    pub tuning: Arc<Tuning>,
}

impl Kernels {
    /// What to compute a layer by.
    pub(crate) fn choices(&self, kind: LayerKind, samples: usize) -> Choices {
        let choice = |pass| self.tuning.get(&key(kind, samples, self.variant, pass));
        Choices {
            forward: choice(LayerPass::Forward),
            input_gradient: choice(LayerPass::InputGradient),
        }
    }
}

impl From<Variant> for Kernels {
    fn from(variant: Variant) -> Self {
        Kernels {
            variant,
            tuning: Arc::default(),
        }
    }
}

/// Lets [`tuned_kernels`] measure on this executor, or take what was measured before. Networks that are laid out
/// without it run by the cost model's choices.
pub fn allow_tuning(executor: &mut Executor, options: TuningOptions) {
    let known = match &options.folder {
        Some(folder) if !options.again => table::load(folder, executor),
        _ => Tuning::default(),
    };
    let tuner = Tuner {
        tuning: Arc::new(known),
        options,
        report: TuningReport::default(),
    };
    Known::update(executor, |known| known.tuner = Some(tuner));
}

/// What [`tuned_kernels`] has measured on this executor; none where it may not.
pub fn tuning_report(executor: &Executor) -> Option<TuningReport> {
    Known::of(executor).tuner.map(|tuner| tuner.report)
}

/// The kernels of `variant` for `architecture` with batches of `samples`: after [`allow_tuning`], the fastest candidates
/// for as many passes as could be measured by now.
///
/// # Errors
/// When the GPU fails.
pub fn tuned_kernels(
    executor: &mut Executor,
    architecture: &Architecture,
    samples: usize,
    variant: Variant,
) -> Result<Kernels, GpuError> {
    let Some(mut tuner) = Known::of(executor).tuner else {
        return Ok(variant.into());
    };
    let missing = measure::missing(architecture, samples, variant, &tuner.tuning);
    if !missing.is_empty() {
        let began = Instant::now();
        let mark = executor.mark();
        let outcome = search(
            &mut measure::OnGpu::new(executor, began),
            &missing,
            tuner.options.limit,
        );
        executor.release_since(mark);
        let found = outcome?;
        tuner.report.time += began.elapsed();
        tuner.report.measured += found.len();
        tuner.report.left = missing.len() - found.len();
        let mut tuning = Tuning::clone(&tuner.tuning);
        for (task, &place) in missing.into_iter().zip(&found) {
            let (first, best) = (task.candidates[0], task.candidates[place]);
            if place > 0 {
                tuner.report.improved += 1;
                tracing::info!("{}: {best:?} in place of {first:?}", task.key);
            }
            tuning.insert(task.key, best);
        }
        if let Some(folder) = &tuner.options.folder
            && !found.is_empty()
        {
            table::store(folder, executor, &tuning);
        }
        tuner.tuning = Arc::new(tuning);
        Known::update(executor, |known| known.tuner = Some(tuner.clone()));
    }
    Ok(Kernels {
        variant,
        tuning: tuner.tuning,
    })
}
