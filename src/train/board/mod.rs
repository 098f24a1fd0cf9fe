//! What TensorBoard shows of a run (`run.tensorboard`): a file of events for each time that the run begins or goes on.
//!
//! It shows a run and is no part of it: what cannot be written holds nothing up, waits for a while, and is lost aloud.

mod event;
mod record;

use super::metrics::MetricsRow;
use crate::files::{BOARD, FileError, create_subfolder, event_files, event_name};
use crate::method::Diagnostics;
use record::record;
use serde_json::Value;
use std::fs::{File, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Bytes that wait at most.
const MOST_BYTES: usize = 16 << 20;
/// Of what is told at once, as the steps of a long run are, so many bytes are written at a time.
const PIECE: usize = 1 << 20;
/// Between two tries.
const AGAIN: Duration = Duration::from_secs(1);

/// The events of a run since it began or went on.
pub(super) struct Board {
    /// The run's folder.
    folder: PathBuf,
    /// None until one could be created.
    file: Option<Events>,
    /// Whole records that the disk has not taken yet.
    waiting: Vec<u8>,
    /// Events that there was no memory for.
    lost: u64,
    /// When writing failed last, if it has not succeeded since.
    failed: Option<Instant>,
    /// The last steps that it was given metrics, energies and a picture along the way of.
    metrics_of: Option<u64>,
    energies_of: Option<u64>,
    picture_of: Option<u64>,
}

/// A file of events.
struct Events {
    path: PathBuf,
    file: File,
    /// Length of the whole records in it, in bytes.
    len: u64,
}

impl Board {
    /// A new file of events in the run folder `folder`, for the steps behind `rows`, with the settings as `toml`. Where there are no
    /// events yet, it begins with those of the rows.
    pub(super) fn begin(folder: &Path, rows: &[MetricsRow], toml: &str) -> Self {
        let mut board = Board {
            folder: folder.into(),
            file: None,
            waiting: Vec::new(),
            lost: 0,
            failed: None,
            metrics_of: None,
            energies_of: None,
            picture_of: None,
        };
        board.push(&event::version(now()));
        // Markdown shows indented lines as they are.
        let lines = toml.lines().map(|line| format!("    {line}\n"));
        let text = event::text("settings", &lines.collect::<String>());
        if event_files(folder).is_empty() {
            board.add(0, vec![text]);
            board.all_metrics(rows);
        } else {
            let step = rows.len() as u64;
            board.push(&event::start(now(), step));
            board.add(step, vec![text]);
        }
        board
    }

    /// The metrics of the steps before: more than may wait, where these are many.
    fn all_metrics(&mut self, rows: &[MetricsRow]) {
        let mut takes = true;
        for row in rows {
            self.metrics(row);
            // A failure is told of where writing is tried again, which is not for each of the rows.
            if takes && self.waiting.len() >= PIECE {
                takes = self.try_to_write().is_ok();
            }
        }
    }

    /// The metrics of a step, each under its name; those that are absent are left out.
    pub(super) fn metrics(&mut self, row: &MetricsRow) {
        // It may have begun with the row that it is given next.
        if self.metrics_of.replace(row.step) == Some(row.step) {
            return;
        }
        let Ok(Value::Object(row_values)) = serde_json::to_value(row) else {
            return;
        };
        let named = row_values.iter().filter(|(name, _)| *name != "step");
        let values = named.filter_map(|(name, value)| {
            let value = value.as_f64()? as f32;
            Some(event::scalar(&format!("metrics/{name}"), value))
        });
        self.add(row.step, values.collect());
    }

    /// What the chains of a step say of themselves.
    pub(super) fn diagnostics(&mut self, row: &Diagnostics) {
        let worst = row.worst().map(|(_, r_hat)| r_hat as f32);
        let moved = row.moved as f32;
        let values = [
            worst.map(|r_hat| event::scalar("chains/r_hat", r_hat)),
            Some(event::scalar("chains/moved", moved)),
        ];
        self.add(row.step, values.into_iter().flatten().collect());
    }

    /// The picture of the noise of a step.
    pub(super) fn picture(&mut self, step: u64, png: &[u8]) {
        if self.picture_of.replace(step) != Some(step) {
            self.add(
                step,
                event::image("samples/noise", png).into_iter().collect(),
            );
        }
    }

    /// The picture at the end, after so many steps: as their number it is taken back where the run goes on.
    pub(super) fn last_picture(&mut self, steps: u64, png: &[u8]) {
        self.add(
            steps,
            event::image("samples/last", png).into_iter().collect(),
        );
    }

    /// Energies of the samples of a step under the live weights, first of data and then of noise, and log-ratios of the same samples
    /// where there are any.
    pub(super) fn energies(
        &mut self,
        step: u64,
        data: usize,
        energies: &[f32],
        log_ratios: Option<&[f32]>,
    ) {
        if self.energies_of.replace(step) == Some(step) {
            return;
        }
        let mut values = Vec::new();
        for (of, all) in [("energy", Some(energies)), ("log_ratio", log_ratios)] {
            if let Some((of_data, of_noise)) = all.and_then(|all| all.split_at_checked(data)) {
                values.extend(event::histogram(&format!("{of}/data"), of_data));
                values.extend(event::histogram(&format!("{of}/noise"), of_noise));
            }
        }
        self.add(step, values);
    }

    /// Whether somebody has taken its file away.
    pub(super) fn is_gone(&self) -> bool {
        let file = self.file.as_ref();
        file.is_some_and(|events| crate::files::is_gone(&events.file, &events.path))
    }

    /// Writes what waits, or tries to after a while. Says what is the matter when that fails for the first time.
    pub(super) fn write(&mut self) -> Option<String> {
        if self.failed.is_some_and(|at| at.elapsed() < AGAIN) {
            return None;
        }
        match self.try_to_write() {
            Ok(()) => {
                self.failed = None;
                None
            }
            Err(error) => {
                let is_first = self.failed.replace(Instant::now()).is_none();
                is_first.then(|| {
                    format!("{error}. The run goes on, and tries again to tell TensorBoard")
                })
            }
        }
    }

    /// Writes what waits at the end, and says what is lost.
    pub(super) fn end(&mut self) -> Option<String> {
        let written = self.try_to_write();
        let lost = match (written, self.lost) {
            (Ok(()), 0) => return None,
            (Ok(()), lost) => {
                format!("{lost} events are missing, since the disk did not take them")
            }
            (Err(error), _) => error.to_string(),
        };
        Some(format!("TensorBoard does not show all of the run: {lost}"))
    }

    fn try_to_write(&mut self) -> Result<(), FileError> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let events = match &mut self.file {
            Some(events) => events,
            none => none.insert(Events::create(&self.folder)?),
        };
        events.append(&self.waiting)?;
        self.waiting.clear();
        Ok(())
    }

    fn add(&mut self, step: u64, values: Vec<event::Value>) {
        if !values.is_empty() {
            self.push(&event::summary(now(), step, values));
        }
    }

    fn push(&mut self, event: &[u8]) {
        match self.waiting.len() < MOST_BYTES {
            true => self.waiting.extend(record(event)),
            false => self.lost += 1,
        }
    }
}

impl Events {
    fn create(folder: &Path) -> Result<Self, FileError> {
        create_subfolder(&folder.join(BOARD))?;
        // Readers take files in the order of their names, so that they carry the time; but clocks are set back.
        let last = event_files(folder).into_iter().map(|(seconds, _)| seconds);
        let seconds = (now() as u64).max(last.max().map_or(0, |last| last + 1));
        let path = folder.join(BOARD).join(event_name(seconds));
        let file = OpenOptions::new().write(true).create_new(true).open(&path);
        let file = file.map_err(|cause| FileError::new("create", &path, cause))?;
        Ok(Events { path, file, len: 0 })
    }

    /// What has been written before stays whole.
    fn append(&mut self, records: &[u8]) -> Result<(), FileError> {
        if let Err(cause) = self.file.write_all(records) {
            // A full disk may have taken a part. Where the cut fails as well, the cause is still the one to report.
            let _ = self.file.set_len(self.len);
            let _ = self.file.seek(SeekFrom::Start(self.len));
            return Err(FileError::new("append to", &self.path, cause));
        }
        self.len += records.len() as u64;
        Ok(())
    }
}

/// Seconds since 1970.
fn now() -> f64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(0.0, |now| now.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    /// As where it is turned on at a resume, or its files were taken away.
    #[test]
    fn all_steps_of_a_long_run_are_told() {
        let folder = tempfile::tempdir().expect("a folder");
        let row = |step| MetricsRow {
            step,
            ..MetricsRow::default()
        };
        let rows: Vec<MetricsRow> = (0..40_000).map(row).collect();
        let mut board = Board::begin(folder.path(), &rows, "");
        assert!(board.waiting.len() < 2 * PIECE);
        assert_eq!(board.end(), None);
        let files = event_files(folder.path());
        let [(_, path)] = &files[..] else {
            panic!("{files:?}");
        };
        let length = fs::metadata(path).expect("is there").len();
        assert!(
            length > MOST_BYTES as u64,
            "{length} bytes would have waited"
        );

        // Where there is no room the rest is lost, which is said.
        let full = tempfile::tempdir().expect("a folder");
        fs::write(full.path().join(BOARD), "").expect("is written");
        let mut board = Board::begin(full.path(), &rows, "");
        assert!(board.lost > 0 && board.waiting.len() < MOST_BYTES + PIECE);
        assert!(board.write().is_some(), "it is told at once");
    }
}
