//! Files of every format, and opening them.

use afterimage::config::Word;
use afterimage::data::{
    Channels, Colour, DataError, DataOptions, Dataset, Layout, RawRange, Source, open,
};
use std::fs;
use std::io::Write;
use std::path::Path;
use tempfile::TempDir;

pub fn options(source: &str, path: impl AsRef<Path>) -> DataOptions {
    DataOptions {
        source: source.into(),
        path: path.as_ref().to_str().unwrap().into(),
        // What is generated has its own.
        range: match Source::named(source) {
            Some(source) if source.needs_path() => RawRange::Given([0.0, 255.0]),
            _ => RawRange::Auto,
        },
        layout: Layout::Auto,
        channels: Channels::Auto,
        background: Colour::default(),
        low: 0.0,
        high: 255.0,
        limit: 0,
        held_out: 0.0,
        scored_by: None,
        trained: None,
    }
}

/// Opens `path` with bytes mapped to themselves.
pub fn load(source: &str, path: impl AsRef<Path>) -> Result<Dataset, DataError> {
    open(&options(source, path), 1)
}

/// Opens a file that holds `bytes`.
pub fn load_bytes(source: &str, bytes: &[u8]) -> Result<Dataset, DataError> {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    load(source, file.path())
}

/// The error of a load that must fail. Its message must be one line that also says what to do.
pub fn error(result: Result<Dataset, DataError>) -> DataError {
    let Err(error) = result else {
        panic!("malformed input was accepted")
    };
    let message = error.to_string();
    assert!(
        !message.contains('\n') && message.contains([':', ';']),
        "{message}"
    );
    error
}

pub fn all(dataset: &Dataset) -> Vec<f32> {
    dataset.first(usize::MAX)
}

pub fn folder(files: &[(&str, &[u8])]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        fs::write(folder.path().join(name), bytes).unwrap();
    }
    folder
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub fn idx(sizes: [u32; 3], pixels: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, 0, 8, 3];
    bytes.extend(sizes.iter().flat_map(|size| size.to_be_bytes()));
    bytes.extend(pixels);
    bytes
}

/// Two records with labels 9 and 0 and pixels that differ by record, plane and place.
pub fn cifar() -> Vec<u8> {
    let record = |label: u8, shift: usize| {
        let pixels = (0..3072).map(move |i| ((i * 7 + shift) % 256) as u8);
        std::iter::once(label).chain(pixels)
    };
    record(9, 0).chain(record(0, 100)).collect()
}

/// A `.npy` file with `header` written as it is.
pub fn npy_raw(header: &str, data: &[u8]) -> Vec<u8> {
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(data);
    bytes
}

pub fn npy_header(descr: &str, shape: &str) -> String {
    format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}\n")
}

/// A `.npy` file as the independent `npyz` writes it.
pub fn npy<T: npyz::AutoSerialize>(shape: &[u64], values: impl IntoIterator<Item = T>) -> Vec<u8> {
    use npyz::WriterBuilder;
    let mut bytes = Vec::new();
    let mut writer = npyz::WriteOptions::new()
        .default_dtype()
        .shape(shape)
        .writer(&mut bytes)
        .begin_nd()
        .unwrap();
    writer.extend(values).unwrap();
    writer.finish().unwrap();
    bytes
}

pub fn encode(picture: impl Into<image::DynamicImage>, format: image::ImageFormat) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    picture.into().write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

pub fn grey_png(width: u32, height: u32, pixels: Vec<u8>) -> Vec<u8> {
    let picture = image::GrayImage::from_raw(width, height, pixels).unwrap();
    encode(picture, image::ImageFormat::Png)
}

pub fn colour_png(width: u32, height: u32, pixels: Vec<u8>) -> Vec<u8> {
    let picture = image::RgbImage::from_raw(width, height, pixels).unwrap();
    encode(picture, image::ImageFormat::Png)
}
