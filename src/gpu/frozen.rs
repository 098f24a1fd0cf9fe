use super::handles::next_id;
use super::recording::Recording;
use std::sync::{Arc, Weak};

/// A recording that does not change any more: an executor looks up its pipelines and bind groups at the first replay
/// and keeps them for the next ones. Copies are the same to it.
#[derive(Clone, Debug)]
pub struct Frozen {
    id: u64,
    recording: Arc<Recording>,
}

impl Frozen {
    pub(super) fn new(recording: Recording) -> Self {
        Frozen {
            id: next_id(),
            recording: Arc::new(recording),
        }
    }

    /// What is replayed.
    pub fn recording(&self) -> &Recording {
        &self.recording
    }

    pub(super) fn id(&self) -> u64 {
        self.id
    }

    /// Tells whether there still is a copy that could be replayed.
    pub(super) fn downgrade(&self) -> Weak<Recording> {
        Arc::downgrade(&self.recording)
    }
}
