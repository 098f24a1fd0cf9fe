//! PNG files.

use std::io::Cursor;

use flate2::Crc;
use image::codecs::png::PngDecoder;
use image::{DynamicImage, Limits};

use super::decode::{CUT_SHORT, Decoded};

/// Bytes of the signature of a file.
const SIGNATURE: usize = 8;
/// Bytes of a chunk's length, of its name, and of its checksum.
const FIELD: usize = 4;

pub(super) fn decode(bytes: &[u8]) -> Result<Decoded, String> {
    let exif = check_chunks(bytes.get(SIGNATURE..).unwrap_or_default())?;
    let image = PngDecoder::with_limits(Cursor::new(bytes), Limits::default())
        .and_then(DynamicImage::from_decoder)
        .map_err(|cause| cause.to_string())?;
    Ok(Decoded::stored(image, exif))
}

/// DEFLATE makes at most so many bytes of one (RFC 1951: 258 of two bits).
const MOST_INFLATED: u64 = 1032;

/// Goes through all chunks behind a file's signature, and gives the content of the one of EXIF.
///
/// Pixels that the file cannot hold are refused, since the decoder would make room for them first.
///
/// The decoder stops at the last pixel, and passes over damage in chunks that it can do without, transparency and
/// orientation among them.
fn check_chunks(mut rest: &[u8]) -> Result<Option<&[u8]>, String> {
    let mut exif = None;
    let mut claimed = 0;
    let mut packed = 0_u64;
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
            b"IHDR" => claimed = bytes_of_pixels(content).max(claimed),
            b"IDAT" => packed += length as u64,
            b"IEND" if claimed > packed.saturating_mul(MOST_INFLATED) => {
                return Err(format!(
                    "its head claims {claimed} bytes of pixels, which its {packed} packed ones cannot hold"
                ));
            }
            b"IEND" => return Ok(exif),
            b"eXIf" => exif = Some(content),
            _ => {}
        }
        rest = after;
    }
}

/// Bytes of the pixels of a picture with this head: width and height in four bytes each, bits a sample, colour type.
fn bytes_of_pixels(head: &[u8]) -> u64 {
    let Some((width, rest)) = head.split_first_chunk::<FIELD>() else {
        return 0;
    };
    let Some((height, [bits, colours, ..])) = rest.split_first_chunk::<FIELD>() else {
        return 0;
    };
    let samples = match colours {
        2 => 3,
        4 => 2,
        6 => 4,
        _ => 1,
    };
    let row = (u64::from(u32::from_be_bytes(*width)) * samples * u64::from(*bits)).div_ceil(8);
    row.saturating_mul(u64::from(u32::from_be_bytes(*height)))
}
