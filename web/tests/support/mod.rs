//! The built page, in headless Chromium with its software adapter.

#[path = "../../../tests/common/chromium.rs"]
mod chromium;
#[path = "../../../tests/common/page/mod.rs"]
#[allow(dead_code)]
mod page;

pub use page::Page;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The folder that `build.sh` fills.
fn built() -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/page");
    assert!(
        folder.join("afterimage_web_bg.wasm").exists(),
        "there is no page in {}: run web/build.sh first",
        folder.display()
    );
    folder
}

/// What the page has at a path.
fn site(path: &str) -> Option<(&'static str, Vec<u8>)> {
    let name = match path.trim_start_matches('/') {
        "" => "index.html",
        name => name,
    };
    let (_, ending) = name.rsplit_once('.')?;
    let kind = match ending {
        "html" => "text/html",
        "js" => "text/javascript",
        "css" => "text/css",
        "wasm" => "application/wasm",
        _ => return None,
    };
    let is_plain = name
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || "._-".contains(c));
    let read = is_plain.then(|| fs::read(built().join(name)).ok());
    Some((kind, read.flatten()?))
}

/// The page at `path` of the built one with `files` beside it, or in place of what it has; none where there is no Chromium.
pub fn open(
    path: &str,
    files: &[(&'static str, &'static str, String)],
    flags: &[&str],
) -> Option<Page> {
    built();
    let files = files.to_vec();
    let with_files = move |path: &str| {
        let beside = files.iter().find(|(name, ..)| *name == path);
        beside
            .map(|(_, kind, text)| (*kind, text.clone().into_bytes()))
            .or_else(|| site(path))
    };
    Page::at(path, Arc::new(with_files), flags)
}
