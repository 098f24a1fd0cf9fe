//! Signals that end a run, without losing what it has.

use super::error::CliError;
use super::output;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};

/// SIGINT, which Ctrl-C sends.
const INTERRUPT: u8 = 2;

/// What a signal means.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// There is nothing to stop yet: the program ends at once.
    Before,
    /// The first signal asks the run to stop, a second one ends the program at once.
    Runs,
    /// There is nothing to stop any more.
    After,
}

/// Whether a run is asked to stop, and by which signal.
pub(super) struct Stop {
    asked: AtomicBool,
    /// 0 for none.
    signal: AtomicU8,
    /// A [`Stage`].
    stage: AtomicU8,
    /// Done before the program ends at once.
    last: fn(),
}

impl Stop {
    /// The first signal from now on asks the run to stop after the present step; a second one ends the program at once.
    /// What is ignored already, as `nohup` and a shell's `&` have it, stays ignored.
    pub(super) fn on_signals() -> Result<Arc<Self>, CliError> {
        let stop = Stop::before_a_run(|| {})?;
        stop.begins();
        Ok(stop)
    }

    /// The same from when the run [begins](Self::begins); before that the first signal ends the program at once. That does `last`
    /// first.
    pub(super) fn before_a_run(last: fn()) -> Result<Arc<Self>, CliError> {
        let stop = Arc::new(Stop {
            asked: AtomicBool::new(false),
            signal: AtomicU8::new(0),
            stage: AtomicU8::new(Stage::Before as u8),
            last,
        });
        let told = stop.clone();
        listen(move |signal| told.receive(signal)).map_err(CliError::Signal)?;
        Ok(stop)
    }

    /// There is something to stop from now on.
    pub(super) fn begins(&self) {
        self.stage.store(Stage::Runs as u8, Ordering::SeqCst);
    }

    /// There is nothing to stop any more.
    pub(super) fn ends(&self) {
        self.stage.store(Stage::After as u8, Ordering::SeqCst);
    }

    /// As if Ctrl-C were pressed, which is no signal where a program reads keys itself.
    pub(super) fn interrupt(&self) {
        self.receive(INTERRUPT);
    }

    /// Becomes true with the first signal.
    pub(super) fn asked(&self) -> &AtomicBool {
        &self.asked
    }

    /// The exit status that shells expect where a signal has come: 128 and its number.
    pub(super) fn status(&self) -> Option<u8> {
        let signal = self.signal.load(Ordering::SeqCst);
        (signal > 0).then_some(128 + signal)
    }

    fn receive(&self, signal: u8) {
        let (order, none) = (Ordering::SeqCst, 0);
        let is_first = self.signal.compare_exchange(none, signal, order, order);
        let stage = self.stage.load(order);
        if stage == Stage::Before as u8 || is_first.is_err() {
            (self.last)();
            end(128 + signal);
        }
        self.asked.store(true, order);
        match signal {
            _ if stage == Stage::After as u8 => {}
            INTERRUPT if output::is_screen() => {
                // The terminal has written ^C.
                output::note("\nstopping after this step; press Ctrl-C again to quit at once")
            }
            _ => output::note("stopping after this step; a second signal ends the run at once"),
        }
    }
}

/// From now on a signal ends the program at once, after `last`: for what has nothing to finish.
pub(super) fn end_after(last: impl Fn() + Send + 'static) -> Result<(), CliError> {
    let receive = move |signal| {
        last();
        end(128 + signal)
    };
    listen(receive).map_err(CliError::Signal)
}

#[cfg(unix)]
fn listen(mut receive: impl FnMut(u8) + Send + 'static) -> std::io::Result<()> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    use signal_hook::iterator::Signals;
    let heeded = [SIGINT, SIGTERM, SIGHUP]
        .into_iter()
        .filter(|signal| !is_ignored(*signal));
    let mut signals = Signals::new(heeded)?;
    let wait = move || signals.forever().for_each(|signal| receive(signal as u8));
    std::thread::Builder::new()
        .name("signals".into())
        .spawn(wait)?;
    Ok(())
}

#[cfg(unix)]
fn is_ignored(signal: libc::c_int) -> bool {
    let mut action = std::mem::MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: a null pointer changes nothing, and what is there is written to `action`, which may hold any bits.
    let action = unsafe {
        libc::sigaction(signal, std::ptr::null(), action.as_mut_ptr());
        action.assume_init()
    };
    action.sa_sigaction == libc::SIG_IGN
}

/// Without what a driver would still do: its threads may be in the middle of a step.
#[cfg(unix)]
fn end(status: u8) -> ! {
    signal_hook::low_level::exit(status.into())
}

#[cfg(not(unix))]
fn listen(mut receive: impl FnMut(u8) + Send + 'static) -> std::io::Result<()> {
    ctrlc::set_handler(move || receive(INTERRUPT)).map_err(std::io::Error::other)
}

#[cfg(not(unix))]
fn end(status: u8) -> ! {
    std::process::exit(status.into())
}
