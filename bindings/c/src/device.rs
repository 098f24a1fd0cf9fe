use crate::arguments;
use crate::failure::Failure;
use crate::status::{afterimage_status, guarded};
use afterimage::gpu::{AdapterChoice, Executor, ExecutorOptions};
use afterimage::model::ModelDevice;
use std::ffi::{CString, c_char};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::sync::{Arc, Mutex, MutexGuard};

/// A GPU, or a software driver in its place, with what was compiled for it.
pub struct afterimage_device {
    pub(crate) shared: Arc<Device>,
    name: CString,
}

/// What a device and its models share.
pub(crate) struct Device {
    adapter: AdapterChoice,
    state: Mutex<ModelDevice>,
}

impl Device {
    pub(crate) fn open(adapter: &AdapterChoice) -> Result<Self, Failure> {
        let executor = open(adapter)?;
        Ok(Device {
            // Whatever the environment says later.
            adapter: AdapterChoice::Named(executor.adapter().index.to_string()),
            state: Mutex::new(ModelDevice::new(executor)),
        })
    }

    /// What is on it, for as long as the result lives.
    pub(crate) fn lock(&self) -> Result<MutexGuard<'_, ModelDevice>, Failure> {
        self.state.lock().map_err(|_| Failure::poisoned())
    }

    /// Another executor on the same adapter.
    pub(crate) fn another(&self) -> Result<Executor, Failure> {
        open(&self.adapter)
    }
}

fn open(adapter: &AdapterChoice) -> Result<Executor, Failure> {
    Ok(Executor::open(adapter, ExecutorOptions::default())?)
}

/// Opens an adapter: by its number in the list of `afterimage devices`, by a part of its name, or, where `adapter` is null, the one
/// that the environment variable AFTERIMAGE_ADAPTER names, else the most capable. Writes a handle to `*device`, or null if it fails.
///
/// What suits a software driver that is not known is measured when it computes for the first time, which takes some seconds.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn afterimage_device_open(
    adapter: *const c_char,
    device: *mut *mut afterimage_device,
) -> afterimage_status {
    guarded(|| {
        // SAFETY: the header asks for a place for a handle.
        let place = unsafe { arguments::place(device, "device") }?;
        *place = ptr::null_mut();
        let adapter = match adapter.is_null() {
            true => AdapterChoice::Best,
            // SAFETY: the header asks for a text.
            false => AdapterChoice::Named(unsafe { arguments::text(adapter, "adapter") }?.into()),
        };
        let shared = Device::open(&adapter)?;
        let name = shared.lock()?.executor.adapter().to_string();
        *place = Box::into_raw(Box::new(afterimage_device {
            shared: Arc::new(shared),
            name: CString::new(name).unwrap_or_default(),
        }));
        Ok(())
    })
}

/// The adapter of a device in words, valid as long as the device; null where `device` is.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn afterimage_device_name(device: *const afterimage_device) -> *const c_char {
    // SAFETY: the header asks for a device or null.
    match unsafe { device.as_ref() } {
        Some(device) => device.name.as_ptr(),
        None => ptr::null(),
    }
}

/// Frees a device. Models on it stay usable, and what they share with it is freed with the last of them. Does nothing if it is null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn afterimage_device_free(device: *mut afterimage_device) {
    if device.is_null() {
        return;
    }
    // SAFETY: the header asks for a device that was not freed before, and those are boxes.
    let device = unsafe { Box::from_raw(device) };
    // There is nobody left to tell.
    let _ = catch_unwind(AssertUnwindSafe(|| drop(device)));
}
