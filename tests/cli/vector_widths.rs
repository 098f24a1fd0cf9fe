//! How wide the vectors are that lavapipe is asked for.

use crate::command::tuning;
use serde_json::Value;

const WIDTH: &str = "LP_NATIVE_VECTOR_WIDTH";

/// Name and driver of lavapipe as `devices` lists it, of a program that is given `width`; none where it is not listed.
fn lavapipe(width: Option<&str>) -> Option<(String, String)> {
    let folder = tempfile::tempdir().unwrap();
    let mut command = tuning(&folder, &["devices", "--json"]);
    match width {
        Some(width) => command.env(WIDTH, width),
        None => command.env_remove(WIDTH),
    };
    let output = command.output().unwrap();
    let devices: Value = serde_json::from_slice(&output.stdout).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let mut listed = devices.as_array().unwrap().iter();
    let found = listed.find(|device| text(&device["name"]).starts_with("llvmpipe "))?;
    Some((text(&found["name"]), text(&found["driver"])))
}

/// Mesa 25.0, which is the slower one with wide vectors, is started again without: `.ci/run` has one such.
#[test]
fn the_width_suits_the_driver() {
    let wide = std::is_x86_feature_detected!("avx512f");
    let Some((name, driver)) = lavapipe(None).filter(|_| wide) else {
        println!("nothing was tested: there is no lavapipe, or the processor has no wide vectors");
        return;
    };
    let widths = [("22.3.", 512), ("25.0.", 256), ("26.2.", 512)];
    let is_this = |mesa: &str| driver.contains(&format!("Mesa {mesa}"));
    let Some((_, width)) = widths.iter().find(|(mesa, _)| is_this(mesa)) else {
        println!("nothing was tested: no width is known to suit {driver}");
        return;
    };
    assert!(name.ends_with(&format!(" {width} bits)")), "{name}");
}

#[test]
fn a_width_that_was_asked_for_stays() {
    for width in ["128", "256", "512"] {
        let Some((name, _)) = lavapipe(Some(width)) else {
            println!("nothing was tested: there is no lavapipe");
            return;
        };
        assert!(name.ends_with(&format!(" {width} bits)")), "{name}");
    }
}
