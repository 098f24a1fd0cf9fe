//! Files and folders that a configuration names: from where, and whose home.

use std::path::{MAIN_SEPARATOR, Path, absolute};
use toml::Value;

/// The keys that hold a path.
const PATHS: &[&str] = &["data.path"];

/// `value` of the key called `key`; where that holds a path, it is made absolute, so that it still leads there from
/// elsewhere. A relative one starts in `folder`, or else in the current one; `~` is the user's home.
pub(super) fn rooted(key: &str, value: Value, folder: Option<&Path>) -> Value {
    let Value::String(text) = &value else {
        return value;
    };
    if text.is_empty() || !PATHS.contains(&key) {
        return value;
    }
    let home = std::env::home_dir();
    let path = match (text.strip_prefix('~'), home) {
        (Some(rest), Some(home)) if rest.is_empty() || rest.starts_with(MAIN_SEPARATOR) => {
            home.join(rest.trim_start_matches(MAIN_SEPARATOR))
        }
        _ => folder.unwrap_or(Path::new("")).join(text),
    };
    // Where the current folder has no name that a configuration could hold, the path stays relative to it.
    match absolute(path).ok().as_deref().and_then(Path::to_str) {
        Some(path) => Value::String(path.into()),
        None => value,
    }
}
