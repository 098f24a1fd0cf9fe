//! One writer a run folder.

use super::{FileError, LOCK};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process;
use std::thread;
use std::time::Duration;

/// Tries to take a lock, and the time between two.
const TRIES: u32 = 5;
const BETWEEN_TRIES: Duration = Duration::from_millis(20);

/// Keeps other processes out of a run folder for as long as it lives. The operating system lets go of it when the process ends,
/// however it ends. On file systems without locks it keeps nobody out.
#[derive(Debug)]
pub(crate) struct RunLock {
    // Locked for as long as it is open.
    file: File,
    /// The processes that had the folder before, as far as what they left has not been cleared away.
    before: Vec<u32>,
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
        // Whoever only looks whether it is taken holds it for a moment.
        let is_free = (0..TRIES).any(|tried| {
            if tried > 0 {
                thread::sleep(BETWEEN_TRIES);
            }
            // Some file systems of networks have no locks.
            !matches!(file.try_lock(), Err(TryLockError::WouldBlock))
        });
        let mut text = String::new();
        // What cannot be read, such as on Windows while it is locked, says nothing.
        let _ = file.read_to_string(&mut text);
        let before: Vec<u32> = text
            .lines()
            .filter_map(|id| id.trim().parse().ok())
            .collect();
        if !is_free {
            let owner = before.last();
            return Err(FileError::Busy {
                path: folder.into(),
                owner: owner.map_or_else(String::new, |id| format!(" ({id})")),
            });
        }
        // Behind the others: a process may be killed before it has cleared away after them.
        file.seek(SeekFrom::End(0))
            .and_then(|_| writeln!(file, "{}", process::id()))
            .map_err(failed)?;
        Ok(RunLock { file, before })
    }

    /// Whether a process has the run folder `folder`, as far as the file system tells.
    pub(crate) fn is_held(folder: &Path) -> bool {
        let file = File::open(folder.join(LOCK));
        file.is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
    }

    /// Whether the lock file is no longer in `folder`, so that it keeps nobody out.
    pub(crate) fn is_gone(&self, folder: &Path) -> bool {
        super::is_gone(&self.file, &folder.join(LOCK))
    }

    /// Removes what the processes that had the run before left half-written in `folders`, which are all that there are.
    pub(crate) fn clean(&mut self, folders: impl Iterator<Item = PathBuf>) {
        for folder in folders {
            for id in self.before.iter().filter(|id| **id != process::id()) {
                clean_of(*id, &folder);
            }
        }
        self.before.clear();
        // Where that fails, they are looked for once more the next time.
        let _ = self
            .file
            .set_len(0)
            .and_then(|()| self.file.seek(SeekFrom::Start(0)))
            .and_then(|_| writeln!(self.file, "{}", process::id()));
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
        assert!(RunLock::is_held(folder.path()));
        let refused = RunLock::take(folder.path()).expect_err("is taken");
        let (text, id) = (refused.to_string(), process::id().to_string());
        assert!(
            text.contains("another process") && text.contains(&id),
            "{text}"
        );
        drop(first);
        assert!(!RunLock::is_held(folder.path()));
        RunLock::take(folder.path()).expect("is free again");
    }

    #[test]
    fn what_a_dead_owner_left_unfinished_is_removed_and_nothing_else() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path();
        fs::write(path.join(LOCK), "4194304\n4194305\n").expect("writes");
        for name in [
            ".afterimage-4194304-0.tmp",
            ".afterimage-4194305-7.tmp",
            ".afterimage-1-0.tmp",
            "a.png",
        ] {
            fs::write(path.join(name), "").expect("writes");
        }
        // One that is killed at once leaves it to the next.
        drop(RunLock::take(path).expect("its owner is dead"));
        let mut lock = RunLock::take(path).expect("its owner is gone");
        lock.clean([path.to_path_buf()].into_iter());
        let text = fs::read_to_string(path.join(LOCK)).expect("reads");
        assert_eq!(text, format!("{}\n", process::id()));
        let names = fs::read_dir(path).expect("reads").flatten();
        let mut names: Vec<_> = names.map(|entry| entry.file_name()).collect();
        names.sort();
        assert_eq!(names, [".afterimage-1-0.tmp", LOCK, "a.png"]);
    }
}
