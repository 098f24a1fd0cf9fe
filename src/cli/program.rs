//! This program, to be started anew: the file that this process runs, or where an interpreter contains it, that with what it is to
//! run.

use std::env;
use std::ffi::OsString;
use std::io;
use std::process::Command;
use std::sync::OnceLock;

/// How this process was started, where not as a program of its own.
static STARTED: OnceLock<Started> = OnceLock::new();

struct Started {
    /// The interpreter, and what comes before the arguments.
    by: Vec<OsString>,
    arguments: Vec<OsString>,
}

/// Notes that this process was started `by` an interpreter with `arguments`.
pub(super) fn started(by: Vec<OsString>, arguments: Vec<OsString>) {
    // Whoever calls the command line twice has started one process.
    let _ = STARTED.set(Started { by, arguments });
}

/// What starts this program, before its arguments, as it would be typed.
pub(super) fn words() -> io::Result<Vec<OsString>> {
    match STARTED.get() {
        Some(started) => Ok(started.by.clone()),
        None => Ok(vec![env::current_exe()?.into_os_string()]),
    }
}

/// The arguments that this process was started with.
pub(super) fn arguments() -> Vec<OsString> {
    match STARTED.get() {
        Some(started) => started.arguments.clone(),
        None => env::args_os().skip(1).collect(),
    }
}

/// Starts this program: on Linux the file that this process runs, even where a new build has taken its place on disk.
pub(super) fn command() -> io::Result<Command> {
    let words = words()?;
    let (first, others) = words.split_first().ok_or(io::ErrorKind::NotFound)?;
    let mut command = match cfg!(target_os = "linux") && STARTED.get().is_none() {
        true => Command::new("/proc/self/exe"),
        false => Command::new(first),
    };
    command.args(others);
    Ok(command)
}
