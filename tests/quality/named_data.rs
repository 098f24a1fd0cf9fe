//! Evaluations by data that a user names: known again where they are the run's own, and kept apart from its own where not.

use crate::command::{afterimage, run, stderr};
use crate::held_out::{evaluate, folder_with, recorded, write_digits};
use crate::of_models::gaussian;
use afterimage::config;
use afterimage::data::Scaling;
use afterimage::model::Model;
use afterimage::shape::Shape;
use serde_json::Value;
use std::fs;
use std::path::Path;

const OUTSIDE: &str = "--only outside --against digits";

#[test]
fn what_a_run_was_trained_on_is_its_own_wherever_it_lies() {
    let elsewhere = tempfile::tempdir().expect("a folder");
    let file = elsewhere.path().join("digits.idx");
    write_digits(&file, 300);
    let path = format!("data.path={}", file.display());
    // A part of the file, as the record has it.
    let settings = [
        "data.source=idx",
        &path,
        "data.range=[0,16]",
        "data.limit=250",
    ];
    let (folder, written) = folder_with(&recorded(&settings));
    fs::copy(&file, folder.path().join("copy.idx")).expect("is copied");
    let is_own = |line: &str| {
        let line = format!("{OUTSIDE} {line}");
        let (said, found) = evaluate(&folder, &written, line.trim_end());
        assert_eq!(found["outside"]["inside_is"], "held-out data", "{said}");
        assert_eq!(found["outside"]["inside"], 25, "{said}");
        assert!(found["named_data"].is_null());
        said
    };
    is_own("");
    let said = is_own("--data copy.idx");
    assert!(said.contains("held-out data of it are evaluated"), "{said}");
    assert!(!said.contains("begun anew"), "{said}");
    is_own("--set data.path=copy.idx");
    // Where the run's own file is gone, its copy is what there is of it.
    fs::remove_file(&file).expect("is removed");
    is_own("--data copy.idx");

    // Against itself a model tells nothing apart.
    let line = [
        "evaluate",
        "run",
        "--only",
        "outside",
        "--data",
        "copy.idx",
        "--against",
        "copy.idx",
    ];
    let done = run(&folder, &line);
    assert!(
        stderr(&done).contains("copy.idx is what the run was trained on: outside tells"),
        "{}",
        stderr(&done)
    );
}

#[test]
fn named_data_have_a_report_of_their_own_that_says_how_they_were_read() {
    let model = recorded(&[]);
    let (folder, written) = folder_with(&model);
    let run_folder = folder.path().join("run");
    fs::write(
        run_folder.join("config.toml"),
        config::to_toml(model.config()),
    )
    .expect("is written");
    let mine = folder.path().join("mine & yours.idx");
    write_digits(&mine, 150);
    evaluate(&folder, &written, OUTSIDE);
    let own = fs::read(&written).expect("is written");

    let by_mine = written.with_file_name("evaluation-mine___yours.json");
    let named = |more: &[&str]| {
        let line = [
            "evaluate",
            "run",
            "--only",
            "outside",
            "--against",
            "digits",
            "--quiet",
        ];
        let name = ["--data", "mine & yours.idx"];
        let done = run(&folder, &[&line[..], &name, more].concat());
        let text = fs::read(&by_mine).expect("is written");
        let found: Value = serde_json::from_slice(&text).expect("is JSON");
        (stderr(&done).to_owned(), found)
    };
    let (said, found) = named(&["--set", "data.limit=100", "--seed", "5"]);
    assert_eq!(said, "");
    assert_eq!(fs::read(&written).expect("is there"), own);
    let data = &found["data"];
    let path = fs::canonicalize(&mine)
        .expect("is there")
        .display()
        .to_string();
    assert_eq!(
        (&data["source"], &data["path"]),
        (&"idx".into(), &path.clone().into())
    );
    assert_eq!(
        (&data["limit"], &data["held_out"]),
        (&100.into(), &0.0.into())
    );
    assert_eq!(data["range"], "auto");
    assert_eq!(found["named_data"]["range"], serde_json::json!([0.0, 16.0]));
    let record = &found["data_record"];
    assert_eq!(record["training"]["count"], 100);
    assert_eq!(record["held_out"]["count"], 0);
    let outside = &found["outside"];
    assert_eq!(outside["inside_is"], "named data");
    assert_eq!(outside["seed"], 5);
    assert_eq!(outside["record"]["count"], 1797);
    assert_eq!(outside["record"]["crc32"].as_str().map(str::len), Some(8));

    // The page has the command of either, and that of the named data does the same again.
    let page = fs::read_to_string(run_folder.join("report.html")).expect("is written");
    let lines: Vec<String> = page
        .lines()
        .skip_while(|line| !line.contains("as in evaluation-mine___yours.json: outside"))
        .skip_while(|line| !line.contains("afterimage evaluate"))
        .map(|line| line.replace("&#38;", "&").replace("&#39;", "'"))
        .collect();
    let mut words = String::new();
    for line in &lines {
        let start = line.find("afterimage evaluate").unwrap_or_default();
        let line = line[start..].trim_end_matches("</code></pre>");
        words += line.trim_end_matches('\\');
        if !line.ends_with('\\') {
            break;
        }
    }
    let words = shlex::split(&words).expect("are words");
    let wanted = [
        &["--data", &path][..],
        &["--set", "data.limit=100"],
        &["--seed", "5"],
    ];
    for pair in wanted {
        assert!(
            words.windows(2).any(|found| found == pair),
            "no {pair:?} in {words:?}"
        );
    }
    let arguments: Vec<&str> = words[1..].iter().map(String::as_str).collect();
    let again = run(&folder, &arguments);
    assert!(!stderr(&again).contains("begun anew"), "{}", stderr(&again));
    let text = fs::read(&by_mine).expect("is there");
    let repeated: Value = serde_json::from_slice(&text).expect("is JSON");
    assert_eq!(repeated["outside"], found["outside"]);

    // Read in another way they are no part of the same, which is said even where little else is.
    let (said, _) = named(&[]);
    assert!(
        said.contains("yours.json was of other weights or data"),
        "{said}"
    );
}

#[test]
fn a_report_that_cannot_be_read_is_kept_aside() {
    let (folder, written) = folder_with(&gaussian(&["run.sample_steps=8"]));
    for number in ["", "-2"] {
        fs::write(&written, format!("{{\"step\": {number}")).expect("is written");
        let (said, found) = evaluate(&folder, &written, OUTSIDE);
        assert!(said.contains("evaluation.json cannot be read"), "{said}");
        assert!(!said.contains("other weights"), "{said}");
        assert!(found["outside"]["auroc"].is_object());
        let aside = written.with_file_name(format!("evaluation.json.damaged{number}"));
        let kept = fs::read_to_string(aside).expect("is kept");
        assert_eq!(kept, format!("{{\"step\": {number}"));
    }
}

/// A Gaussian in the plane, beside the eight of the data.
fn planar() -> Model {
    let sets = [
        "network.layers=[{dense=1}]",
        "network.base=gaussian",
        "network.base_std=2",
    ];
    let sets = sets.map(str::to_owned);
    let config = config::load("8gaussians", &sets).expect("a valid configuration");
    let shape = Shape::new(2, 1, 1);
    Model::new(config, shape, Scaling::unscaled(-4.0, 4.0), vec![0.0; 3], 7).expect("fits")
}

#[test]
fn exact_figures_that_failed_leave_nothing_of_earlier_ones() {
    let (folder, written) = folder_with(&planar());
    let line = |tolerance: &str| format!("--count 0 --against moons --tolerance {tolerance}");
    let (_, before) = evaluate(&folder, &written, &line("0.1"));
    assert!(before["log_z"].is_number() && before["modes"].is_array());
    let (_, after) = evaluate(&folder, &written, &line("0.5"));
    assert!(after["density"]["not_valid"].is_string(), "{after}");
    for key in ["log_z", "nll", "modes", "grid", "kl_data_model"] {
        assert!(after.get(key).is_none(), "{key} in {after}");
    }
    assert_eq!(after["outside"]["auroc"], before["outside"]["auroc"]);
    assert_eq!(after["step"], 7);
    let (_, again) = evaluate(&folder, &written, &line("0.1"));
    assert!(again.get("density").is_none() && again["log_z"] == before["log_z"]);
}

#[test]
fn a_bare_name_leads_to_the_snapshots_of_its_run() {
    let (folder, _) = folder_with(&gaussian(&["network.base=gaussian"]));
    let run_folder = folder.path().join("run");
    fs::write(run_folder.join("config.toml"), "").expect("is written");
    // What is there and cannot be read is said.
    fs::write(run_folder.join("snapshots"), "no folder").expect("is written");
    let line = "evaluate 000007.safetensors --only likelihood --evaluations 150000";
    let line: Vec<&str> = line.split(' ').collect();
    let done = run(run_folder.join("checkpoints"), &line);
    assert!(
        stderr(&done).contains("snapshots are left out, as the folder cannot be read"),
        "{}",
        stderr(&done)
    );
}

fn write_pictures(folder: &Path, shade: u8) {
    fs::create_dir_all(folder).expect("a folder");
    for number in 0..6 {
        let picture = image::GrayImage::from_fn(8, 8, |x, y| {
            image::Luma([(x * 20 + y * 10) as u8 + shade + number])
        });
        let path = folder.join(format!("{number}.png"));
        picture.save(path).expect("is saved");
    }
}

#[test]
fn pictures_that_training_may_have_seen_are_not_taken_as_unseen() {
    let elsewhere = tempfile::tempdir().expect("a folder");
    let pictures = elsewhere.path().join("pictures");
    for (name, shade) in [("a", 0), ("b", 30)] {
        write_pictures(&pictures.join(name), shade);
    }
    let path = format!("data.path={}", pictures.display());
    let (folder, written) = folder_with(&recorded(&["data.source=images", &path]));
    let data = |path: &Path| format!("{OUTSIDE} --data {}", path.display());
    let (said, found) = evaluate(&folder, &written, &data(&pictures));
    assert_eq!(found["outside"]["inside_is"], "held-out data", "{said}");
    let line = format!("evaluate run {}", data(&pictures.join("a")));
    let line: Vec<&str> = line.split(' ').collect();
    let done = afterimage(&folder, &line).output().expect("starts");
    assert!(!done.status.success());
    assert!(
        stderr(&done).contains("have pictures in common"),
        "{}",
        stderr(&done)
    );
}
