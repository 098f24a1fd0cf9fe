//! PNG and JPEG files as pictures, decoded strictly: a damaged file is an error, never a picture in part.
//!
//! Gamma, colour profiles and text are not looked at: values are those that were stored.

use std::io::Cursor;

use flate2::Crc;
use image::codecs::png::PngDecoder;
use image::metadata::Orientation;
use image::{DynamicImage, GrayImage, Limits, RgbImage};
use jpeg_decoder::PixelFormat;

/// A picture in the orientation in which it is displayed.
pub(super) struct Decoded {
    pub(super) image: DynamicImage,
    /// Whether it was stored in another orientation.
    pub(super) is_turned: bool,
}

/// The most bytes of values in a JPEG picture, so that a header that claims an absurd size costs no memory; `image` has the
/// same limit.
const MOST_BYTES: usize = 512 << 20;

/// Bytes of a chunk's length, of its name, and of its checksum.
const FIELD: usize = 4;
/// Bytes of the signature of a PNG file.
const SIGNATURE: usize = 8;

pub(super) fn png(bytes: &[u8]) -> Result<Decoded, String> {
    let exif = check_chunks(bytes.get(SIGNATURE..).unwrap_or_default())?;
    let image = PngDecoder::with_limits(Cursor::new(bytes), Limits::default())
        .and_then(DynamicImage::from_decoder)
        .map_err(|cause| cause.to_string())?;
    Ok(turned(image, exif))
}

pub(super) fn jpeg(bytes: &[u8]) -> Result<Decoded, String> {
    let mut decoder = jpeg_decoder::Decoder::new(bytes);
    decoder.read_info().map_err(|cause| cause.to_string())?;
    let info = decoder.info().ok_or("it has no header")?;
    let pixels = usize::from(info.width) * usize::from(info.height);
    if pixels.saturating_mul(info.pixel_format.pixel_bytes()) > MOST_BYTES {
        return Err(format!(
            "{}×{} pixels are too many",
            info.width, info.height
        ));
    }
    let values = decoder.decode().map_err(|cause| cause.to_string())?;
    let (width, height) = (info.width.into(), info.height.into());
    let image = match info.pixel_format {
        PixelFormat::L8 => GrayImage::from_raw(width, height, values).map(DynamicImage::from),
        PixelFormat::RGB24 => RgbImage::from_raw(width, height, values).map(DynamicImage::from),
        PixelFormat::CMYK32 => {
            let (inks, _) = values.as_chunks();
            let colours = inks.iter().flat_map(|&inks| without_inks(inks)).collect();
            RgbImage::from_raw(width, height, colours).map(DynamicImage::from)
        }
        PixelFormat::L16 => return Err("lossless JPEG is not read".into()),
    };
    let image = image.ok_or("its values are fewer than its pixels")?;
    Ok(turned(image, decoder.exif_data()))
}

/// Red, green and blue of cyan, magenta, yellow and black: (1 − ink)(1 − black), as Pillow rounds it.
fn without_inks([inks @ .., black]: [u8; 4]) -> [u8; 3] {
    let light = u32::from(u8::MAX - black);
    inks.map(|ink| {
        let dark = (light * u32::from(ink) + 127) / 255;
        (light - dark) as u8
    })
}

fn turned(mut image: DynamicImage, exif: Option<&[u8]>) -> Decoded {
    let orientation = exif.and_then(Orientation::from_exif_chunk);
    let orientation = orientation.unwrap_or(Orientation::NoTransforms);
    image.apply_orientation(orientation);
    Decoded {
        image,
        is_turned: orientation != Orientation::NoTransforms,
    }
}

/// Goes through all chunks behind a PNG file's signature, and gives the content of the one of EXIF.
///
/// The decoder stops at the last pixel and passes over damage in chunks that it can do without, transparency and
/// orientation among them.
fn check_chunks(mut rest: &[u8]) -> Result<Option<&[u8]>, String> {
    let mut exif = None;
    loop {
        let (length, after) = rest.split_first_chunk::<FIELD>().ok_or(CUT_SHORT)?;
        let length = u32::from_be_bytes(*length) as usize;
        let (named, after) = length
            .checked_add(FIELD)
            .and_then(|length| after.split_at_checked(length))
            .ok_or(CUT_SHORT)?;
        let (checksum, after) = after.split_first_chunk::<FIELD>().ok_or(CUT_SHORT)?;
        let mut actual = Crc::new();
        actual.update(named);
        let (name, content) = named.split_at(FIELD);
        if actual.sum() != u32::from_be_bytes(*checksum) {
            let name = name.escape_ascii();
            return Err(format!("the checksum of its chunk {name} is wrong"));
        }
        match name {
            b"IEND" => return Ok(exif),
            b"eXIf" => exif = Some(content),
            _ => {}
        }
        rest = after;
    }
}

const CUT_SHORT: &str = "it is cut short";
