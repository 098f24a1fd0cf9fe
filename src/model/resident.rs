//! A device that holds the parameters of the model that was asked last.

use super::error::ModelError;
use super::evaluator::Evaluator;
use super::stored::Model;
use crate::gpu::{Executor, Mark};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

/// The most samples that are computed at a time.
const MOST_AT_A_TIME: usize = 256;

/// An executor on which models are asked in any order and for any number of samples. It keeps what the one that was asked last has
/// there: programs that alternate between models are faster with one of these for each.
pub struct ModelDevice {
    pub executor: Executor,
    ready: Option<Ready>,
}

/// A model whose parameters are on the device, with all that was named there since.
struct Ready {
    model: Arc<Model>,
    /// By the samples that they compute at a time.
    evaluators: BTreeMap<usize, Evaluator>,
    mark: Mark,
}

impl ModelDevice {
    /// On the device of `executor`.
    pub fn new(executor: Executor) -> Self {
        ModelDevice {
            executor,
            ready: None,
        }
    }

    /// What computes `count` samples of `model`, in as few batches as can be.
    ///
    /// # Errors
    /// When a batch exceeds what the adapter allows, or the GPU fails.
    pub fn evaluator(
        &mut self,
        model: &Arc<Model>,
        count: usize,
    ) -> Result<(&mut Executor, &mut Evaluator), ModelError> {
        let is_another = |ready: &Ready| !Arc::ptr_eq(&ready.model, model);
        if self.ready.as_ref().is_some_and(is_another) {
            self.clear();
        }
        let ModelDevice { executor, ready } = self;
        let ready = ready.get_or_insert_with(|| Ready {
            model: model.clone(),
            evaluators: BTreeMap::new(),
            mark: executor.mark(),
        });
        // Few sizes, since each is compiled for itself.
        let batch = count.max(1).next_power_of_two().min(MOST_AT_A_TIME);
        let evaluator = match ready.evaluators.entry(batch) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => entry.insert(model.evaluator(executor, batch)?),
        };
        Ok((executor, evaluator))
    }

    /// Gives back the memory of `model`, if it has some.
    pub fn forget(&mut self, model: &Arc<Model>) {
        if let Some(ready) = &self.ready
            && Arc::ptr_eq(&ready.model, model)
        {
            self.clear();
        }
    }

    fn clear(&mut self) {
        if let Some(ready) = self.ready.take() {
            self.executor.release_since(ready.mark);
        }
    }
}
