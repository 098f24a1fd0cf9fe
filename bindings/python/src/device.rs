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
use std::ops::{Deref, DerefMut};
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::{self, ThreadId};
use std::time::Duration;

/// The process that opens devices, by its number; 0 while none has. Threads of a driver, and whoever holds [`OPEN`], are in no other.
static OPENED_BY: AtomicU32 = AtomicU32::new(0);

/// By what they were asked for as: part of a name, a number, or nothing for the one that suits best.
static OPEN: Mutex<BTreeMap<Option<String>, Arc<Device>>> = Mutex::new(BTreeMap::new());

/// How long a thread waits for a device before it looks for Ctrl-C.
const BETWEEN_SIGNALS: Duration = Duration::from_millis(20);

/// A GPU, or a software driver in its place, with what was compiled for it.
pub(crate) struct Device {
    /// In words, known while it computes.
    adapter: String,
    /// Whose turn it is; none while nobody computes.
    holder: Mutex<Option<ThreadId>>,
    /// Told at the end of a turn.
    free: Condvar,
    /// Locked by the holder alone, so that nobody waits for it.
    state: Mutex<ModelDevice>,
}

/// What is on a device, for as long as it is this thread's turn.
pub(crate) struct Held<'a> {
    state: MutexGuard<'a, ModelDevice>,
    /// Behind the state, which goes first.
    _turn: Turn<'a>,
}

impl Deref for Held<'_> {
    type Target = ModelDevice;

    fn deref(&self) -> &ModelDevice {
        &self.state
    }
}

impl DerefMut for Held<'_> {
    fn deref_mut(&mut self) -> &mut ModelDevice {
        &mut self.state
    }
}

struct Turn<'a>(&'a Device);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        *self.0.holder() = None;
        self.0.free.notify_one();
    }
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
            adapter: executor.adapter().to_string(),
            holder: Mutex::new(None),
            free: Condvar::new(),
            state: Mutex::new(ModelDevice::new(executor)),
        });
        open_ones.insert(adapter, device.clone());
        Ok((device, notes))
    }

    /// The adapter, in words.
    pub(crate) fn adapter(&self) -> &str {
        &self.adapter
    }

    /// What is on it, for as long as the result lives. To be waited for while other Python threads may run; signals have their way
    /// meanwhile, and what they raise ends the waiting.
    pub(crate) fn lock(&self) -> PyResult<Held<'_>> {
        check_process()?;
        let this = thread::current().id();
        let mut holder = self.holder();
        while let Some(other) = *holder {
            if other == this {
                // It would wait for itself.
                return Err(Failure::interrupting().into());
            }
            let waited = self.free.wait_timeout(holder, BETWEEN_SIGNALS);
            let (now, waited) = waited.unwrap_or_else(|poisoned| poisoned.into_inner());
            holder = now;
            if waited.timed_out() {
                // Not while others wait for it, since signals are for whoever has the interpreter.
                drop(holder);
                Python::attach(|py| py.check_signals())?;
                holder = self.holder();
            }
        }
        Ok(self.take(holder).ok_or_else(Failure::broken)?)
    }

    /// The same, if nobody computes at the moment.
    pub(crate) fn lock_if_free(&self) -> Option<Held<'_>> {
        check_process().ok()?;
        let holder = self.holder();
        holder.is_none().then(|| self.take(holder)).flatten()
    }

    /// Begins a turn, where there is none; not where one has ended by a panic.
    fn take(&self, mut holder: MutexGuard<'_, Option<ThreadId>>) -> Option<Held<'_>> {
        *holder = Some(thread::current().id());
        drop(holder);
        let turn = Turn(self);
        let state = self.state.lock().ok()?;
        Some(Held { state, _turn: turn })
    }

    fn holder(&self) -> MutexGuard<'_, Option<ThreadId>> {
        // A thread is there, or none.
        self.holder
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
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
