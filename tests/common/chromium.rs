//! The browser that tests open pages in.

use std::process::Command;

/// The browser, where there is one; there has to be with AFTERIMAGE_BROWSER=required.
pub fn chromium() -> Option<&'static str> {
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let found = names.into_iter().find(|name| {
        let output = Command::new(name).arg("--version").output();
        output.is_ok_and(|output| output.status.success())
    });
    // The output of a test that passes is not shown, so that where a browser was counted on its absence has to fail.
    let required = std::env::var_os("AFTERIMAGE_BROWSER").is_some_and(|value| value == "required");
    assert!(
        found.is_some() || !required,
        "AFTERIMAGE_BROWSER=required, but none of {names:?} starts"
    );
    if found.is_none() {
        eprintln!("skipped: none of {names:?} starts");
    }
    found
}

/// What it is started with, whatever it is to show: without a window, a network of its own, or anything of its user's.
pub const HEADLESS: [&str; 8] = [
    "--headless",
    "--no-sandbox",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
];
