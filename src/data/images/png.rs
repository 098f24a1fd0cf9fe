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

/// Goes through all chunks behind a file's signature, and gives the content of the one of EXIF.
///
/// The decoder stops at the last pixel, and passes over damage in chunks that it can do without, transparency and
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
