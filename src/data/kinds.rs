//! What kind of data a file or folder holds, told by its content.

use super::file::unreadable;
use super::glimpse::{Glimpse, entries};
use super::source::{Origin, Reach, Source};
use super::{DataError, SOURCES, images};
use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

impl Glimpse {
    /// The sources that read files like this one.
    fn sources(&self) -> Vec<Source> {
        let all = SOURCES.iter().copied();
        all.filter(|source| match source.origin {
            Origin::File { holds, .. } => holds(self),
            Origin::Embedded(_) | Origin::Generated(_) => false,
        })
        .collect()
    }
}

/// What lies at a path.
pub(super) struct Seen {
    /// The sources that can read it.
    pub(super) sources: Vec<Source>,
    /// What is there, in words.
    pub(super) what: String,
}

/// Whether `source` can read what lies at `path`.
pub(super) fn fits(source: &Source, path: &Path) -> Result<bool, DataError> {
    let Origin::File { holds, reach, .. } = source.origin else {
        return Ok(false);
    };
    let mut holds = |glimpse: &Glimpse| holds(glimpse);
    match (path.is_dir(), reach) {
        (false, _) => Ok(holds(&Glimpse::of(path)?)),
        (true, Reach::File) => Ok(false),
        (true, Reach::Folder) => any_file(path, &mut None, &mut holds),
        (true, Reach::Tree) => any_file(path, &mut Some(HashSet::new()), &mut holds),
    }
}

/// Looks at `path` for all kinds.
pub(super) fn look(path: &Path) -> Result<Seen, DataError> {
    if path.is_dir() {
        return look_into(path);
    }
    let glimpse = Glimpse::of(path)?;
    let sources = glimpse.sources();
    let what = match sources[..] {
        [] if glimpse.start.is_empty() && glimpse.is_packed() => {
            "a gzip file that cannot be unpacked: fetch it again".to_owned()
        }
        [] if glimpse.start.is_empty() => "nothing".to_owned(),
        [] if images::holds_picture(&glimpse) => images::PACKED.to_owned(),
        [] => {
            let length = glimpse.start.len().min(8);
            format!(
                "a file that starts with bytes {:02x?}",
                &glimpse.start[..length]
            )
        }
        _ => in_words(&sources),
    };
    Ok(Seen { sources, what })
}

/// Looks at the files of a folder, and below it where it has none of a known kind.
fn look_into(folder: &Path) -> Result<Seen, DataError> {
    let (mut sources, mut single): (Vec<Source>, Vec<Source>) = Default::default();
    any_file(folder, &mut None, &mut |glimpse| {
        for source in glimpse.sources() {
            let kinds = match source.reach() {
                Some(Reach::Folder | Reach::Tree) => &mut sources,
                Some(Reach::File) | None => &mut single,
            };
            if !kinds.contains(&source) {
                kinds.push(source);
            }
        }
        false
    })?;
    if sources.is_empty() {
        any_file(folder, &mut Some(HashSet::new()), &mut |glimpse| {
            let mut found = glimpse.sources();
            found.retain(|source| source.reach() == Some(Reach::Tree));
            sources.extend(found);
            !sources.is_empty()
        })?;
    }
    let what = match (&sources[..], &single[..]) {
        ([], []) => "a folder without files of a known kind".to_owned(),
        ([], single) => format!("a folder with {}: name one of its files", in_words(single)),
        (kinds, _) => format!("a folder with {}", in_words(kinds)),
    };
    Ok(Seen { sources, what })
}

/// Whether a file of `folder` satisfies `wanted`. Where the folders that were entered are kept, those below it are looked
/// into as well, each once, so that loops of links end.
fn any_file(
    folder: &Path,
    entered: &mut Option<HashSet<PathBuf>>,
    wanted: &mut dyn FnMut(&Glimpse) -> bool,
) -> Result<bool, DataError> {
    let (files, folders) = entries(folder)?;
    for file in files {
        if wanted(&Glimpse::of(&file)?) {
            return Ok(true);
        }
    }
    let Some(known) = entered else {
        return Ok(false);
    };
    let itself = fs::canonicalize(folder).map_err(|e| unreadable(folder, e))?;
    if !known.insert(itself) {
        return Ok(false);
    }
    for folder in &folders {
        if any_file(folder, entered, wanted)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// What files of some sources are, as "a NumPy array or CIFAR-10".
fn in_words(sources: &[Source]) -> String {
    let words: Vec<String> = sources
        .iter()
        .filter_map(|source| match source.origin {
            Origin::File { what, .. } => Some(what.to_owned()),
            Origin::Embedded(_) | Origin::Generated(_) => None,
        })
        .collect();
    words.join(" and ")
}
