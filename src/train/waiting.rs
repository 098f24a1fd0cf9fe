//! What a run has to write and the disk does not take: kept in memory, and tried again.

use super::error::TrainError;
use crate::checkpoint::CheckpointError;
use crate::model::{KeptChains, Model, ModelError};
use std::collections::VecDeque;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Between two tries.
const AGAIN: Duration = Duration::from_secs(1);
/// Bytes that wait at most; a disk that takes nothing for as long ends the run.
const MOST_BYTES: usize = 256 << 20;

/// A file that is not written yet.
pub(super) enum Unwritten {
    File { path: PathBuf, bytes: Vec<u8> },
    Snapshot { step: u64, parameters: Vec<f32> },
    Checkpoint(Box<Checkpoint>),
}

/// A model with the chains of the replay buffer that belong to it.
pub(super) struct Checkpoint {
    pub(super) model: Model,
    pub(super) chains: Option<KeptChains>,
}

impl Unwritten {
    fn bytes(&self) -> usize {
        match self {
            Unwritten::File { bytes, .. } => bytes.len(),
            Unwritten::Snapshot { parameters, .. } => size_of_val(parameters.as_slice()),
            Unwritten::Checkpoint(checkpoint) => {
                let chains = checkpoint.chains.as_ref();
                // Averaged and live weights.
                2 * size_of_val(checkpoint.model.parameters())
                    + chains.map_or(0, |chains| size_of_val(chains.states.as_slice()))
            }
        }
    }
}

/// Files that wait, in order.
pub(super) struct Waiting {
    files: VecDeque<Unwritten>,
    bytes: usize,
    tried: Instant,
    /// Whether it has been said that something waits.
    is_told: bool,
}

impl Waiting {
    pub(super) fn new() -> Self {
        Waiting {
            files: VecDeque::new(),
            bytes: 0,
            tried: Instant::now(),
            is_told: false,
        }
    }

    /// Drops what waits, which nobody wants any more; what has been said of it was said.
    pub(super) fn clear(&mut self) {
        self.files.clear();
        self.bytes = 0;
    }

    pub(super) fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// Whether there is room for another one.
    pub(super) fn has_room(&self) -> bool {
        self.bytes <= MOST_BYTES
    }

    pub(super) fn push(&mut self, file: Unwritten) {
        self.bytes += file.bytes();
        self.files.push_back(file);
    }

    /// The one to write next. Given back by [`Self::first_again`] where that fails.
    pub(super) fn pop(&mut self) -> Option<Unwritten> {
        let file = self.files.pop_front()?;
        self.bytes -= file.bytes();
        Some(file)
    }

    pub(super) fn first_again(&mut self, file: Unwritten) {
        self.bytes += file.bytes();
        self.files.push_front(file);
    }

    /// Whether it is time to try again; the next time is a while after.
    pub(super) fn is_time(&mut self) -> bool {
        let is_time = self.tried.elapsed() >= AGAIN;
        if is_time {
            self.tried = Instant::now();
        }
        is_time
    }

    /// Whether that something waits, or does no longer, is news.
    pub(super) fn tell(&mut self, waits: bool) -> bool {
        std::mem::replace(&mut self.is_told, waits) != waits
    }
}

/// Whether the disk is to blame, and may take the same later.
pub(super) fn is_of_disk(error: &TrainError) -> bool {
    matches!(
        error,
        TrainError::File(_) | TrainError::Model(ModelError::Checkpoint(CheckpointError::File(_)))
    )
}
