//! One writer a run folder.

use super::{FileError, LOCK};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::process;

/// Keeps other processes out of a run folder for as long as it lives. The operating system lets go of it when the process ends,
/// however it ends. On file systems without locks it keeps nobody out.
#[derive(Debug)]
pub(crate) struct RunLock {
    // Locked for as long as it is open.
    file: File,
    /// The process that had the folder before, if it said so.
    before: Option<u32>,
}

impl RunLock {
    /// Takes the run folder `folder`, which exists.
    ///
    /// # Errors
    /// When another process has it, or its lock file cannot be written.
    pub(crate) fn take(folder: &Path) -> Result<Self, FileError> {
        let path = folder.join(LOCK);
        let failed = |cause| FileError::new("write", &path, cause);
        let mut options = OpenOptions::new();
        let options = options.read(true).write(true).create(true).truncate(false);
        let mut file = options.open(&path).map_err(failed)?;
        let is_free = match file.try_lock() {
            Err(TryLockError::WouldBlock) => false,
            // Some file systems of networks have no locks.
            Ok(()) | Err(TryLockError::Error(_)) => true,
        };
        let mut text = String::new();
        // What cannot be read, such as on Windows while it is locked, says nothing.
        let _ = file.read_to_string(&mut text);
        let before = text.trim().parse().ok();
        if !is_free {
            return Err(FileError::Busy {
                path: folder.into(),
                owner: before.map_or_else(String::new, |id: u32| format!(" ({id})")),
            });
        }
        file.set_len(0)
            .and_then(|()| file.seek(SeekFrom::Start(0)))
            .and_then(|_| writeln!(file, "{}", process::id()))
            .map_err(failed)?;
        Ok(RunLock { file, before })
    }

    /// Whether the lock file is no longer in `folder`, so that it keeps nobody out.
    pub(crate) fn is_gone(&self, folder: &Path) -> bool {
        super::is_gone(&self.file, &folder.join(LOCK))
    }

    /// Removes what the process that had the run before left half-written in `folder`.
    pub(crate) fn clean(&self, folder: &Path) {
        if let Some(before) = self.before.filter(|id| *id != process::id()) {
            clean_of(before, folder);
        }
    }

    /// The same of this process, which must not be writing there: it cannot clear away what it was writing to a folder that had
    /// vanished, and that may have come back.
    pub(crate) fn clean_own(&self, folder: &Path) {
        clean_of(process::id(), folder);
    }
}

fn clean_of(id: u32, folder: &Path) {
    let start = format!(".afterimage-{id}-");
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with(&start) && name.ends_with(".tmp") {
            // It is in nobody's way.
            let _ = fs::remove_file(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_has_one_owner_at_a_time() {
        let folder = tempfile::tempdir().expect("a folder");
        let first = RunLock::take(folder.path()).expect("is free");
        let refused = RunLock::take(folder.path()).expect_err("is taken");
        let (text, id) = (refused.to_string(), process::id().to_string());
        assert!(
            text.contains("another process") && text.contains(&id),
            "{text}"
        );
        drop(first);
        RunLock::take(folder.path()).expect("is free again");
    }

    #[test]
    fn what_a_dead_owner_left_unfinished_is_removed_and_nothing_else() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path();
        fs::write(path.join(LOCK), "4194305\n").expect("writes");
        for name in [".afterimage-4194305-0.tmp", ".afterimage-1-0.tmp", "a.png"] {
            fs::write(path.join(name), "").expect("writes");
        }
        let lock = RunLock::take(path).expect("its owner is dead");
        lock.clean(path);
        let names = fs::read_dir(path).expect("reads").flatten();
        let mut names: Vec<_> = names.map(|entry| entry.file_name()).collect();
        names.sort();
        assert_eq!(names, [".afterimage-1-0.tmp", LOCK, "a.png"]);
    }
}
