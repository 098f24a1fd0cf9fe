//! Chromium's compiler takes the programs of whole runs. It judges what naga does not: whether every barrier stands in control
//! flow that is uniform as far as a compiler can tell.

mod common;

use afterimage::low_level::gpu::Dispatch;
use common::extended;
use common::page::{Page, text};
use common::programs::check_spirv;
use common::whole_runs::{kinds, programs};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Programs that are compiled at a time.
const BATCH: usize = 16;
/// Programs of a kernel that become a pipeline: all that is left to do then is the software adapter's, which is no visitor's,
/// and takes a second each.
const PIPELINES: usize = 8;

/// Programs by kernel and text.
type Kernels = BTreeMap<&'static str, BTreeMap<String, Dispatch>>;

/// Those of [`kinds`].
fn chosen() -> Kernels {
    let programs = programs();
    let mut kernels = Kernels::new();
    for dispatch in kinds(&programs) {
        let program = &dispatch.program;
        let texts = kernels.entry(program.kernel.name).or_default();
        texts.insert(text(program), dispatch.clone());
    }
    kernels
}

#[test]
fn chromium_accepts_every_program() {
    let Some(mut page) = Page::open() else {
        return;
    };
    let workgroup_bytes = page.adapter["limits"]["maxComputeWorkgroupStorageSize"].as_u64();
    let workgroup_bytes = workgroup_bytes.expect("is a number") as usize;
    let mut compiled = [0, 0];
    for (name, programs) in chosen() {
        let stride = programs.len().div_ceil(PIPELINES);
        let tasks: Vec<Value> = programs
            .iter()
            .enumerate()
            .map(|(index, (text, dispatch))| {
                let is_due = extended() && index % stride == 0;
                // Some walks are for adapters with more of it.
                let pipeline = is_due && check_spirv(dispatch) <= workgroup_bytes;
                compiled[usize::from(pipeline)] += 1;
                json!({"code": text, "pipeline": pipeline})
            })
            .collect();
        for tasks in tasks.chunks(BATCH) {
            let answers = page.ask(&json!({"what": "compile", "programs": tasks}));
            let answers = answers.as_array().expect("a list");
            assert_eq!(answers.len(), tasks.len());
            for (answer, task) in answers.iter().zip(tasks) {
                let is_accepted = answer["messages"] == json!([]) && answer["error"].is_null();
                let text = task["code"].as_str().expect("is a text");
                assert!(is_accepted, "{name}: {answer:#}\n{text}");
            }
        }
    }
    let [alone, pipelines] = compiled;
    eprintln!("accepted {alone} programs, and {pipelines} as pipelines");
    assert!(alone > 0);
}
