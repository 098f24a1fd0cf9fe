//! Pictures of a run along training.

use crate::checkpoint::{IMAGE_LAYERS, POINT_LAYERS};
use crate::command::{run, stderr};
use crate::setup::{size_of_picture, tiny};
use image::codecs::gif::GifDecoder;
use image::{AnimationDecoder, RgbImage};
use serde_json::Value;
use std::fs;
use std::io::Cursor;
use std::path::Path;

/// The frames of an animation.
fn frames(path: &Path) -> Vec<RgbImage> {
    let bytes = fs::read(path).expect("a file");
    let decoder = GifDecoder::new(Cursor::new(bytes)).expect("a GIF");
    let frames = decoder.into_frames().collect_frames().expect("whole");
    let picture = |frame: image::Frame| image::DynamicImage::from(frame.into_buffer()).into_rgb8();
    frames.into_iter().map(picture).collect()
}

/// The lines of a file.
fn lines(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).expect("a file");
    let line = |line: &str| serde_json::from_str(line).expect("is JSON");
    text.lines().map(line).collect()
}

#[test]
fn a_run_shows_how_samples_and_energies_came_about() {
    let folder = tempfile::tempdir().unwrap();
    for (preset, layers) in [("8gaussians", POINT_LAYERS), ("digits", IMAGE_LAYERS)] {
        run(&folder, &tiny(preset, layers, &["--quiet"]));
        let run = folder.path().join("runs").join(preset);
        // After 2, 4 and all 6 steps.
        let frames = frames(&run.join("training.gif"));
        assert_eq!(frames.len(), 3, "{preset}");
        assert!(frames[0] != frames[1] && frames[1] != frames[2], "{preset}");

        let rows = lines(&run.join("energies.jsonl"));
        let steps: Vec<u64> = rows
            .iter()
            .map(|row| row["step"].as_u64().unwrap())
            .collect();
        assert_eq!(steps, [1, 3, 5]);
        let metrics = lines(&run.join("metrics.jsonl"));
        for row in &rows {
            // They are those whose means are in the metrics, which sum in f32.
            for (kind, mean) in [("data", "energy_data"), ("noise", "energy_noise")] {
                let energies: Vec<f64> = row[kind]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|energy| energy.as_f64().unwrap())
                    .collect();
                assert_eq!(energies.len(), 8);
                let found = energies.iter().sum::<f64>() / 8.0;
                let size = energies.iter().map(|energy| energy.abs()).sum::<f64>();
                let told = metrics[row["step"].as_u64().unwrap() as usize][mean]
                    .as_f64()
                    .unwrap();
                let tolerance = 8.0 * f64::from(f32::EPSILON) * size + 1e-30;
                assert!((found - told).abs() <= tolerance, "{kind}: {found} {told}");
            }
        }
        let (width, height) = size_of_picture(&run.join("energies.png"));
        assert!(width == 900 && height > 200);

        let summary: Value =
            serde_json::from_slice(&fs::read(run.join("summary.json")).unwrap()).unwrap();
        for (key, name) in [
            ("animation", "training.gif"),
            ("energy_histograms", "energies.png"),
        ] {
            assert!(summary[key].as_str().unwrap().ends_with(name));
        }
        let page = fs::read_to_string(run.join("report.html")).unwrap();
        assert_eq!(page.matches("src=\"data:image/gif;base64,").count(), 1);
        assert!(page.contains("Histograms of the energies of data and of noise"));
    }
}

#[test]
fn frames_that_cannot_be_read_are_left_out_with_a_word() {
    let folder = tempfile::tempdir().unwrap();
    let more = ["--quiet", "--set", "run.steps=8", "--out", "run"];
    run(&folder, &tiny("digits", IMAGE_LAYERS, &more));
    let path = |name: &str| folder.path().join("run").join(name);
    fs::write(path("samples/000002.chains.png"), "no picture").unwrap();
    fs::remove_file(path("samples/000004.chains.png")).unwrap();
    let longer = [
        "train",
        "--resume",
        "run",
        "--set",
        "run.steps=9",
        "--quiet",
    ];
    let output = run(&folder, &longer);
    let said = stderr(&output);
    assert!(
        said.contains("000002.chains.png is not in training.gif: "),
        "{said}"
    );
    // After 6 and 9 steps.
    assert_eq!(frames(&path("training.gif")).len(), 2);
}

#[test]
fn nothing_is_drawn_along_the_way_of_a_run_that_is_not_to() {
    let folder = tempfile::tempdir().unwrap();
    let more = ["--quiet", "--set", "run.sample_every=0", "--out", "run"];
    run(&folder, &tiny("digits", IMAGE_LAYERS, &more));
    for name in ["training.gif", "energies.jsonl", "energies.png"] {
        assert!(!folder.path().join("run").join(name).exists(), "{name}");
    }
}
