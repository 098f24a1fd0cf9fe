use super::error::GpuError;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

/// What comes of work that waits for nothing but a device. Native devices are waited for where they are asked, so that it is there at
/// once; a page must return to its event loop first, and has to await it.
///
/// # Errors
/// What the work reports, or [`GpuError::WouldWait`].
pub(crate) fn at_once<T, E: From<GpuError>>(
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    match pin!(work).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(outcome) => outcome,
        Poll::Pending => Err(GpuError::WouldWait.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_there_at_once_is_refused() {
        assert_eq!(at_once(async { Ok::<_, GpuError>(7) }).unwrap(), 7);
        let never = std::future::pending::<Result<(), GpuError>>();
        assert!(matches!(at_once(never), Err(GpuError::WouldWait)));
    }
}
