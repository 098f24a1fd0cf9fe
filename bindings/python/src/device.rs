//! Devices: one for each adapter that was asked for, shared by all models on it and kept as long as the interpreter.

use crate::failure::{Failure, Kind};
use afterimage::cli;
use afterimage::config::KernelFamily;
use afterimage::gpu::{AdapterChoice, Executor, ExecutorOptions};
use afterimage::low_level::{cache, network};
use afterimage::model::{ModelDevice, TuningOptions, allow_tuning};
use afterimage::train::TrainError;
use pyo3::prelude::*;
use std::collections::BTreeMap;
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

/// The process that opens devices, by its number; 0 while none has. Threads of a driver, and whoever holds [`OPEN`], are in no other.
static OPENED_BY: AtomicU32 = AtomicU32::new(0);

/// By what they were asked for as: part of a name, a number, or nothing for the one that suits best.
static OPEN: Mutex<BTreeMap<Option<String>, Arc<Device>>> = Mutex::new(BTreeMap::new());

/// A GPU, or a software driver in its place, with what was compiled for it.
pub(crate) struct Device {
    state: Mutex<ModelDevice>,
}

impl Device {
    /// The device that is called `adapter`, opened unless it is already; with what there is to say of that, a line each.
    pub(crate) fn of(adapter: Option<String>) -> Result<(Arc<Self>, Vec<String>), Failure> {
        check_process()?;
        // What a panic has left is a device more or less.
        let mut open_ones = OPEN.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let is_whole = |device: &&Arc<Device>| !device.state.is_poisoned();
        if let Some(device) = open_ones.get(&adapter).filter(is_whole) {
            return Ok((device.clone(), Vec::new()));
        }
        let mut notes = Vec::new();
        let executor = open(adapter.as_deref(), None, false, &mut notes)?;
        let device = Arc::new(Device {
            state: Mutex::new(ModelDevice::new(executor)),
        });
        open_ones.insert(adapter, device.clone());
        Ok((device, notes))
    }

    /// What is on it, for as long as the result lives. To be waited for while other Python threads may run.
    pub(crate) fn lock(&self) -> Result<MutexGuard<'_, ModelDevice>, Failure> {
        check_process()?;
        self.state.lock().map_err(|_| Failure::broken())
    }

    /// The same, if nobody computes at the moment.
    pub(crate) fn lock_if_free(&self) -> Option<MutexGuard<'_, ModelDevice>> {
        check_process().ok()?;
        self.state.try_lock().ok()
    }

    /// Has whoever asks for the adapter next open it anew, where `failure` is one of the device.
    pub(crate) fn give_up(self: &Arc<Self>, failure: Failure) -> Failure {
        if failure.kind == Kind::Device {
            let mut open_ones = OPEN.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
            open_ones.retain(|_, device| !Arc::ptr_eq(device, self));
        }
        failure
    }
}

/// Refuses devices in a process that was forked from one that opens some: its driver would wait for threads that there are not, and
/// [`OPEN`] for whoever held it. To be asked before either is touched; whoever asks first is the process that may.
pub(crate) fn check_process() -> Result<(), Failure> {
    let this = process::id();
    match OPENED_BY.compare_exchange(0, this, Ordering::Relaxed, Ordering::Relaxed) {
        Err(other) if other != this => Err(Failure::new(
            Kind::Forked,
            "this process was forked after a device was opened, which it cannot use: start processes anew, by \
             multiprocessing.get_context(\"spawn\")",
        )),
        _ => Ok(()),
    }
}

/// Opens an adapter as the command line does, to compute by the kernels `asked`, where there are some.
pub(crate) fn open(
    adapter: Option<&str>,
    asked: Option<KernelFamily>,
    long: bool,
    notes: &mut Vec<String>,
) -> Result<Executor, TrainError> {
    let choice = match adapter {
        Some(name) => AdapterChoice::Named(name.into()),
        None => AdapterChoice::Best,
    };
    let options = ExecutorOptions {
        cache: cache::folder(),
        ..Default::default()
    };
    let mut executor = Executor::open(&choice, options)?;
    let mut say = |text: &str| notes.push(text.into());
    let settled = network::settle_kernels(&mut executor, asked, false, &mut say);
    if cli::are_wide_vectors_wrong(&executor) {
        say(
            "warning: this driver computes wrong results with vectors of 512 bits, so that slower kernels run, whose results differ \
             from those of the command line by rounding: start Python with LP_NATIVE_VECTOR_WIDTH=256 in its environment",
        );
    }
    settled?;
    let tuning = TuningOptions::unasked(&executor, long);
    allow_tuning(&mut executor, tuning);
    Ok(executor)
}

/// Says lines that begin with `note: ` or `warning: `, by Python's logging.
pub(crate) fn say(py: Python<'_>, notes: Vec<String>) -> PyResult<()> {
    if notes.is_empty() {
        return Ok(());
    }
    let say = py.import("afterimage._notes")?.getattr("say")?;
    say.call1((notes,)).map(drop)
}
