//! Programs in C, compiled with warnings as errors and run: the example, and one that does wrong what can be done wrong. They are
//! compiled as C and as C++, linked with the shared and with the static library, and run plainly and under the sanitizers of the
//! compiler. Not under valgrind: there, lavapipe's own compiler does not come to an end before the engine gives the device up.

use afterimage::gpu::{AdapterChoice, Executor, ExecutorOptions};
use afterimage::model::{ChosenBy, Model, SampleOptions, chosen_kernels};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::LazyLock;

#[path = "../../../tests/common/checkpoint.rs"]
#[allow(dead_code)]
mod checkpoint;

/// What is asked of the compiler. That of C++ is told that these are programs in C++.
const C: &[&str] = &["cc", "-std=c11"];
const CPP: &[&str] = &["c++", "-std=c++17", "-x", "c++"];
const STRICT: &[&str] = &["-g", "-O1", "-Wall", "-Wextra", "-Wpedantic", "-Werror"];
const SANITIZERS: &[&str] = &[
    concat!(env!("CARGO_MANIFEST_DIR"), "/tests/c/keep.c"),
    "-fsanitize=address,undefined",
    "-fno-sanitize-recover=all",
    "-fno-omit-frame-pointer",
];

/// A small run of digits.
const SETTINGS: &[&str] = &[
    checkpoint::IMAGE_LAYERS,
    "run.steps=20",
    "run.batch=32",
    "run.figure_every=0",
    "sampler.steps=4",
    "sampler.diagnose=0",
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The folder with the libraries, which tests do not depend on by themselves: as they are now.
static BUILT: LazyLock<PathBuf> = LazyLock::new(|| {
    let test = std::env::current_exe().expect("a path");
    let profile = test.ancestors().nth(2).expect("target/PROFILE").to_owned();
    let target = profile.parent().expect("target");
    let mut cargo = Command::new(env!("CARGO"));
    cargo
        .args(["build", "--quiet", "--package", "afterimage-c"])
        .arg("--target-dir")
        .arg(target)
        .current_dir(root());
    if profile.ends_with("release") {
        cargo.arg("--release");
    }
    assert!(cargo.status().expect("cargo is there").success());
    profile
});

#[derive(Clone, Copy, Debug, PartialEq)]
enum Library {
    Shared,
    Static,
}

fn run(command: &mut Command) -> Output {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{command:?}: {}\n{said}",
        output.status
    );
    output
}

/// Compiles `source` into `folder`.
fn compiled(
    source: &str,
    (language, more): (&[&str], &[&str]),
    library: Library,
    folder: &Path,
) -> PathBuf {
    let program = folder.join("program");
    let mut compiler = Command::new(language[0]);
    compiler
        .args(&language[1..])
        .args(STRICT)
        .args(more)
        .arg("-I")
        .arg(root().join("include"))
        .arg(root().join(source))
        // What follows is no source.
        .args(if language == CPP {
            &["-x", "none"][..]
        } else {
            &[]
        })
        .arg("-o")
        .arg(&program);
    match library {
        Library::Shared => compiler
            .arg("-L")
            .arg(&*BUILT)
            .arg("-lafterimage")
            .arg(format!("-Wl,-rpath,{}", BUILT.display())),
        Library::Static => {
            compiler
                .arg(BUILT.join("libafterimage.a"))
                .args(["-lpthread", "-ldl", "-lm"])
        }
    };
    run(&mut compiler);
    program
}

/// `program` to be run on a device as the tests of the engine have it.
fn started(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.env("NODEVICE_SELECT", "1");
    command
}

/// A checkpoint of points for the program that does things wrong.
fn points(folder: &Path) -> PathBuf {
    let path = folder.join("points.safetensors");
    let model = checkpoint::untrained("moons", checkpoint::POINT_LAYERS);
    model.save(&path).expect("can be saved");
    path
}

/// What the example says, and that the model that it keeps is as it says.
fn check_example(mut command: Command, folder: &Path) {
    let path = folder.join("digits.safetensors");
    let output = run(command.arg(&path).args(SETTINGS));
    let text = String::from_utf8(output.stdout).expect("is text");
    assert!(
        text.starts_with(&format!("afterimage {}", env!("CARGO_PKG_VERSION"))),
        "{text}"
    );
    assert!(text.contains("step 20 of 20: loss "), "{text}");

    let mut executor =
        Executor::open(&AdapterChoice::Best, ExecutorOptions::default()).expect("an adapter");
    let model = Model::load(&path).expect("is whole");
    let options = SampleOptions {
        count: 4,
        steps: 20,
        seed: 1,
        frames: 0,
    };
    let drawn = model.sample(&mut executor, &options, &mut |_, _| true);
    let mut evaluator = model.evaluator(&mut executor, 4).expect("fits");
    let wanted = evaluator.energies(&mut executor, &drawn.expect("computes").values);
    let wanted = wanted.expect("computes");
    let energies: Vec<[f32; 2]> = text
        .lines()
        .filter_map(|line| line.strip_prefix("energy "))
        .map(|line| {
            let (energy, below) = line.split_once(", below ").expect("has both");
            [energy, below].map(|number| number.parse().expect("is a number"))
        })
        .collect();
    assert_eq!(energies.len(), 4, "{text}");
    // Of a driver that is not known, each process may have chosen kernels of its own.
    let chosen = chosen_kernels(&executor).expect("has computed");
    let is_same = matches!(chosen.by, ChosenBy::Table | ChosenBy::Adapter);
    for ([energy, below], wanted) in energies.into_iter().zip(wanted) {
        assert!(below < energy, "{text}");
        match is_same {
            true => assert_eq!(
                energy.to_bits(),
                wanted.to_bits(),
                "{energy} is not {wanted}"
            ),
            false => assert!((energy - wanted).abs() <= 1e-3 * wanted.abs().max(1.0)),
        }
    }
}

#[test]
fn the_example_computes_what_the_engine_computes() {
    let cases = [
        (C, Library::Shared),
        (CPP, Library::Shared),
        (C, Library::Static),
        (CPP, Library::Static),
    ];
    for (language, library) in cases {
        let folder = tempfile::tempdir().expect("can be made");
        let program = compiled("examples/digits.c", (language, &[]), library, folder.path());
        check_example(started(program), folder.path());
    }
}

#[test]
fn the_example_ends_with_the_words_of_the_library() {
    let folder = tempfile::tempdir().expect("can be made");
    let program = compiled(
        "examples/digits.c",
        (C, &[]),
        Library::Shared,
        folder.path(),
    );
    let output = started(program)
        .args(["digits.safetensors", "run.stepz=1"])
        .current_dir(folder.path())
        .output()
        .expect("starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    let words = "error 2: --set: there is no `run.stepz`; did you mean `run.steps`?\n";
    assert_eq!(said, words);
}

#[test]
fn misuse_is_told() {
    for language in [C, CPP] {
        let folder = tempfile::tempdir().expect("can be made");
        let source = "tests/c/misuse.c";
        let program = compiled(source, (language, &[]), Library::Shared, folder.path());
        let output = run(started(program).arg(points(folder.path())));
        // No function has printed anything.
        assert_eq!(output.stdout, b"all as it should be\n");
        assert!(output.stderr.is_empty(), "{:?}", output.stderr);
    }
}

/// What is written beside memory of the program, and what is not freed, by the library or by the driver.
#[test]
fn the_sanitizers_find_nothing() {
    for source in ["examples/digits.c", "tests/c/misuse.c"] {
        let folder = tempfile::tempdir().expect("can be made");
        let program = compiled(source, (C, SANITIZERS), Library::Shared, folder.path());
        let mut command = started(program);
        command.env("ASAN_OPTIONS", "detect_leaks=1");
        match source {
            "tests/c/misuse.c" => drop(run(command.arg(points(folder.path())))),
            _ => check_example(command, folder.path()),
        }
    }
}

/// The sanitizers above would find a model that is not freed, and a write behind the room that there is.
#[test]
fn the_sanitizers_find_what_there_is() {
    let folder = tempfile::tempdir().expect("can be made");
    let source = "tests/c/faults.c";
    let program = compiled(source, (C, SANITIZERS), Library::Shared, folder.path());
    for (fault, words) in [
        ("leak", "LeakSanitizer: detected memory leaks"),
        ("overrun", "heap-buffer-overflow"),
    ] {
        let output = started(&program)
            .args([fault.as_ref(), points(folder.path()).as_os_str()])
            .env("ASAN_OPTIONS", "detect_leaks=1")
            .output()
            .expect("starts");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(
            !output.status.success() && said.contains(words),
            "{fault}: {said}"
        );
    }
}
