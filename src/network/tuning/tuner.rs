use super::table::Tuning;
use crate::gpu::{AdapterKind, Executor};
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// How to find the fastest kernels.
#[derive(Clone, Debug)]
pub struct TuningOptions {
    /// Where the table of an adapter is kept between runs; none keeps it for as long as the executor lives.
    pub folder: Option<PathBuf>,
    /// Whether to begin with an empty table in place of the one in the folder.
    pub again: bool,
    /// How long [`tuned_kernels`](super::tuned_kernels) may measure each time it is asked; nothing new is measured if it is zero. No pass is
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

impl TuningOptions {
    /// Those of a program that was not told: on a GPU, work that takes `long` enough measures first, and all else uses what was
    /// measured before. A software driver takes seconds to compile a candidate, and the cost model was made on one: nothing is
    /// measured unasked there.
    pub fn unasked(executor: &Executor, long: bool) -> Self {
        let pays = long && executor.adapter().kind == AdapterKind::Gpu;
        let usual = TuningOptions::default();
        TuningOptions {
            folder: executor.cache_folder().map(Into::into),
            limit: if pays { usual.limit } else { Duration::ZERO },
            ..usual
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
pub(in crate::network) struct Tuner {
    pub(super) tuning: Arc<Tuning>,
    pub(super) options: TuningOptions,
    pub(super) report: TuningReport,
}
