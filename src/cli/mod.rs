//! The command line. Everything for a person goes to stderr, everything machine-readable to stdout.

mod args;
mod bench;
mod energy;
mod error;
mod evaluate;
mod layers;
mod list;
mod open;
mod output;
mod progress;
mod runs;
mod sample;
mod signals;
mod sweep;
mod train;
mod vector_width;
mod warnings;
mod watch;

use args::{Cli, Command};
use clap::Parser;
use error::CliError;
use std::process::ExitCode;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::EnvFilter;

/// Sets what the environment should say before a driver is loaded, where the user has not said otherwise.
///
/// # Safety
/// No other thread may run yet.
pub unsafe fn prepare_environment() {
    // SAFETY: promised by the caller.
    unsafe {
        // Mesa's device-select layer asks a display server which GPU is its own, and complains on stderr where there
        // is none. Adapters are chosen here, so the layer is not needed.
        std::env::set_var("NODEVICE_SELECT", "1");
        vector_width::widen();
    }
}

/// Parses the command line, does what it says, and returns the exit status.
pub fn main() -> ExitCode {
    let filter = EnvFilter::builder()
        .with_env_var("AFTERIMAGE_LOG")
        .with_default_directive(LevelFilter::WARN.into());
    tracing_subscriber::fmt()
        .with_env_filter(filter.from_env_lossy())
        .with_writer(std::io::stderr)
        .with_ansi(output::has_colours())
        .init();
    match run(Cli::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output::error(&error);
            match error {
                CliError::Stopped { status, .. } | CliError::SweepStopped { status, .. } => {
                    status.into()
                }
                _ => ExitCode::FAILURE,
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
