use serde::Serialize;
use std::time::Duration;

/// What an executor has done so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ExecutorStatistics {
    /// Programs compiled.
    pub pipelines: u64,
    /// Bind groups made.
    pub bind_groups: u64,
    /// Dispatches whose pipeline and bind group were looked up: all that are run, those of a frozen recording once.
    pub lookups: u64,
    /// Kernels launched.
    pub launches: u64,
    /// Submissions to the queue.
    pub submissions: u64,
    /// Time spent in [`run`](super::Executor::run) and [`flush`](super::Executor::flush), without what was spent in the
    /// queue's submit, which drivers may wait in, and waiting for the GPU.
    pub encoding: Duration,
    /// Bytes of compiled pipelines that were found in the cache folder.
    pub cached_bytes: u64,
}
