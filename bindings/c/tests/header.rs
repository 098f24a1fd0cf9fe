//! `include/afterimage.h` is what cbindgen makes of the source. `AFTERIMAGE_WRITE_HEADER=1` writes it anew.

use std::fs;
use std::path::Path;

/// In the order in which the header declares what they hold.
const SOURCES: [&str; 5] = [
    "status.rs",
    "device.rs",
    "model.rs",
    "compute.rs",
    "train.rs",
];

#[test]
fn the_header_is_what_the_source_declares() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let config = cbindgen::Config::from_file(root.join("cbindgen.toml")).expect("is its form");
    let mut builder = cbindgen::Builder::new().with_config(config);
    for source in SOURCES {
        builder = builder.with_src(root.join("src").join(source));
    }
    let mut bytes = Vec::new();
    builder.generate().expect("can be read").write(&mut bytes);
    let made = String::from_utf8(bytes).expect("is text");
    let path = root.join("include/afterimage.h");
    if std::env::var_os("AFTERIMAGE_WRITE_HEADER").is_some() {
        fs::write(&path, &made).expect("can be written");
    }
    let kept = fs::read_to_string(&path).expect("is text");
    assert!(
        kept == made,
        "include/afterimage.h is out of date: run this test with AFTERIMAGE_WRITE_HEADER=1 and commit what it writes"
    );
}

/// No function that C can call is missing from the files that are read above.
#[test]
fn all_sources_with_functions_for_c_are_read() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found: Vec<String> = fs::read_dir(folder)
        .expect("is a folder")
        .map(|entry| entry.expect("can be read"))
        .filter(|entry| {
            let text = fs::read_to_string(entry.path()).expect("is text");
            text.contains("#[unsafe(no_mangle)]")
        })
        .map(|entry| entry.file_name().into_string().expect("is text"))
        .collect();
    let mut read = SOURCES.map(String::from).to_vec();
    found.sort();
    read.sort();
    assert_eq!(found, read);
}
