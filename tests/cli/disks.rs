//! Runs whose folder or disk is gone, full or read-only for a while.

use crate::command::{run, stderr};
use crate::resume::{same_ends, start, timeless, training};
use std::fs;
use tempfile::TempDir;
#[cfg(target_os = "linux")]
use {
    crate::mounts::{Mounted, with_mounts},
    std::cell::RefCell,
    std::io::Write,
};

/// Steps that a folder or a disk is gone for, of a run that is the same in the end as one that had it all the time.
fn is_the_same_without(
    folder: &TempDir,
    first: &[String],
    whole: &TempDir,
    go: impl Fn(),
    come: impl Fn(),
) {
    let mut running = start(folder, first);
    running.wait_for(3);
    running.hold();
    go();
    running.go_on();
    running.wait_for(15);
    running.hold();
    come();
    running.go_on();
    let (status, said) = running.end();
    assert_eq!(status, Some(0), "{said}");
    let told = said.matches("tries again").count() + said.matches("could not be written").count();
    assert!(told > 0 && said.contains("is written now"), "{said}");
    same_ends(folder, whole);
}

#[test]
fn a_run_goes_on_while_its_folder_is_away() {
    let whole = tempfile::tempdir().unwrap();
    let first = training("80", &[]);
    run(
        &whole,
        &first.iter().map(String::as_str).collect::<Vec<_>>(),
    );
    let folder = tempfile::tempdir().unwrap();
    let [here, away] = ["run", "away"].map(|name| folder.path().join(name));
    // The folder that it lies in goes, as where a disk is unplugged; a file keeps the run from making it anew.
    let go = || {
        fs::rename(&here, &away).unwrap();
        fs::write(&here, "").unwrap();
    };
    let come = || {
        fs::remove_file(&here).unwrap();
        fs::rename(&away, &here).unwrap();
    };
    is_the_same_without(&folder, &first, &whole, go, come);

    // What does not come back is made anew, with all lines; pictures that had been written are lost.
    let folder = tempfile::tempdir().unwrap();
    let mut running = start(&folder, &first);
    running.wait_for(10);
    running.hold();
    fs::remove_dir_all(folder.path().join("run")).unwrap();
    running.go_on();
    let (status, said) = running.end();
    assert_eq!(status, Some(0), "{said}");
    for name in ["metrics.jsonl", "diagnostics.jsonl", "summary.json"] {
        let [ours, theirs] =
            [&folder, &whole].map(|folder| timeless(&folder.path().join("run").join(name)));
        assert!(ours == theirs, "{name}");
    }
    run(&folder, &["sample", "run", "--steps", "2", "--count", "2"]);
}

#[test]
#[cfg(target_os = "linux")]
fn a_run_goes_on_while_its_disk_is_full() {
    with_mounts(|| {
        let folder = tempfile::tempdir().unwrap();
        let disk = Mounted::small(folder.path().join("run"), "16m").expect("may mount");
        let whole = tempfile::tempdir().unwrap();
        let first = training("80", &["sampler.buffer=2000"]);
        run(
            &whole,
            &first.iter().map(String::as_str).collect::<Vec<_>>(),
        );
        let ballast = disk.path().join("ballast");
        let go = || {
            let mut file = fs::File::create(&ballast).unwrap();
            while file.write_all(&[1; 1000]).is_ok() {}
        };
        let come = || fs::remove_file(&ballast).unwrap();
        is_the_same_without(&folder, &first, &whole, go, come);
    });
}

/// Several of them wait, and nothing waits for any.
#[test]
#[cfg(target_os = "linux")]
fn a_run_goes_on_while_its_best_weights_cannot_be_written() {
    with_mounts(|| {
        let folder = tempfile::tempdir().unwrap();
        let whole = tempfile::tempdir().unwrap();
        let first = training("80", &["sampler.buffer=2000", "run.figure_every=6"]);
        run(
            &whole,
            &first.iter().map(String::as_str).collect::<Vec<_>>(),
        );
        let place = |name: &str| folder.path().join("run").join(name);
        let best = place("best.safetensors");
        let over = RefCell::new(None);
        let go = || {
            for path in [&best, &place("best.live.safetensors")] {
                let _ = fs::remove_file(path);
            }
            // What is mounted can be neither replaced nor moved away.
            let mounted = Mounted::small(best.clone(), "1m");
            *over.borrow_mut() = Some(mounted.expect("may mount"));
        };
        let come = || {
            // Those of the run's first steps, before and after a best.
            for name in [
                "samples/000005.png",
                "samples/000010.png",
                "checkpoints/000007.safetensors",
            ] {
                assert!(place(name).exists(), "{name}");
            }
            let states = fs::read_dir(place("states")).unwrap().flatten();
            let names = states.map(|state| state.file_name().into_string().unwrap());
            let mut manifests = names.filter(|name| name.ends_with(".json"));
            assert!(manifests.any(|name| *name >= *"000007"), "no state since");
            drop(over.take());
            fs::remove_dir(&best).unwrap();
        };
        is_the_same_without(&folder, &first, &whole, go, come);
    });
}

#[test]
#[cfg(target_os = "linux")]
fn a_run_goes_on_while_its_folder_is_read_only() {
    with_mounts(|| {
        let folder = tempfile::tempdir().unwrap();
        let whole = tempfile::tempdir().unwrap();
        let first = training("80", &["sampler.buffer=2000"]);
        run(
            &whole,
            &first.iter().map(String::as_str).collect::<Vec<_>>(),
        );
        let path = folder.path().join("run");
        let over = RefCell::new(None);
        let go = || {
            let mounted = Mounted::read_only(&path).expect("may mount");
            fs::write(path.join("probe"), "").expect_err("is read-only");
            *over.borrow_mut() = Some(mounted);
        };
        let come = || drop(over.take());
        is_the_same_without(&folder, &first, &whole, go, come);
    });
}

/// What could not be written in the end is written when the run is resumed.
#[test]
#[cfg(target_os = "linux")]
fn a_run_that_lacks_its_best_weights_in_the_end_is_not_finished() {
    with_mounts(|| {
        let folder = tempfile::tempdir().unwrap();
        let run_folder = folder.path().join("run");
        let best = run_folder.join("best.safetensors");
        let first = training("30", &["run.figure_every=6"]);
        let mut running = start(&folder, &first);
        running.wait_for(3);
        running.hold();
        let over = Mounted::small(best.clone(), "1m").expect("may mount");
        running.go_on();
        let (status, said) = running.end();
        assert_eq!(status, Some(1), "{said}");
        assert!(said.contains("best.safetensors"), "{said}");
        assert!(run_folder.join("checkpoints/000030.safetensors").exists());
        drop(over);
        fs::remove_dir(&best).unwrap();

        let resumed = run(&folder, &["train", "--resume", "run"]);
        assert!(best.is_file(), "{}", stderr(&resumed));
        assert!(run_folder.join("summary.json").exists());
    });
}
