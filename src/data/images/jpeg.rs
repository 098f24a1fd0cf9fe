//! JPEG files.

use image::{DynamicImage, GrayImage, RgbImage};
use jpeg_decoder::PixelFormat;

use super::decode::{CUT_SHORT, Decoded};

/// The most bytes of values, so that a header that claims an absurd size costs no memory; `image` has the same limit for PNG.
const MOST_BYTES: usize = 512 << 20;

/// The most pixels that a byte can stand for: every block of 8×8 values takes a bit for its mean at the least, and a component has one
/// value of four pixels at the least in the direction in which another one has them all (T.81, A.1.1).
const MOST_PIXELS_A_BYTE: usize = 8 * 64 * 4;

/// The most bits of a difference of mean values that libjpeg takes.
const MOST_BITS: u8 = 15;

// The second bytes of the markers that matter here (ITU-T T.81, table B.1).
const STUFFED: u8 = 0x00;
const TEMPORARY: u8 = 0x01;
const HUFFMAN_TABLES: u8 = 0xc4;
const FIRST_RESTART: u8 = 0xd0;
const LAST_RESTART: u8 = 0xd7;
const START: u8 = 0xd8;
const END: u8 = 0xd9;
const SCAN: u8 = 0xda;
const FILL: u8 = 0xff;

pub(super) fn decode(bytes: &[u8]) -> Result<Decoded, String> {
    check_segments(bytes)?;
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
    // The decoder would make room for them first.
    if pixels > bytes.len().saturating_mul(MOST_PIXELS_A_BYTE) {
        return Err(format!(
            "its head claims {}×{} pixels, which its {} bytes cannot hold",
            info.width,
            info.height,
            bytes.len()
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
    Ok(Decoded::stored(image, decoder.exif_data()))
}

/// Red, green and blue of cyan, magenta, yellow and black: (1 − ink)(1 − black), as Pillow rounds it.
fn without_inks([inks @ .., black]: [u8; 4]) -> [u8; 3] {
    let light = u32::from(u8::MAX - black);
    inks.map(|ink| {
        let dark = (light * u32::from(ink) + 127) / 255;
        (light - dark) as u8
    })
}

/// Goes through all segments up to the end of the picture: one must follow the other, and Huffman tables must be possible.
/// The decoder looks for the next marker where there is none, and takes tables in which codes overlap.
fn check_segments(bytes: &[u8]) -> Result<(), String> {
    let mut rest = bytes;
    loop {
        let (marker, after) = match rest {
            [FILL, FILL, ..] => {
                rest = &rest[1..];
                continue;
            }
            [FILL, marker, after @ ..] => (*marker, after),
            [] | [FILL] => return Err(CUT_SHORT.into()),
            _ => return Err("bytes that belong to nothing are in it".into()),
        };
        rest = after;
        match marker {
            END => return Ok(()),
            START | TEMPORARY | FIRST_RESTART..=LAST_RESTART => continue,
            _ => {}
        }
        let (length, _) = rest.split_first_chunk::<2>().ok_or(CUT_SHORT)?;
        let length = u16::from_be_bytes(*length).into();
        let (segment, after) = rest.split_at_checked(length).ok_or(CUT_SHORT)?;
        let content = segment.get(2..).ok_or("a length in it is impossible")?;
        rest = after;
        match marker {
            HUFFMAN_TABLES => check_tables(content)?,
            SCAN => rest = behind_scan(rest).ok_or(CUT_SHORT)?,
            _ => {}
        }
    }
}

/// What follows the values of a scan: the first marker that does not belong to them.
fn behind_scan(values: &[u8]) -> Option<&[u8]> {
    let is_marker = |pair: &[u8]| {
        pair[0] == FILL && !matches!(pair[1], STUFFED | FIRST_RESTART..=LAST_RESTART | FILL)
    };
    let end = values.windows(2).position(is_marker)?;
    values.get(end..)
}

/// Refuses tables that have more codes of a length than there can be, the code of ones alone being none, and tables for
/// mean values whose codes stand for more bits than there are.
fn check_tables(mut tables: &[u8]) -> Result<(), String> {
    while let Some(([destination, counts @ ..], after)) = tables.split_first_chunk::<17>() {
        let mut codes = 0;
        for (bits, &count) in (1..).zip(counts) {
            codes = 2 * codes + u32::from(count);
            if codes >= 1 << bits {
                return Err("the codes of a table in it overlap".into());
            }
        }
        let count = counts.iter().map(|&count| usize::from(count)).sum();
        let (symbols, after) = after.split_at_checked(count).ok_or(CUT_SHORT)?;
        let is_for_means = destination >> 4 == 0;
        if is_for_means && symbols.iter().any(|&bits| bits > MOST_BITS) {
            return Err("the codes of a table in it stand for nothing".into());
        }
        tables = after;
    }
    Ok(())
}
