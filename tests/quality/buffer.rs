//! The chains of a replay buffer that lie beside a checkpoint, and where files go.

use crate::command::{afterimage, run, stderr, stdout};
use crate::of_models::{gaussian, gaussian_of};
use afterimage::low_level::checkpoint::TensorFile;
use serde_json::Value;
use std::fs;
use std::path::Path;
use tempfile::TempDir;

/// A short run in a folder.
fn trained() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let mut arguments = vec!["train", "digits", "--out", "run", "-q"];
    for set in [
        "network.layers=[{dense=16},{dense=1}]",
        "sampler.buffer=64",
        "sampler.steps=4",
        "sampler.probe=0",
        "run.batch=16",
        "run.steps=8",
        "run.samples=4",
        "run.sample_steps=8",
        "run.sample_every=0",
    ] {
        arguments.extend(["--set", set]);
    }
    run(&folder, &arguments);
    folder
}

fn evaluate(folder: &TempDir, more: &str) -> (Value, String) {
    let line = format!("evaluate run --only samples --samples 40 --json {more}");
    let arguments: Vec<&str> = line.split_whitespace().collect();
    let done = run(folder, &arguments);
    let printed: Value = serde_json::from_str(stdout(&done)).expect("is JSON");
    (printed, stderr(&done).to_owned())
}

#[test]
fn chains_of_the_replay_buffer_have_rows_of_their_own() {
    let folder = trained();
    let path = folder
        .path()
        .join("run/checkpoints/000008.chains.safetensors");
    let file = TensorFile::load(&path).expect("is whole");
    let [chains] = &file.tensors[..] else {
        panic!("{} tensors", file.tensors.len());
    };
    assert_eq!(
        (&*chains.name, &chains.shape[..]),
        ("chains", &[64, 1, 8, 8][..])
    );
    for key in ["config", "step", "weights_crc32", "live_weights_crc32"] {
        assert!(file.metadata.contains_key(key), "{key}");
    }
    let (printed, table) = evaluate(&folder, "");
    let quality = &printed["sample_quality"];
    assert_eq!(file.metadata["weights_crc32"], printed["weights_crc32"]);
    let buffer = &quality["buffer"];
    assert_eq!(
        (
            &buffer["chains"],
            &buffer["count"],
            &buffer["of"],
            &buffer["lost"]
        ),
        (&"buffer".into(), &64.into(), &64.into(), &0.into())
    );
    assert_eq!(
        (&quality["chains"], &quality["count"]),
        (&"fresh".into(), &40.into())
    );
    // As many are compared as there are, of either kind by itself.
    assert_eq!(quality["distances"]["compared"], 40);
    assert_eq!(buffer["distances"]["compared"], 64);
    for key in [
        "distances",
        "classes",
        "stein",
        "nearest",
        "gradient_evaluations",
    ] {
        assert!(!buffer[key].is_null(), "{key} of {buffer}");
    }
    assert!(buffer["stein"]["states"]["p_value"].is_number(), "{buffer}");
    for wanted in [
        "buffer: 64 of the 64 chains",
        "its floor",
        "buffer from data",
    ] {
        assert!(table.contains(wanted), "no '{wanted}' in {table}");
    }
    // Of the live weights it is the same file.
    let (live, _) = evaluate(&folder, "--weights live");
    assert_eq!(live["sample_quality"]["buffer"]["count"], 64);

    // None, or of other samples.
    for (shape, wanted) in [
        ([0, 1, 8, 8], "holds no chains"),
        (
            [16, 1, 16, 16],
            "chains of shape [16, 1, 16, 16], and those of this model are n × [1, 8, 8]",
        ),
    ] {
        let mut odd = file.clone();
        odd.tensors[0].shape = shape.to_vec();
        odd.tensors[0].values.truncate(shape.iter().product());
        odd.save(&path).expect("is saved");
        let (printed, _) = evaluate(&folder, "");
        let reason = &printed["sample_quality"]["buffer"]["not_valid"];
        let reason = reason.as_str().expect("is told");
        assert!(reason.contains(wanted), "{reason}");
    }
    file.save(&path).expect("is saved");

    // Chains beside other weights are none of theirs.
    let other = gaussian(&["run.sample_steps=8", "sampler.steps=2"]);
    other
        .save(&folder.path().join("run/checkpoints/000008.safetensors"))
        .expect("is saved");
    let (printed, table) = evaluate(&folder, "");
    let reason = &printed["sample_quality"]["buffer"]["not_valid"];
    let reason = reason.as_str().expect("is told");
    assert!(
        reason.contains("does not hold chains of these weights"),
        "{reason}"
    );
    assert!(table.contains("not valid"), "{table}");
    fs::remove_file(path).expect("is removed");
    let (printed, _) = evaluate(&folder, "");
    assert!(printed["sample_quality"]["buffer"].is_null());
}

#[test]
fn a_folder_holds_all_files_of_a_checkpoint() {
    let folder = tempfile::tempdir().expect("a folder");
    let model = gaussian_of(vec![0.0; 65], &["run.sample_steps=8", "sampler.steps=2"]);
    model
        .save(&folder.path().join("a.safetensors"))
        .expect("is saved");
    let evaluate = |more: &str| {
        let line = format!("evaluate a.safetensors --only samples,stability {more}");
        let arguments: Vec<&str> = line.split(' ').collect();
        afterimage(&folder, &arguments).output().expect("starts")
    };
    for out in ["new/deep", "dotted.folder/"] {
        // Under the name that it had before, too.
        let done = evaluate(&format!("--count 40 --out {out}"));
        assert!(done.status.success(), "{}", stderr(&done));
        for name in ["evaluation.json", "neighbours.png", "stability.png"] {
            assert!(
                folder.path().join(out).join(name).is_file(),
                "{out}, {name}"
            );
        }
    }
    let text = fs::read(folder.path().join("new/deep/evaluation.json")).expect("is written");
    let written: Value = serde_json::from_slice(&text).expect("is JSON");
    assert_eq!(written["sample_quality"]["count"], 40);
    fs::write(folder.path().join("file"), "mine").expect("is written");
    for (out, wanted) in [
        ("a.jpg", "or name a folder"),
        ("file", "name another with --out"),
    ] {
        let done = evaluate(&format!("--out {out}"));
        assert!(!done.status.success(), "{out}");
        assert!(stderr(&done).contains(wanted), "{}", stderr(&done));
    }
    assert!(!Path::new("a.jpg").exists());
}
