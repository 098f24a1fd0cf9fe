//! What a user should know of the pictures that were read.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::picture::Picture;
use crate::data::loaded::SampleFile;
use crate::data::{Channels, DataOptions};

/// Names that a note lists.
const MOST_NAMES: usize = 3;

/// What was met on the way through the files.
#[derive(Default)]
pub(super) struct Notes {
    count: usize,
    transparent: usize,
    turned: usize,
    grey: usize,
    grey_in_colours: usize,
    classes: BTreeSet<String>,
    without_class: usize,
    skipped: Vec<PathBuf>,
    met_again: Vec<PathBuf>,
}

impl Notes {
    /// Nothing but links to folders that were entered already.
    pub(super) fn new(met_again: Vec<PathBuf>) -> Self {
        Notes {
            met_again,
            ..Notes::default()
        }
    }

    pub(super) fn read(&mut self, picture: &Picture, sample: &SampleFile) {
        self.count += 1;
        self.transparent += usize::from(picture.is_transparent);
        self.turned += usize::from(picture.is_turned);
        self.grey += usize::from(picture.is_grey);
        self.grey_in_colours += usize::from(picture.is_grey && picture.has_colours);
        match &sample.class {
            Some(class) if !self.classes.contains(class) => {
                self.classes.insert(class.clone());
            }
            Some(_) => {}
            None => self.without_class += 1,
        }
    }

    pub(super) fn skipped(&mut self, sample: &SampleFile) {
        self.skipped.push(sample.path.clone());
    }

    /// A line for each that there was, when the pictures were read with `channels`.
    pub(super) fn lines(&self, options: &DataOptions, channels: usize) -> Vec<String> {
        let some = |count: usize| match (count, self.count) {
            (1, 1) => "the picture is".to_string(),
            (1, all) => format!("1 of {all} pictures is"),
            (some, all) => format!("{some} of {all} pictures are"),
        };
        let coloured = self.count - self.grey;
        let auto = options.channels == Channels::Auto;
        let classes = self.classes.len();
        let (skipped, met_again) = (&self.skipped, &self.met_again);
        let lines = [
            (
                self.transparent > 0,
                format!(
                    "{} transparent: seen over {} (data.background)",
                    some(self.transparent),
                    options.background
                ),
            ),
            (
                self.turned > 0,
                format!("{} turned as EXIF says", some(self.turned)),
            ),
            (
                channels == 1 && coloured > 0,
                format!(
                    "{} coloured: read as brightness (data.channels)",
                    some(coloured)
                ),
            ),
            (
                channels == 3 && self.grey > 0,
                format!(
                    "{} grey: read as red = green = blue (data.channels)",
                    some(self.grey)
                ),
            ),
            (
                auto && channels == 1 && self.grey_in_colours > 0,
                format!(
                    "{} grey, though stored in colours: read with one channel (data.channels)",
                    some(self.grey_in_colours)
                ),
            ),
            (
                classes > 0 && self.without_class > 0,
                format!(
                    "{} beside the class folders, of no class",
                    some(self.without_class)
                ),
            ),
            (
                !skipped.is_empty(),
                format!(
                    "{} skipped, being no pictures: {}",
                    skipped.len(),
                    names(skipped)
                ),
            ),
            (
                !met_again.is_empty(),
                format!(
                    "{} skipped: links to folders that were read already",
                    names(met_again)
                ),
            ),
        ];
        let applying = lines.into_iter().filter(|(applies, _)| *applies);
        applying.map(|(_, line)| line).collect()
    }
}

/// The first of some names, for a sentence.
fn names(paths: &[PathBuf]) -> String {
    let first = paths.iter().take(MOST_NAMES);
    let first: Vec<String> = first.map(|path| format!("`{}`", path.display())).collect();
    let more = if paths.len() > MOST_NAMES {
        ", …"
    } else {
        ""
    };
    first.join(", ") + more
}
