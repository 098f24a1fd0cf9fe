use super::error::GpuError;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;

/// What the device's callbacks leave for the executor, which they share it with.
#[derive(Clone, Default)]
pub(super) struct News(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    fault: Option<GpuError>,
    waiting: Option<Waker>,
}

impl News {
    /// Something went wrong. The first error is the cause; later ones follow from it.
    pub(super) fn fail(&self, error: GpuError) {
        self.state().fault.get_or_insert(error);
        self.wake();
    }

    /// What went wrong since the last call.
    pub(super) fn fault(&self) -> Option<GpuError> {
        self.state().fault.take()
    }

    /// Something has come back: who waits for it may look.
    pub(super) fn wake(&self) {
        let waiting = self.state().waiting.take();
        if let Some(waker) = waiting {
            waker.wake();
        }
    }

    /// Wakes `waker` with what comes next.
    #[cfg(target_arch = "wasm32")]
    pub(super) fn tell(&self, waker: &Waker) {
        self.state().waiting = Some(waker.clone());
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
