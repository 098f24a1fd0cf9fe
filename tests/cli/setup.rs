//! Small runs and checkpoints, what they left in a folder, and refusals.

use crate::checkpoint::untrained;
use crate::command::{afterimage, stderr};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// Arguments of a run of `preset` that takes a second.
pub fn tiny<'a>(preset: &'a str, layers: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let sets = [
        layers,
        "run.steps=6",
        "run.batch=8",
        "run.samples=9",
        "run.sample_steps=4",
        "run.sample_every=2",
        "run.checkpoint_every=4",
        "sampler.steps=2",
        "sampler.buffer=16",
        "objective.noise_ratio=1",
        "sampler.probe=8",
    ];
    let mut arguments = vec!["train", preset];
    for set in sets {
        arguments.extend(["--set", set]);
    }
    arguments.extend(more);
    arguments
}

pub fn names_in(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder");
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

pub fn size_of_picture(path: &Path) -> (u32, u32) {
    let picture = image::open(path).expect("a picture");
    (picture.width(), picture.height())
}

/// Saves an untrained model of `preset` as model.safetensors.
pub fn checkpoint(folder: &TempDir, preset: &str, layers: &str) -> afterimage::model::Model {
    let model = untrained(preset, layers);
    model
        .save(&folder.path().join("model.safetensors"))
        .unwrap();
    model
}

/// Shape and values of a .npy file of f32.
pub fn npy(path: &Path) -> (Vec<u64>, Vec<f32>) {
    let bytes = fs::read(path).expect("a file");
    let file = npyz::NpyFile::new(&bytes[..]).expect("an .npy file");
    let shape = file.shape().to_vec();
    (shape, file.into_vec().expect("f32"))
}

/// Writes version 1 of the .npy format.
pub fn write_npy(path: &Path, header: &str, values: &[f32]) {
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
    fs::write(path, bytes).unwrap();
}

fn contents(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files = Vec::new();
    for name in names_in(folder) {
        let path = folder.join(name);
        if path.is_dir() {
            files.push((path.clone(), Vec::new()));
            files.extend(contents(&path));
        } else {
            files.push((path.clone(), fs::read(&path).unwrap()));
        }
    }
    files
}

/// Runs a command that must fail with one line that holds all of `parts`, and leave the folder as it was.
#[track_caller]
pub fn refused(folder: &TempDir, arguments: &[&str], parts: &[&str]) {
    refuses(folder, afterimage(folder, arguments), parts);
}

#[track_caller]
pub fn refuses(folder: &TempDir, mut command: Command, parts: &[&str]) {
    let before = contents(folder.path());
    let output = command.output().unwrap();
    let text = stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{command:?}: {text}");
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| !line.starts_with("adapter "))
        .collect();
    let [line] = lines[..] else {
        panic!("{command:?}: {text}");
    };
    assert!(line.starts_with("error: "), "{text}");
    for part in parts {
        assert!(line.contains(part), "no '{part}' in {line}");
    }
    assert!(
        contents(folder.path()) == before,
        "{command:?} changed files"
    );
}
