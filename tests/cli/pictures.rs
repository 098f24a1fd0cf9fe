//! Pictures of a run along training.

use crate::checkpoint::{IMAGE_LAYERS, POINT_LAYERS};
use crate::command::{run, stderr};
use crate::setup::tiny;
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

#[test]
fn a_run_shows_how_samples_came_about() {
    let folder = tempfile::tempdir().unwrap();
    for (preset, layers) in [("8gaussians", POINT_LAYERS), ("digits", IMAGE_LAYERS)] {
        run(&folder, &tiny(preset, layers, &["--quiet"]));
        let run = folder.path().join("runs").join(preset);
        // After 2, 4 and all 6 steps.
        let frames = frames(&run.join("training.gif"));
        assert_eq!(frames.len(), 3, "{preset}");
        assert!(frames[0] != frames[1] && frames[1] != frames[2], "{preset}");

        let summary: Value =
            serde_json::from_slice(&fs::read(run.join("summary.json")).unwrap()).unwrap();
        let animation = summary["animation"].as_str().unwrap();
        assert!(animation.ends_with("training.gif"));
        let page = fs::read_to_string(run.join("report.html")).unwrap();
        assert_eq!(page.matches("src=\"data:image/gif;base64,").count(), 1);
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
    assert!(!folder.path().join("run/training.gif").exists());
}
