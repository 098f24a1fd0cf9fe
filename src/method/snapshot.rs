use crate::gpu::{Buffer, Recording};
use crate::kernels::noise::{follow, judge_snapshot, refresh_if_due};
use crate::purpose::{PARAMETERS, SNAPSHOT};

/// What the live parameters are called among buffers.
pub(crate) const LIVE_PARAMETERS: &str = "live parameters";

/// How the snapshot's parameters follow the live ones.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Refresh {
    /// A copy every K optimiser steps.
    Every(u64),
    /// A copy once the effective sample size of exp(E_φ − E_θ) over the noise of a step, as a share of its size, has
    /// fallen below `ess_threshold`, or after `most` steps. The GPU decides from the step's own metrics, after a whole
    /// number of times `pool` steps: what the steps before the last of a pool showed does not count.
    Adaptive {
        ess_threshold: f32,
        most: u64,
        pool: u64,
    },
    /// Their exponential moving average with this decay.
    Average { decay: f32 },
}

/// Whether the snapshot's and the live parameters are equal in a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fresh {
    Yes,
    No,
    /// Only the GPU knows.
    Perhaps,
}

/// The double-buffered weights: the optimiser moves the live parameters, and the noise distribution *is* the other
/// buffer, the snapshot. A refresh is one copy on the GPU.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Snapshot {
    live: Buffer,
    snapshot: Buffer,
    refresh: Refresh,
    /// Where the GPU decides: whether a refresh is due (1) or not (0), and the snapshot's age in the last step.
    state: Buffer,
}

impl Snapshot {
    /// Live and snapshot buffers for `parameters` values. Intervals below 1 count as 1.
    pub(crate) fn new(parameters: usize, refresh: Refresh) -> Self {
        Snapshot {
            live: Buffer::new(LIVE_PARAMETERS, parameters)
                .of(PARAMETERS)
                .lasting(),
            snapshot: Buffer::new("snapshot parameters", parameters)
                .of(SNAPSHOT)
                .lasting(),
            refresh,
            state: Buffer::new("snapshot state", 2).of(SNAPSHOT).lasting(),
        }
    }

    /// θ: what the optimiser moves.
    pub(crate) fn live(&self) -> Buffer {
        self.live
    }

    /// φ: what the noise is drawn from.
    pub(crate) fn parameters(&self) -> Buffer {
        self.snapshot
    }

    /// Where the GPU decides on refreshes: 1 if one is due before the next step; else 0.
    pub(super) fn state(&self) -> Buffer {
        self.state
    }

    /// Steps since the last refresh in optimiser step `step`, counted from 0; none where the GPU decides, which leaves
    /// it in the metrics. A moving average is never older than 0.
    pub(crate) fn age(&self, step: u64) -> Option<u64> {
        match self.refresh {
            Refresh::Every(interval) => Some(step % interval.max(1)),
            Refresh::Adaptive { .. } => None,
            Refresh::Average { .. } => Some(0),
        }
    }

    /// φ ← θ.
    pub(crate) fn refresh(&self, recording: &mut Recording) {
        recording.copy(self.live, self.snapshot);
    }

    /// Moves φ to where it is in optimiser step `step`, counted from 0. A refresh that only the GPU knows of also sets
    /// all of `normaliser` to 0; after any other, that is up to the caller.
    pub(crate) fn begin(&self, recording: &mut Recording, step: u64, normaliser: Buffer) -> Fresh {
        match self.refresh {
            Refresh::Every(interval) if step.is_multiple_of(interval.max(1)) => {
                self.refresh(recording);
                Fresh::Yes
            }
            Refresh::Every(_) => Fresh::No,
            Refresh::Average { .. } if step == 0 => {
                self.refresh(recording);
                Fresh::Yes
            }
            Refresh::Average { decay } => {
                follow(recording, decay, self.live, self.snapshot);
                Fresh::No
            }
            Refresh::Adaptive { .. } => {
                if step == 0 {
                    recording.upload(self.state, 0, vec![1, 0]);
                }
                refresh_if_due(recording, self.state, self.live, self.snapshot, normaliser);
                Fresh::Perhaps
            }
        }
    }

    /// Decides from the metrics of a step whether the next one begins with a refresh, and leaves the snapshot's age
    /// among them; by the effective sample size `after` the step's update where that is known. Does nothing where all is known
    /// beforehand.
    pub(crate) fn end(&self, recording: &mut Recording, metrics: Buffer, after: bool) {
        if let Refresh::Adaptive {
            ess_threshold,
            most,
            pool,
        } = self.refresh
        {
            let pool = (pool, after);
            judge_snapshot(recording, ess_threshold, most, pool, self.state, metrics);
        }
    }
}
