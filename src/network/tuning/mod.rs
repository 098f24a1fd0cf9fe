//! Which kernels a network runs on: the variant that can be trusted, and for each pass of a layer the fastest of its
//! candidates, measured once on this adapter and kept for later runs.
//!
//! Choices change how long a pass takes and nothing else: see [`LayerPass`].

mod measure;
mod search;
mod table;

pub use table::Tuning;

use super::architecture::Architecture;
use crate::gpu::{Executor, GpuError};
use crate::kernels::{Choices, LayerKind, LayerPass, Variant};
use measure::Task;
use search::search;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
use table::key;

/// The kernels to run: a variant, and what has been measured of it. A variant alone means the cost model's choices.
#[derive(Clone, Debug)]
pub struct Kernels {
    pub variant: Variant,
    pub tuning: Arc<Tuning>,
}

impl Kernels {
    /// What to compute a layer by.
    pub fn choices(&self, kind: LayerKind, samples: usize) -> Choices {
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

/// How to find the fastest kernels.
#[derive(Clone, Debug)]
pub struct TuningOptions {
    /// Where the table of an adapter is kept between runs; none keeps it for as long as the executor lives.
    pub folder: Option<PathBuf>,
    /// Whether to begin with an empty table in place of the one in the folder.
    pub again: bool,
    /// How long [`tuned_kernels`] may measure each time it is asked; nothing new is measured if it is zero. No pass is
    /// begun that would probably take longer than what is left, except for the first one, so that every search gets on.
    pub limit: Duration,
}

impl Default for TuningOptions {
    fn default() -> Self {
        TuningOptions {
            folder: None,
            again: false,
            limit: Duration::from_secs(3),
        }
    }
}

/// What searches have found on one executor so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TuningReport {
    /// Passes of layers that were measured.
    pub measured: usize,
    /// Those of them that another choice than the cost model's makes faster.
    pub improved: usize,
    /// Passes that were left for a later search.
    pub left: usize,
    /// How long it took.
    pub time: Duration,
}

impl fmt::Display for TuningReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = if self.measured == 1 { "" } else { "s" };
        write!(
            f,
            "tuned {} kernel{plural} in {:.1} s; {} faster than estimated ones",
            self.measured,
            self.time.as_secs_f64(),
            self.improved
        )?;
        if self.left > 0 {
            write!(f, "; {} left for the next run", self.left)?;
        }
        Ok(())
    }
}

/// What an executor remembers about tuning.
#[derive(Clone)]
struct Tuner {
    tuning: Arc<Tuning>,
    options: TuningOptions,
    report: TuningReport,
}

/// Lets [`tuned_kernels`] measure on this executor, or take what was measured before. Networks that are laid out
/// without it run by the cost model's choices.
pub fn allow_tuning(executor: &mut Executor, options: TuningOptions) {
    let known = match &options.folder {
        Some(folder) if !options.again => table::load(folder, executor),
        _ => Tuning::default(),
    };
    executor.remember(Tuner {
        tuning: Arc::new(known),
        options,
        report: TuningReport::default(),
    });
}

/// What [`tuned_kernels`] has measured on this executor; none where it may not.
pub fn tuning_report(executor: &Executor) -> Option<TuningReport> {
    executor.recall().map(|tuner: Tuner| tuner.report)
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
    let Some(mut tuner) = executor.recall::<Tuner>() else {
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
        for (
            Task {
                key, candidates, ..
            },
            best,
        ) in missing.iter().zip(&found)
        {
            if *best > 0 {
                tuner.report.improved += 1;
                tracing::info!(
                    "{key}: {:?} in place of {:?}",
                    candidates[*best],
                    candidates[0]
                );
            }
            tuning.insert(key.clone(), candidates[*best]);
        }
        if let Some(folder) = &tuner.options.folder
            && !found.is_empty()
        {
            table::store(folder, executor, &tuning);
        }
        tuner.tuning = Arc::new(tuning);
        executor.remember(tuner.clone());
    }
    Ok(Kernels {
        variant,
        tuning: tuner.tuning,
    })
}
