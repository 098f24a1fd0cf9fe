//! Samples and energies of a checkpoint.

use crate::checkpoint::{IMAGE_LAYERS, POINT_LAYERS};
use crate::command::{afterimage, run, stderr, stdout};
use crate::setup::{checkpoint, npy, size_of_picture};
use afterimage::gpu::{AdapterChoice, Executor, ExecutorOptions};
use afterimage::low_level::checkpoint::TensorFile;
use afterimage::model::Model;
use afterimage::{config, data};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;

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

    let digits = data::open(&model.config().data.options(), 1)
        .unwrap()
        .whole();
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

    energy(&["--out", "e.png"]);
    // Six rows of ten, with a title.
    let picture = image::open(folder.path().join("e.png")).unwrap().to_rgb8();
    assert_eq!(picture.width(), 10 * 84 + 4);
    assert!(picture.height() > 6 * (80 + 22 + 4));

    let json: Value = serde_json::from_str(stdout(&output)).unwrap();
    let mean = energies.iter().map(|&e| f64::from(e)).sum::<f64>() / 1797.0;
    assert_eq!(json["count"], 1797);
    assert!((json["mean"].as_f64().unwrap() - mean).abs() < 1e-4);
    assert_eq!(json["file"], "e.npy");

    checkpoint(&folder, "moons", POINT_LAYERS);
    let output = run(&folder, &["energy", "model.safetensors", "rings", "--json"]);
    let json: Value = serde_json::from_str(stdout(&output)).unwrap();
    assert_eq!(json["count"], 10_000, "an endless source");
    let planar = ["energy", "model.safetensors", "rings", "--out", "e.png"];
    let refused = afterimage(&folder, &planar).output().unwrap();
    assert_eq!(refused.status.code(), Some(1));
    assert!(stderr(&refused).contains("no pictures"), "{refused:?}");
}

/// Saves the tensors of a checkpoint as another program would: as bytes of another float type, with a counter, and without
/// a word about them.
fn saved_elsewhere(from: &Path, to: &Path) {
    let mut header = serde_json::Map::new();
    let mut bytes = Vec::new();
    for tensor in TensorFile::load(from).unwrap().tensors {
        let start = bytes.len();
        // The upper half of an f32 is a BF16, cut off.
        bytes.extend(
            tensor
                .values
                .iter()
                .flat_map(|v| v.to_bits().to_le_bytes()[2..].to_vec()),
        );
        let entry =
            json!({"dtype": "BF16", "shape": tensor.shape, "data_offsets": [start, bytes.len()]});
        header.insert(tensor.name, entry);
    }
    let start = bytes.len();
    bytes.extend(9i64.to_le_bytes());
    let entry = json!({"dtype": "I64", "shape": [], "data_offsets": [start, bytes.len()]});
    header.insert("num_batches_tracked".into(), entry);
    let mut text = serde_json::to_vec(&header).unwrap();
    text.resize(text.len().next_multiple_of(8), b' ');
    let length = (text.len() as u64).to_le_bytes();
    fs::write(to, [&length[..], &text, &bytes].concat()).unwrap();
}

#[test]
fn what_another_program_saved_is_described_by_the_run_or_a_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| folder.path().join(name);
    let model = checkpoint(&folder, "digits", IMAGE_LAYERS);
    saved_elsewhere(&place("model.safetensors"), &place("other.safetensors"));
    saved_elsewhere(
        &place("model.safetensors"),
        &place("other.live.safetensors"),
    );
    let energies = |arguments: &[&str]| {
        let fixed = ["energy", "digits", "--out", "e.npy"];
        let output = run(
            &folder,
            &[&fixed[..1], &arguments[..1], &fixed[1..], &arguments[1..]].concat(),
        );
        (npy(&place("e.npy")).1, stderr(&output).to_owned())
    };

    let refused = afterimage(&folder, &["energy", "other.safetensors", "digits"])
        .output()
        .unwrap();
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        stderr(&refused).contains("--config"),
        "{}",
        stderr(&refused)
    );

    // What BF16 keeps of the weights decides the energies: those of a model with such weights.
    let cut = |v: &f32| f32::from_bits(v.to_bits() & 0xffff_0000);
    let cut: Vec<f32> = model.parameters().iter().map(cut).collect();
    let (config, shape) = (model.config().clone(), model.architecture().input());
    let same = Model::new(config.clone(), shape, model.scaling(), cut, 7).unwrap();
    same.save(&place("same.safetensors")).unwrap();
    let (wanted, _) = energies(&["same.safetensors"]);
    fs::write(place("mine.toml"), config::to_toml(&config)).unwrap();
    for from in ["model.safetensors", "mine.toml"] {
        let (found, said) = energies(&["other.safetensors", "--config", from]);
        assert_eq!(found, wanted, "{from}");
        for part in [from, "4 tensors of type BF16", "'num_batches_tracked'"] {
            assert!(said.contains(part), "{part}: {said}");
        }
    }

    // Live weights beside it are described as it is, and what is set is about the data that is scored.
    let live = [
        "other.safetensors",
        "--config",
        "mine.toml",
        "--weights",
        "live",
        "--set",
        "data.limit=2",
    ];
    assert_eq!(energies(&live).0, wanted[..2]);

    // In a run's folder nothing has to be named.
    fs::create_dir_all(place("run/checkpoints")).unwrap();
    fs::rename(place("mine.toml"), place("run/config.toml")).unwrap();
    fs::rename(
        place("other.safetensors"),
        place("run/checkpoints/000007.safetensors"),
    )
    .unwrap();
    assert_eq!(energies(&["run"]).0, wanted);
    assert_eq!(energies(&["run/checkpoints/000007.safetensors"]).0, wanted);

    // Endings are the same in capitals.
    fs::create_dir_all(place("loud/checkpoints")).unwrap();
    let loud = "loud/checkpoints/000007.SAFETENSORS";
    fs::rename(place("same.safetensors"), place(loud)).unwrap();
    assert_eq!(energies(&["loud", "--config", loud]).0, wanted);
}

#[test]
fn of_a_trained_model_the_data_alone_can_be_set() {
    let folder = tempfile::tempdir().unwrap();
    checkpoint(&folder, "digits", IMAGE_LAYERS);
    let energy = ["energy", "model.safetensors", "digits", "--json", "--set"];
    let output = run(&folder, &[&energy[..], &["data.limit=3"]].concat());
    let json: Value = serde_json::from_str(stdout(&output)).unwrap();
    assert_eq!(json["count"], 3);
    let sample = ["sample", "model.safetensors", "--set"];
    for (command, set, part) in [
        (&energy[..], "sampler.steps=3", "only the keys of [data]"),
        (&energy, "data.limits=3", "data.limit"),
        (&energy, "data.range=[1,0]", "data.range"),
        (&sample, "data.range=[0,9]", "set data.noise"),
        (&sample, "data.noise=-1", "data.noise = -1"),
    ] {
        let output = afterimage(&folder, &[command, &[set]].concat())
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(1), "{set}");
        assert!(stderr(&output).contains(part), "{}", stderr(&output));
    }
}
