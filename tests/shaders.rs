//! Every shader, without a device: valid WGSL that binds what its Rust side declares, in the programs of whole runs.

mod common;

use afterimage::config;
use afterimage::low_level::gpu::MOST_TURNS;
use afterimage::low_level::kernels::{self, Variant};
use afterimage::low_level::train::TrainingPlan;
use common::programs::{check_dispatch, launches};
use common::whole_runs::{kinds, programs, shape_of, variants};
use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;

#[test]
fn every_shader_is_valid_and_binds_what_it_declares_in_whole_runs() {
    let programs = programs();
    let dispatches = kinds(&programs);
    // Some hundreds or thousands, of which each has to be parsed.
    let threads = thread::available_parallelism().map_or(1, |count| count.get());
    thread::scope(|scope| {
        for dispatches in dispatches.chunks(dispatches.len().div_ceil(threads)) {
            scope.spawn(|| {
                dispatches
                    .iter()
                    .for_each(|dispatch| check_dispatch(dispatch))
            });
        }
    });

    let entries: HashMap<String, PathBuf> = entries()
        .map(|path| (fs::read_to_string(&path).expect("reads"), path))
        .collect();
    let launched: BTreeSet<&PathBuf> = programs
        .keys()
        .map(|program| {
            let kernel = program.kernel;
            let path = entries
                .get(kernel.source)
                .unwrap_or_else(|| panic!("{} comes from no file in shaders/", kernel.name));
            let stem = path.with_extension("");
            assert!(
                stem.ends_with(kernel.name),
                "{} is {}",
                kernel.name,
                path.display()
            );
            path
        })
        .collect();
    let existing: BTreeSet<&PathBuf> = entries.values().collect();
    assert_eq!(launched, existing, "shaders that nothing launches");
}

/// By what the programs say of themselves; the kernels for GPUs meet no driver that stops.
#[test]
fn no_preset_makes_more_turns_than_drivers_do_however_large_its_batch() {
    let on_software = |variant: &Variant| !matches!(variant, Variant::Tiled(_));
    for preset in config::presets() {
        let mut config = config::load(preset.name, &[]).expect("presets are valid");
        let shape = shape_of(&config);
        config.run.batch = 4096;
        config.run.slice = Some(1024);
        let data = vec![0.0; config.run.batch * shape.len()];
        for variant in variants().into_iter().filter(on_software) {
            let plan = TrainingPlan::new(&config, shape, variant).expect("fits");
            let step = plan.step(0, &data);
            let most = launches(&step).into_iter().max_by_key(|d| d.program.turns);
            let program = &most.expect("launches").program;
            let name = (preset.name, program.kernel.name);
            assert!(program.turns <= MOST_TURNS, "{name:?}: {}", program.turns);
        }
    }
}

#[test]
fn every_shared_file_is_imported() {
    let imports = |path: &PathBuf| -> Vec<PathBuf> {
        fs::read_to_string(path)
            .expect("reads")
            .lines()
            .filter_map(|line| line.trim().strip_prefix("#import"))
            // Without quotes it is a text from the Rust side.
            .filter(|name| name.contains('"'))
            .map(|name| shaders().join(name.trim().trim_matches('"')))
            .collect()
    };
    let files = entries().chain(wgsl_files("shared"));
    let imported: BTreeSet<PathBuf> = files.flat_map(|path| imports(&path)).collect();
    assert_eq!(imported, wgsl_files("shared").into_iter().collect());
}

/// Each of them is launched by [`programs`], since these run every generator and every activation.
#[test]
fn every_line_of_a_table_has_its_file() {
    let text = |path: PathBuf| fs::read_to_string(path).expect("reads");
    for (folder, sources) in [
        (
            "generators",
            kernels::GENERATORS.iter().map(|g| g.source).collect(),
        ),
        (
            "activations",
            kernels::ACTIVATIONS.map(|a| a.source).to_vec(),
        ),
    ] {
        let written: BTreeSet<String> = wgsl_files(folder).into_iter().map(text).collect();
        let sources: Vec<&str> = sources;
        let registered: BTreeSet<String> = sources.into_iter().map(str::to_owned).collect();
        assert_eq!(registered, written);
    }
}

fn shaders() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("shaders")
}

/// The files with an entry point: all but those that others are given or import.
fn entries() -> impl Iterator<Item = PathBuf> {
    let folders = fs::read_dir(shaders()).expect("is a folder");
    let folders = folders.map(|entry| entry.expect("reads").path());
    let names = folders
        .filter(|path| path.is_dir())
        .map(|path| path.file_name().expect("has a name").to_owned());
    let mut names: Vec<String> = names
        .map(|name| name.into_string().expect("UTF-8"))
        .collect();
    names.retain(|name| !["activations", "generators", "shared"].contains(&name.as_str()));
    names.push(String::new());
    names.into_iter().flat_map(|name| wgsl_files(&name))
}

/// The WGSL files right in this folder of `shaders/`.
fn wgsl_files(folder: &str) -> Vec<PathBuf> {
    let files: Vec<PathBuf> = fs::read_dir(shaders().join(folder))
        .expect("is a folder")
        .map(|entry| entry.expect("reads").path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "wgsl"))
        .collect();
    assert!(!files.is_empty());
    files
}
