//! The program under test, as a process.

use std::path::Path;
use std::process::{Command, Output};

/// The program, about to run in `folder` and free to measure kernels; its cache is not the user's.
pub fn tuning(folder: impl AsRef<Path>, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_afterimage"));
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache");
    command.args(arguments).current_dir(folder);
    let mut unless_set = |name: &str, value: &Path| {
        if std::env::var_os(name).is_none() {
            command.env(name, value);
        }
    };
    // What the driver compiled is shared by all of them, also by those that are given another cache.
    unless_set("MESA_SHADER_CACHE_DIR", &cache);
    // As many tests run as there are cores, and waking lavapipe's threads takes longer than such small work.
    unless_set("LP_NUM_THREADS", Path::new("0"));
    command.env("AFTERIMAGE_CACHE", cache);
    #[cfg(unix)]
    heeds_signals(&mut command);
    command
}

/// Sees to it that the program heeds signals that tests send it, also where whoever started the tests ignores them, as `nohup` does
/// and a shell's `&` where there is no job control: what is ignored stays so in a new process.
#[cfg(unix)]
fn heeds_signals(command: &mut Command) {
    use std::os::unix::process::CommandExt;
    let heed = || {
        for signal in [libc::SIGINT, libc::SIGHUP, libc::SIGTERM] {
            // SAFETY: a system call that takes numbers alone.
            unsafe { libc::signal(signal, libc::SIG_DFL) };
        }
        Ok(())
    };
    // SAFETY: it allocates nothing and takes no lock.
    unsafe { command.pre_exec(heed) };
}

/// As [`tuning`], but on the kernels that it knows without measuring.
pub fn afterimage(folder: impl AsRef<Path>, arguments: &[&str]) -> Command {
    let mut command = tuning(folder, arguments);
    if let Some(&("train" | "sample" | "energy" | "evaluate" | "sweep" | "bench")) =
        arguments.first()
    {
        command.arg("--no-tune");
    }
    command
}

/// Runs [`afterimage`] to a good end.
#[track_caller]
pub fn run(folder: impl AsRef<Path>, arguments: &[&str]) -> Output {
    let output = afterimage(folder, arguments).output().expect("starts");
    assert!(
        output.status.success(),
        "{arguments:?}: {}",
        stderr(&output)
    );
    output
}

#[track_caller]
pub fn stdout(output: &Output) -> &str {
    std::str::from_utf8(&output.stdout).expect("UTF-8")
}

#[track_caller]
pub fn stderr(output: &Output) -> &str {
    std::str::from_utf8(&output.stderr).expect("UTF-8")
}
