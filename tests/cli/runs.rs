//! What `afterimage runs` says of runs.

use crate::checkpoint::POINT_LAYERS;
use crate::command::{afterimage, run, stdout};
use crate::resume::{start, training};
use crate::setup::{refuses, tiny};
use afterimage::low_level::page::html;
use serde_json::{Value, json};
use std::fs;
use std::path::PathBuf;
use tempfile::TempDir;

#[test]
fn a_list_of_runs_says_how_far_they_are_and_how_they_ended() {
    let folder = tempfile::tempdir().unwrap();
    refuses(
        &folder,
        afterimage(&folder, &["runs"]),
        &["no runs in `runs`", "train"],
    );
    let json = |name: &str| {
        let output = run(&folder, &["runs", name, "--json"]);
        serde_json::from_str::<Value>(stdout(&output)).unwrap()
    };
    fs::create_dir(folder.path().join("none")).unwrap();
    assert_eq!(json("none"), Value::Array(Vec::new()));

    let first = training("40", &[]);
    let mut running = start(&folder, &first);
    running.wait_for(10);
    running.hold();
    let at = |key: &str| json(".")[0][key].clone();
    assert_eq!(
        (at("state"), at("resumable")),
        ("running".into(), false.into())
    );
    running.send("-KILL");
    running.end();
    assert_eq!(
        (at("state"), at("resumable")),
        ("interrupted".into(), true.into())
    );
    let steps = at("steps").as_u64().unwrap();
    assert!((1..40).contains(&steps) && at("of") == 40 && at("fits").is_null());
    let table = run(&folder, &["runs", "."]);
    let line = stdout(&table).lines().nth(1).unwrap();
    for words in [
        "run ",
        "digits-langevin +",
        "interrupted, resumable",
        &format!("{steps}/40"),
    ] {
        assert!(line.contains(words), "{words}: {line}");
    }

    run(&folder, &["train", "--resume", "run", "--quiet"]);
    assert_eq!(
        (at("state"), at("resumable")),
        ("finished".into(), false.into())
    );
    assert!(at("fits").is_string());
    // One further down, of which less is known, and which was written last.
    let other = folder.path().join("of/others");
    fs::create_dir_all(&other).unwrap();
    fs::write(other.join("config.toml"), "what = ").unwrap();
    fs::write(other.join("metrics.jsonl"), "").unwrap();
    let both = json(".");
    let folders: Vec<_> = both
        .as_array()
        .unwrap()
        .iter()
        .map(|run| &run["folder"])
        .collect();
    assert_eq!(folders, ["./run", "./of/others"]);
    let table = run(&folder, &["runs", "."]);
    let last = stdout(&table).lines().nth(2).unwrap();
    assert!(last.starts_with("of/others  –"), "{last}");
}

/// A run called `name` that was never made: its settings are the defaults but for `config`, and `steps` steps are done.
fn made_up(folder: &TempDir, name: &str, config: &str, steps: u64) -> PathBuf {
    let run = folder.path().join(name);
    fs::create_dir(&run).unwrap();
    fs::write(run.join("config.toml"), config).unwrap();
    let row = |step| json!({"step": step, "loss": 0.5, "data_distance": 1.0 / (step as f64 + 1.0)});
    let rows: String = (0..steps).map(|step| format!("{}\n", row(step))).collect();
    fs::write(run.join("metrics.jsonl"), rows).unwrap();
    run
}

/// An evaluation stays where a run goes on, and may be of its live weights.
#[test]
fn figures_of_other_weights_than_a_run_has_are_told() {
    let folder = tempfile::tempdir().unwrap();
    for (name, step, weights) in [
        ("earlier", 300, "averaged"),
        ("live", 500, "live"),
        ("own", 500, "averaged"),
    ] {
        let evaluation = json!({"step": step, "weights": weights, "kl_data_model": 0.25});
        let run = made_up(&folder, name, "", 500);
        fs::write(run.join("evaluation.json"), evaluation.to_string()).unwrap();
    }
    let list = run(&folder, &["runs", "."]);
    let line = |name: &str| {
        let mut lines = stdout(&list).lines();
        let line = lines.find(|line| line.starts_with(name));
        line.expect(name).to_owned()
    };
    for (name, end) in [
        ("earlier", "KL(data‖model) 0.25 (after 300 steps)"),
        ("live", "KL(data‖model) 0.25 (live weights)"),
        ("own", "KL(data‖model) 0.25"),
    ] {
        assert!(line(name).ends_with(end), "{}", line(name));
    }
    let json = run(&folder, &["runs", ".", "--json"]);
    let rows: Vec<Value> = serde_json::from_str(stdout(&json)).unwrap();
    let row = rows.iter().find(|row| row["folder"] == "./live").unwrap();
    assert_eq!(
        (&row["evaluated_step"], &row["evaluated_weights"]),
        (&json!(500), &json!("live"))
    );
    run(
        &folder,
        &["compare", "earlier", "live", "own", "--out", "all.html"],
    );
    let page = fs::read_to_string(folder.path().join("all.html")).unwrap();
    for cell in ["0.25 (after 300 steps)", "0.25 (live weights)", "0.25"] {
        assert!(page.contains(&format!(">{cell}</td>")), "{cell}");
    }
    // Distances are not of every step.
    let charts: Vec<&str> = page.split("<figure class=\"chart\">").collect();
    let caption = |title: &str| {
        let of = |chart: &&&str| chart.contains(&format!("<h3>{title}"));
        charts.iter().find(of).expect("a chart")
    };
    assert!(caption("loss").contains("the mean of 3 steps"));
    assert!(caption("energy distance").contains("the mean of 3 figures"));
    let (page, _) = html(&folder.path().join("earlier"));
    assert!(page.contains("nats, exact (after 300 steps)"));
}

#[test]
fn runs_are_compared_on_one_page() {
    let folder = tempfile::tempdir().unwrap();
    let runs = [
        ("one", "run.seed=3"),
        ("two", "run.seed=4"),
        ("three", "run.batch=9"),
    ];
    for (name, set) in runs {
        let more = ["--quiet", "--out", name, "--set", set];
        run(&folder, &tiny("8gaussians", POINT_LAYERS, &more));
    }
    run(
        &folder,
        &["compare", "one", "two", "three", "--out", "all.html"],
    );
    let page = fs::read_to_string(folder.path().join("all.html")).unwrap();
    let row = |name: &str| {
        let start = page
            .find(&format!("<th scope=\"row\">{name}</th>"))
            .expect(name);
        page[start..].split("</tr>").next().unwrap().to_owned()
    };
    let cells = |name: &str| -> Vec<String> {
        let row = row(name);
        let cells = row.split("<td class=\"reason\">").skip(1);
        cells
            .map(|cell| cell.split("</td>").next().unwrap().to_owned())
            .collect()
    };
    assert_eq!(cells("run.seed"), ["3", "4", "1"]);
    assert_eq!(cells("run.batch"), ["8", "8", "9"]);
    assert_eq!(cells("state"), ["finished"; 3]);
    // Nothing of what is the same.
    assert!(!page.contains(">run.steps<"));
    // A line a run, in each of the charts.
    for style in ["line s0", "line s1", "line s2"] {
        assert!(page.matches(style).count() > 8, "{style}");
    }
    assert_eq!(page.matches("data:image/png").count(), 3);

    refuses(
        &folder,
        afterimage(&folder, &["compare", "one", "all.html"]),
        &["no runs in `all.html`"],
    );
    refuses(
        &folder,
        afterimage(&folder, &["compare", "one", "./one"]),
        &["named twice"],
    );
    // Each of six has a colour of its own.
    let copy = |name: &str| {
        fs::create_dir(folder.path().join(name)).unwrap();
        for file in ["config.toml", "metrics.jsonl"] {
            fs::copy(
                folder.path().join("one").join(file),
                folder.path().join(name).join(file),
            )
            .unwrap();
        }
    };
    ["four", "five", "six"].into_iter().for_each(copy);
    run(
        &folder,
        &["compare", "one", "two", "three", "four", "five", "six"],
    );
    let page = fs::read_to_string(folder.path().join("comparison.html")).unwrap();
    let counts =
        [0, 1, 2, 3, 4, 5].map(|style| page.matches(&format!("\"line s{style}\"")).count());
    assert!(counts[0] > 8 && counts == [counts[0]; 6], "{counts:?}");
    let alone = afterimage(&folder, &["compare", "one"]).output().unwrap();
    assert_eq!(alone.status.code(), Some(2));
}
