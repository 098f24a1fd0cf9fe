//! Pictures of a run along training, and those that `sample` draws.

use crate::checkpoint::{IMAGE_LAYERS, POINT_LAYERS};
use crate::command::{afterimage, run, stderr};
use crate::setup::{checkpoint, refused, size_of_picture, tiny};
use image::codecs::gif::GifDecoder;
use image::{AnimationDecoder, RgbImage};
use serde_json::Value;
use std::fs;
use std::io::Cursor;
use std::path::Path;

/// Rows of a frame that say what it shows.
const TITLE: u32 = 62;

/// The frames of an animation, without their titles.
fn frames(path: &Path) -> Vec<RgbImage> {
    let bytes = fs::read(path).expect("a file");
    let decoder = GifDecoder::new(Cursor::new(bytes)).expect("a GIF");
    let frames = decoder.into_frames().collect_frames().expect("whole");
    let picture = |frame: image::Frame| {
        let frame = image::DynamicImage::from(frame.into_buffer()).into_rgb8();
        let (width, height) = frame.dimensions();
        image::imageops::crop_imm(&frame, 0, TITLE, width, height - TITLE).to_image()
    };
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
    // Of a course that was given up: nothing is known of these steps.
    fs::copy(
        path("samples/000006.chains.png"),
        path("samples/000090.chains.png"),
    )
    .unwrap();
    fs::write(path("energies.jsonl"), "{}").unwrap();
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
    assert!(
        said.contains("pictures of energies begin where the run goes on"),
        "{said}"
    );
    let rows = lines(&path("energies.jsonl"));
    assert!(rows.iter().all(|row| row["step"].as_u64() >= Some(8)));
    // After 6 and 9 steps.
    assert_eq!(frames(&path("training.gif")).len(), 2);
    // With other settings nothing need come in its place.
    assert!(!path("samples/000090.chains.png").exists());
    assert!(path("samples/000006.chains.png").exists());
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

#[test]
fn chains_are_shown_from_their_starts_to_their_ends() {
    let folder = tempfile::tempdir().unwrap();
    checkpoint(&folder, "digits", IMAGE_LAYERS);
    let sample = |more: &[&str]| {
        let arguments = [
            "sample",
            "model.safetensors",
            "--quiet",
            "--steps",
            "6",
            "--out",
            "a.png",
        ];
        run(&folder, &[&arguments[..], more].concat());
        size_of_picture(&folder.path().join("a.png"))
    };
    // Cells of 80 pixels, 4 between them, below 62 of title and 22 of heads; digits are denoised in the end.
    let (width, height) = sample(&["--count", "3", "--steps-shown", "5"]);
    assert_eq!((width, height), (6 * 84 + 4, 62 + 22 + 3 * 84 + 4));
    let (width, height) = sample(&["--count", "3", "--steps-shown", "5", "--energies"]);
    assert_eq!((width, height), (6 * 84 + 4, 62 + 22 + 3 * (84 + 22) + 4));
    let size = sample(&["--count", "9", "--energies"]);
    assert_eq!(size, (402, 62 + 3 * (84 + 22) + 4));
    let size = sample(&["--count", "2", "--interpolate", "6"]);
    assert_eq!(size, (6 * 84 + 4, 62 + 22 + 2 * (84 + 22) + 4));
    let size = sample(&["--steps-shown", "2"]);
    assert_eq!(size, (402, 62 + 22 + 8 * 84 + 4));

    let refuse = |more: &[&str], parts: &[&str]| {
        let arguments = ["sample", "model.safetensors", "--quiet", "--steps", "3"];
        refused(&folder, &[&arguments[..], more].concat(), parts);
    };
    refuse(
        &["--steps-shown", "5"],
        &["--steps-shown", "3 steps have 4 states"],
    );
    for option in ["--steps-shown", "--interpolate"] {
        let more = [option, "4", "--out", "a.gif"];
        refuse(&more, &[option, "--out has to end in .png"]);
    }
    refuse(&["--energies", "--out", "a.npy"], &["--energies", ".png"]);
    let both = ["sample", "x", "--steps-shown", "3", "--interpolate", "3"];
    let output = afterimage(&folder, &both).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn chains_in_the_plane_are_paths_over_the_landscape() {
    let folder = tempfile::tempdir().unwrap();
    checkpoint(&folder, "8gaussians", POINT_LAYERS);
    let arguments = ["sample", "model.safetensors", "--quiet", "--steps", "6"];
    let draw = |steps: &str| {
        let shown = ["--steps-shown", steps, "--out", "a.png"];
        run(&folder, &[&arguments[..], &shown].concat());
        image::open(folder.path().join("a.png"))
            .unwrap()
            .into_rgb8()
    };
    let (few, many) = (draw("2"), draw("7"));
    assert_eq!(few.dimensions(), many.dimensions());
    assert!(few != many);
    refused(
        &folder,
        &[&arguments[..], &["--interpolate", "5"]].concat(),
        &["--interpolate", "points of the plane"],
    );
    refused(
        &folder,
        &[&arguments[..], &["--energies"]].concat(),
        &["--energies", "--json prints their energies"],
    );
}
