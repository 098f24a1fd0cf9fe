//! What kind of data a file or folder holds, told by its content.

use crate::files::{all, cifar, error, folder, grey_png, gzip, idx, load, npy};
use afterimage::data::{DataError, Dataset, source_of};
use std::fs;
use std::path::Path;

fn kind(path: impl AsRef<Path>) -> String {
    source_of(path.as_ref().to_str().unwrap())
        .unwrap()
        .name
        .to_owned()
}

#[test]
fn files_are_known_by_content_whatever_they_are_called() {
    let images = idx([1, 2, 2], &[1, 2, 3, 4]);
    let array = npy(&[1, 2, 2], [0.5f32; 4]);
    let picture = grey_png(2, 2, vec![1, 2, 3, 4]);
    let folder = folder(&[
        ("UP.NPY", &array),
        ("x.PNG.npy", &images),
        ("data_batch_1.csv", &gzip(&images)),
        ("packed", &gzip(&array)),
        ("numbers.bin", b"1, 2\n3, 4\n"),
        ("records", &cifar()),
    ]);
    for (name, wanted) in [
        ("UP.NPY", "npy"),
        ("x.PNG.npy", "idx"),
        ("data_batch_1.csv", "idx"),
        ("packed", "npy"),
        ("numbers.bin", "csv"),
        ("records", "cifar10"),
    ] {
        assert_eq!(kind(folder.path().join(name)), wanted, "{name}");
        load(wanted, folder.path().join(name)).unwrap();
    }
    assert_eq!(kind("digits"), "digits");
    let pictures = folder.path().join("my-idx3-ubyte-pngs");
    fs::create_dir_all(pictures.join("cats")).unwrap();
    fs::write(pictures.join("x.PNG"), &picture).unwrap();
    assert_eq!(kind(&pictures), "images");
    fs::rename(pictures.join("x.PNG"), pictures.join("cats/x.PNG")).unwrap();
    fs::write(pictures.join("Thumbs.db"), b"\0\x01\x02").unwrap();
    assert_eq!(kind(&pictures), "images", "class folders");
}

#[test]
fn folders_are_known_by_what_they_hold() {
    let images = idx([1, 2, 2], &[1, 2, 3, 4]);
    let holds = |files: &[(&str, &[u8])]| kind(folder(files).path());
    assert_eq!(
        holds(&[("a", &images), ("b.gz", &gzip(&[0, 0, 8, 1]))]),
        "idx"
    );
    assert_eq!(
        holds(&[("1.bin", &cifar()), ("readme.txt", b"10 classes")]),
        "cifar10"
    );
}

#[test]
fn a_file_beside_itself_gzipped_is_read_once() {
    let images = idx([1, 1, 1], &[7]);
    let folder = folder(&[("x-images", &images), ("x-images.gz", &gzip(&images))]);
    let data = load("idx", folder.path()).unwrap();
    assert_eq!(all(&data), [7.0]);
    let note = "file: x-images (beside x-images.gz; data.path names one)";
    assert_eq!(data.notes(), [note]);
}

#[test]
fn what_could_be_anything_or_nothing_is_refused() {
    let mut two = cifar();
    two.truncate(3073);
    // A record whose first pixels are those of an IDX header.
    two[..4].copy_from_slice(&[0, 0, 8, 3]);
    let both = folder(&[("x", &two)]);
    let path = both.path().join("x");
    let message =
        error(source_of(path.to_str().unwrap()).map(|_| -> Dataset { panic!("one kind") }))
            .to_string();
    assert!(
        message.contains("--set data.source=idx or cifar10"),
        "{message}"
    );
    load("cifar10", &path).unwrap();

    let picture = grey_png(1, 1, vec![1]);
    let mixed = folder(&[("a.png", &picture), ("b", &idx([1, 1, 1], &[7]))]);
    let several = source_of(mixed.path().to_str().unwrap());
    assert!(matches!(several, Err(DataError::SeveralKinds { .. })));
    for (name, content) in [
        ("a.npy", &b"PK\x03\x04"[..]),
        ("b.csv", b"no numbers"),
        ("c", b""),
    ] {
        let folder = folder(&[(name, content)]);
        for path in [folder.path().join(name), folder.path().to_owned()] {
            let none = source_of(path.to_str().unwrap());
            assert!(matches!(none, Err(DataError::NoKind { .. })), "{name}");
        }
    }
    assert!(matches!(source_of("digist"), Err(DataError::NoData { .. })));
}

#[test]
fn what_looks_like_a_table_or_a_picture_is_told_apart() {
    let picture = grey_png(1, 1, vec![1]);
    let comments = "# a long note\n".repeat(1000) + "x,y\n1,2\n";
    let folder = folder(&[
        ("p.png.gz", &gzip(&picture)),
        ("cut.gz", &gzip(b"1,2\n3,4\n")[..20]),
        (
            "README.md",
            b"# Title\n\n- 10 classes, 60000 pictures\n- more\n",
        ),
        ("feep.pgm", b"P2\n24 7\n15\n0 0 3\n"),
        ("noted.pgm", b"P2\n# feep\n24 7\n15\n0 0 3\n"),
        ("comments.csv", comments.as_bytes()),
        ("latin.csv", b"gr\xf6\xdfe,y\n1,2\n"),
    ]);
    let at = |name: &str| folder.path().join(name);
    for (name, said) in [
        ("p.png.gz", "unpack it"),
        ("cut.gz", "gzip file that cannot be unpacked"),
        ("README.md", "cannot tell"),
        ("feep.pgm", "cannot tell"),
    ] {
        let found = source_of(at(name).to_str().unwrap());
        let message = error(found.map(|source| -> Dataset { panic!("{}", source.name) }));
        assert!(message.to_string().contains(said), "{name}: {message}");
    }
    assert_eq!(kind(at("noted.pgm")), "images");
    assert_eq!(kind(at("comments.csv")), "csv");
    assert_eq!(all(&load("csv", at("comments.csv")).unwrap()), [1.0, 2.0]);
    assert_eq!(kind(at("latin.csv")), "csv");
    let message = error(load("images", at("p.png.gz"))).to_string();
    assert!(message.contains("unpack it"), "{message}");
}

#[test]
fn companions_are_hidden_from_every_source() {
    let images = idx([1, 1, 1], &[7]);
    let folder = folder(&[("a", &images), ("desktop.ini", &images)]);
    assert_eq!(all(&load("idx", folder.path()).unwrap()), [7.0]);
}

#[test]
fn data_of_another_kind_is_refused_with_the_flag() {
    let picture = grey_png(1, 1, vec![1]);
    let pictures = folder(&[("a.png", &picture)]);
    let array = folder(&[("a.idx", &npy(&[1, 1], [0.5f32]))]);
    for (source, path, fitting) in [
        ("idx", pictures.path().to_owned(), "images"),
        ("cifar10", pictures.path().to_owned(), "images"),
        ("npy", pictures.path().to_owned(), "images"),
        ("idx", array.path().join("a.idx"), "npy"),
        ("images", array.path().join("a.idx"), "npy"),
    ] {
        let message = error(load(source, path)).to_string();
        let flag = format!("--set data.source={fitting}");
        assert!(message.contains(&flag), "{message}");
    }
}
