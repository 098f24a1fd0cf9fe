//! What TensorBoard shows of a run (`run.tensorboard`): a file of events for each time that the run begins or goes on.

mod event;
mod record;

use super::metrics::MetricsRow;
use crate::files::{BOARD, EVENTS, FileError, create_subfolder};
use crate::method::Diagnostics;
use record::record;
use serde_json::Value;
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// Bytes that wait at most; a disk that takes nothing for as long ends the run.
const MOST_BYTES: usize = 64 << 20;

/// The events of a run since it began or went on.
pub(super) struct Board {
    path: PathBuf,
    file: File,
    /// Length of the whole records in the file, in bytes.
    len: u64,
    /// Whole records that the disk has not taken yet.
    waiting: Vec<u8>,
}

impl Board {
    /// A new file of events in the run folder `folder`, for the steps from `step` on, with the settings as `toml`.
    ///
    /// # Errors
    /// When it cannot be created or written.
    pub(super) fn begin(folder: &Path, step: u64, toml: &str) -> Result<Self, FileError> {
        create_subfolder(&folder.join(BOARD))?;
        // Readers take files in the order of their names, so that they carry the time.
        let mut seconds = now() as u64;
        let (path, file) = loop {
            let path = folder.join(BOARD).join(name(seconds));
            let mut options = OpenOptions::new();
            match options.write(true).create_new(true).open(&path) {
                Err(cause) if cause.kind() == ErrorKind::AlreadyExists => seconds += 1,
                Err(cause) => return Err(FileError::new("create", &path, cause)),
                Ok(file) => break (path, file),
            }
        };
        let mut board = Board {
            path,
            file,
            len: 0,
            waiting: Vec::new(),
        };
        board.push(&event::version(now()));
        board.push(&event::start(now(), step));
        // Markdown shows indented lines as they are.
        let lines = toml.lines().map(|line| format!("    {line}\n"));
        let text = event::text("settings", &lines.collect::<String>());
        board.push(&event::summary(now(), step, vec![text]));
        board.settle()?;
        Ok(board)
    }

    /// The metrics of a step, each under its name; those that are absent are left out.
    ///
    /// # Errors
    /// When they cannot be written: they wait from then on.
    pub(super) fn metrics(&mut self, row: &MetricsRow) -> Result<(), FileError> {
        let Ok(Value::Object(row_values)) = serde_json::to_value(row) else {
            return Ok(());
        };
        let named = row_values.iter().filter(|(name, _)| *name != "step");
        let values = named.filter_map(|(name, value)| {
            let value = value.as_f64()? as f32;
            Some(event::scalar(&format!("metrics/{name}"), value))
        });
        self.add(row.step, values.collect())
    }

    /// What the chains of a step say of themselves.
    ///
    /// # Errors
    /// As for [`Self::metrics`].
    pub(super) fn diagnostics(&mut self, row: &Diagnostics) -> Result<(), FileError> {
        let worst = row.worst().map(|(_, r_hat)| r_hat as f32);
        let moved = row.moved as f32;
        let values = [
            worst.map(|r_hat| event::scalar("chains/r_hat", r_hat)),
            Some(event::scalar("chains/moved", moved)),
        ];
        self.add(row.step, values.into_iter().flatten().collect())
    }

    /// The picture after a step.
    ///
    /// # Errors
    /// As for [`Self::metrics`].
    pub(super) fn picture(&mut self, step: u64, png: &[u8]) -> Result<(), FileError> {
        self.add(step, event::image("samples", png).into_iter().collect())
    }

    /// Energies of the samples of a step under the live weights, first of data and then of noise, and log-ratios of the same samples
    /// where there are any.
    ///
    /// # Errors
    /// As for [`Self::metrics`].
    pub(super) fn energies(
        &mut self,
        step: u64,
        data: usize,
        energies: &[f32],
        log_ratios: Option<&[f32]>,
    ) -> Result<(), FileError> {
        let mut values = Vec::new();
        for (of, all) in [("energy", Some(energies)), ("log_ratio", log_ratios)] {
            if let Some((of_data, of_noise)) = all.and_then(|all| all.split_at_checked(data)) {
                values.extend(event::histogram(&format!("{of}/data"), of_data));
                values.extend(event::histogram(&format!("{of}/noise"), of_noise));
            }
        }
        self.add(step, values)
    }

    /// Whether events wait to be written.
    pub(super) fn is_behind(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Writes what waits, into a new file where the old one has been taken away.
    ///
    /// # Errors
    /// When that is still not possible. What has been written is whole.
    pub(super) fn settle(&mut self) -> Result<(), FileError> {
        if crate::files::is_gone(&self.file, &self.path) {
            create_subfolder(self.path.parent().unwrap_or(Path::new(".")))?;
            let file = File::create(&self.path);
            self.file = file.map_err(|cause| FileError::new("create", &self.path, cause))?;
            self.len = 0;
            let version = record(&event::version(now()));
            self.waiting.splice(0..0, version);
        }
        if let Err(cause) = self.file.write_all(&self.waiting) {
            // A full disk may have taken a part. Where the cut fails as well, the cause is still the one to report.
            let _ = self.file.set_len(self.len);
            let _ = self.file.seek(SeekFrom::Start(self.len));
            return Err(FileError::new("append to", &self.path, cause));
        }
        self.len += self.waiting.len() as u64;
        self.waiting.clear();
        Ok(())
    }

    /// Whether there is memory for more to wait.
    pub(super) fn has_room(&self) -> bool {
        self.waiting.len() <= MOST_BYTES
    }

    fn add(&mut self, step: u64, values: Vec<event::Value>) -> Result<(), FileError> {
        if values.is_empty() {
            return Ok(());
        }
        let waits = self.is_behind();
        self.push(&event::summary(now(), step, values));
        // What waits is tried again in its time.
        if waits { Ok(()) } else { self.settle() }
    }

    fn push(&mut self, event: &[u8]) {
        self.waiting.extend(record(event));
    }
}

fn name(seconds: u64) -> String {
    format!("{}{seconds:010}{}", EVENTS.0, EVENTS.1)
}

/// Seconds since 1970.
fn now() -> f64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(0.0, |now| now.as_secs_f64())
}
