//! Which files of a folder are read, in which order.

use crate::files::{all, error, grey_png, load, options};
use afterimage::data::{DataOptions, open};
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A folder with one-pixel pictures of the values 0, 1, … at `paths`.
fn tree(paths: &[&str]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (value, path) in paths.iter().enumerate() {
        write(folder.path(), path, &grey_png(1, 1, vec![value as u8]));
    }
    folder
}

fn write(folder: &Path, path: &str, bytes: &[u8]) {
    let path = folder.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

/// The paths and classes of the samples at `path`, in order.
fn samples(path: &Path) -> Vec<(PathBuf, Option<String>)> {
    let dataset = load("images", path).unwrap();
    let count = dataset.len().unwrap();
    assert!(dataset.file(count).is_none());
    let files = (0..count).map(|index| dataset.file(index).unwrap().clone());
    files.map(|file| (file.path, file.class)).collect()
}

fn paths(path: &Path) -> Vec<String> {
    let paths = samples(path).into_iter();
    paths.map(|(path, _)| path.display().to_string()).collect()
}

#[test]
fn pictures_come_in_natural_order() {
    let ordered = [
        "1.png",
        "2.png",
        "003.png",
        "10.png",
        "a-b.png",
        "a2b1.png",
        "a2b03.png",
        "a10.png",
        "b/2.png",
        "b/10/1.png",
        "b/11.png",
        "b1.png",
        "frame01.png",
        "frame1.png",
        "x99999999999999999999.png",
        "x100000000000000000000.png",
    ];
    let folder = tree(&ordered);
    assert_eq!(paths(folder.path()), ordered);
    let expected: Vec<f32> = (0..ordered.len()).map(|value| value as f32).collect();
    assert_eq!(all(&load("images", folder.path()).unwrap()), expected);
    let limited = DataOptions {
        limit: 10,
        ..options("images", folder.path())
    };
    let limited = open(&limited, 1).unwrap();
    assert_eq!(all(&limited), expected[..10]);
    assert!(limited.file(9).is_some() && limited.file(10).is_none());
}

#[test]
fn folders_are_classes() {
    let folder = tree(&["cats/1.png", "cats/sub/2.png", "dogs/dogs", "loose.png"]);
    let classes: Vec<_> = samples(folder.path())
        .into_iter()
        .map(|(_, class)| class)
        .collect();
    let named = |class: &str| Some(class.to_string());
    assert_eq!(classes, [named("cats"), named("cats"), named("dogs"), None]);
    assert_eq!(
        load("images", folder.path()).unwrap().notes(),
        ["1 of 4 pictures is beside the class folders, of no class"]
    );
}

#[test]
fn hidden_companions_are_skipped() {
    let folder = tree(&["a.png", "cats/b.png"]);
    let companions = [
        "._a.png",
        ".DS_Store",
        ".hidden/x.png",
        "__MACOSX/cats/._b.png",
        "Thumbs.db",
        "cats/desktop.ini",
        "cats/.thumb.jpg",
    ];
    for name in companions {
        write(folder.path(), name, b"no picture at all");
    }
    assert_eq!(paths(folder.path()), ["a.png", "cats/b.png"]);
}

#[test]
fn other_files_are_skipped_by_name() {
    let folder = tree(&["a.png"]);
    for name in ["labels.csv", "meta.json", "notes.txt", "README"] {
        write(folder.path(), name, b"BM and P6 and a,b\n");
    }
    let dataset = load("images", folder.path()).unwrap();
    assert_eq!(dataset.len(), Some(1));
    assert_eq!(
        dataset.notes(),
        ["4 skipped, being no pictures: `README`, `labels.csv`, `meta.json`, …"]
    );
    let message = error(load("images", folder.path().join("notes.txt"))).to_string();
    assert!(
        message.contains("notes.txt") && message.contains("PNG or JPEG"),
        "{message}"
    );
}

#[test]
fn one_picture_is_a_set_of_one() {
    let folder = tree(&["zero.png", "one"]);
    // By its content, whatever it is called.
    assert_eq!(paths(&folder.path().join("one")), ["one"]);
    assert_eq!(
        all(&load("images", folder.path().join("one")).unwrap()),
        [1.0]
    );
}

#[cfg(unix)]
#[test]
fn loops_of_links_end() {
    use std::os::unix::fs::symlink;
    let folder = tree(&["a/1.png", "b/2.png"]);
    let at = |path: &str| folder.path().join(path);
    symlink(folder.path(), at("a/up")).unwrap();
    symlink(at("b"), at("a/other")).unwrap();
    symlink(at("a"), at("b/back")).unwrap();
    symlink(at("a/1.png"), at("b/linked.png")).unwrap();
    // Folders come before links to them, and a link to one elsewhere is a folder like others.
    let elsewhere = tree(&["3.png"]);
    symlink(elsewhere.path(), at("c")).unwrap();
    assert_eq!(
        paths(folder.path()),
        ["a/1.png", "b/2.png", "b/linked.png", "c/3.png"]
    );
    assert_eq!(
        load("images", folder.path()).unwrap().notes(),
        ["`a/other`, `a/up`, `b/back` skipped: links to folders that were read already"]
    );
}

#[cfg(unix)]
#[test]
fn a_link_to_nothing_is_refused_by_name() {
    let folder = tree(&["a.png"]);
    std::os::unix::fs::symlink("gone.png", folder.path().join("b.png")).unwrap();
    let message = error(load("images", folder.path())).to_string();
    assert!(
        message.contains("b.png`: a link to what does not exist"),
        "{message}"
    );
}
