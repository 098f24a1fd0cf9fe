//! Writing files so that a failure loses nothing: whole files, whole lines, and run folders.

mod lock;

pub(crate) use lock::RunLock;

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};

use crc32fast::Hasher;
use serde::{Deserialize, Serialize, Serializer};

/// The file that every run writes first of all: the mark of a run folder.
const METRICS: &str = "metrics.jsonl";

/// The files that a run, or an evaluation of it, writes directly into its folder, but those of the best weights, which may be
/// somebody else's.
const RUN_FILES: [&str; 17] = [
    "config.toml",
    METRICS,
    "curves.png",
    "diagnostics.jsonl",
    ENERGIES,
    "energies.png",
    "evaluation.json",
    "evaluation.png",
    "landscape.png",
    "neighbours.png",
    RECOVERIES,
    "report.html",
    "samples.png",
    "stability.png",
    "summary.json",
    "traces.npy",
    "training.gif",
];

/// The checkpoint of the step whose chains came nearest to data.
pub(crate) const BEST: &str = "best.safetensors";

/// Energies of data and of noise along the way of a run.
pub(crate) const ENERGIES: &str = "energies.jsonl";

/// How a run went on after it had diverged, each time.
pub(crate) const RECOVERIES: &str = "recoveries.jsonl";

/// The file in `folder` for the metrics of the steps that a run gave up when it went back for the `number`th time, counted from 1.
pub(crate) fn given_up(folder: &Path, number: usize) -> PathBuf {
    folder.join(format!("metrics.given-up-{number}.jsonl"))
}

/// Times that a run may go back.
pub(crate) const MOST_ROLLBACKS: usize = 20;

/// What JSON holds of `path`, which may be other than UTF-8 and then has U+FFFD where it is not: a run is not to end without its summary
/// for the name of its folder.
pub(crate) fn path_as_text<P: AsRef<Path>, S: Serializer>(
    path: &P,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&path.as_ref().display())
}

/// The same of a path that may be missing.
pub(crate) fn maybe_path_as_text<S: Serializer>(
    path: &Option<PathBuf>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match path {
        Some(path) => path_as_text(path, serializer),
        None => serializer.serialize_none(),
    }
}

/// The names of what may be evaluations of the run in `folder` by other data than its own, in order.
pub(crate) fn evaluations_by_others(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    let mut names: Vec<String> = names
        .filter(|name| name.starts_with("evaluation-") && name.ends_with(".json"))
        .collect();
    names.sort();
    names
}

/// The folders that a run fills.
const RUN_SUBFOLDERS: [&str; 2] = ["samples", "checkpoints"];

/// The folder for the snapshots that a run keeps, which it makes when there is one.
pub(crate) const SNAPSHOTS: &str = "snapshots";

/// The folder for the training states of a run, which it makes when there is one.
pub(crate) const STATES: &str = "states";

/// The folder for what TensorBoard shows of a run, which it makes when it is asked for.
pub(crate) const BOARD: &str = "tensorboard";

/// What the names of its files begin with, which TensorBoard demands, and end with, by which they are known to be of this program.
const EVENTS: (&str, &str) = ("events.out.tfevents.", ".afterimage");

/// The name of a file of events that was begun so many seconds after 1970.
pub(crate) fn event_name(seconds: u64) -> String {
    format!("{}{seconds:010}{}", EVENTS.0, EVENTS.1)
}

/// The files of events of the run in `folder`, with the seconds in their names.
pub(crate) fn event_files(folder: &Path) -> Vec<(u64, PathBuf)> {
    let entries = fs::read_dir(folder.join(BOARD)).into_iter().flatten();
    let of = |entry: fs::DirEntry| {
        let name = entry.file_name().into_string().ok()?;
        let seconds = name.strip_prefix(EVENTS.0)?.strip_suffix(EVENTS.1)?;
        Some((seconds.parse().ok()?, entry.path()))
    };
    entries.flatten().filter_map(of).collect()
}

/// The file by whose lock a process has a run folder to itself.
const LOCK: &str = ".lock";

/// Why something could not be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// The operating system refused; `advice` follows from `cause`.
    #[error("cannot {action} `{}` ({cause}): {advice}", .path.display())]
    Io {
        action: &'static str,
        path: PathBuf,
        cause: io::Error,
        advice: &'static str,
    },

    #[error("`{}` names no file: give a path that ends with a file name", .path.display())]
    NoFileName { path: PathBuf },

    #[error(
        "`{}` is a device, pipe or socket, which cannot be replaced by a file: choose another path",
        .path.display()
    )]
    NotAFile { path: PathBuf },

    #[error(
        "cannot write a line of `{}` ({cause}): give a value that JSON can hold", .path.display()
    )]
    NotJson {
        path: PathBuf,
        cause: serde_json::Error,
    },

    #[error(
        "another process{owner} is writing into the run folder `{}`: wait for it to end, or choose another folder",
        .path.display()
    )]
    Busy { path: PathBuf, owner: String },

    #[error(
        "`{}` is not as its run left it ({cause}): put back what was there, or train anew", .path.display()
    )]
    Altered { path: PathBuf, cause: &'static str },

    #[error("the .npy file could not be put together: {0}")]
    Npy(io::Error),

    #[error(
        "the run folder `{}` already holds files: choose another folder with --out, or pass \
         --force to replace the run in it", .path.display()
    )]
    RunFolderNotEmpty { path: PathBuf },

    #[error(
        "`{}` is a file, so it cannot be the run folder: choose another folder with --out",
        .path.display()
    )]
    RunFolderIsFile { path: PathBuf },

    #[error(
        "`{}` holds files but no metrics.jsonl, so it is not a run folder and --force does not \
         clear it: choose another folder with --out", .path.display()
    )]
    NotRunFolder { path: PathBuf },
}

impl FileError {
    pub(crate) fn new(action: &'static str, path: &Path, cause: io::Error) -> Self {
        let advice = match cause.kind() {
            ErrorKind::StorageFull => "free some disk space or choose a path on another disk",
            ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
                "raise the quota or file-size limit, or choose a path on another disk"
            }
            ErrorKind::PermissionDenied => {
                "change its permissions or choose a path that you may write to"
            }
            ErrorKind::ReadOnlyFilesystem => "choose a path on a disk that can be written to",
            ErrorKind::NotFound => "create the folder it lies in, or choose another path",
            ErrorKind::NotADirectory | ErrorKind::AlreadyExists => {
                "a file stands where a folder is needed; move it away or choose another path"
            }
            ErrorKind::IsADirectory => {
                "a folder stands where a file is needed; move it away or choose another path"
            }
            _ => "check the path and the disk, or choose another path",
        };
        FileError::Io {
            action,
            path: path.into(),
            cause,
            advice,
        }
    }
}

/// Writes `bytes` to `path`, replacing what was there, as one step: whoever looks sees the old
/// content or the new, never a part. A symbolic link stays, and the file it leads to is replaced.
///
/// # Errors
/// When the folder is missing, the disk is full, permission is lacking and the like, and when
/// `path` is something else than a file. The old file is then as it was, and no temporary file
/// remains.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    if path.file_name().is_none() {
        return Err(FileError::NoFileName { path: path.into() });
    }
    let failed = |cause| FileError::new("write", path, cause);
    // Asked beforehand, because a rename replaces links and devices as it does files.
    match fs::metadata(path) {
        Ok(about) if about.is_dir() => return Err(failed(ErrorKind::IsADirectory.into())),
        Ok(about) if !about.is_file() => {
            return Err(FileError::NotAFile { path: path.into() });
        }
        _ => {}
    }
    let target = behind_links(path).map_err(failed)?;
    let (mut file, temporary) = Temporary::create(folder_of(&target)).map_err(failed)?;
    file.write_all(bytes)
        .and_then(|()| file.sync_all())
        .map_err(failed)?;
    // Some platforms rename no open file.
    drop(file);
    temporary.rename_to(&target).map_err(failed)?;
    sync_folder(folder_of(&target)).map_err(failed)
}

/// Sees to it that the names in `folder` are on the disk, too.
#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    match File::open(folder).and_then(|folder| folder.sync_all()) {
        // Some file systems sync no folders, and some folders may be written but not read.
        Err(cause)
            if matches!(
                cause.kind(),
                ErrorKind::InvalidInput | ErrorKind::PermissionDenied
            ) =>
        {
            Ok(())
        }
        synced => synced,
    }
}

/// Folders are files on no other platform.
#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

/// The path that `path` stands for once it is no symbolic link itself. It need not exist.
fn behind_links(path: &Path) -> io::Result<PathBuf> {
    /// As many as Linux follows.
    const MOST_LINKS: usize = 40;
    let mut target = path.to_path_buf();
    for _ in 0..MOST_LINKS {
        match fs::read_link(&target) {
            // A relative link starts from the folder it lies in.
            Ok(next) => target = folder_of(&target).join(next),
            // No link, or not there.
            Err(_) => return Ok(target),
        }
    }
    Err(io::Error::other("too many symbolic links"))
}

/// The folder that `path` lies in.
fn folder_of(path: &Path) -> &Path {
    path.parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}

/// A file that is removed when dropped, unless it has been renamed.
struct Temporary {
    path: PathBuf,
    renamed: bool,
}

impl Temporary {
    /// A new, empty file in `folder`. A rename is one step only within one file system, hence not
    /// in the system's folder for temporary files.
    fn create(folder: &Path) -> io::Result<(File, Self)> {
        static COUNTER: AtomicU64 = AtomicU64::new(0);
        loop {
            let number = COUNTER.fetch_add(1, Ordering::Relaxed);
            let path = folder.join(format!(".afterimage-{}-{number}.tmp", process::id()));
            match OpenOptions::new().write(true).create_new(true).open(&path) {
                Ok(file) => {
                    let renamed = false;
                    return Ok((file, Temporary { path, renamed }));
                }
                // Left behind by a killed process that had the same id.
                Err(cause) if cause.kind() == ErrorKind::AlreadyExists => {}
                Err(cause) => return Err(cause),
            }
        }
    }

    fn rename_to(mut self, path: &Path) -> io::Result<()> {
        fs::rename(&self.path, path)?;
        self.renamed = true;
        Ok(())
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if !self.renamed {
            // The error that led here matters more than this one.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// A file of JSON values, one per line (<https://jsonlines.org>).
#[derive(Debug)]
pub struct JsonLines {
    path: PathBuf,
    file: File,
    /// Length of the whole lines, in bytes.
    len: u64,
    /// CRC-32 of these.
    crc32: u32,
}

/// What a [`JsonLines`] held at some time: its length in bytes, and their CRC-32 in eight hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LinesMark {
    pub(crate) bytes: u64,
    pub(crate) crc32: String,
}

impl JsonLines {
    /// An empty file at `path`; what was there is lost.
    ///
    /// # Errors
    /// When the file cannot be created.
    pub fn create(path: &Path) -> Result<Self, FileError> {
        let file = File::create(path).map_err(|e| FileError::new("create", path, e))?;
        Ok(JsonLines {
            path: path.into(),
            file,
            len: 0,
            crc32: 0,
        })
    }

    /// The file at `path`, cut back to what it held at `mark`.
    ///
    /// # Errors
    /// When it cannot be read or written, or does not begin with what it held.
    pub(crate) fn cut_back(path: &Path, mark: &LinesMark) -> Result<Self, FileError> {
        let mut options = OpenOptions::new();
        let file = options.read(true).write(true).open(path);
        let mut file = file.map_err(|e| FileError::new("open", path, e))?;
        let text = marked_lines(&file, path, mark)?;
        file.set_len(mark.bytes)
            .and_then(|()| file.seek(SeekFrom::End(0)))
            .map_err(|e| FileError::new("cut back", path, e))?;
        Ok(JsonLines {
            path: path.into(),
            file,
            len: mark.bytes,
            crc32: crc32fast::hash(text.as_bytes()),
        })
    }

    /// Whether the file is no longer where it was: what is written to it then is lost.
    pub(crate) fn is_gone(&self) -> bool {
        is_gone(&self.file, &self.path)
    }

    /// What it holds now, to be [cut back to](Self::cut_back).
    pub(crate) fn mark(&self) -> LinesMark {
        LinesMark {
            bytes: self.len,
            crc32: crc32_text(self.crc32),
        }
    }

    /// Another handle of the file, by which it can be synced elsewhere.
    ///
    /// # Errors
    /// When the system has no more handles.
    pub(crate) fn handle(&self) -> Result<File, FileError> {
        let handle = self.file.try_clone();
        handle.map_err(|cause| FileError::new("open", &self.path, cause))
    }

    /// Appends `value` as one line, which other programs see once this returns.
    ///
    /// # Errors
    /// When JSON cannot hold the value or the line cannot be written. The lines before it stay
    /// whole, and a later call may succeed.
    pub fn append(&mut self, value: &impl Serialize) -> Result<(), FileError> {
        let mut line = serde_json::to_vec(value).map_err(|cause| FileError::NotJson {
            path: self.path.clone(),
            cause,
        })?;
        line.push(b'\n');
        if let Err(cause) = self.file.write_all(&line) {
            // A full disk may have taken a part of the line. Where the cut fails as well, the
            // cause above is still the one to report.
            let _ = self.file.set_len(self.len);
            let _ = self.file.seek(SeekFrom::Start(self.len));
            return Err(FileError::new("append to", &self.path, cause));
        }
        self.len += line.len() as u64;
        let mut hasher = Hasher::new_with_initial(self.crc32);
        hasher.update(&line);
        self.crc32 = hasher.finalize();
        Ok(())
    }
}

/// Whether `file` is no longer at `path`.
#[cfg(unix)]
pub(crate) fn is_gone(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let (Ok(ours), Ok(theirs)) = (file.metadata(), fs::metadata(path)) else {
        return true;
    };
    (ours.dev(), ours.ino()) != (theirs.dev(), theirs.ino())
}

/// Elsewhere an open file cannot be taken away.
#[cfg(not(unix))]
pub(crate) fn is_gone(_: &File, path: &Path) -> bool {
    !path.exists()
}

/// In eight hexadecimal digits.
pub(crate) fn crc32_text(crc32: u32) -> String {
    format!("{crc32:08x}")
}

/// The lines that the file at `path` held at `mark`.
///
/// # Errors
/// When it cannot be read, or does not begin with them.
pub(crate) fn read_marked(path: &Path, mark: &LinesMark) -> Result<String, FileError> {
    let file = File::open(path).map_err(|e| FileError::new("open", path, e))?;
    marked_lines(&file, path, mark)
}

fn marked_lines(file: &File, path: &Path, mark: &LinesMark) -> Result<String, FileError> {
    let altered = |cause| FileError::Altered {
        path: path.into(),
        cause,
    };
    let mut bytes = Vec::new();
    file.take(mark.bytes)
        .read_to_end(&mut bytes)
        .map_err(|e| FileError::new("read", path, e))?;
    if bytes.len() as u64 != mark.bytes {
        return Err(altered("lines are missing"));
    }
    if crc32_text(crc32fast::hash(&bytes)) != mark.crc32 {
        return Err(altered("its lines are others"));
    }
    String::from_utf8(bytes).map_err(|_| altered("it is no text"))
}

/// The values as an .npy file of this shape.
///
/// # Errors
/// When the shape has another number of values.
pub fn npy(values: &[f32], shape: &[u64]) -> Result<Vec<u8>, FileError> {
    use npyz::WriterBuilder;
    let mut bytes = Vec::new();
    let mut writer = npyz::WriteOptions::new()
        .default_dtype()
        .shape(shape)
        .writer(&mut bytes)
        .begin_nd()
        .map_err(FileError::Npy)?;
    writer
        .extend(values.iter().copied())
        .and_then(|()| writer.finish())
        .map_err(FileError::Npy)?;
    Ok(bytes)
}

/// Creates the first of `path`, `path`-2, `path`-3, … that does not exist, and the folders it lies in. Programs that do so at
/// the same time get one each.
///
/// # Errors
/// When a folder cannot be created.
pub fn create_numbered_folder(path: &Path) -> Result<PathBuf, FileError> {
    let failed = |path: &Path, cause| FileError::new("create the folder", path, cause);
    let parent = folder_of(path);
    fs::create_dir_all(parent).map_err(|cause| failed(parent, cause))?;
    let mut number = 1;
    loop {
        let mut folder = path.as_os_str().to_owned();
        if number > 1 {
            folder.push(format!("-{number}"));
        }
        let folder = PathBuf::from(folder);
        match fs::create_dir(&folder) {
            Ok(()) => return Ok(folder),
            Err(cause) if cause.kind() == ErrorKind::AlreadyExists => number += 1,
            Err(cause) => return Err(failed(&folder, cause)),
        }
    }
}

/// Creates a folder, and those it lies in, where they are not there.
///
/// # Errors
/// When it cannot be created.
pub(crate) fn create_folder(path: &Path) -> Result<(), FileError> {
    fs::create_dir_all(path).map_err(|cause| FileError::new("create the folder", path, cause))
}

/// Creates a folder in one that has to be there: where a disk has gone nothing is to be made in its place.
pub(crate) fn create_subfolder(path: &Path) -> Result<(), FileError> {
    match fs::create_dir(path) {
        Err(cause) if cause.kind() != ErrorKind::AlreadyExists => {
            Err(FileError::new("create the folder", path, cause))
        }
        Ok(()) => sync_folder(folder_of(path)).map_err(|cause| FileError::new("sync", path, cause)),
        Err(_) => Ok(()),
    }
}

/// Removes a folder that was made for a run, unless the run has begun to fill it.
pub fn remove_unused_run_folder(path: &Path) {
    // A folder that holds files stays.
    let subfolders = RUN_SUBFOLDERS.map(|name| path.join(name));
    if !path.join(METRICS).exists() {
        let _ = fs::remove_file(path.join(LOCK));
        for folder in subfolders.iter().map(PathBuf::as_path).chain([path]) {
            let _ = fs::remove_dir(folder);
        }
    }
}

/// Makes `path` a folder for a new run, with the empty folders `samples` and `checkpoints` in it.
///
/// An existing folder must be empty, unless `force` is set and an earlier run has left its metrics
/// there: then what that run may have written is removed, and nothing else. Its best weights stay as well: they are the
/// caller's to remove, who can tell them from others of their name.
///
/// # Errors
/// When the folder holds files or another run is just beginning in it, and `force` is not set, when
/// `path` is a file, or when the folder cannot be created, written to or cleared. Nothing is removed
/// before a file could be written.
pub fn create_run_folder(path: &Path, force: bool) -> Result<(), FileError> {
    let path = if path.as_os_str().is_empty() {
        Path::new(".")
    } else {
        path
    };
    // Asked once: another process may make it meanwhile.
    let found = fs::metadata(path);
    if found.as_ref().is_ok_and(fs::Metadata::is_dir) {
        if !is_empty(path)? {
            if !force {
                return Err(FileError::RunFolderNotEmpty { path: path.into() });
            }
            if !path.join(METRICS).is_file() {
                return Err(FileError::NotRunFolder { path: path.into() });
            }
        }
        probe(path)?;
        if force {
            clear(path)?;
        }
    } else if found.is_ok() {
        return Err(FileError::RunFolderIsFile { path: path.into() });
    }
    fs::create_dir_all(path).map_err(|e| FileError::new("create the folder", path, e))?;
    for folder in RUN_SUBFOLDERS.map(|name| path.join(name)) {
        match fs::create_dir(&folder) {
            // Of an earlier run that is replaced; or of one that found the folder empty at the same time.
            Err(cause) if cause.kind() == ErrorKind::AlreadyExists && folder.is_dir() => {
                if !force {
                    return Err(FileError::RunFolderNotEmpty { path: path.into() });
                }
            }
            made => made.map_err(|e| FileError::new("create the folder", &folder, e))?,
        }
        probe(&folder)?;
    }
    Ok(())
}

/// Makes the run folder `path` and its subfolders anew where they have vanished. The folder that it lies in must be there: where a
/// disk has gone with it, nothing is to be written into its place.
///
/// # Errors
/// When a folder cannot be created.
pub(crate) fn mend_run_folder(path: &Path) -> Result<(), FileError> {
    let subfolders = RUN_SUBFOLDERS.map(|name| path.join(name));
    for folder in [path.to_path_buf()].iter().chain(&subfolders) {
        create_subfolder(folder)?;
    }
    Ok(())
}

fn is_empty(folder: &Path) -> Result<bool, FileError> {
    let mut entries =
        fs::read_dir(folder).map_err(|e| FileError::new("look into the folder", folder, e))?;
    Ok(entries.next().is_none())
}

/// Writes a file into `folder` and removes it, because permission bits do not tell about read-only
/// or full disks.
fn probe(folder: &Path) -> Result<(), FileError> {
    Temporary::create(folder)
        .and_then(|(mut file, _temporary)| file.write_all(b"probe"))
        .map_err(|e| FileError::new("write into the folder", folder, e))
}

/// Removes what a run writes.
fn clear(folder: &Path) -> Result<(), FileError> {
    let remove = |name: &str, how: fn(PathBuf) -> io::Result<()>| {
        let path = folder.join(name);
        match how(path.clone()) {
            Err(cause) if cause.kind() != ErrorKind::NotFound => {
                Err(FileError::new("remove", &path, cause))
            }
            _ => Ok(()),
        }
    };
    for name in RUN_FILES {
        remove(name, fs::remove_file)?;
    }
    for number in 1..=MOST_ROLLBACKS {
        let path = given_up(folder, number);
        match fs::remove_file(&path) {
            Err(cause) if cause.kind() != ErrorKind::NotFound => {
                return Err(FileError::new("remove", &path, cause));
            }
            _ => {}
        }
    }
    for name in evaluations_by_others(folder) {
        // Nobody but an evaluation writes such a file.
        let text = fs::read(folder.join(&name)).unwrap_or_default();
        let found = serde_json::from_slice::<serde_json::Map<_, serde_json::Value>>(&text);
        if found.is_ok_and(|found| found.contains_key("weights_crc32")) {
            remove(&name, fs::remove_file)?;
            let label = name.strip_prefix("evaluation");
            let label = label.and_then(|label| label.strip_suffix(".json"));
            let label = label.unwrap_or_default();
            for picture in ["evaluation", "neighbours", "stability"] {
                remove(&format!("{picture}{label}.png"), fs::remove_file)?;
            }
        }
    }
    for name in RUN_SUBFOLDERS.into_iter().chain([SNAPSHOTS, STATES]) {
        let subfolder = folder.join(name);
        if subfolder.is_symlink() {
            remove(name, fs::remove_file)?;
        } else if subfolder.is_dir() {
            clear_numbered(&subfolder)?;
        }
    }
    if folder.join(BOARD).is_symlink() {
        remove(BOARD, fs::remove_file)?;
    }
    for (seconds, _) in event_files(folder) {
        remove(&format!("{BOARD}/{}", event_name(seconds)), fs::remove_file)?;
    }
    // Only what the next run has is there; a folder that holds anything else stays.
    for name in [SNAPSHOTS, STATES, BOARD] {
        let _ = fs::remove_dir(folder.join(name));
    }
    Ok(())
}

/// The number in the name of a picture, checkpoint, snapshot or state of a run; none in any other name.
pub(crate) fn number_of(name: &str) -> Option<u64> {
    const ENDINGS: [&str; 6] = [
        ".chains.png",
        ".png",
        ".live.safetensors",
        ".chains.safetensors",
        ".safetensors",
        ".json",
    ];
    let stem = ENDINGS.iter().find_map(|ending| name.strip_suffix(ending));
    // A sign would be read, too.
    let digits = stem.filter(|stem| stem.bytes().all(|b| b.is_ascii_digit()));
    digits?.parse().ok()
}

/// Removes the pictures, checkpoints, snapshots and states of a run, which are called after their step, and what a
/// killed run left unfinished.
fn clear_numbered(folder: &Path) -> Result<(), FileError> {
    let failed = |cause| FileError::new("clear the folder", folder, cause);
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or("");
        let numbered = number_of(name).is_some();
        let unfinished = name.starts_with(".afterimage-") && name.ends_with(".tmp");
        if numbered || unfinished {
            fs::remove_file(&path).map_err(|cause| FileError::new("remove", &path, cause))?;
        }
    }
    Ok(())
}
