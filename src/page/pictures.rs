//! The pictures of a run folder, inside the page.

use super::folder::Folder;
use super::numbers::whole;
use crate::config::{Config, SnapshotKind};
use crate::report::evenly;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use image::codecs::gif::GifDecoder;
use image::{AnimationDecoder, ImageDecoder};
use std::fs;
use std::io::Cursor;

/// Pictures along the way, at most, and the bytes of all of them.
const MOST_FRAMES: usize = 24;
const MOST_BYTES: usize = 3 << 20;
/// A picture of its own has at most so many bytes.
const MOST_OF_ONE: usize = 2 << 20;

/// A picture.
pub(super) struct Picture {
    /// What comes before the file in an address of it: its kind.
    pub(super) kind: &'static str,
    /// The file in base64.
    pub(super) data: String,
    pub(super) width: u32,
    pub(super) height: u32,
    bytes: usize,
}

impl Picture {
    /// Whether it takes the width of a page.
    pub(super) fn is_wide(&self) -> bool {
        self.width > 2 * self.height
    }

    /// The picture called `name` in `folder`; none where there is none, or with a problem where it is damaged.
    pub(super) fn read(folder: &mut Folder, name: &str) -> Option<Self> {
        let bytes = folder.bytes(name)?;
        if bytes.len() > MOST_OF_ONE {
            let size = format!("it has {} bytes", whole(bytes.len() as u64));
            folder.problems.push(format!(
                "{name} is left out, as {size} and the page would be too large"
            ));
            return None;
        }
        // Decoded, because half a picture shows as a broken one.
        let decoded = match name.ends_with(".gif") {
            true => whole_size(&bytes).map(|(width, height)| ("image/gif", width, height)),
            false => image::load_from_memory_with_format(&bytes, image::ImageFormat::Png)
                .map(|image| ("image/png", image.width(), image.height())),
        };
        match decoded {
            Ok((kind, width, height)) => Some(Picture {
                kind,
                data: BASE64_STANDARD.encode(&bytes),
                width,
                height,
                bytes: bytes.len(),
            }),
            Err(cause) => {
                folder.damaged(name, &cause.to_string());
                None
            }
        }
    }
}

/// Whether the pictures of a run are landscapes.
pub(super) fn shows_landscapes(folder: &Folder) -> bool {
    let has_density = |config: &Config| config.data.source.has_density();
    folder.config.as_ref().is_some_and(has_density) || folder.path.join("landscape.png").exists()
}

/// What has drawn the noise samples of training, to go on with behind their name; nothing where the settings are not known.
pub(super) fn noise_is(folder: &Folder) -> &'static str {
    let kind = folder.config.as_ref().map(|config| config.snapshot.kind);
    match kind {
        Some(SnapshotKind::Copy | SnapshotKind::Ema | SnapshotKind::Mixture) => {
            ", which are of the snapshot"
        }
        Some(SnapshotKind::Gaussian) => ", which no model drew: the noise is a fixed Gaussian",
        Some(SnapshotKind::Uniform) => ", which no model drew: the noise is uniform",
        None => "",
    }
}

/// The size of an animation, all frames of which can be decoded.
fn whole_size(gif: &[u8]) -> image::ImageResult<(u32, u32)> {
    let decoder = GifDecoder::new(Cursor::new(gif))?;
    let size = decoder.dimensions();
    for frame in decoder.into_frames() {
        frame?;
    }
    Ok(size)
}

/// A picture of noise samples along the way.
pub(super) struct Frame {
    pub(super) step: String,
    pub(super) picture: Picture,
}

/// Pictures along the way, evenly spaced.
pub(super) struct Frames {
    pub(super) frames: Vec<Frame>,
    /// How many there are of them in the folder.
    pub(super) all: usize,
    /// Whether they are landscapes.
    pub(super) are_landscapes: bool,
    /// What has drawn the noise samples in them, behind their name.
    pub(super) noise: &'static str,
}

impl Frames {
    /// Those in the folder `samples` of a run that are of steps that it has done, where there are any.
    pub(super) fn read(folder: &mut Folder) -> Option<Self> {
        // A run that goes on from a state has not come again to what it had drawn after that, and may never do. Without its metrics
        // it does not say how far it is.
        let is_known = !folder.missing.contains(&"metrics.jsonl");
        let done = folder.steps_done();
        let mut steps: Vec<(u64, String)> = fs::read_dir(folder.path.join("samples"))
            .ok()?
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .filter_map(|name| Some((name.strip_suffix(".png")?.parse().ok()?, name)))
            .filter(|(step, _)| !is_known || *step <= done)
            .collect();
        steps.sort();
        let all = steps.len();
        let sizes = steps.iter().map(|(_, name)| {
            let about = fs::metadata(folder.path.join("samples").join(name));
            about.map_or(0, |about| about.len() as usize)
        });
        let largest = sizes.max().unwrap_or(0).max(1);
        let most = (MOST_BYTES / largest).clamp(1, MOST_FRAMES);
        let mut left = MOST_BYTES;
        let frames: Vec<Frame> = evenly(all, most)
            .into_iter()
            .filter_map(|place| {
                let (step, name) = &steps[place];
                let picture = Picture::read(folder, &format!("samples/{name}"))?;
                left = left.checked_sub(picture.bytes)?;
                let step = whole(*step);
                Some(Frame { step, picture })
            })
            .collect();
        let are_landscapes = shows_landscapes(folder);
        (!frames.is_empty()).then_some(Frames {
            frames,
            all,
            are_landscapes,
            noise: noise_is(folder),
        })
    }
}
