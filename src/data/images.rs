//! A folder of PNG and JPEG pictures, all of one size.

use std::path::{Path, PathBuf};

use image::{DynamicImage, ImageReader};

use super::dataset::Loaded;
use super::file::{files_in, unreadable};
use super::source::{Origin, Reach, Source};
use super::{DataError, DataOptions, Shape};

pub(super) const SOURCE: Source = Source {
    name: "images",
    shape: None,
    origin: Origin::File {
        load,
        holds: |glimpse| {
            use image::ImageFormat::{Gif, Hdr, Jpeg, OpenExr, Png, Tiff, WebP};
            let format = image::guess_format(&glimpse.start);
            // Those that are not read are refused by name.
            matches!(format, Ok(Png | Jpeg | Gif | Hdr | OpenExr | Tiff | WebP))
        },
        reach: Reach::Tree,
        what: "pictures",
    },
};

/// Loads the first pictures of the folder `path`, by name; of subfolders nothing.
///
/// One channel if all are grey, else red, green and blue planes. Transparency is dropped.
fn load(path: &Path, options: &DataOptions) -> Result<Loaded, DataError> {
    if path.is_file() {
        return Err(DataError::WrongKind {
            path: path.into(),
            wanted: "a folder of pictures",
        });
    }
    let mut paths = files_in(path, "*.png, *.jpg or *.jpeg", |name| {
        [".png", ".jpg", ".jpeg"]
            .iter()
            .any(|ending| name.ends_with(ending))
    })?;
    paths.truncate(options.most());

    let mut first: Option<(PathBuf, (u32, u32))> = None;
    let mut channels = 1;
    let mut bytes = Vec::new();
    for path in paths {
        let picture = decode(&path)?;
        let size = (picture.width(), picture.height());
        if size.0 == 0 || size.1 == 0 {
            return Err(DataError::Empty { path });
        }
        let (first, first_size) = first.get_or_insert_with(|| (path.clone(), size));
        if size != *first_size {
            return Err(DataError::WrongSize {
                path,
                size,
                first: first.clone(),
                first_size: *first_size,
            });
        }
        if channels == 1 && picture.color().has_color() {
            channels = 3;
            bytes = triplicated(&bytes, size.0 as usize * size.1 as usize);
        }
        if channels == 1 {
            bytes.extend_from_slice(&picture.into_luma8());
        } else {
            let pixels = picture.into_rgb8();
            for channel in 0..channels {
                bytes.extend(pixels.iter().skip(channel).step_by(channels));
            }
        }
    }
    let (width, height) = first.map_or((0, 0), |(_, size)| size);
    let shape = Shape::new(channels, height as usize, width as usize);
    Ok(Loaded::bytes(shape, bytes, u8::MAX))
}

fn decode(path: &Path) -> Result<DynamicImage, DataError> {
    // By content, because pictures with the wrong ending are common. The reader's default limits
    // keep a header that claims an absurd size from costing memory.
    ImageReader::open(path)
        .and_then(|reader| reader.with_guessed_format())
        .map_err(|e| unreadable(path, e))?
        .decode()
        .map_err(|cause| DataError::Picture {
            path: path.into(),
            cause: cause.to_string(),
        })
}

/// Grey pictures of `plane` pixels as red, green and blue planes.
fn triplicated(grey: &[u8], plane: usize) -> Vec<u8> {
    grey.chunks(plane)
        .flat_map(|picture| picture.repeat(3))
        .collect()
}
