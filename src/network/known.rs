use super::families::Trusted;
use super::tuning::Tuner;
use crate::gpu::Executor;

/// What has been found out about a device so far, kept with its executor.
#[derive(Clone, Default)]
pub(super) struct Known {
    /// The variant of the layer kernels that runs, which computes right.
    pub(super) trusted: Option<Trusted>,
    /// Whether it does so in mixed precision, too.
    pub(super) mixed_is_right: Option<bool>,
    /// Whether chains that are walked in one launch end where they should.
    pub(super) walks_right: Option<bool>,
    pub(super) tuner: Option<Tuner>,
}

impl Known {
    pub(super) fn of(executor: &Executor) -> Self {
        let known = executor.attachment().downcast_ref::<Self>();
        known.cloned().unwrap_or_default()
    }

    pub(super) fn update(executor: &mut Executor, change: impl FnOnce(&mut Self)) {
        let mut known = Self::of(executor);
        change(&mut known);
        executor.attach(Box::new(known));
    }
}
