//! Input that is damaged, or made to do damage: of any bytes a reader makes data or one error, without a panic and without memory
//! that only a header asks for.
//!
//! Every test changes valid input some thousand times; `AFTERIMAGE_CASES` says how often, and `AFTERIMAGE_CASES_SEED` which changes. A
//! case that fails is kept, and its file named. Most of the time goes into files: with `TMPDIR` in memory it takes a fifth.

mod account;
#[path = "../common/checkpoint.rs"]
#[allow(dead_code)]
mod checkpoint;
#[path = "../common/mod.rs"]
mod common;
mod corpus;
mod mutate;
mod states;

use account::{Counting, peak_of};
use afterimage::config::{self, Word};
use afterimage::data::{self, DataOptions, RawRange, Source};
use afterimage::low_level::model::architecture;
use afterimage::model::Model;
use afterimage::shape::Shape;
use mutate::{Draws, mutated};
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// What a reader may hold for the sake of its own tables and buffers.
const FIXED: usize = 8 << 20;

/// A number in the environment.
fn number(name: &str, default: u64) -> u64 {
    let text = std::env::var(name).unwrap_or_default();
    match text.is_empty() {
        true => default,
        false => text
            .parse()
            .unwrap_or_else(|_| panic!("{name} is no number: {text}")),
    }
}

/// Hands changed `seeds`, three of four after `dress`, to `read`, which gives what is wrong with its answer if anything is; it may hold
/// `for_each` bytes for each byte of the case. Which share was read as valid is printed, for that tells whether the changes go deep.
fn hand_out(
    name: &str,
    seeds: &[Vec<u8>],
    for_each: usize,
    dress: impl Fn(Vec<u8>) -> Vec<u8>,
    mut read: impl FnMut(&[u8]) -> Result<(), String>,
) {
    let seed = number("AFTERIMAGE_CASES_SEED", 1);
    let cases = number("AFTERIMAGE_CASES", 2000);
    let mut draws = Draws::new(seed);
    let mut valid = 0;
    let mut run = |bytes: &[u8], is_whole: bool| {
        let (outcome, held) = peak_of(|| catch_unwind(AssertUnwindSafe(|| read(bytes))));
        let most = FIXED + for_each * bytes.len();
        let wrong = match outcome {
            Err(_) => Some("a panic".to_owned()),
            _ if held > most => Some(format!(
                "{held} bytes held for a case of {}, more than {most}",
                bytes.len()
            )),
            Ok(Ok(())) => return true,
            Ok(Err(message)) if is_whole => Some(format!("a valid one is refused: {message}")),
            Ok(Err(message)) => bad_message(&message),
        };
        if let Some(wrong) = wrong {
            let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("hostile-{name}"));
            fs::write(&path, bytes).unwrap();
            panic!("{name}: {wrong}; the case is in {}", path.display());
        }
        false
    };
    for whole in seeds {
        run(whole, true);
    }
    for case in 0..cases {
        let bytes = mutated(seeds, &mut draws);
        let bytes = match case % 4 {
            0 => bytes,
            _ => dress(bytes),
        };
        valid += u64::from(run(&bytes, false));
    }
    println!("{name}: {cases} cases of seed {seed}, {valid} of them valid");
}

/// Bytes that need no dress.
fn same(bytes: Vec<u8>) -> Vec<u8> {
    bytes
}

/// What is wrong with a refusal, if anything is.
fn bad_message(message: &str) -> Option<String> {
    let is_good = !message.is_empty() && message.len() < 2000;
    (!is_good).then(|| format!("a message of {} bytes: {message:?}", message.len()))
}

/// Hands changed files called `file` to the loader of `source`, and to whoever tells what kind of data they are.
fn hand_out_files(
    source: &str,
    file: &str,
    seeds: &[Vec<u8>],
    for_each: usize,
    dress: impl Fn(Vec<u8>) -> Vec<u8>,
) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(file);
    let of = match source {
        "images" => folder.path(),
        _ => &path,
    };
    let options = DataOptions {
        source: source.into(),
        path: of.to_str().unwrap().into(),
        range: match Source::named(source).unwrap().name {
            "csv" => RawRange::Auto,
            _ => RawRange::Given([0.0, 255.0]),
        },
        ..config::Config::default().data.options()
    };
    let name = format!("{source}-{}", file.replace('.', "-"));
    let mut turn = 0;
    hand_out(&name, seeds, for_each, dress, |bytes| {
        fs::write(&path, bytes).unwrap();
        turn += 1;
        // Asking every reader takes longer than reading.
        if turn % 8 == 0 {
            drop(data::source_of(of.to_str().unwrap()));
        }
        match data::open(&options, 1) {
            Ok(data) => {
                let values = data.first(1);
                assert_eq!(values.len(), data.shape().len());
                assert!(values.iter().all(|value| value.is_finite()));
                Ok(())
            }
            Err(error) => Err(error.to_string()),
        }
    });
}

#[test]
fn idx() {
    hand_out_files("idx", "a.idx", &corpus::idx(), 64, same);
    // DEFLATE writes at most 1032 bytes for one.
    let packed: Vec<_> = corpus::idx()
        .iter()
        .map(|file| corpus::packed(file))
        .collect();
    hand_out_files("idx", "damaged.gz", &packed, 64 * 1032, same);
    let unpacked = corpus::idx();
    hand_out_files("idx", "a.gz", &unpacked, 64 * 1032, |bytes| {
        corpus::packed(&bytes)
    });
}

#[test]
fn cifar10() {
    hand_out_files("cifar10", "data_batch_1.bin", &corpus::cifar(), 64, same);
}

#[test]
fn npy() {
    hand_out_files("npy", "a.npy", &corpus::npy(), 256, same);
}

#[test]
fn csv() {
    hand_out_files("csv", "a.csv", &corpus::csv(), 1024, same);
}

#[test]
fn png() {
    hand_out_files(
        "images",
        "a.png",
        &corpus::png(),
        64 * 1032,
        corpus::with_checksums,
    );
}

#[test]
fn jpeg() {
    hand_out_files("images", "a.jpg", &corpus::jpeg(), 64 * 1032, same);
}

/// What is done with a configuration before anything of its size is made.
fn laid_out(config: config::Config) {
    drop(config.warnings());
    drop(architecture(&config, Shape::new(1, 8, 8)));
}

#[test]
fn configurations() {
    let seeds = corpus::configurations();
    hand_out("configurations", &seeds, 4096, same, |bytes| {
        let text = String::from_utf8_lossy(bytes);
        let config = config::parse(&text, "a case").map_err(|error| error.to_string())?;
        laid_out(config);
        Ok(())
    });
}

#[test]
fn settings() {
    let seeds = corpus::settings();
    hand_out("settings", &seeds, 4096, same, |bytes| {
        let text = String::from_utf8_lossy(bytes).into_owned();
        let config = config::load("digits", &[text]).map_err(|error| error.to_string())?;
        laid_out(config);
        Ok(())
    });
}

#[test]
fn checkpoints() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.safetensors");
    let seeds = corpus::checkpoints(&path);
    hand_out("checkpoints", &seeds, 256, same, |bytes| {
        fs::write(&path, bytes).unwrap();
        match Model::load(&path) {
            Ok(model) => {
                assert!(model.parameters().iter().all(|weight| weight.is_finite()));
                Ok(())
            }
            Err(error) => Err(error.to_string()),
        }
    });
}
