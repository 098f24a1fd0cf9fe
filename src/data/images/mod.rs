//! PNG and JPEG pictures, all of one size: one file, or a folder and the folders in it.

mod decode;
mod folder;
mod jpeg;
mod kind;
mod notes;
mod picture;
mod png;
mod stack;

use std::io::Read;
use std::path::{Path, PathBuf};

use super::file::{name_of, open_file, read_up_to, unreadable};
use super::glimpse::Glimpse;
use super::loaded::Loaded;
use super::source::{Origin, Reach, Source};
use super::{DataError, DataOptions};
use kind::Kind;
use notes::Notes;
use picture::Picture;
use stack::Stack;

pub(super) const SOURCE: Source = Source {
    name: "images",
    shape: None,
    origin: Origin::File {
        load,
        holds: |glimpse| holds_picture(glimpse) && !glimpse.is_packed(),
        reach: Reach::Tree,
        what: "pictures",
    },
};

/// What a picture in a gzip file is.
pub(super) const PACKED: &str = "a gzipped picture: unpack it";

/// Whether there is a picture in a file, or in what it packs.
pub(super) fn holds_picture(glimpse: &Glimpse) -> bool {
    Kind::of(&glimpse.start, "") != Kind::NoPicture
}

/// Loads the first pictures of `path` in the order of [`folder::list`].
fn load(path: &Path, options: &DataOptions) -> Result<Loaded, DataError> {
    let folder::Listing { files, met_again } = folder::list(path)?;
    let mut notes = Notes::new(met_again);
    let mut first: Option<(PathBuf, (u32, u32))> = None;
    let mut stack = Stack::new(options);
    let mut samples = Vec::new();
    for (path, sample) in files {
        if samples.len() == options.most() {
            break;
        }
        let Some(picture) = read(&path, options)? else {
            notes.skipped(&sample);
            continue;
        };
        let size = picture.size;
        let (first, first_size) = first.get_or_insert_with(|| (path.clone(), size));
        if size != *first_size {
            return Err(DataError::WrongSize {
                path,
                size,
                first: first.clone(),
                first_size: *first_size,
            });
        }
        stack.push(&picture, &path)?;
        notes.read(&picture, &sample);
        samples.push(sample);
    }
    let Some((_, size)) = first else {
        return Err(match path.is_file() {
            true if holds_picture(&Glimpse::of(path)?) => DataError::Malformed {
                path: path.into(),
                reason: PACKED.into(),
            },
            true => DataError::WrongKind {
                path: path.into(),
                wanted: "a PNG or JPEG picture, or a folder of such",
            },
            false => DataError::NoPictures {
                folder: path.into(),
            },
        });
    };
    let notes = notes.lines(options, stack.channels());
    Ok(Loaded {
        files: samples,
        notes,
        ..stack.finish(size)
    })
}

/// The picture in the file `path`, told by its content; none if it is no picture, and an error if it is one that
/// cannot be read.
fn read(path: &Path, options: &DataOptions) -> Result<Option<Picture>, DataError> {
    let failed = |e| unreadable(path, e);
    let broken = |cause: String| DataError::Picture {
        path: path.into(),
        cause,
    };
    let (mut file, _) = open_file(path)?;
    let mut bytes = read_up_to(&mut file, kind::START).map_err(failed)?;
    let decoder = match Kind::of(&bytes, &name_of(path)) {
        Kind::Png => png::decode,
        Kind::Jpeg => jpeg::decode,
        Kind::NoPicture => return Ok(None),
        Kind::Broken => return Err(broken("it is neither a PNG nor a JPEG file".into())),
        Kind::Unread(format) => {
            return Err(DataError::PictureFormat {
                path: path.into(),
                format,
            });
        }
    };
    file.read_to_end(&mut bytes).map_err(failed)?;
    let decoded = decoder(&bytes).map_err(broken)?;
    Ok(Some(Picture::over(decoded, options.background)))
}
