//! What is common to the decoders: a damaged file is an error, never a picture in part.
//!
//! Gamma and colour profiles are not looked at: values are those that were stored.

use image::DynamicImage;
use image::metadata::Orientation;

/// What is said of a file that ends too early.
pub(super) const CUT_SHORT: &str = "it is cut short";

/// A picture in the orientation in which it is displayed.
pub(super) struct Decoded {
    pub(super) image: DynamicImage,
    /// Whether it was stored in another orientation.
    pub(super) is_turned: bool,
}

impl Decoded {
    /// A picture as it was stored, turned as `exif` says.
    pub(super) fn stored(mut image: DynamicImage, exif: Option<&[u8]>) -> Self {
        let orientation = exif.and_then(Orientation::from_exif_chunk);
        let orientation = orientation.unwrap_or(Orientation::NoTransforms);
        image.apply_orientation(orientation);
        Decoded {
            image,
            is_turned: orientation != Orientation::NoTransforms,
        }
    }
}
