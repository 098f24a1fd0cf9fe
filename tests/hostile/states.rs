//! Runs whose training state is damaged, or made to do damage, with checksums that agree all the same.

use crate::account::uncounted;
use crate::{common, corpus, hand_out, same};
use afterimage::config;
use afterimage::data;
use afterimage::train::{self, Interrupted, Trainer, interrupted_model};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use tempfile::TempDir;

/// Two steps of a run whose state has all kinds of buffers and of notes, and that takes no time.
const SETTINGS: &[&str] = &[
    "network.layers=[{dense=8},{dense=1}]",
    "run.steps=2",
    "run.figure_every=1",
    "run.batch=8",
    "objective.noise_ratio=1",
    "snapshot.interval=adaptive",
    "sampler.kind=mala",
    "sampler.steps=4",
    "sampler.buffer=16",
    "sampler.diagnose=1",
    "sampler.traces=true",
    "sampler.probe=0",
    "run.sample_every=2",
    "run.sample_steps=1",
    "run.samples=4",
    "run.checkpoint_seconds=1000",
];

/// A valid run after so many tries at going on with it does so, in a copy.
const EVERY: u32 = 64;

/// A run that was interrupted, whose only state is to be changed, and a trainer that is to go on from it.
struct Run {
    folder: TempDir,
    manifest: PathBuf,
    trainer: Trainer,
    /// The configuration of the trainer.
    config: String,
    valid: u32,
}

impl Run {
    fn new() -> Self {
        let sets: Vec<String> = SETTINGS.iter().map(|set| (*set).to_owned()).collect();
        let config = config::load("moons", &sets).unwrap();
        let data = data::open(&config.data.options(), config.run.seed).unwrap();
        let mut trainer = Trainer::new(common::executor(false), &config, data).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let run = folder.path().join("run");
        let never = AtomicBool::new(false);
        train::run(&mut trainer, &config, &run, false, &never, &mut |_| {}).unwrap();
        let manifest = run.join("states/000002.json");
        // Older ones would be taken in its place where it is damaged.
        for entry in fs::read_dir(run.join("states")).unwrap() {
            let path = entry.unwrap().path();
            if path.file_stem() != manifest.file_stem() {
                fs::remove_file(path).unwrap();
            }
        }
        // A finished run is not gone on with.
        fs::remove_file(run.join("summary.json")).unwrap();
        let run = Run {
            folder,
            manifest,
            trainer,
            config: config::to_toml(&config),
            valid: 0,
        };
        // Comments would take most of the changes.
        run.change("config", |text| {
            let lines = text.as_str().unwrap().lines();
            let settings: Vec<&str> = lines
                .filter(|line| !line.is_empty() && !line.trim_start().starts_with('#'))
                .collect();
            *text = settings.join("\n").into();
        });
        // As if it had diverged before.
        run.change("recoveries", |recoveries| {
            *recoveries = json!([{ "step": 1, "what": "it", "back_to": 0, "rate_share": 0.5 }]);
        });
        run
    }

    fn folder(&self) -> PathBuf {
        self.folder.path().join("run")
    }

    /// Changes an entry of the manifest, whose checksum agrees then.
    fn change(&self, key: &str, change: impl FnOnce(&mut Value)) {
        let text = fs::read(&self.manifest).unwrap();
        let mut manifest: Value = serde_json::from_slice(&text).unwrap();
        change(&mut manifest["state"][key]);
        let state = manifest["state"].to_string();
        let text = format!(
            "{{\"format\":{},\"version\":{},\"crc32\":\"00000000\",\n\"state\":{state}}}\n",
            manifest["format"], manifest["version"]
        );
        fs::write(&self.manifest, corpus::with_own_checksum(text.into())).unwrap();
    }

    /// Marks a file with these bytes in the manifest under `key`.
    fn mark(&self, key: &str, bytes: &[u8]) {
        self.change(key, |mark| {
            let crc32 = format!("{:08x}", crc32fast::hash(bytes));
            *mark = json!({ "bytes": bytes.len(), "crc32": crc32 });
        });
    }

    /// Goes on from what is there, as far as it lets itself.
    fn go_on(&mut self) -> Result<(), String> {
        let folder = self.folder();
        // Every process that takes it leaves its number there, until one goes on.
        let _ = fs::remove_file(folder.join(".lock"));
        if let Some(model) = interrupted_model(&folder) {
            assert!(model.parameters().iter().all(|weight| weight.is_finite()));
            assert!(model.step_size() > 0.0 && model.step_size().is_finite());
        }
        let interrupted = Interrupted::open(&folder, &[]).map_err(|error| error.to_string())?;
        let checked = interrupted.check_data(self.trainer.data());
        checked.map_err(|error| error.to_string())?;
        let restored = self.trainer.restore(interrupted.state());
        restored.map_err(|error| error.to_string())?;
        self.valid += 1;
        // With other settings it would be another trainer's.
        let is_same = config::to_toml(interrupted.config()) == self.config;
        drop(interrupted);
        match is_same && self.valid.is_multiple_of(EVERY) {
            // Pictures of the curves take what they take.
            true => uncounted(|| self.end(&folder)),
            false => Ok(()),
        }
    }

    /// Does what follows the last step, in a copy of the folder.
    fn end(&mut self, folder: &Path) -> Result<(), String> {
        let copy = tempfile::tempdir().unwrap();
        let to = copy.path().join("run");
        fs::create_dir_all(to.join("states")).unwrap();
        let named = |name: &str| (folder.join(name), to.join(name));
        for name in ["metrics.jsonl", "diagnostics.jsonl", "energies.jsonl"] {
            let (from, to) = named(name);
            fs::copy(from, to).unwrap();
        }
        for ending in ["json", "safetensors"] {
            let (from, to) = named(&format!("states/000002.{ending}"));
            fs::copy(from, to).unwrap();
        }
        let interrupted = Interrupted::open(&to, &[]).map_err(|error| error.to_string())?;
        let stop = AtomicBool::new(true);
        let ended = train::resume(&mut self.trainer, interrupted, &stop, &mut |_| {});
        ended.map(drop).map_err(|error| error.to_string())
    }
}

/// Hands changed manifests in place of the run's own.
fn manifests(run: &mut Run) {
    let path = run.manifest.clone();
    let whole = fs::read(&path).unwrap();
    let seeds = [whole.clone()];
    hand_out(
        "states-json",
        &seeds,
        512,
        corpus::with_own_checksum,
        |bytes| {
            fs::write(&path, bytes).unwrap();
            run.go_on()
        },
    );
    fs::write(&path, whole).unwrap();
}

/// Hands changed files in place of the run's own at `name`, which the manifest marks under `key`.
fn marked(run: &mut Run, target: &str, name: &str, key: &str) {
    let path = run.folder().join(name);
    let whole = fs::read(&path).unwrap();
    let seeds = [whole.clone()];
    hand_out(target, &seeds, 512, same, |bytes| {
        fs::write(&path, bytes).unwrap();
        run.mark(key, bytes);
        run.go_on()
    });
    fs::write(&path, &whole).unwrap();
    run.mark(key, &whole);
}

/// Weights that are not finite make no model, of which nobody would know why it draws nothing.
fn no_model_of_nan(run: &Run, buffers: &str) {
    let path = run.folder().join(buffers);
    let whole = fs::read(&path).unwrap();
    interrupted_model(&run.folder()).expect("has one");
    let header = u64::from_le_bytes(whole[..8].try_into().unwrap()) as usize;
    let mut bytes = whole.clone();
    // As f32 all of it is NaN.
    bytes[8 + header..].fill(0xff);
    for (bytes, has_one) in [(&bytes, false), (&whole, true)] {
        fs::write(&path, bytes).unwrap();
        run.mark("buffers", bytes);
        assert_eq!(interrupted_model(&run.folder()).is_some(), has_one);
        // The best weights are among the buffers, and no run keeps any that are not finite.
        let is_whole = || Interrupted::open(&run.folder(), &[]).is_ok();
        assert_eq!(is_whole(), has_one);
        run.change("best", |best| *best = Value::Null);
        assert!(is_whole(), "all else is kept as it is");
        run.change("best", |best| *best = json!(1));
    }
}

#[test]
fn training_states() {
    let buffers = "states/000002.safetensors";
    let mut run = Run::new();
    no_model_of_nan(&run, buffers);
    manifests(&mut run);
    marked(&mut run, "states-buffers", buffers, "buffers");
    marked(&mut run, "states-metrics", "metrics.jsonl", "metrics");
    let lines = "diagnostics.jsonl";
    marked(&mut run, "states-diagnostics", lines, "diagnostics");
    marked(&mut run, "states-energies", "energies.jsonl", "energies");
}
