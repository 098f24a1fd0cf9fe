//! The page of a run: what is on it, and what a damaged folder does to it.

use crate::checkpoint::{IMAGE_LAYERS, POINT_LAYERS};
use crate::command::{afterimage, run, stderr};
use crate::setup::tiny;
use afterimage::low_level::page::{html, write};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// Elements without an end.
const VOID: [&str; 4] = ["img", "input", "link", "meta"];
/// What carries markup where text is not escaped.
const NASTY: &str = "<script>alert(\"&'\")</script>";

/// A run of `preset` in a second, with all that a page can show; as an absolute path.
pub fn trained(folder: &TempDir, preset: &str, layers: &str) -> PathBuf {
    let out = folder.path().join("run");
    let path = out.to_str().expect("a plain path");
    let more = [
        "--set",
        "sampler.steps=5",
        "--set",
        "sampler.diagnose=2",
        "--out",
        path,
    ];
    let output = run(folder, &tiny(preset, layers, &more));
    assert!(stderr(&output).contains("report.html"));
    out
}

/// Asserts that every element ends, in its turn, but for those that have no end.
#[track_caller]
pub fn assert_well_formed(page: &str) {
    let mut open: Vec<&str> = Vec::new();
    let mut rest = page;
    while let Some(start) = rest.find('<') {
        rest = &rest[start + 1..];
        if rest.starts_with('!') {
            continue;
        }
        let end = rest.find('>').expect("a tag ends");
        let (tag, after) = rest.split_at(end);
        let name = tag.trim_start_matches('/').split([' ', '\n', '/']).next();
        let name = name.expect("a tag has a name");
        assert!(
            name.starts_with(|c: char| c.is_ascii_lowercase()),
            "<{tag}>"
        );
        if tag.starts_with('/') {
            assert_eq!(open.pop(), Some(name), "</{name}>");
        } else if !tag.ends_with('/') && !VOID.contains(&name) {
            open.push(name);
        }
        rest = match name {
            // What they hold is no markup.
            "script" | "style" if !tag.starts_with('/') => {
                let close = format!("</{name}>");
                &after[after.find(&close).expect("ends")..]
            }
            _ => after,
        };
    }
    assert!(open.is_empty(), "{open:?}");
}

#[track_caller]
fn assert_holds(page: &str, parts: &[&str]) {
    for part in parts {
        assert!(page.contains(part), "no '{part}'");
    }
}

/// Asserts that nothing is fetched from anywhere.
#[track_caller]
fn assert_self_contained(page: &str) {
    for source in page.split("src=\"").skip(1) {
        let is_data = |kind| source.starts_with(&format!("data:image/{kind};base64,"));
        assert!(is_data("png") || is_data("gif"));
    }
    for reference in ["href=", "url(", "@import", "<link", "<iframe", "<object"] {
        assert!(!page.contains(reference), "{reference}");
    }
}

#[test]
fn a_run_and_its_evaluation_are_on_one_page() {
    let folder = tempfile::tempdir().unwrap();
    let run_folder = trained(&folder, "digits", IMAGE_LAYERS);
    let page = fs::read_to_string(run_folder.join("report.html")).unwrap();
    assert_well_formed(&page);
    assert_self_contained(&page);
    let sections = [
        "samples", "curves", "snapshot", "energies", "chains", "commands", "settings",
    ];
    for section in sections {
        assert!(
            page.contains(&format!("<section id=\"{section}\">")),
            "{section}"
        );
    }
    assert!(!page.contains("<section id=\"evaluation\">"));
    assert_holds(
        &page,
        &[
            "An energy-based model with",
            "<strong>Fits</strong>",
            "type=\"range\"",
            // Without its script there is no slider, and no picture is hidden.
            "<div class=\"slider\" hidden>",
            "<figure class=\"frame\" data-step=\"2\">",
            "alt=\"Noise samples after 2 steps\"",
            "afterimage train digits",
            "--set run.steps=6",
            "data with the noise of training",
            "noise samples of the last step",
            "<th scope=\"row\"><code>run.batch</code></th><td><code>8</code></td>",
        ],
    );
    // Two pictures along the way, the last one, and histograms of energies.
    assert_eq!(page.matches("data:image/png").count(), 4);
    let summary: Value =
        serde_json::from_slice(&fs::read(run_folder.join("summary.json")).unwrap()).unwrap();
    assert_eq!(summary["energies"]["data"].as_array().unwrap().len(), 809);
    assert_eq!(
        summary["energies"]["held_out"].as_array().unwrap().len(),
        180
    );
    assert_eq!(summary["energies"]["buffer"].as_array().unwrap().len(), 8);

    // The page is a function of the folder.
    assert_eq!(html(&run_folder), (page, Vec::new()));

    let path = run_folder.to_str().unwrap();
    let output = run(
        &folder,
        &["evaluate", path, "--only", "samples", "--count", "40"],
    );
    assert!(stderr(&output).contains("report.html"));
    let page = fs::read_to_string(run_folder.join("report.html")).unwrap();
    assert_well_formed(&page);
    assert_self_contained(&page);
    assert_holds(
        &page,
        &[
            "<section id=\"evaluation\">",
            "Fréchet distance",
            "<th scope=\"col\">value</th><th scope=\"col\">floor</th>",
            "<em>not valid</em>: ",
            "alt=\"Rows of samples, each above the row of the training samples nearest to them\"",
            &format!("afterimage evaluate {path} --only samples"),
            "--samples 40",
        ],
    );
    assert_eq!(html(&run_folder).0, page);
    let shown = page.matches("data:image/png").count();
    assert_eq!(shown, 5);

    // Of another evaluation the picture would be another's.
    let output = run(
        &folder,
        &[
            "evaluate",
            path,
            "--only",
            "outside",
            "--against",
            "digits",
            "--set",
            "data.limit=500",
        ],
    );
    assert!(stderr(&output).contains("begun anew"));
    assert!(run_folder.join("neighbours.png").is_file());
    let page = fs::read_to_string(run_folder.join("report.html")).unwrap();
    assert_eq!(page.matches("data:image/png").count(), shown - 1);
    assert!(!page.contains("Nearest training samples"));
}

#[test]
fn a_planar_run_shows_its_landscape_and_its_exact_figures() {
    let folder = tempfile::tempdir().unwrap();
    let run_folder = trained(&folder, "8gaussians", POINT_LAYERS);
    let path = run_folder.to_str().unwrap();
    run(
        &folder,
        &["evaluate", path, "--count", "50", "--tolerance", "0.01"],
    );
    let page = fs::read_to_string(run_folder.join("report.html")).unwrap();
    assert_well_formed(&page);
    assert_holds(
        &page,
        &[
            "Landscape",
            "KL(data‖model)",
            "<caption>modes</caption>",
            "Four squares: the density of the data",
            "--only density",
        ],
    );
    // Landscapes along the way, the last one and the evaluation's: samples.png is the same as the last. And histograms of energies.
    assert_eq!(page.matches("data:image/png").count(), 5);
}

/// A folder of a run that was never made.
fn folder_of(name: &str, files: &[(&str, &str)]) -> (TempDir, PathBuf) {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join(name);
    fs::create_dir(&folder).unwrap();
    for (file, text) in files {
        fs::write(folder.join(file), text).unwrap();
    }
    (parent, folder)
}

#[test]
#[cfg(unix)]
fn what_a_folder_holds_is_text_and_never_markup() {
    let config = format!("[data]\nsource = \"npy\"\npath = '''/{NASTY}'''\n");
    let summary = json!({"fits": NASTY, "energies": {NASTY: [1.0, 2.0]}}).to_string();
    let evaluation = json!({
        "source": NASTY, "step": 3, "weights": NASTY, NASTY: {NASTY: 1.5, "not_valid": [NASTY], "list": [{NASTY: NASTY}]},
        "outside": {"source": NASTY, "auroc": {"value": 0.5, "standard_error": 0.1, NASTY: NASTY}},
        "arguments": {"outside": ["--only", "outside", "--against", NASTY]},
    });
    let metrics = json!({"step": 0, NASTY: 1.0}).to_string()
        + "\n"
        + &json!({"step": 1, NASTY: 2.0}).to_string();
    let (_parent, folder) = folder_of(
        &NASTY.replace('/', "|"),
        &[
            ("config.toml", &config),
            ("summary.json", &summary),
            ("evaluation.json", &evaluation.to_string()),
            ("metrics.jsonl", &metrics),
        ],
    );
    let (page, problems) = html(&folder);
    assert_eq!(problems, [] as [&str; 0]);
    assert_well_formed(&page);
    assert!(!page.contains("<script>alert"));
    assert_eq!(page.matches("<script").count(), 1);
    let escaped = "&#60;script&#62;alert(&#34;&#38;&#39;&#34;)&#60;";
    assert!(
        page.matches(escaped).count() > 10,
        "{}",
        page.matches(escaped).count()
    );
    // A shell reads it as one word.
    let line = page
        .lines()
        .find(|line| line.contains("--against"))
        .unwrap();
    let line = line
        .trim_end_matches("</code></pre>")
        .trim_end_matches(" \\");
    let line = unescaped(line);
    assert_eq!(shlex::split(&line).unwrap(), ["--against", NASTY]);
}

#[test]
fn an_empty_folder_has_a_page_that_says_what_is_missing() {
    let (_parent, folder) = folder_of("empty", &[]);
    let written = write(&folder).unwrap();
    assert_eq!(written.problems, [] as [&str; 0]);
    let page = fs::read_to_string(&written.path).unwrap();
    assert_well_formed(&page);
    assert_holds(
        &page,
        &[
            "config.toml, metrics.jsonl, summary.json",
            "The run may still go on",
            "<h1>empty</h1>",
        ],
    );
    assert!(!page.contains("Fits"));
    assert!(!page.contains("<section id=\"curves\">"));
}

/// A run of 500 steps with the settings `config`, which has pictures of an end, and of steps up to `last`.
fn with_pictures(config: &str, last: usize) -> (TempDir, PathBuf) {
    let (parent, folder) = folder_of(
        "drawn",
        &[("config.toml", config), ("metrics.jsonl", &metrics_of(500))],
    );
    let picture = image::RgbImage::new(4, 4);
    fs::create_dir(folder.join("samples")).unwrap();
    for step in (100..=last).step_by(100) {
        let name = format!("samples/{step:06}.png");
        picture.save(folder.join(name)).unwrap();
    }
    for name in ["samples.png", "energies.png", "training.gif"] {
        picture.save(folder.join(name)).unwrap();
    }
    (parent, folder)
}

/// The summary of such a run at its end.
fn end_of(stopped: bool) -> String {
    let end = json!({
        "steps": 500, "stopped": stopped, "samples": "drawn/samples.png", "landscape": null,
        "energy_histograms": "drawn/energies.png", "animation": "drawn/training.gif",
    });
    end.to_string()
}

/// A run that goes on has them until it draws others.
#[test]
fn pictures_of_an_earlier_end_and_of_steps_to_come_are_not_shown() {
    let (_parent, folder) = with_pictures("", 600);
    let of_the_end = [
        "<h3>Last samples</h3>",
        "As an animation",
        "Histograms of the energies",
    ];
    let page = html(&folder).0;
    assert_well_formed(&page);
    assert_holds(
        &page,
        &["samples after 400 steps", "samples after 500 steps"],
    );
    for part in of_the_end.iter().chain(&["after 600 steps"]) {
        assert!(!page.contains(part), "{part}");
    }

    // A run that diverged has drawn none of its samples.
    let diverged = json!({
        "steps": 500, "diverged": {"step": 499, "what": "an energy", "advice": ""}, "energy_histograms": null,
        "animation": "drawn/training.gif",
    });
    fs::write(folder.join("summary.json"), diverged.to_string()).unwrap();
    let page = html(&folder).0;
    let shown = of_the_end.map(|part| page.contains(part));
    assert_eq!(shown, [false, true, false]);

    fs::write(folder.join("summary.json"), end_of(false)).unwrap();
    let page = html(&folder).0;
    assert_holds(&page, &of_the_end);
    assert!(!page.contains("after 600 steps"));
}

/// Noise is of the snapshot, or of no model; the averaged weights have drawn fresh chains alone.
#[test]
fn captions_say_what_has_drawn_the_samples() {
    let of_snapshot = ", which are of the snapshot.";
    let gaussian = ", which no model drew: the noise is a fixed Gaussian.";
    for (config, noise) in [
        ("", of_snapshot),
        ("[snapshot]\nkind = \"ema\"\n", of_snapshot),
        ("[snapshot]\nkind = \"gaussian\"\n", gaussian),
    ] {
        let (_parent, folder) = with_pictures(config, 200);
        fs::write(folder.join("summary.json"), end_of(true)).unwrap();
        let (page, problems) = html(&folder);
        assert_eq!(problems, [""; 0]);
        let stopped = format!("These are the noise samples of the last step{noise}");
        let along = format!("Noise samples of training{noise}");
        assert_holds(&page, &[&stopped, &along]);
        assert!(!page.contains("Of the averaged weights"));
        fs::write(folder.join("summary.json"), end_of(false)).unwrap();
        let page = html(&folder).0;
        assert_holds(
            &page,
            &[
                "Of the averaged weights: samples drawn from fresh chains",
                &along,
            ],
        );
    }
}

#[test]
fn the_last_look_is_a_table_of_its_pairs() {
    let look = json!({
        "steps": 50, "features": "pixels", "level": 0.01, "gradient_evaluations": 9,
        "kinds": [{"kind": "fresh", "chains": 128, "lost": 2}, {"kind": "data", "chains": 128, "lost": 0}],
        "pairs": [{
            "left": "fresh", "right": "data", "discrepancy": 0.215, "p_value": 0.001, "permutations": 999,
            "adjusted_p_value": 0.003, "told_apart": true,
        }],
    });
    for (look, parts) in [
        (
            look,
            [
                "128 fresh (2 lost), 128 data; compared by their values",
                "<th scope=\"row\">fresh and data</th><td>yes</td><td>0.001</td><td>0.003</td><td>0.215</td>",
            ],
        ),
        (
            json!({"not_valid": "too few"}),
            ["<section id=\"chains\">", "were not compared: too few."],
        ),
    ] {
        let summary = json!({ "last_look": look }).to_string();
        let (_parent, folder) = folder_of("looked", &[("summary.json", &summary)]);
        let page = html(&folder).0;
        assert_well_formed(&page);
        assert_holds(&page, &parts);
    }
}

#[test]
fn damaged_files_are_left_out_with_a_word() {
    let folder = tempfile::tempdir().unwrap();
    let run_folder = trained(&folder, "8gaussians", POINT_LAYERS);
    let damage = |name: &str, how: &dyn Fn(Vec<u8>) -> Vec<u8>| {
        let path = run_folder.join(name);
        let bytes = fs::read(&path).unwrap_or_default();
        fs::write(path, how(bytes)).unwrap();
    };
    let half = |bytes: Vec<u8>| bytes[..bytes.len() / 2].to_vec();
    damage("samples/000002.png", &half);
    damage("landscape.png", &|_| b"no picture".to_vec());
    damage("metrics.jsonl", &|bytes| {
        [&b"{\"step\": \xff\n[1]\n"[..], &bytes, b"{\"step\": 9"].concat()
    });
    damage("evaluation.json", &|_| b"{\"step\": ".to_vec());
    let of_landscape = |problems: &[String]| {
        let mut lines = problems.iter();
        lines.any(|line| line.starts_with("landscape.png"))
    };
    assert!(of_landscape(&html(&run_folder).1));
    damage("summary.json", &half);
    damage("diagnostics.jsonl", &|_| b"{}\n".to_vec());
    damage("config.toml", &|_| b"[data]\nnonsense = \xff\n".to_vec());
    let (page, problems) = html(&run_folder);
    assert_well_formed(&page);
    let told = problems.join("\n");
    for name in [
        "samples/000002.png",
        "3 lines of metrics.jsonl",
        "evaluation.json",
        "summary.json",
        "1 line of diagnostics.jsonl",
        "config.toml",
    ] {
        let of_it = problems.iter().filter(|line| line.starts_with(name));
        assert_eq!(of_it.count(), 1, "{name} in {told}");
    }
    // Without the summary it may be of another end.
    assert!(!of_landscape(&problems));
    assert_eq!(problems.len(), 6, "{told}");
    // What can be read is there.
    assert_holds(
        &page,
        &["<section id=\"curves\">", "Noise samples after 4 steps"],
    );
}

/// The figures of an evaluation are kept where the page cannot be written, and the error is that of any file.
#[test]
fn a_page_that_cannot_be_written_loses_no_figures() {
    let folder = tempfile::tempdir().unwrap();
    let run_folder = trained(&folder, "8gaussians", POINT_LAYERS);
    fs::remove_file(run_folder.join("report.html")).unwrap();
    fs::create_dir(run_folder.join("report.html")).unwrap();
    let path = run_folder.to_str().unwrap();
    let line = ["evaluate", path, "--count", "0", "--tolerance", "0.1"];
    let output = afterimage(&folder, &line).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let told = stderr(&output);
    assert!(
        told.contains("error: cannot write") && told.contains("report.html"),
        "{told}"
    );
    let kept = evaluation(&run_folder);
    assert!(kept["log_z"].is_f64());
    let line = [&line[..], &["--json"]].concat();
    let output = afterimage(&folder, &line).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let printed: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(printed["log_z"], kept["log_z"]);
}

fn evaluation(folder: &Path) -> Value {
    serde_json::from_slice(&fs::read(folder.join("evaluation.json")).unwrap()).unwrap()
}

/// What a browser shows of `text`.
fn unescaped(text: &str) -> String {
    let signs = [
        ("&#60;", "<"),
        ("&#62;", ">"),
        ("&#34;", "\""),
        ("&#39;", "'"),
        ("&#38;", "&"),
    ];
    let start = text.to_owned();
    signs
        .iter()
        .fold(start, |text, (from, to)| text.replace(from, to))
}

/// The commands of `page` that evaluate, as a shell reads them.
fn evaluations(page: &str) -> Vec<Vec<String>> {
    let commands = page.split("<pre><code>afterimage evaluate ").skip(1);
    let commands = commands.map(|rest| {
        let (text, _) = rest.split_once("</code>").unwrap();
        shlex::split(&unescaped(text).replace("\\\n", "")).unwrap()
    });
    commands.collect()
}

/// From any folder, with all that was asked for.
#[test]
fn the_commands_of_a_page_give_the_same_figures_again() {
    let folder = tempfile::tempdir().unwrap();
    let run_folder = trained(&folder, "digits", IMAGE_LAYERS);
    let network =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/quality/onnx/digits_features.onnx");
    fs::copy(network, folder.path().join("a network.onnx")).unwrap();
    let asked = "evaluate run --only samples,outside --samples 40 --seed 5 --features-range=-1,1 --against digits \
                 --weights live --set data.limit=900";
    let asked: Vec<&str> = asked.split_whitespace().collect();
    run(
        &folder,
        &[&asked[..], &["--features", "a network.onnx"]].concat(),
    );
    let first = evaluation(&run_folder);
    let page = fs::read_to_string(run_folder.join("report.html")).unwrap();
    let commands = evaluations(&page);
    assert_eq!(commands.len(), 2, "{commands:?}");
    fs::remove_file(run_folder.join("evaluation.json")).unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    for command in &commands {
        let words: Vec<&str> = command.iter().map(String::as_str).collect();
        run(&elsewhere, &[&["evaluate"], &words[..]].concat());
    }
    let again = evaluation(&run_folder);
    for key in [
        "/weights",
        "/data",
        "/sample_quality/distances",
        "/sample_quality/feature_network/crc32",
        "/sample_quality/feature_network/range",
        "/outside",
        "/arguments",
    ] {
        let (first, again) = (first.pointer(key), again.pointer(key));
        assert!(first.is_some() && first == again, "{key}");
    }
}

/// A page of the run and of an evaluation that lies elsewhere.
#[test]
fn an_evaluation_in_a_folder_of_its_own_has_a_page_there() {
    let folder = tempfile::tempdir().unwrap();
    let run_folder = trained(&folder, "8gaussians", POINT_LAYERS);
    let evaluate = |words: &[&str]| {
        let line = [
            words,
            &["--only", "density", "--tolerance", "0.1", "--samples", "0"],
        ]
        .concat();
        stderr(&run(&folder, &line)).to_owned()
    };
    let own = fs::read(run_folder.join("report.html")).unwrap();
    let told = evaluate(&["evaluate", "run", "--out", "apart"]);
    assert!(told.contains("wrote apart/report.html"), "{told}");
    assert_eq!(fs::read(run_folder.join("report.html")).unwrap(), own);
    let page = fs::read_to_string(folder.path().join("apart/report.html")).unwrap();
    assert_well_formed(&page);
    assert_holds(
        &page,
        &[
            "<h1>run</h1>",
            "KL(data‖model)",
            "<section id=\"curves\">",
            "Densities",
        ],
    );

    // The run itself, by another name.
    let told = evaluate(&["evaluate", "run", "--out", "./run/../run"]);
    assert!(told.contains("report.html"), "{told}");
    let page = fs::read_to_string(run_folder.join("report.html")).unwrap();
    assert_holds(&page, &["KL(data‖model)", "Densities"]);

    // What is another's stays, and where there is no page it is said.
    fs::write(folder.path().join("apart/config.toml"), "").unwrap();
    let told = evaluate(&["evaluate", "run", "--out", "apart"]);
    assert!(
        told.contains("note: no report.html: apart is another"),
        "{told}"
    );
    let told = evaluate(&[
        "evaluate",
        "run/checkpoints/000006.safetensors",
        "--out",
        "third",
    ]);
    assert!(
        told.contains("note: no report.html: run/checkpoints"),
        "{told}"
    );
    assert!(!folder.path().join("third/report.html").exists());
}

#[test]
fn a_run_in_the_current_folder_has_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let run_folder = trained(&folder, "8gaussians", POINT_LAYERS);
    let line = ["evaluate", ".", "--tolerance", "0.1", "--samples", "0"];
    run(&run_folder, &line);
    let page = fs::read_to_string(run_folder.join("report.html")).unwrap();
    assert_holds(&page, &["<h1>run</h1>", "<title>run – Afterimage</title>"]);
    let path = run_folder.to_str().unwrap();
    assert_holds(
        &page,
        &[&format!("afterimage evaluate {path} --only density")],
    );
}

/// Whatever there is to see of a run that diverged.
#[test]
fn a_run_that_diverged_has_a_page() {
    let folder = tempfile::tempdir().unwrap();
    let more = [
        "--set",
        "optimiser.rate=1e30",
        "--set",
        "run.steps=40",
        "--out",
        "run",
    ];
    let output = afterimage(&folder, &tiny("8gaussians", POINT_LAYERS, &more))
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    let page = fs::read_to_string(folder.path().join("run/report.html")).unwrap();
    assert_well_formed(&page);
    let text = fs::read(folder.path().join("run/summary.json")).unwrap();
    let summary: Value = serde_json::from_slice(&text).unwrap();
    let told = &summary["diverged"];
    let (step, what) = (told["step"].as_u64(), told["what"].as_str());
    let advice = told["advice"].as_str().unwrap();
    let error = format!(
        "the run diverged at step {}, counted from 0: {}; {advice}",
        step.unwrap(),
        what.unwrap()
    );
    assert!(stderr(&output).contains(&error), "{error}");
    assert!(summary["fits"].is_null() && summary["last"].is_object());
    let checkpoint = summary["checkpoint"].as_str().unwrap();
    assert!(folder.path().join(checkpoint).is_file());
    assert_holds(
        &page,
        &[
            "<section id=\"curves\">",
            &format!(
                "<strong>The run diverged</strong> at step {}: {}.",
                step.unwrap(),
                what.unwrap()
            ),
            "<strong>Was to fit</strong> a density",
            "lower optimiser.rate",
        ],
    );
    assert!(!page.contains("may still go on") && !page.contains("<strong>Fits"));
}

/// The lines of a long run.
fn metrics_of(steps: usize) -> String {
    let line = |step: usize| {
        let value = ((step * 37) % 101) as f64 / 101.0;
        let row = json!({
            "step": step, "snapshot_age": step % 12, "loss": value, "energy_data": -value, "energy_noise": value,
            "nce_accuracy": 0.5, "log_ratio_spread": value, "clamped": 0, "ess": 1.0 - value / 2.0,
            "gradient_norm": 1.0 + value, "learning_rate": 1e-4, "step_size": value, "acceptance": 1.0,
        });
        format!("{row}\n")
    };
    (0..steps).map(line).collect()
}

#[test]
fn a_long_run_has_a_small_page() {
    let sized = |steps: usize| {
        let (_parent, folder) = folder_of("long", &[("metrics.jsonl", &metrics_of(steps))]);
        let picture =
            fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/digits/samples.png"));
        let picture = picture.unwrap();
        fs::create_dir(folder.join("samples")).unwrap();
        for step in 0..steps / 500 {
            fs::write(
                folder.join(format!("samples/{:06}.png", step * 500)),
                &picture,
            )
            .unwrap();
        }
        html(&folder).0
    };
    let page = sized(100_000);
    assert!(page.len() < 6 << 20, "{} bytes", page.len());
    assert_holds(
        &page,
        &[
            "Each point is the mean of 417 steps",
            "every 12 steps, 8,334 times in all: too often to mark each",
            "of the 200 pictures in <code>samples/</code>, evenly spaced",
        ],
    );
    let short = sized(200);
    assert!(!short.contains("is the mean of"));
    assert!(short.contains("every 12 steps, 17 times in all.") && short.contains("class=\"mark\""));
}
