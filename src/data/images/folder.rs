//! The files of a folder and of the folders in it, in natural order.

use std::cmp::Ordering;
use std::collections::{HashSet, VecDeque};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::data::DataError;
use crate::data::file::{name_of, unreadable};
use crate::data::glimpse::is_hidden;
use crate::data::loaded::SampleFile;

/// What was found below one path.
#[derive(Default)]
pub(super) struct Listing {
    /// Files by their whole paths, in order.
    pub(super) files: Vec<(PathBuf, SampleFile)>,
    /// Links to folders that were entered already, from the opened folder.
    pub(super) met_again: Vec<PathBuf>,
}

/// The one file at `path`, or all files in and below the folder `path`, but for hidden ones.
///
/// They are ordered by their paths from `path`, one name after the other, names in natural order. A folder is
/// entered once, however many links lead to it, so loops of links end.
pub(super) fn list(path: &Path) -> Result<Listing, DataError> {
    let metadata = fs::metadata(path).map_err(|e| unreadable(path, e))?;
    if !metadata.is_dir() {
        let sample = SampleFile {
            path: name_of(path).into(),
            class: None,
        };
        return Ok(Listing {
            files: vec![(path.into(), sample)],
            met_again: Vec::new(),
        });
    }
    let mut walk = Walk::default();
    walk.enter(path, PathBuf::new())?;
    while let Some((path, below)) = walk.links.pop_front() {
        walk.enter(&path, below)?;
    }
    let Walk { mut listing, .. } = walk;
    listing
        .files
        .sort_by(|(_, a), (_, b)| by_names(&a.path, &b.path));
    listing.met_again.sort_by(|a, b| by_names(a, b));
    Ok(listing)
}

#[derive(Default)]
struct Walk {
    entered: HashSet<PathBuf>,
    /// Links to folders, and their paths from the opened one. They wait until all folders are entered that can be without
    /// them, so that those keep their own names.
    links: VecDeque<(PathBuf, PathBuf)>,
    listing: Listing,
}

impl Walk {
    /// Lists what lies in `folder`, which is called `below` from the opened one.
    fn enter(&mut self, folder: &Path, below: PathBuf) -> Result<(), DataError> {
        let failed = |e| unreadable(folder, e);
        if !self
            .entered
            .insert(fs::canonicalize(folder).map_err(failed)?)
        {
            self.listing.met_again.push(below);
            return Ok(());
        }
        let entries = fs::read_dir(folder).and_then(Iterator::collect::<Result<Vec<_>, _>>);
        let mut entries = entries.map_err(failed)?;
        entries.retain(|entry| !is_hidden(&entry.file_name().to_string_lossy()));
        // So that of two links to one folder the first is taken.
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            let (path, below) = (entry.path(), below.join(entry.file_name()));
            let failed = |e: io::Error| match e.kind() {
                io::ErrorKind::NotFound => DataError::Malformed {
                    path: path.clone(),
                    reason: "a link to what does not exist: mend or remove it".into(),
                },
                _ => unreadable(&path, e),
            };
            if !fs::metadata(&path).map_err(failed)?.is_dir() {
                let class = below.parent().and_then(|folder| folder.iter().next());
                let class = class.map(|name| name.to_string_lossy().into_owned());
                let sample = SampleFile { path: below, class };
                self.listing.files.push((path, sample));
            } else if entry.file_type().map_err(failed)?.is_symlink() {
                self.links.push_back((path, below));
            } else {
                self.enter(&path, below)?;
            }
        }
        Ok(())
    }
}

/// The order of paths, one name after the other.
fn by_names(a: &Path, b: &Path) -> Ordering {
    let pairs = a.iter().zip(b);
    let mut orders = pairs.map(|(a, b)| natural(a.as_encoded_bytes(), b.as_encoded_bytes()));
    let first = orders.find(|order| order.is_ne());
    // A file's path is no folder's, so two paths differ before one of them ends.
    first.unwrap_or(Ordering::Equal)
}

/// Natural order: runs of digits by the number that they write, all else by bytes; 2 before 10.
fn natural(a: &[u8], b: &[u8]) -> Ordering {
    let (mut left, mut right) = (a, b);
    loop {
        let order = match (number(left), number(right)) {
            // More digits, without leading zeros, are the greater number.
            (Some((x, left_rest)), Some((y, right_rest))) => {
                (left, right) = (left_rest, right_rest);
                x.len().cmp(&y.len()).then_with(|| x.cmp(y))
            }
            _ => match (left.split_first(), right.split_first()) {
                (Some((x, left_rest)), Some((y, right_rest))) => {
                    (left, right) = (left_rest, right_rest);
                    x.cmp(y)
                }
                // Names that differ only in leading zeros are told apart by those.
                (x, y) => return x.is_some().cmp(&y.is_some()).then_with(|| a.cmp(b)),
            },
        };
        if order.is_ne() {
            return order;
        }
    }
}

/// The digits that `name` begins with, without leading zeros, and the rest.
fn number(name: &[u8]) -> Option<(&[u8], &[u8])> {
    let digits = name.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, rest) = name.split_at(digits);
    let zeros = digits.iter().take_while(|&&digit| digit == b'0').count();
    (!digits.is_empty()).then(|| (&digits[zeros..], rest))
}
