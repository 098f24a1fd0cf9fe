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
    // After every fifth step; once more at the end.
    let wanted = [4, 9, 14, 19, 24, 29];
    assert_eq!(steps("images", "samples"), wanted);
    for tag in [
        "energy/data",
        "energy/noise",
        "log_ratio/data",
        "log_ratio/noise",
    ] {
        assert_eq!(steps("histograms", tag), wanted, "{tag}");
    }
    for (of, batch) in [("data", 8.0), ("noise", 8.0)] {
        for [_, least, most, count] in histograms(&found, &format!("energy/{of}")) {
            assert!(least < most && count == batch);
        }
    }
    // The mean of the metrics lies among the energies.
    for [step, least, most, _] in histograms(&found, "energy/noise") {
        let mean = rows[step as usize]["energy_noise"].as_f64().unwrap();
        assert!(least < mean && mean < most);
    }
    let settings = found["texts"]["settings"].as_str().unwrap();
    assert!(settings.contains("    tensorboard = true\n"), "{settings}");
}

fn histograms(found: &Value, tag: &str) -> Vec<[f64; 4]> {
    let all = found["histograms"][tag].as_array().expect(tag).iter();
    all.map(|value| [0, 1, 2, 3].map(|place| value[place].as_f64().unwrap()))
        .collect()
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
