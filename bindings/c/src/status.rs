use crate::failure::Failure;
use std::any::Any;
use std::cell::RefCell;
use std::ffi::{CString, c_char};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What a call came to.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum afterimage_status {
    /// It did what it was asked for.
    AFTERIMAGE_OK = 0,
    /// A pointer is null, a length does not fit, a number is out of range or not finite, or a text is not UTF-8.
    AFTERIMAGE_INVALID_ARGUMENT = 1,
    /// A preset, a setting, or the data that the settings name cannot be used.
    AFTERIMAGE_INVALID_SETTING = 2,
    /// A file cannot be read or written, or is not what it should be.
    AFTERIMAGE_FILE_ERROR = 3,
    /// There is no such device, it computes wrong results, it has too little memory, or it failed.
    AFTERIMAGE_DEVICE_ERROR = 4,
    /// Training diverged, or what was computed is not finite.
    AFTERIMAGE_DIVERGED = 5,
    /// An earlier call on this device, or on a model of it, ended with AFTERIMAGE_INTERNAL_ERROR: free them all.
    AFTERIMAGE_POISONED = 6,
    /// A mistake in this library. What Rust says of it is on stderr.
    AFTERIMAGE_INTERNAL_ERROR = 7,
}

thread_local! {
    static LAST: RefCell<CString> = RefCell::default();
}

/// What the last call that failed on this thread said: one line that says what is wrong and what to do. Empty, and never null, where
/// none has failed. It stays valid until the next call fails on this thread, or the thread ends.
#[unsafe(no_mangle)]
pub extern "C" fn afterimage_last_error() -> *const c_char {
    // A thread that is ending has none any more.
    LAST.try_with(|last| last.borrow().as_ptr())
        .unwrap_or(c"".as_ptr())
}

/// The version of this library, such as "0.1.0". Static.
#[unsafe(no_mangle)]
pub extern "C" fn afterimage_version() -> *const c_char {
    const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), "\0");
    VERSION.as_ptr().cast()
}

/// Does `work`, and says in C's terms how it went; a panic is a failure like any other.
pub(crate) fn guarded(work: impl FnOnce() -> Result<(), Failure>) -> afterimage_status {
    // What a panic has left half done is behind a lock, which it poisons.
    let outcome = catch_unwind(AssertUnwindSafe(work));
    let failure = match outcome {
        Ok(Ok(())) => return afterimage_status::AFTERIMAGE_OK,
        Ok(Err(failure)) => failure,
        Err(panic) => Failure::internal(words_of(&*panic)),
    };
    let message = failure.message.replace('\0', "\u{fffd}");
    let _ = LAST.try_with(|last| last.replace(CString::new(message).unwrap_or_default()));
    failure.status
}

/// What a panic said.
fn words_of(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no word about it")
}
