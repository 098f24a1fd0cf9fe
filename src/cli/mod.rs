//! The command line. Everything for a person goes to stderr, everything machine-readable to stdout.

mod args;
mod bench;
mod energy;
mod energy_picture;
mod error;
mod evaluate;
mod layers;
mod list;
mod open;
mod output;
mod program;
mod progress;
mod runs;
mod sample;
mod sample_pictures;
mod signals;
mod sweep;
mod train;
mod ui;
mod vector_width;
mod warnings;
mod watch;

use crate::gpu::Executor;
use args::{Cli, Command};
use clap::Parser;
use error::CliError;
use std::ffi::OsString;
use std::process::ExitCode;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::EnvFilter;

/// What the environment should say before a driver is loaded, where the user has not said otherwise. Whoever asks sets all of it.
pub fn environment() -> Vec<(&'static str, OsString)> {
    // Mesa's device-select layer asks a display server which GPU is its own, and complains on stderr where there
    // is none. Adapters are chosen here, so the layer is not needed.
    let mut wanted = vec![("NODEVICE_SELECT", "1".into())];
    wanted.extend(vector_width::wanted());
    wanted
}

/// Sets what [`environment`] says.
///
/// # Safety
/// No other thread may run yet.
pub unsafe fn prepare_environment() {
    for (name, value) in environment() {
        // SAFETY: promised by the caller.
        unsafe { std::env::set_var(name, value) };
    }
}

/// Parses the command line, does what it says, and returns the exit status.
pub fn main() -> ExitCode {
    obey(Cli::parse()).into()
}

/// [`main`] in an interpreter that the words `by` start as this program, with `arguments`.
pub fn main_within(by: Vec<OsString>, arguments: Vec<OsString>) -> u8 {
    program::started(by, arguments.clone());
    let name = std::iter::once("afterimage".into());
    obey(Cli::parse_from(name.chain(arguments)))
}

/// Whether a driver that was to take wide vectors computes wrong by them with kernels that it could else run: a program of its own
/// starts again then.
pub fn are_wide_vectors_wrong(executor: &Executor) -> bool {
    vector_width::disappoint(executor)
}

fn obey(words: Cli) -> u8 {
    let filter = EnvFilter::builder()
        .with_env_var("AFTERIMAGE_LOG")
        .with_default_directive(LevelFilter::WARN.into());
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter.from_env_lossy())
        .with_writer(std::io::stderr)
        .with_ansi(output::has_colours());
    // An interpreter may call the command line again: it logs already.
    let _ = log.try_init();
    match run(words.command) {
        Ok(()) => 0,
        Err(error) => {
            output::error(&error);
            match error {
                CliError::Stopped { status, .. } | CliError::SweepStopped { status, .. } => status,
                _ => 1,
            }
        }
    }
}

fn run(command: Command) -> Result<(), CliError> {
    match command {
        Command::Train(arguments) => train::train(&arguments),
        Command::Sample(arguments) => sample::sample(&arguments),
        Command::Energy(arguments) => energy::energy(&arguments),
        Command::Evaluate(arguments) => evaluate::evaluate(&arguments),
        Command::Sweep(arguments) => sweep::sweep(&arguments),
        Command::Runs(arguments) => runs::runs(&arguments),
        Command::Watch(arguments) => watch::watch(&arguments),
        Command::Compare(arguments) => runs::compare(&arguments),
        Command::Devices(arguments) => list::devices(&arguments),
        Command::Presets(arguments) => list::presets(&arguments),
        Command::Config(arguments) => list::config(&arguments),
        Command::Bench(arguments) => bench::bench(&arguments),
    }
}
