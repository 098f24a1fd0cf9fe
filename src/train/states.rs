//! The training states in the folder of a run: `states/NNNNNN.safetensors` with the buffers, and `states/NNNNNN.json`, the manifest,
//! which is written last and says what belongs to them.

use super::recovery::Recovery;
use super::state::TrainingState;
use crate::checkpoint::{read_words_file, words_file};
use crate::config;
use crate::data::{DataRecord, Scaling};
use crate::files::{FileError, LinesMark, STATES, crc32_text, create_subfolder, write_atomically};
use crate::kernels::{MIXTURE_DIRECTIONS, MIXTURE_LAW, MixtureLaw, SAMPLER_CONTROL};
use crate::method::{AVERAGED_PARAMETERS, Diagnostics, LIVE_PARAMETERS, Traces};
use crate::model::Model;
use crate::network::ChosenKernels;
use crate::shape::Shape;
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What a manifest calls itself, ...
const FORMAT: &str = "afterimage training state";
/// ... and what changes whenever a program could misread one of another version. Version 1 had no recoveries,
/// and version 2 no best weights.
const VERSION: u32 = 3;
/// What averaged and live weights of the best step so far are called among the buffers.
const BEST_WEIGHTS: [&str; 2] = ["best averaged parameters", "best live parameters"];

/// All that belongs to a state but its buffers.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Manifest {
    /// Optimiser steps done.
    pub(super) step: u64,
    /// The program that took it.
    pub(super) program: String,
    /// The adapter that it was computed on: on another one the run does not have the same bits.
    pub(super) adapter: String,
    /// The layer kernels, and why they: what the configuration does not say.
    #[serde(default)]
    pub(super) kernels: Option<ChosenKernels>,
    /// The configuration, as TOML.
    pub(super) config: String,
    /// What the data were made of; none of a generated set.
    pub(super) data: Option<DataRecord>,
    /// The shape of a sample: channels, height, width.
    pub(super) shape: [usize; 3],
    /// How raw data values map to the network's.
    pub(super) scaling: Scaling,
    /// What the run had written of its metrics, ...
    pub(super) metrics: LinesMark,
    /// ... of its diagnostics, where it writes any, ...
    pub(super) diagnostics: Option<LinesMark>,
    /// ... and of the energies along the way. Programs that wrote none of these cut nothing off, and misread nothing.
    #[serde(default)]
    pub(super) energies: Option<LinesMark>,
    /// The last line of these.
    pub(super) last_diagnosis: Option<Diagnostics>,
    /// What that was told from, where the run keeps it.
    pub(super) traces: Option<Traces>,
    /// Whether there are pictures.
    pub(super) pictures: bool,
    /// The step of the last snapshot that was kept.
    pub(super) last_snapshot: Option<u64>,
    /// The step of the best figure so far, which its metrics say; its weights are among the buffers.
    #[serde(default)]
    pub(super) best: Option<u64>,
    /// How the run went on after it had diverged, each time.
    #[serde(default)]
    pub(super) recoveries: Vec<Recovery>,
    /// Whether a run that diverges may go back to it: not to one whose step depends on the clock.
    #[serde(default)]
    pub(super) is_waymark: bool,
    /// The file with the buffers.
    pub(super) buffers: FileMark,
}

/// What a whole file holds: its length in bytes, and their CRC-32 in eight hexadecimal digits.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct FileMark {
    bytes: u64,
    crc32: String,
}

impl FileMark {
    fn of(bytes: &[u8]) -> Self {
        FileMark {
            bytes: bytes.len() as u64,
            crc32: crc32_text(crc32fast::hash(bytes)),
        }
    }
}

/// The part of a manifest's file that every version has.
#[derive(Deserialize)]
struct Head {
    format: String,
    version: u32,
    crc32: String,
}

/// Why a state cannot be used.
pub(super) enum Unusable {
    /// Older ones may be whole.
    Damaged(String),
    /// Of another version.
    Version(u32),
    /// Nothing is known of it, since the disk did not give it.
    Unreadable(FileError),
}

impl Unusable {
    /// What could not be read at `path`. That there is nothing is damage; a disk that fails may give it later.
    fn unread(path: &Path, cause: io::Error) -> Self {
        match cause.kind() {
            ErrorKind::NotFound | ErrorKind::InvalidData => Unusable::Damaged(cause.to_string()),
            _ => Unusable::Unreadable(FileError::new("read", path, cause)),
        }
    }
}

impl From<FileError> for Unusable {
    fn from(error: FileError) -> Self {
        match error {
            FileError::Io { ref cause, .. } if cause.kind() != ErrorKind::NotFound => {
                Unusable::Unreadable(error)
            }
            _ => Unusable::Damaged(error.to_string()),
        }
    }
}

/// How many states stay when another one is written: the newest ones, ...
#[derive(Clone, Copy)]
pub(super) struct Keep {
    pub(super) newest: usize,
    /// ... and of those that a run may go back to the newest, and the one before the first step.
    pub(super) waymarks: usize,
}

/// Writes a state into the folder of `run`, after all of `before` is on the disk, and removes all states that are not to be kept.
/// Gives the path of its manifest. Until that is there, the states before it are; and so is one after as many steps with the same
/// buffers, of which only the manifest is another one.
///
/// # Errors
/// When something cannot be written. What was there stays.
pub(super) fn save(
    run: &Path,
    state: &TrainingState,
    mut manifest: Manifest,
    before: &[File],
    keep: Keep,
) -> Result<PathBuf, FileError> {
    let folder = run.join(STATES);
    create_subfolder(&folder)?;
    let (buffers, path) = paths(&folder, manifest.step);
    let failed = |action, cause| FileError::new(action, &path, cause);
    for file in before {
        let synced = file.sync_all();
        synced.map_err(|cause| failed("sync what comes before", cause))?;
    }
    let put_together =
        |cause: &dyn ToString| failed("put together", io::Error::other(cause.to_string()));
    let of_device = state.buffers().iter();
    let of_device = of_device.map(|(name, words)| (name.as_str(), words.as_slice()));
    let best = state.best().into_iter().flatten();
    let best = BEST_WEIGHTS.into_iter().zip(best.map(Vec::as_slice));
    let bytes = words_file(of_device.chain(best)).map_err(|cause| put_together(&cause))?;
    manifest.buffers = FileMark::of(&bytes);
    let is_there = fs::read(&buffers).is_ok_and(|found| found == bytes);
    if !is_there {
        // One of this step that is there is another run's: without its manifest it is none.
        remove(&path);
        write_atomically(&buffers, &bytes)?;
    }
    drop(bytes);
    let manifest = serde_json::to_string(&manifest).map_err(|cause| put_together(&cause))?;
    if let Err(error) = write_atomically(&path, enveloped(&manifest).as_bytes()) {
        if !is_there {
            // They are none without it, and the disk may be full.
            remove(&buffers);
        }
        return Err(error);
    }
    prune(run, keep);
    Ok(path)
}

/// The text of a manifest's file: what [`Head`] reads, with the checksum of the manifest, and that itself.
fn enveloped(manifest: &str) -> String {
    let crc32 = crc32_text(crc32fast::hash(manifest.as_bytes()));
    format!(
        "{{\"format\":\"{FORMAT}\",\"version\":{VERSION},\"crc32\":\"{crc32}\",\n\"state\":{manifest}}}\n"
    )
}

/// The state whose manifest is at `path`.
pub(super) fn load(path: &Path) -> Result<(TrainingState, Manifest), Unusable> {
    let damaged = |what: &dyn ToString| Unusable::Damaged(what.to_string());
    let manifest = read_manifest(path)?;
    let buffers = path.with_extension("safetensors");
    // Before it is read: a file that has grown may not fit into memory.
    let length = fs::metadata(&buffers)
        .map_err(|cause| Unusable::unread(&buffers, cause))?
        .len();
    if length != manifest.buffers.bytes {
        let what = format!(
            "its buffers have {length} bytes of {}",
            manifest.buffers.bytes
        );
        return Err(damaged(&what));
    }
    let bytes = fs::read(&buffers).map_err(|cause| Unusable::unread(&buffers, cause))?;
    if FileMark::of(&bytes) != manifest.buffers {
        return Err(damaged(&"its buffers are not as they were written"));
    }
    let mut buffers = read_words_file(&bytes).map_err(|cause| damaged(&cause))?;
    let mut of_best = |name| buffers.remove(name).unwrap_or_default();
    let best = manifest.best.map(|_| BEST_WEIGHTS.map(&mut of_best));
    let state = TrainingState::new(manifest.step, buffers, manifest.traces.clone());
    let state = match best {
        Some(words) => state.with_best(words),
        None => state,
    };
    Ok((state, manifest))
}

/// The manifest at `path`.
fn read_manifest(path: &Path) -> Result<Manifest, Unusable> {
    let damaged = |what: &dyn ToString| Unusable::Damaged(what.to_string());
    let text = fs::read_to_string(path).map_err(|cause| Unusable::unread(path, cause))?;
    let head: Head =
        serde_json::from_str(&text).map_err(|_| damaged(&"its manifest is no manifest"))?;
    if head.format != FORMAT {
        return Err(damaged(&"its manifest is no manifest"));
    }
    if !(1..=VERSION).contains(&head.version) {
        return Err(Unusable::Version(head.version));
    }
    let manifest = text
        .split_once("\n\"state\":")
        .and_then(|(_, rest)| rest.strip_suffix("}\n"))
        .filter(|manifest| crc32_text(crc32fast::hash(manifest.as_bytes())) == head.crc32)
        .ok_or_else(|| damaged(&"its manifest is not as it was written"))?;
    serde_json::from_str(manifest).map_err(|cause| damaged(&cause))
}

/// Whether a run may go back to the state whose manifest is at `path`.
pub(super) fn is_waymark(path: &Path) -> bool {
    read_manifest(path).is_ok_and(|manifest| manifest.is_waymark)
}

/// The model in the newest whole training state of the run in the folder `run`; none where there is none. Runs that end by
/// themselves, or are stopped, leave it as a checkpoint.
pub fn interrupted_model(run: &Path) -> Option<Model> {
    let states = manifests(run).into_iter();
    states
        .filter_map(|path| load(&path).ok())
        .find_map(|(state, manifest)| model_in(&state, manifest))
}

/// The model in a state; none where its parts do not go together, or a weight is not finite, which no checkpoint holds.
fn model_in(state: &TrainingState, manifest: Manifest) -> Option<Model> {
    let config = config::parse_stored(&manifest.config, "the run's configuration")
        .ok()?
        .config;
    let parameters = |name: &str| -> Vec<f32> {
        state
            .words(name)
            .iter()
            .map(|&word| f32::from_bits(word))
            .collect()
    };
    let (average, live) = (parameters(AVERAGED_PARAMETERS), parameters(LIVE_PARAMETERS));
    if !average.iter().chain(&live).all(|value| value.is_finite()) {
        return None;
    }
    let [channels, height, width] = manifest.shape;
    let shape = Shape::new(channels, height, width);
    let model = Model::new(config, shape, manifest.scaling, average, manifest.step);
    let mut model = model.and_then(|model| model.with_live(live)).ok()?;
    if let Some(size) = model.mixture_size() {
        let (law, directions) = (state.words(MIXTURE_LAW), state.words(MIXTURE_DIRECTIONS));
        let mixture = MixtureLaw::read(size, law, directions)?;
        model = model.with_mixture(Some(Arc::new(mixture)));
    }
    if let Some(&step_size) = state.words(SAMPLER_CONTROL).first() {
        let step_size = f32::from_bits(step_size);
        if !(step_size > 0.0 && step_size.is_finite()) {
            return None;
        }
        model = model.with_step_size(step_size);
    }
    Some(match manifest.data {
        Some(record) => model.with_data_record(record),
        None => model,
    })
}

/// The manifests in the folder of `run`, newest first.
pub(super) fn manifests(run: &Path) -> Vec<PathBuf> {
    let found = numbered_manifests(run).into_iter();
    found.map(|(_, path)| path).collect()
}

/// The same with the steps before each.
pub(super) fn numbered_manifests(run: &Path) -> Vec<(u64, PathBuf)> {
    let entries = fs::read_dir(run.join(STATES)).into_iter().flatten();
    let mut found: Vec<(u64, PathBuf)> = entries
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            let is_manifest = path.extension()? == "json";
            let step = path.file_stem()?.to_str()?.parse().ok()?;
            is_manifest.then_some((step, path))
        })
        .collect();
    found.sort_unstable_by(|a, b| b.cmp(a));
    found
}

/// Removes all states of `run` that are not to be kept. What cannot be removed stays, in nobody's way.
pub(super) fn prune(run: &Path, keep: Keep) {
    let mut waymarks = 0;
    for (place, (step, manifest)) in numbered_manifests(run).into_iter().enumerate() {
        let is_waymark = keep.waymarks > 0 && is_waymark(&manifest);
        waymarks += usize::from(is_waymark);
        let is_way_back = is_waymark && (step == 0 || waymarks <= keep.waymarks);
        if is_way_back || place < keep.newest.max(1) {
            continue;
        }
        // Buffers without a manifest are no state; a manifest without its buffers would be a damaged one.
        remove(&manifest);
        remove(&manifest.with_extension("safetensors"));
    }
    remove_buffers_alone(run);
}

/// Removes buffers without a manifest, which a process that was killed has left.
fn remove_buffers_alone(run: &Path) {
    for entry in fs::read_dir(run.join(STATES))
        .into_iter()
        .flatten()
        .flatten()
    {
        let path = entry.path();
        let is_buffers = path
            .extension()
            .is_some_and(|ending| ending == "safetensors");
        if is_buffers && !path.with_extension("json").exists() {
            remove(&path);
        }
    }
}

/// Removes all states of `run` after `step`, which are of another course of it.
pub(super) fn remove_after(run: &Path, step: u64) {
    remove_buffers_alone(run);
    for (of, manifest) in numbered_manifests(run) {
        if of > step {
            remove(&manifest);
            remove(&manifest.with_extension("safetensors"));
        }
    }
}

fn remove(path: &Path) {
    let _ = fs::remove_file(path);
}

/// Of the buffers and the manifest of the state after `step` steps.
fn paths(folder: &Path, step: u64) -> (PathBuf, PathBuf) {
    let path = |ending| folder.join(format!("{step:06}.{ending}"));
    (path("safetensors"), path("json"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn manifest(step: u64, is_waymark: bool, program: &str) -> Manifest {
        Manifest {
            step,
            program: program.into(),
            adapter: String::new(),
            kernels: None,
            config: String::new(),
            data: None,
            shape: [1, 1, 2],
            scaling: Scaling {
                scale: 1.0,
                offset: 0.0,
                low: -1.0,
                high: 1.0,
                raw: None,
            },
            metrics: LinesMark {
                bytes: 0,
                crc32: String::new(),
            },
            diagnostics: None,
            energies: None,
            last_diagnosis: None,
            traces: None,
            pictures: false,
            last_snapshot: None,
            best: None,
            recoveries: Vec::new(),
            is_waymark,
            buffers: FileMark::default(),
        }
    }

    fn state(step: u64, word: u32) -> TrainingState {
        let buffers = BTreeMap::from([("a buffer".to_owned(), vec![word; 10])]);
        TrainingState::new(step, buffers, None)
    }

    const ALL: Keep = Keep {
        newest: 100,
        waymarks: 0,
    };

    #[test]
    fn the_ways_back_stay_beside_the_newest() {
        let run = tempfile::tempdir().unwrap();
        let keep = Keep {
            newest: 1,
            waymarks: 2,
        };
        for step in 0..8 {
            let manifest = manifest(step, step % 2 == 0, "");
            save(run.path(), &state(step, 1), manifest, &[], keep).unwrap();
        }
        let left = |keep| {
            prune(run.path(), keep);
            let left = numbered_manifests(run.path()).into_iter();
            left.map(|(step, _)| step).collect::<Vec<_>>()
        };
        assert_eq!(left(keep), [7, 6, 4, 0]);
        let last = Keep {
            newest: 1,
            waymarks: 0,
        };
        assert_eq!(left(last), [7]);
    }

    #[cfg(unix)]
    #[test]
    fn a_state_with_the_same_buffers_is_there_all_the_time() {
        use std::os::unix::fs::MetadataExt;
        let run = tempfile::tempdir().unwrap();
        let saved = |word, program| {
            let manifest = manifest(4, false, program);
            let path = save(run.path(), &state(4, word), manifest, &[], ALL).unwrap();
            let Ok((state, manifest)) = load(&path) else {
                panic!("it is whole");
            };
            assert_eq!(state.words("a buffer"), [word; 10]);
            assert_eq!(manifest.program, program);
            let buffers = fs::metadata(path.with_extension("safetensors"));
            buffers.unwrap().ino()
        };
        let first = saved(1, "one");
        assert_eq!(saved(1, "two"), first, "the buffers were written again");
        assert_ne!(saved(2, "three"), first);
    }

    /// Buffers of the device with the best weights among them, and a manifest that knows of these or of none.
    #[test]
    fn the_best_weights_come_back_and_older_states_have_none() {
        let run = tempfile::tempdir().unwrap();
        let best = Manifest {
            best: Some(3),
            ..manifest(4, false, "")
        };
        let with_best = state(4, 7).with_best([vec![1, 2, 3], vec![4, 5, 6]]);
        let path = save(run.path(), &with_best, best, &[], ALL).unwrap();
        let Ok((found, _)) = load(&path) else {
            panic!("it is whole");
        };
        assert_eq!(found, with_best);
        assert_eq!(found.buffers().len(), 1);

        let path = save(run.path(), &state(5, 7), manifest(5, false, ""), &[], ALL).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        let (_, of_state) = text.split_once("\"state\":").unwrap();
        let older = of_state.strip_suffix("}\n").unwrap();
        let older = enveloped(&older.replace("\"best\":null,", ""));
        assert!(!older.contains("best"));
        fs::write(&path, older.replace("\"version\":3", "\"version\":2")).unwrap();
        let Ok((found, manifest)) = load(&path) else {
            panic!("it is whole");
        };
        assert_eq!((found, manifest.best), (state(5, 7), None));
    }
}
