//! The files with the best weights of a run: which are its own, and what becomes of others that have their names.

use super::resume::is_same_run;
use crate::config::{self, Config};
use crate::files::{BEST, FileError};
use crate::model::{best_config, live_path};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// Those that the run of `config` has written into `folder`: files that say that they are the best of a run with its settings. No
/// links, for what these lead to is somebody else's.
pub(super) fn own(folder: &Path, config: &Config) -> Vec<PathBuf> {
    let paths = paths(folder).into_iter();
    paths.filter(|path| is_own(path, config)).collect()
}

/// The same of the run that `folder` holds, whatever its settings are; none where these cannot be read.
pub(super) fn own_of_run_in(folder: &Path) -> Vec<PathBuf> {
    let text = fs::read_to_string(folder.join("config.toml")).unwrap_or_default();
    match config::parse_stored(&text, "the run's configuration") {
        Ok(stored) => own(folder, &stored.config),
        Err(_) => Vec::new(),
    }
}

/// Removes files.
///
/// # Errors
/// When one of them stays.
pub(super) fn remove(paths: &[PathBuf]) -> Result<(), FileError> {
    for path in paths {
        match fs::remove_file(path) {
            Err(cause) if cause.kind() != ErrorKind::NotFound => {
                return Err(FileError::new("remove", path, cause));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Moves aside whatever has the names of these files in `folder` and is not [the run's own](own), and says from where and to where.
///
/// # Errors
/// When it cannot be moved.
pub(super) fn move_others_aside(
    folder: &Path,
    config: &Config,
    moved: &mut dyn FnMut(&Path, &Path),
) -> Result<(), FileError> {
    for path in paths(folder) {
        if !is_there(&path) || is_own(&path, config) {
            continue;
        }
        let aside = free_name(&path);
        fs::rename(&path, &aside).map_err(|cause| FileError::new("move aside", &path, cause))?;
        moved(&path, &aside);
    }
    Ok(())
}

/// Averaged and live weights.
fn paths(folder: &Path) -> [PathBuf; 2] {
    let averaged = folder.join(BEST);
    [live_path(&averaged), averaged]
}

fn is_own(path: &Path, config: &Config) -> bool {
    let is_file = fs::symlink_metadata(path).is_ok_and(|about| about.is_file());
    is_file && best_config(path).is_some_and(|of_file| is_same_run(&of_file, config))
}

/// Also a link that leads nowhere.
fn is_there(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok()
}

/// The first of `path`.old, `path`.old-2, `path`.old-3, … that is not there.
fn free_name(path: &Path) -> PathBuf {
    let mut number = 1;
    loop {
        let mut name = path.as_os_str().to_owned();
        name.push(".old");
        if number > 1 {
            name.push(format!("-{number}"));
        }
        let name = PathBuf::from(name);
        if !is_there(&name) {
            return name;
        }
        number += 1;
    }
}
