//! The one device of the page, with or without a training run on it.

use afterimage::gpu::Executor;
use afterimage::train::Trainer;

pub(crate) enum Device {
    Idle(Box<Executor>),
    Training(Box<Trainer>),
    /// Between two of those.
    Gone,
}

impl Device {
    /// Whatever is on it.
    pub(crate) fn executor(&mut self) -> Option<&mut Executor> {
        match self {
            Device::Idle(executor) => Some(executor),
            Device::Training(trainer) => Some(trainer.executor()),
            Device::Gone => None,
        }
    }

    /// The run on it, if there is one.
    pub(crate) fn trainer(&mut self) -> Option<&mut Trainer> {
        match self {
            Device::Training(trainer) => Some(trainer),
            Device::Idle(_) | Device::Gone => None,
        }
    }

    /// Ends the run on it.
    pub(crate) fn free(self) -> Option<Executor> {
        match self {
            Device::Idle(executor) => Some(*executor),
            Device::Training(trainer) => Some(trainer.into_executor()),
            Device::Gone => None,
        }
    }
}
