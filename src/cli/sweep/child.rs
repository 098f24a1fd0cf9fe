//! A command of this program as a process of its own, whose end takes nobody with it.

use crate::cli::program;
use crate::sweep::Spent;
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

/// Between two looks whether the process is asked to stop or has ended.
const LOOK: Duration = Duration::from_millis(50);

/// How a process ended, and what it took.
pub(super) struct Ended {
    pub(super) status: ExitStatus,
    pub(super) spent: Spent,
    /// Whether it was asked to stop.
    pub(super) stopped: bool,
}

/// Runs this program with `words`. Its errors go to `log`, the lines that it prints to `line`. When `stop` becomes true it
/// is asked to end, which `train` does after the step at hand.
pub(super) fn run(
    words: &[String],
    threads: Option<usize>,
    log: &File,
    stop: &AtomicBool,
    line: &mut dyn FnMut(&str),
) -> io::Result<Ended> {
    let began = Instant::now();
    let mut command = program::command()?;
    command.args(words).stdin(Stdio::null());
    command.stdout(Stdio::piped()).stderr(log.try_clone()?);
    if let Some(threads) = threads {
        command.env("LP_NUM_THREADS", threads.to_string());
    }
    apart(&mut command);
    let mut child = command.spawn()?;
    let (tell, told) = mpsc::channel();
    let printed = child.stdout.take();
    let reader = thread::spawn(move || {
        let lines = printed
            .map(BufReader::new)
            .into_iter()
            .flat_map(BufReader::lines);
        for line in lines.map_while(Result::ok) {
            if tell.send(line).is_err() {
                return;
            }
        }
    });
    let mut asked = false;
    let mut open = true;
    let (status, processor_seconds) = loop {
        if !asked && stop.load(Ordering::Relaxed) {
            asked = true;
            end(&mut child);
        }
        if open {
            match told.recv_timeout(LOOK) {
                Ok(text) => {
                    line(&text);
                    continue;
                }
                // It has closed its output, and is about to end.
                Err(RecvTimeoutError::Disconnected) => open = false,
                Err(RecvTimeoutError::Timeout) => {}
            }
        } else {
            thread::sleep(Duration::from_millis(2));
        }
        if let Some(ended) = reap(&mut child)? {
            break ended;
        }
    };
    for text in told {
        line(&text);
    }
    let _ = reader.join();
    Ok(Ended {
        status,
        spent: Spent {
            processor_seconds,
            wall_seconds: began.elapsed().as_secs_f64(),
        },
        stopped: asked,
    })
}

/// In words.
pub(super) fn describe(status: ExitStatus) -> String {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return format!("signal {signal}");
    }
    match status.code() {
        Some(code) => format!("exit status {code}"),
        None => status.to_string(),
    }
}

/// Ctrl-C reaches only who can tell what to stop first; and where that is ended without a word, so is the process: one that
/// goes on would still write into a folder that somebody else goes on with.
#[cfg(unix)]
fn apart(command: &mut Command) {
    use std::os::unix::process::CommandExt;
    command.process_group(0);
    #[cfg(target_os = "linux")]
    {
        let parent = std::process::id();
        let die_with_parent = move || {
            // SAFETY: system calls that take numbers alone, between fork and exec.
            let is_orphan = unsafe {
                libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
                u32::try_from(libc::getppid()) != Ok(parent)
            };
            match is_orphan {
                true => Err(io::ErrorKind::Interrupted.into()),
                false => Ok(()),
            }
        };
        // SAFETY: it allocates nothing and takes no lock.
        unsafe { command.pre_exec(die_with_parent) };
    }
}

#[cfg(not(unix))]
fn apart(_: &mut Command) {}

/// Asks the process to end.
#[cfg(unix)]
fn end(child: &mut Child) {
    // SAFETY: the process has not been waited for, so that its number is nobody else's.
    unsafe { libc::kill(child.id().cast_signed(), libc::SIGTERM) };
}

#[cfg(not(unix))]
fn end(child: &mut Child) {
    let _ = child.kill();
}

/// How the process ended, if it has, and how many seconds of processors it took.
#[cfg(unix)]
fn reap(child: &mut Child) -> io::Result<Option<(ExitStatus, Option<f64>)>> {
    use std::os::unix::process::ExitStatusExt;
    let mut status = 0;
    let mut usage = std::mem::MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: both places are ours, and the process has not been waited for.
    let reaped = unsafe {
        libc::wait4(
            child.id().cast_signed(),
            &mut status,
            libc::WNOHANG,
            usage.as_mut_ptr(),
        )
    };
    match reaped {
        0 => Ok(None),
        -1 => match io::Error::last_os_error() {
            error if error.kind() == io::ErrorKind::Interrupted => Ok(None),
            error => Err(error),
        },
        _ => {
            // SAFETY: of numbers alone, which may hold any bits.
            let usage = unsafe { usage.assume_init() };
            let seconds = |time: libc::timeval| time.tv_sec as f64 + time.tv_usec as f64 / 1e6;
            let spent = seconds(usage.ru_utime) + seconds(usage.ru_stime);
            Ok(Some((ExitStatus::from_raw(status), Some(spent))))
        }
    }
}

#[cfg(not(unix))]
fn reap(child: &mut Child) -> io::Result<Option<(ExitStatus, Option<f64>)>> {
    Ok(child.try_wait()?.map(|status| (status, None)))
}
