//! Samples and energies of a checkpoint.

use crate::checkpoint::{IMAGE_LAYERS, POINT_LAYERS};
use crate::command::{run, stdout};
use crate::setup::{checkpoint, npy, size_of_picture};
use afterimage::data;
use afterimage::gpu::{AdapterChoice, Executor, ExecutorOptions};
use serde_json::Value;
use std::fs;

#[test]
fn samples_are_written_in_every_format() {
    let folder = tempfile::tempdir().unwrap();
    for (preset, layers, shape) in [
        ("digits", IMAGE_LAYERS, vec![5, 1, 8, 8]),
        ("moons", POINT_LAYERS, vec![5, 2]),
    ] {
        checkpoint(&folder, preset, layers);
        let sample = |out: &str, seed: &str| {
            let arguments = ["--count", "5", "--steps", "3", "--seed", seed, "--out", out];
            run(
                &folder,
                &[&["sample", "model.safetensors"][..], &arguments].concat(),
            );
            fs::read(folder.path().join(out)).unwrap()
        };
        for ending in ["png", "npy", "gif"] {
            let bytes = sample(&format!("a.{ending}"), "1");
            assert!(bytes == sample(&format!("b.{ending}"), "1"), "{ending}");
            let capitals = format!("A.{}", ending.to_uppercase());
            assert!(bytes == sample(&capitals, "1"), "{ending}");
            // A GIF is written as a PNG is.
            if ending != "gif" {
                assert!(bytes != sample(&format!("c.{ending}"), "2"), "{ending}");
            }
        }
        let (found, values) = npy(&folder.path().join("a.npy"));
        assert_eq!(found, shape);
        assert!(values.iter().all(|value| value.is_finite()));
        let (width, height) = size_of_picture(&folder.path().join("a.png"));
        assert!(width > 100 && height > 100);
        assert_eq!(
            size_of_picture(&folder.path().join("a.gif")),
            (width, height)
        );
    }
}

#[test]
fn energies_are_the_models() {
    let folder = tempfile::tempdir().unwrap();
    let model = checkpoint(&folder, "digits", IMAGE_LAYERS);
    let energy = |arguments: &[&str]| {
        run(
            &folder,
            &[&["energy", "model.safetensors", "digits"][..], arguments].concat(),
        )
    };
    let output = energy(&["--out", "e.npy", "--json"]);
    energy(&["--out", "e.csv"]);
    energy(&["--out", "E.Csv"]);

    let digits = data::open(&model.config().data.options(), 1).unwrap();
    let mut executor = Executor::open(&AdapterChoice::Best, ExecutorOptions::default()).unwrap();
    let mut evaluator = model.evaluator(&mut executor, 256).unwrap();
    let wanted = evaluator
        .energies(&mut executor, &digits.first(1797))
        .unwrap();

    let (shape, energies) = npy(&folder.path().join("e.npy"));
    assert_eq!(shape, [1797]);
    for (found, wanted) in energies.iter().zip(&wanted) {
        assert!((found - wanted).abs() <= 1e-5 * wanted.abs().max(1.0));
    }
    let csv = fs::read_to_string(folder.path().join("e.csv")).unwrap();
    assert_eq!(
        fs::read_to_string(folder.path().join("E.Csv")).unwrap(),
        csv
    );
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!((lines.len(), lines[0]), (1798, "index,energy"));
    assert_eq!(lines[1797], format!("1796,{}", energies[1796]));

    let json: Value = serde_json::from_str(stdout(&output)).unwrap();
    let mean = energies.iter().map(|&e| f64::from(e)).sum::<f64>() / 1797.0;
    assert_eq!(json["count"], 1797);
    assert!((json["mean"].as_f64().unwrap() - mean).abs() < 1e-4);
    assert_eq!(json["file"], "e.npy");

    checkpoint(&folder, "moons", POINT_LAYERS);
    let output = run(&folder, &["energy", "model.safetensors", "rings", "--json"]);
    let json: Value = serde_json::from_str(stdout(&output)).unwrap();
    assert_eq!(json["count"], 10_000, "an endless source");
}
