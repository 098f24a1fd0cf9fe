use crate::gpu::{Buffer, Recording};

/// The double-buffered weights: the optimiser moves the live parameters, and the noise distribution *is* the stale
/// ones. A refresh is one copy on the GPU.
#[derive(Clone, Copy, Debug)]
pub struct Snapshot {
    live: Buffer,
    stale: Buffer,
    interval: u64,
}

impl Snapshot {
    /// Live and stale buffers for `parameters` values, refreshed every `interval` optimiser steps (K, at least 1).
    pub fn new(parameters: usize, interval: u64) -> Self {
        Snapshot {
            live: Buffer::new("live parameters", parameters),
            stale: Buffer::new("stale parameters", parameters),
            interval: interval.max(1),
        }
    }

    /// θ: what the optimiser moves.
    pub fn live(&self) -> Buffer {
        self.live
    }

    /// φ: what the noise is drawn from.
    pub fn stale(&self) -> Buffer {
        self.stale
    }

    /// Whether the snapshot is taken before optimiser step `step`, counted from 0.
    pub fn is_due(&self, step: u64) -> bool {
        step.is_multiple_of(self.interval)
    }

    /// φ ← θ.
    pub fn refresh(&self, recording: &mut Recording) {
        recording.copy(self.live, self.stale);
    }
}
