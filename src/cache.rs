//! The user's cache folder: what takes time to find out and can be found out again.
//!
//! Nothing here fails: a cache that cannot be read is as good as none.

use crate::files::{FileError, write_atomically};
use std::env;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

/// The folder that `AFTERIMAGE_CACHE` names, else our own where the platform wants caches: `$XDG_CACHE_HOME` or `~/.cache` on Linux and the like
/// (<https://specifications.freedesktop.org/basedir-spec/latest/>), `~/Library/Caches` on macOS, `%LOCALAPPDATA%` on
/// Windows. It need not exist. None where the user has no home.
pub fn folder() -> Option<PathBuf> {
    if let Some(folder) = env::var_os("AFTERIMAGE_CACHE").filter(|folder| !folder.is_empty()) {
        return Some(folder.into());
    }
    let named = |variable| {
        env::var_os(variable)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    let home = || env::home_dir().filter(|path| path.is_absolute());
    let caches = if cfg!(windows) {
        named("LOCALAPPDATA")
    } else if cfg!(target_os = "macos") {
        home().map(|home| home.join("Library/Caches"))
    } else {
        named("XDG_CACHE_HOME").or_else(|| home().map(|home| home.join(".cache")))
    };
    caches.map(|caches| caches.join("afterimage"))
}

/// What [`store`] left at `path`; none if it is not there, cannot be read, or is longer than `most_bytes`.
pub fn load(path: &Path, most_bytes: u64) -> Option<Vec<u8>> {
    let read = || -> io::Result<Vec<u8>> {
        let file = File::open(path)?;
        if file.metadata()?.len() > most_bytes {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        let mut bytes = Vec::new();
        file.take(most_bytes).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    match read() {
        Ok(bytes) => Some(bytes),
        Err(cause) => {
            tracing::debug!("no cache in `{}`: {cause}", path.display());
            None
        }
    }
}

/// Leaves `bytes` at `path`, in one step, for later runs, and makes the folder for it. Says whether that was possible;
/// if not, a warning has been logged, once for the whole process.
pub fn store(path: &Path, bytes: &[u8]) -> bool {
    static WARNED: AtomicBool = AtomicBool::new(false);
    let stored = write(path, bytes);
    if let Err(error) = &stored
        && !WARNED.swap(true, Ordering::Relaxed)
    {
        tracing::warn!(
            "{error}; later runs will start more slowly (--no-cache switches caches off)"
        );
    }
    stored.is_ok()
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    if let Some(folder) = path.parent() {
        // A failure shows when the file is written.
        drop(fs::create_dir_all(folder));
    }
    write_atomically(path, bytes)
}
