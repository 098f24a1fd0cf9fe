//! All that the steps after some step depend on.

use super::error::TrainError;
use crate::gpu::Buffer;
use crate::method::Traces;
use std::collections::{BTreeMap, VecDeque};

/// What a run is at some step, to go on from: every buffer that later steps depend on, word for word. All else that a step needs,
/// such as its data, its random numbers and its learning rate, follows from its number and the configuration.
#[derive(Clone, Debug, PartialEq)]
pub struct TrainingState {
    step: u64,
    buffers: BTreeMap<String, Vec<u32>>,
    /// What the last diagnosis was told from, where a run keeps it.
    traces: Option<Traces>,
    /// Averaged and live weights of the best step so far, bit for bit, where a run has judged any.
    best: Option<[Vec<u32>; 2]>,
}

impl TrainingState {
    pub(super) fn new(
        step: u64,
        buffers: BTreeMap<String, Vec<u32>>,
        traces: Option<Traces>,
    ) -> Self {
        TrainingState {
            step,
            buffers,
            traces,
            best: None,
        }
    }

    /// The same state with averaged and live weights of the best step so far, as 32-bit words.
    pub(super) fn with_best(mut self, words: [Vec<u32>; 2]) -> Self {
        self.best = Some(words);
        self
    }

    /// These.
    pub(super) fn best(&self) -> Option<&[Vec<u32>; 2]> {
        self.best.as_ref()
    }

    /// Optimiser steps done.
    pub fn step(&self) -> u64 {
        self.step
    }

    /// Its buffers by name, as 32-bit words.
    pub fn buffers(&self) -> &BTreeMap<String, Vec<u32>> {
        &self.buffers
    }

    /// Those of one; none where it has no such buffer.
    pub(super) fn words(&self, name: &str) -> &[u32] {
        self.buffers.get(name).map_or(&[], Vec::as_slice)
    }

    pub(super) fn traces(&self) -> Option<&Traces> {
        self.traces.as_ref()
    }

    /// Whether it has just these buffers.
    pub(super) fn check(&self, wanted: &[(String, Buffer)]) -> Result<(), TrainError> {
        for (name, buffer) in wanted {
            let (has, needs) = (self.words(name).len(), buffer.words());
            if has != needs {
                let what = format!("it has {has} words of '{name}', and {needs} are needed");
                return Err(TrainError::State(what));
            }
        }
        let is_wanted = |name: &&String| wanted.iter().any(|(wanted, _)| wanted == *name);
        match self.buffers.keys().find(|name| !is_wanted(name)) {
            Some(name) => Err(TrainError::State(format!("nothing needs its '{name}'"))),
            None => Ok(()),
        }
    }
}

/// States that were asked for, in order, with what of them has arrived.
#[derive(Default)]
pub(super) struct PendingStates(VecDeque<Pending>);

struct Pending {
    step: u64,
    /// Of all buffers, in the order in which they arrive.
    names: Vec<String>,
    words: Vec<Vec<u32>>,
}

impl PendingStates {
    /// A state after `step` steps was asked for.
    pub(super) fn ask(&mut self, step: u64, names: Vec<String>) {
        let words = Vec::new();
        self.0.push_back(Pending { step, names, words });
    }

    /// The words of the next buffer have come. Gives the state that they complete, with `traces` beside it.
    pub(super) fn arrived(
        &mut self,
        words: Vec<u32>,
        traces: Option<&Traces>,
    ) -> Option<TrainingState> {
        let pending = self.0.front_mut()?;
        pending.words.push(words);
        if pending.words.len() < pending.names.len() {
            return None;
        }
        let Pending { step, names, words } = self.0.pop_front()?;
        let buffers = names.into_iter().zip(words).collect();
        Some(TrainingState::new(step, buffers, traces.cloned()))
    }
}
