//! What TensorBoard is told of a run.

use crate::command::run;
use crate::resume::{resumption, start, timeless, training};
use crate::setup::names_in;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

fn board(folder: &TempDir) -> PathBuf {
    folder.path().join("run/tensorboard")
}

/// The CRC-32C of the format, bit by bit.
fn masked_crc(bytes: &[u8]) -> u32 {
    let mut crc = !0u32;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = crc >> 1 ^ (0x82f6_3b78 * (crc & 1));
        }
    }
    let crc = !crc;
    crc.rotate_right(15).wrapping_add(0xa282_ead8)
}

/// The sizes of the whole records of a file, and what is left of its bytes.
fn records(path: &Path) -> (Vec<usize>, usize) {
    let bytes = fs::read(path).unwrap();
    let mut rest = &bytes[..];
    let mut sizes = Vec::new();
    let word = |bytes: &[u8]| u32::from_le_bytes(bytes[..4].try_into().unwrap());
    while rest.len() >= 12 {
        assert_eq!(word(&rest[8..]), masked_crc(&rest[..8]));
        let length = u64::from_le_bytes(rest[..8].try_into().unwrap()) as usize;
        if rest.len() < 16 + length {
            break;
        }
        assert_eq!(
            word(&rest[12 + length..]),
            masked_crc(&rest[12..12 + length])
        );
        sizes.push(length);
        rest = &rest[16 + length..];
    }
    (sizes, rest.len())
}

/// What TensorBoard itself finds; none where this machine has none.
fn read(folder: &Path) -> Option<Value> {
    let python = std::env::var("AFTERIMAGE_TENSORBOARD").ok();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cli/read_events.py");
    let mut command = Command::new(python.as_deref().unwrap_or("python3"));
    let output = command.arg(script).arg(folder).output().ok();
    let output = output.filter(|output| output.status.success());
    assert!(
        output.is_some() || python.is_none(),
        "{python:?} has no tensorboard"
    );
    Some(serde_json::from_slice(&output?.stdout).expect("is JSON"))
}

/// It was killed while it wrote, and went on.
#[test]
fn tensorboard_reads_each_step_of_a_run_once() {
    let folder = tempfile::tempdir().unwrap();
    let first = training("30", &["run.tensorboard=true"]);
    let mut running = start(&folder, &first);
    running.wait_for(12);
    running.send("-KILL");
    running.end();
    let names = names_in(&board(&folder));
    let [name] = &names[..] else {
        panic!("{names:?}");
    };
    assert!(name.starts_with("events.out.tfevents.") && name.ends_with(".afterimage"));
    // As if it had been killed in the middle of a record.
    let path = board(&folder).join(name);
    let (whole, rest) = records(&path);
    assert!(whole.len() > 12, "{}", whole.len());
    let length = fs::metadata(&path).unwrap().len();
    let file = fs::File::options().write(true).open(&path).unwrap();
    file.set_len(length - rest as u64 - 5).unwrap();
    let (torn, _) = records(&path);
    assert_eq!(torn.len(), whole.len() - 1);

    let arguments = resumption(&["--quiet"]);
    run(
        &folder,
        &arguments.iter().map(String::as_str).collect::<Vec<_>>(),
    );
    let mut names = names_in(&board(&folder));
    names.sort();
    assert_eq!(names.len(), 2);
    let (_, rest) = records(&board(&folder).join(&names[1]));
    assert_eq!(rest, 0);

    let Some(found) = read(&board(&folder)) else {
        println!("TensorBoard read nothing: there is none");
        return;
    };
    let rows = timeless(&folder.path().join("run/metrics.jsonl"));
    assert_eq!(rows.len(), 30);
    for name in ["loss", "energy_noise", "ess", "learning_rate"] {
        let shown = found["scalars"][format!("metrics/{name}")]
            .as_array()
            .unwrap();
        assert_eq!(shown.len(), rows.len(), "{name}");
        for (step, (shown, row)) in shown.iter().zip(&rows).enumerate() {
            let value = row[name].as_f64().unwrap() as f32;
            assert_eq!(shown[0], step);
            assert_eq!(
                shown[1].as_f64().unwrap() as f32,
                value,
                "{name}, step {step}"
            );
        }
    }
    let steps = |kind: &str, tag: &str| -> Vec<u64> {
        let all = found[kind][tag].as_array().expect(tag).iter();
        all.map(|value| value[0].as_u64().unwrap()).collect()
    };
    // After every fifth step, and at the end.
    let wanted = [4, 9, 14, 19, 24, 29];
    assert_eq!(steps("images", "samples/noise"), wanted[..5]);
    assert_eq!(steps("images", "samples/last"), [30]);
    for tag in [
        "energy/data",
        "energy/noise",
        "log_ratio/data",
        "log_ratio/noise",
    ] {
        assert_eq!(steps("histograms", tag), wanted, "{tag}");
    }
    for (of, batch) in [("data", 8.0), ("noise", 8.0)] {
        for [_, least, most, count, ..] in histograms(&found, &format!("energy/{of}")) {
            assert!(least < most && count == batch);
        }
    }
    // The mean of the metrics lies among the energies.
    for of in ["data", "noise"] {
        for [step, _, _, count, sum, _] in histograms(&found, &format!("energy/{of}")) {
            // Sums of eight energies, by the GPU in f32.
            let mean = rows[step as usize][format!("energy_{of}")]
                .as_f64()
                .unwrap();
            assert!(
                (sum / count - mean).abs() < 1e-4 * mean.abs().max(1.0),
                "{of}: {sum} {mean}"
            );
        }
    }
    assert!(rows.iter().any(|row| row["snapshot_age"] != 0));
    let data = histograms(&found, "log_ratio/data");
    let noise = histograms(&found, "log_ratio/noise");
    for ([step, _, _, count, sum, squares], [_, _, _, _, of_noise, of_squares]) in
        data.into_iter().zip(noise)
    {
        let row = &rows[step as usize];
        let spread = row["log_ratio_spread"].as_f64().unwrap();
        let mean = (sum + of_noise) / (2.0 * count);
        let deviation = ((squares + of_squares) / (2.0 * count) - mean * mean)
            .max(0.0)
            .sqrt();
        assert!(
            (deviation - spread).abs() < 1e-3 * spread.max(1e-2),
            "{spread} {deviation}"
        );
        // A step lowers the energy of data, and raises that of noise.
        let is_fresh = row["snapshot_age"] == 0;
        assert!(
            is_fresh == (sum == of_noise) && sum >= of_noise,
            "{sum} {of_noise}"
        );
    }
    let settings = found["texts"]["settings"].as_str().unwrap();
    assert!(settings.contains("    tensorboard = true\n"), "{settings}");
}

/// Step, least, most, count, sum and sum of squares.
fn histograms(found: &Value, tag: &str) -> Vec<[f64; 6]> {
    let all = found["histograms"][tag].as_array().expect(tag).iter();
    all.map(|value| [0, 1, 2, 3, 4, 5].map(|place| value[place].as_f64().unwrap()))
        .collect()
}

/// Where it was stopped, and where there was something of other runs.
#[test]
fn tensorboard_sees_no_step_twice_where_a_run_was_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let sets = ["run.tensorboard=true", "run.sample_every=1"];
    let mut running = start(&folder, &training("400", &sets));
    running.wait_for(6);
    running.send("-TERM");
    assert_eq!(running.end().0, Some(143));
    let done = timeless(&folder.path().join("run/metrics.jsonl")).len() as u64;
    let sets = resumption(&["--quiet", "--set", &format!("run.steps={}", done + 3)]);
    run(
        &folder,
        &sets.iter().map(String::as_str).collect::<Vec<_>>(),
    );
    if let Some(found) = read(&board(&folder)) {
        let steps = |kind: &str, tag: &str| -> Vec<u64> {
            let all = found[kind][tag].as_array().expect(tag).iter();
            all.map(|value| value[0].as_u64().unwrap()).collect()
        };
        // The last step's picture is drawn at the end.
        let all: Vec<u64> = (0..done + 3).collect();
        assert_eq!(steps("images", "samples/noise"), all[..all.len() - 1]);
        assert_eq!(steps("histograms", "energy/noise"), all);
        // Of the end that was none there is nothing left.
        assert_eq!(steps("images", "samples/last"), [done + 3]);
    }

    // Another run in its place takes what is its own with it, and nothing through a link.
    fs::remove_dir_all(board(&folder)).unwrap();
    let others = folder.path().join("others");
    fs::create_dir(&others).unwrap();
    let kept = others.join("events.out.tfevents.0000000007.afterimage");
    fs::write(&kept, "").unwrap();
    std::os::unix::fs::symlink(&others, board(&folder)).unwrap();
    let again = training("3", &["run.tensorboard=true"]);
    let again: Vec<&str> = again
        .iter()
        .map(String::as_str)
        .chain(["--force"])
        .collect();
    run(&folder, &again);
    assert!(kept.exists() && !board(&folder).is_symlink());
    run(&folder, &again);
    assert_eq!(names_in(&board(&folder)).len(), 1);
}

/// It shows the run and is no part of it.
#[test]
fn a_run_goes_on_without_tensorboard() {
    let folder = tempfile::tempdir().unwrap();
    let mut running = start(&folder, &training("30", &["run.tensorboard=true"]));
    running.wait_for(3);
    running.hold();
    // A file in its place keeps it from being made again.
    fs::remove_dir_all(board(&folder)).unwrap();
    fs::write(board(&folder), "").unwrap();
    running.go_on();
    let (status, said) = running.end();
    assert_eq!(status, Some(0), "{said}");
    assert!(said.contains("tries again to tell TensorBoard"), "{said}");
    assert!(said.contains("does not show all of the run"), "{said}");
    // All of it is told when it goes on.
    fs::remove_file(board(&folder)).unwrap();
    let sets = resumption(&["--quiet", "--set", "run.steps=31"]);
    run(
        &folder,
        &sets.iter().map(String::as_str).collect::<Vec<_>>(),
    );
    if let Some(found) = read(&board(&folder)) {
        assert_eq!(
            found["scalars"]["metrics/loss"].as_array().unwrap().len(),
            31
        );
    }
}

/// Whoever takes the files away gets them again, with all steps, once each.
#[test]
fn tensorboard_is_told_again_what_was_taken_away() {
    let folder = tempfile::tempdir().unwrap();
    // Nothing but steps is told on the way.
    let sets = [
        "run.tensorboard=true",
        "run.sample_every=0",
        "sampler.diagnose=0",
    ];
    let mut running = start(&folder, &training("30", &sets));
    running.wait_for(5);
    running.hold();
    fs::remove_dir_all(board(&folder)).unwrap();
    running.go_on();
    let (status, said) = running.end();
    assert_eq!(status, Some(0), "{said}");
    // Settings, and a summary a step and a few more.
    let names = names_in(&board(&folder));
    let (whole, rest) = records(&board(&folder).join(&names[0]));
    assert!(names.len() == 1 && whole.len() > 31 && rest == 0);
    if let Some(found) = read(&board(&folder)) {
        let shown = found["scalars"]["metrics/loss"].as_array().unwrap().iter();
        let steps: Vec<u64> = shown.map(|value| value[0].as_u64().unwrap()).collect();
        assert_eq!(steps, (0..30).collect::<Vec<u64>>());
    }
}

/// It changes no bit, and what is not asked for is not there.
#[test]
fn tensorboard_changes_no_bit_of_a_run() {
    let checkpoint = |more: &[&str]| {
        let folder = tempfile::tempdir().unwrap();
        let arguments = training("12", more);
        run(
            &folder,
            &arguments.iter().map(String::as_str).collect::<Vec<_>>(),
        );
        let model = afterimage::model::Model::load(
            &folder.path().join("run/checkpoints/000012.safetensors"),
        );
        (model.unwrap().weights_crc32(), board(&folder).exists())
    };
    let (without, is_there) = checkpoint(&[]);
    assert!(!is_there);
    assert_eq!(checkpoint(&["run.tensorboard=true"]), (without, true));
}
