//! The benchmark.

use crate::command::{run, stdout};
use crate::setup::refused;
use serde_json::Value;

/// All files below `folder`, with their contents.
/// What `bench` prints with --json: the line about the machine, and the figures.
fn bench_lines(arguments: &[&str]) -> (Value, Vec<Value>) {
    let folder = tempfile::tempdir().unwrap();
    let output = run(&folder, arguments);
    let mut lines = stdout(&output)
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"));
    (lines.next().expect("a header"), lines.collect())
}

#[test]
fn bench_measures_everything_it_promises_and_briefly_what_a_comparison_needs() {
    let (header, figures) = bench_lines(&["bench", "--nets", "D", "--seconds", "0", "--json"]);
    assert_eq!(header["kind"], "header");
    assert_eq!(header["afterimage"], env!("CARGO_PKG_VERSION"));
    for text in [
        &header["wgpu"],
        &header["adapter"]["driver"],
        &header["kernels"]["family"],
        &header["kernels"]["by"],
        &header["kernels"]["why"],
    ] {
        assert!(text.is_string(), "{header}");
    }

    // Every figure has what the peers' have, and is a possible one.
    for figure in &figures {
        for key in ["ms", "ms_min", "ms_q1", "ms_q3", "per_s"] {
            assert!(
                figure[key].as_f64().is_some_and(|value| value > 0.0),
                "{key} of {figure}"
            );
        }
        assert!(
            figure["ms_min"].as_f64() <= figure["ms_q1"].as_f64(),
            "{figure}"
        );
        assert!(
            figure["ms_q1"].as_f64() <= figure["ms"].as_f64(),
            "{figure}"
        );
        assert!(
            figure["ms"].as_f64() <= figure["ms_q3"].as_f64(),
            "{figure}"
        );
        for key in ["mode", "work", "device", "precision", "clock"] {
            assert!(figure[key].is_string(), "{key} of {figure}");
        }
        assert!(figure["runs"].as_u64() >= Some(3), "{figure}");
        let rates = ["gflops", "gb_per_s"].map(|key| figure[key].is_f64());
        assert!(rates[0] != rates[1], "one of the two bounds {figure}");
        let is_ceiling = figure["kind"] == "ceiling";
        assert_eq!(figure["ceiling_share"].is_f64(), !is_ceiling, "{figure}");
    }

    let of = |kind: &str| -> Vec<&Value> {
        figures
            .iter()
            .filter(|figure| figure["kind"] == kind)
            .collect()
    };
    let [arithmetic, memory] = of("ceiling")[..] else {
        panic!("two ceilings: {:?}", of("ceiling"));
    };
    assert!(arithmetic["gflops"].is_f64() && memory["gb_per_s"].is_f64());
    assert!(of("layer").len() >= 3);

    // 3×3 convolutions 1→32 over 8×8, 32→64 over 4×4 and 64→64 over 2×2, dense 256→1.
    let forward = 2u64 * 128 * (9 * (32 * 64 + 32 * 64 * 16 + 64 * 64 * 4) + 256);
    let (step, update) = (2 * forward, 6 * forward);
    let works = [
        ("langevin", step),
        ("train", update),
        ("full", 40 * step + update),
    ];
    let networks = of("network");
    assert_eq!(networks.len(), works.len());
    for (figure, (work, flops)) in networks.iter().zip(works) {
        assert_eq!(
            (&figure["net"], &figure["work"]),
            (&"D".into(), &work.into())
        );
        assert_eq!(
            (&figure["batch"], &figure["clock"]),
            (&128.into(), &"wall".into())
        );
        let number = |figure: &Value, key: &str| figure[key].as_f64().unwrap();
        let counted = number(figure, "gflops") * number(figure, "ms") * 1e6;
        assert!(
            (counted / flops as f64 - 1.0).abs() < 1e-9,
            "{work}: {counted}"
        );
        let share = number(figure, "gflops") / number(arithmetic, "gflops");
        assert!((number(figure, "ceiling_share") / share - 1.0).abs() < 1e-9);
        let kernels = of("kernel")
            .iter()
            .filter(|kernel| kernel["work"] == work)
            .count();
        assert_eq!(kernels > 0, work != "full", "{work}");
    }
    for kernel in of("kernel") {
        assert!(
            kernel["kernel"].is_string() && kernel["work_share"].is_f64(),
            "{kernel}"
        );
        assert!(kernel["launches"].as_f64() > Some(0.0), "{kernel}");
    }

    // A brief one has only what a comparison needs.
    let (_, figures) = bench_lines(&[
        "bench",
        "--nets",
        "D",
        "--seconds",
        "0",
        "--json",
        "--brief",
    ]);
    let works: Vec<_> = figures.iter().map(|figure| &figure["work"]).collect();
    assert_eq!(works, ["langevin", "train"]);
}

#[test]
fn bench_refuses_what_it_cannot_measure() {
    let folder = tempfile::tempdir().unwrap();
    refused(&folder, &["bench", "--nets", "D,X"], &["'X'", "D, M, C"]);
    refused(&folder, &["bench", "--nets", ""], &["''", "D, M, C"]);
    refused(&folder, &["bench", "--growth", "a.jpg"], &["a.jpg", ".png"]);
}
