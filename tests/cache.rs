//! Compiled pipelines on disk: kept, used again, and never in the way.

use afterimage::gpu::{AdapterChoice, Executor, ExecutorOptions};
use afterimage::low_level::cache;
use afterimage::low_level::network::trusted_variant;
use std::fs;
use std::path::{Path, PathBuf};

/// Opens an executor on `folder`, compiles and runs the kernels of the self-test, and returns how many bytes it found.
fn compile_with(folder: Option<&Path>) -> u64 {
    let options = ExecutorOptions {
        cache: folder.map(Path::to_owned),
        ..Default::default()
    };
    let mut executor = Executor::open(&AdapterChoice::Best, options)
        .expect("the tests need an adapter: run `sh setup.sh`");
    let variant = trusted_variant(&mut executor).expect("runs");
    let mut without = Executor::open(&AdapterChoice::Best, ExecutorOptions::default()).unwrap();
    assert_eq!(variant, trusted_variant(&mut without).expect("runs"));
    executor.statistics().cached_bytes
}

/// The one file in `folder`; none on backends where compiled pipelines cannot be kept.
fn kept(folder: &Path) -> Option<PathBuf> {
    let adapter = Executor::open(&AdapterChoice::Best, ExecutorOptions::default()).unwrap();
    if adapter.adapter().backend != "vulkan" {
        println!("skipped: only Vulkan lets compiled pipelines be kept");
        return None;
    }
    let mut files: Vec<_> = fs::read_dir(folder)
        .expect("was made")
        .map(|entry| entry.unwrap().path())
        // On a driver that is not known there is also what was measured of it.
        .filter(|path| path.extension().is_none_or(|ending| ending != "json"))
        .collect();
    assert_eq!(files.len(), 1, "{files:?}");
    files.pop()
}

#[test]
fn pipelines_are_kept_and_used_again() {
    let folder = tempfile::tempdir().unwrap();
    let cache = folder.path().join("made/if/missing");
    assert_eq!(compile_with(None), 0);
    assert_eq!(compile_with(Some(&cache)), 0);
    let Some(file) = kept(&cache) else { return };
    let name = file.file_name().unwrap().to_str().unwrap();
    assert!(name.ends_with(env!("CARGO_PKG_VERSION")), "{name}");
    let first = fs::metadata(&file).unwrap().modified().unwrap();
    assert!(compile_with(Some(&cache)) > 0);
    // Nothing new, nothing written.
    assert_eq!(fs::metadata(&file).unwrap().modified().unwrap(), first);
}

#[test]
fn a_file_that_cannot_be_used_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    compile_with(Some(folder.path()));
    let Some(file) = kept(folder.path()) else {
        return;
    };
    let good = fs::read(&file).unwrap();
    let mut flipped = good.clone();
    flipped[good.len() / 2] ^= 1;
    // Whole, but of another adapter as far as wgpu's header says; its key is the first thing after the backend.
    let mut foreign = good[4..].to_vec();
    let key = 8 + 4 + 4 + 1;
    foreign[key..key + 15].fill(0x5a);
    let mut crc = flate2::Crc::new();
    crc.update(&foreign);
    foreign = [&crc.sum().to_le_bytes(), &foreign[..]].concat();
    for bad in [
        &flipped[..],
        &foreign,
        &good[..good.len() - 1],
        b"not a cache",
        b"",
    ] {
        fs::write(&file, bad).unwrap();
        assert_eq!(compile_with(Some(folder.path())), 0);
        assert_eq!(fs::read(&file).unwrap().len(), good.len());
        assert!(compile_with(Some(folder.path())) > 0);
    }
}

#[test]
fn a_folder_that_cannot_be_written_to_does_no_harm() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "in the way").unwrap();
    assert_eq!(compile_with(Some(&file.join("cache"))), 0);
    assert!(!cache::store(&file.join("cache"), b"bytes"));
    assert_eq!(fs::read(&file).unwrap(), b"in the way");
}

#[test]
fn what_is_too_long_is_not_loaded() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a/b");
    assert!(cache::store(&path, b"bytes"));
    assert_eq!(cache::load(&path, 5).as_deref(), Some(&b"bytes"[..]));
    assert_eq!(cache::load(&path, 4), None);
    assert_eq!(cache::load(folder.path(), 5), None, "a folder");
}
