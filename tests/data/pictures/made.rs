//! Pictures written chunk by chunk and segment by segment.

use flate2::Compression;
use std::io::Write;

/// What the byte of a PNG header for the colour type says.
#[derive(Clone, Copy)]
pub enum Kind {
    Grey = 0,
    Rgb = 2,
    Palette = 3,
    GreyAlpha = 4,
    Rgba = 6,
}

/// A PNG file to be written.
pub struct Png {
    pub width: u32,
    pub height: u32,
    pub bits: u8,
    pub kind: Kind,
    pub interlaced: bool,
    /// The chunks between header and values.
    pub chunks: Vec<(&'static [u8; 4], Vec<u8>)>,
    /// The bytes of each row; of an interlaced picture of each row of each pass.
    pub rows: Vec<Vec<u8>>,
}

impl Png {
    /// One row of `width` pixels.
    pub fn row(width: u32, bits: u8, kind: Kind, bytes: &[u8]) -> Self {
        Png {
            width,
            height: 1,
            bits,
            kind,
            interlaced: false,
            chunks: Vec::new(),
            rows: vec![bytes.to_vec()],
        }
    }

    pub fn with(mut self, name: &'static [u8; 4], content: &[u8]) -> Self {
        self.chunks.push((name, content.to_vec()));
        self
    }

    pub fn bytes(&self) -> Vec<u8> {
        let mut header = [self.width.to_be_bytes(), self.height.to_be_bytes()].concat();
        header.extend([self.bits, self.kind as u8, 0, 0, self.interlaced.into()]);
        let mut values = flate2::write::ZlibEncoder::new(Vec::new(), Compression::default());
        for row in &self.rows {
            values.write_all(&[0]).unwrap();
            values.write_all(row).unwrap();
        }
        let mut bytes = b"\x89PNG\r\n\x1a\n".to_vec();
        bytes.extend(chunk(b"IHDR", &header));
        for (name, content) in &self.chunks {
            bytes.extend(chunk(name, content));
        }
        bytes.extend(chunk(b"IDAT", &values.finish().unwrap()));
        bytes.extend(chunk(b"IEND", b""));
        bytes
    }
}

fn chunk(name: &[u8; 4], content: &[u8]) -> Vec<u8> {
    let mut sum = flate2::Crc::new();
    sum.update(name);
    sum.update(content);
    let length = content.len() as u32;
    [
        &length.to_be_bytes(),
        &name[..],
        content,
        &sum.sum().to_be_bytes(),
    ]
    .concat()
}

/// Big-endian bytes.
pub fn words(values: &[u16]) -> Vec<u8> {
    values
        .iter()
        .flat_map(|value| value.to_be_bytes())
        .collect()
}

/// EXIF data that hold nothing but an orientation.
pub fn exif(orientation: u8) -> Vec<u8> {
    let mut bytes = b"II*\0\x08\0\0\0\x01\0".to_vec();
    bytes.extend([0x12, 0x01, 3, 0, 1, 0, 0, 0, orientation, 0, 0, 0]);
    bytes.extend([0; 4]);
    bytes
}

/// A JPEG file with EXIF data behind its first marker.
pub fn with_exif(jpeg: &[u8], orientation: u8) -> Vec<u8> {
    let content = [&b"Exif\0\0"[..], &exif(orientation)].concat();
    let length = content.len() as u16 + 2;
    let segment = [&b"\xff\xe1"[..], &length.to_be_bytes(), &content].concat();
    [&jpeg[..2], &segment, &jpeg[2..]].concat()
}
