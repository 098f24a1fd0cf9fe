//! Files that are called as the best weights of a run are, and are none of its.

use crate::best::{all_states, judged, summary};
use crate::checkpoint::POINT_LAYERS;
use crate::command::{run, stderr};
use crate::setup::names_in;
use afterimage::model::Model;
use std::fs;
use tempfile::TempDir;

/// The names of what is there of the best weights, and of what had these names.
fn best_names(folder: &TempDir) -> Vec<String> {
    let mut names = names_in(&folder.path().join("run"));
    names.retain(|name| name.starts_with("best"));
    names
}

/// Goes on with the run with these settings; gives what it said.
fn go_on(folder: &TempDir, sets: &[&str]) -> String {
    let sets = sets.iter().flat_map(|set| ["--set", *set]);
    let arguments = ["train", "--resume", "run"].into_iter().chain(sets);
    stderr(&run(folder, &arguments.collect::<Vec<_>>())).to_owned()
}

/// Whoever has a file of the name of the best weights keeps it, whatever becomes of the run.
#[test]
fn nothing_of_others_is_lost_that_is_called_as_the_best_weights_are() {
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| folder.path().join("run").join(name);
    let with = |every: &'static str| judged("moons", POINT_LAYERS, &[every]);
    let none = with("run.figure_every=0");
    all_states(&folder, &none);
    // A checkpoint of the very run that somebody found good, and what is no checkpoint at all.
    let good = fs::read(place("checkpoints/000003.safetensors")).unwrap();
    fs::write(place("best.safetensors"), &good).unwrap();
    fs::write(place("best.live.safetensors"), "notes").unwrap();
    let are_there = |ending: &str| {
        let read = |name: &str| fs::read(place(&format!("{name}{ending}"))).unwrap();
        assert!(read("best.safetensors") == good && read("best.live.safetensors") == b"notes");
    };
    let said = go_on(&folder, &["run.sample_steps=4"]);
    assert!(!said.contains("not of this run"), "{said}");
    are_there("");
    run(&folder, &[&none[..], &["--force"]].concat());
    are_there("");

    // They make room for best weights.
    let said = run(
        &folder,
        &[&with("run.figure_every=2")[..], &["--force"]].concat(),
    );
    assert_eq!(
        stderr(&said).matches("not of this run").count(),
        2,
        "{}",
        stderr(&said)
    );
    are_there(".old");
    let best = Model::load(&place("best.safetensors")).unwrap();
    let told = summary(&folder)["best"].clone();
    assert_eq!(told["weights_after"], best.step());

    // So does a link, and what it leads to is not written.
    let last = fs::read(place("checkpoints/000012.safetensors")).unwrap();
    fs::remove_file(place("best.safetensors")).unwrap();
    std::os::unix::fs::symlink("checkpoints/000012.safetensors", place("best.safetensors"))
        .unwrap();
    let said = go_on(&folder, &["run.steps=13"]);
    assert_eq!(said.matches("not of this run").count(), 1, "{said}");
    assert!(fs::read(place("checkpoints/000012.safetensors")).unwrap() == last);
    assert!(
        place("best.safetensors.old-2").is_symlink() && !place("best.safetensors").is_symlink()
    );
    // What is the run's own is replaced.
    assert_eq!(
        best_names(&folder),
        [
            "best.live.safetensors",
            "best.live.safetensors.old",
            "best.safetensors",
            "best.safetensors.old",
            "best.safetensors.old-2"
        ]
    );
}

/// A whole run as a program left it that kept no best weights, with a file of their name.
#[test]
fn a_run_of_the_version_before_best_weights_goes_on_and_keeps_a_file_of_their_name() {
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| folder.path().join("run").join(name);
    all_states(
        &folder,
        &judged("moons", POINT_LAYERS, &["run.figure_every=0"]),
    );
    let without = |text: &str, what: &str| {
        assert!(text.contains(what), "{what}: {text}");
        text.replacen(what, "", 1)
    };
    let mut states = names_in(&place("states"));
    states.retain(|name| name.ends_with(".json"));
    for name in states {
        let path = place("states").join(name);
        let text = fs::read_to_string(&path).unwrap();
        let (_, state) = text.split_once("\n\"state\":").unwrap();
        let state = state.strip_suffix("}\n").unwrap();
        let state = without(&without(state, "\"best\":null,"), "figure_every = 0\\n");
        let crc32 = crc32fast::hash(state.as_bytes());
        let text = format!(
            "{{\"format\":\"afterimage training state\",\"version\":2,\"crc32\":\"{crc32:08x}\",\n\"state\":{state}}}\n"
        );
        fs::write(&path, text).unwrap();
    }
    let good = fs::read(place("checkpoints/000003.safetensors")).unwrap();
    fs::write(place("best.safetensors"), &good).unwrap();
    // The default is more steps than it has.
    let said = go_on(&folder, &["run.sample_steps=4", "run.steps=14"]);
    assert!(!said.contains("cannot be used"), "{said}");
    assert!(fs::read(place("best.safetensors")).unwrap() == good);
    go_on(&folder, &["run.steps=16", "run.figure_every=1"]);
    assert!(fs::read(place("best.safetensors.old")).unwrap() == good);
    assert!(Model::load(&place("best.safetensors")).unwrap().step() > 14);
}
