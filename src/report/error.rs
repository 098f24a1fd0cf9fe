//! What can be wrong with a picture, and what to do about it.

use crate::shape::Shape;

/// Why a picture could not be drawn.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReportError {
    #[error("there are no {what} to draw: pass at least one")]
    Nothing { what: &'static str },

    #[error("{shape} cannot be drawn as a picture: draw samples with 1 or 3 channels")]
    UnsupportedChannels { shape: Shape },

    #[error("samples of {shape} hold no value: give every side a size of at least 1")]
    EmptyShape { shape: Shape },

    #[error(
        "{values} values do not split into samples of {shape}: pass whole samples, one \
         after the other"
    )]
    PartialSample { values: usize, shape: Shape },

    #[error("a grid of 0 columns has no room: ask for at least 1")]
    NoColumns,

    #[error("a picture of {width}×{height} pixels is too large: draw fewer or smaller parts")]
    TooLarge { width: usize, height: usize },

    #[error("{energies} energies do not fill a grid of side {side}: pass side × side of them")]
    LandscapeSize { energies: usize, side: usize },

    #[error("the extent {extent} bounds no square: pass a number from 1e-6 to 1e6")]
    Extent { extent: f32 },

    #[error(
        "frame {index} is {width}×{height}, the first is {first_width}×{first_height}: give all \
         frames one size"
    )]
    FrameSize {
        index: usize,
        width: u32,
        height: u32,
        first_width: u32,
        first_height: u32,
    },

    #[error("a GIF frame of {width}×{height} is impossible: keep each side in 1 to 65535 pixels")]
    GifSize { width: u32, height: u32 },

    #[error("cannot draw ({cause}): please report this as a bug")]
    Drawing { cause: String },

    #[error("cannot encode the picture ({0}): check that it has pixels")]
    Encoding(#[from] image::ImageError),
}
