//! Valid input, small.

use crate::checkpoint::{IMAGE_LAYERS, POINT_LAYERS, untrained};
use afterimage::config::presets;
use flate2::{Compression, write::GzEncoder};
use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, GrayImage, ImageFormat, RgbImage, RgbaImage};
use std::fs;
use std::io::{Cursor, Write};
use std::path::Path;

/// Of two kinds of values, and of labels.
pub fn idx() -> Vec<Vec<u8>> {
    let file = |kind: u8, sizes: &[u32], values: Vec<u8>| {
        let mut bytes = vec![0, 0, kind, sizes.len() as u8];
        bytes.extend(sizes.iter().flat_map(|size| size.to_be_bytes()));
        bytes.extend(values);
        bytes
    };
    vec![
        file(8, &[3, 4, 5], (0..60).map(|i| i * 4).collect()),
        file(8, &[2, 8, 8], (0..128).collect()),
    ]
}

/// `bytes` in a gzip stream.
pub fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Two records.
pub fn cifar() -> Vec<Vec<u8>> {
    let record = |label: u8| {
        let pixels = (0..3072).map(move |i| ((i * 7) % 256) as u8);
        std::iter::once(label).chain(pixels)
    };
    vec![record(9).chain(record(0)).collect()]
}

/// Two versions of the format, and several kinds of numbers.
pub fn npy() -> Vec<Vec<u8>> {
    let file = |version: u8, header: &str, values: Vec<u8>| {
        let mut bytes = b"\x93NUMPY".to_vec();
        bytes.extend([version, 0]);
        match version {
            1 => bytes.extend((header.len() as u16).to_le_bytes()),
            _ => bytes.extend((header.len() as u32).to_le_bytes()),
        }
        bytes.extend(header.bytes());
        bytes.extend(values);
        bytes
    };
    let floats: Vec<u8> = (0..24)
        .flat_map(|i| (i as f32 * 10.0).to_le_bytes())
        .collect();
    let doubles: Vec<u8> = (0..8).flat_map(|i| (i as f64).to_be_bytes()).collect();
    vec![
        file(
            1,
            "{'descr': '|u1', 'fortran_order': False, 'shape': (2, 1, 4, 4), }\n",
            (0..32).collect(),
        ),
        file(
            2,
            "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 12), }\n",
            floats,
        ),
        file(
            1,
            "{'descr': '>f8', 'fortran_order': False, 'shape': (4, 2), }\n",
            doubles,
        ),
    ]
}

/// With and without a head, with quotes, gaps and other separators.
pub fn csv() -> Vec<Vec<u8>> {
    [
        "a,b,c\n0.1,0.2,0.3\n-1,0.5,1e-3\n0,0,1\n",
        "0.25,1\r\n-0.5,0.125\r\n",
        "\"x \"\"y\"\"\",\"z\"\n 1 , 0.5\n0,-1\n",
    ]
    .map(|text| text.as_bytes().to_vec())
    .to_vec()
}

fn pictures() -> [DynamicImage; 4] {
    let grey = GrayImage::from_fn(8, 8, |x, y| image::Luma([(20 + 25 * x + 5 * y) as u8]));
    let colours = RgbImage::from_fn(9, 7, |x, y| {
        image::Rgb([(13 * x) as u8, (15 * y) as u8, (7 * (x + y)) as u8])
    });
    let clear = RgbaImage::from_fn(5, 6, |x, y| {
        image::Rgba([(13 * x) as u8, (15 * y) as u8, 9, (40 * y) as u8])
    });
    let grey: DynamicImage = grey.into();
    let deep = grey.to_luma16();
    [grey, colours.into(), clear.into(), deep.into()]
}

pub fn png() -> Vec<Vec<u8>> {
    let encoded = |picture: &DynamicImage| {
        let mut bytes = Cursor::new(Vec::new());
        picture.write_to(&mut bytes, ImageFormat::Png).unwrap();
        bytes.into_inner()
    };
    pictures().iter().map(encoded).collect()
}

/// A PNG with the checksum of each chunk put right, as far as there are whole chunks.
pub fn with_checksums(mut png: Vec<u8>) -> Vec<u8> {
    let mut at = 8;
    while let Some(length) = png.get(at..at + 4) {
        let length = u32::from_be_bytes(length.try_into().unwrap()) as usize;
        let end = at.saturating_add(8).saturating_add(length);
        let Some(chunk) = png.get(at + 4..end) else {
            break;
        };
        let sum = crc32fast::hash(chunk).to_be_bytes();
        let Some(place) = png.get_mut(end..end + 4) else {
            break;
        };
        place.copy_from_slice(&sum);
        at = end + 4;
    }
    png
}

pub fn jpeg() -> Vec<Vec<u8>> {
    let encoded = |picture: &DynamicImage| {
        let mut bytes = Vec::new();
        let mut encoder = JpegEncoder::new_with_quality(&mut bytes, 80);
        encoder.encode_image(picture).unwrap();
        bytes
    };
    let mut files: Vec<_> = pictures()[..2].iter().map(encoded).collect();
    files.push(include_bytes!("../data/pictures/progressive.jpg").to_vec());
    files.push(include_bytes!("../data/pictures/cmyk.jpg").to_vec());
    files
}

pub fn configurations() -> Vec<Vec<u8>> {
    let generated = presets()
        .iter()
        .filter(|preset| !preset.toml.contains("\"idx\""));
    generated.map(|preset| preset.toml.into()).collect()
}

pub fn settings() -> Vec<Vec<u8>> {
    [
        "run.batch=64",
        "run.steps=10",
        "run.seed=3",
        "objective.noise_ratio=2",
        "sampler.steps=4",
        "sampler.buffer=4096",
        "sampler.leapfrog=7",
        "snapshot.interval=1",
        "optimiser.rate=1e-3",
        "data.noise=0.3",
        "data.low=-2.5",
        "network.layers=[{conv=16,kernel=3,stride=2,padding=1},{pool=2},{residual=16},{dense=1}]",
        "network.layers=[{conv=4,kernel=5,padding=2},{global_sum=true},{dense=3},{dense=1}]",
        "network.activation=tanh",
        "sampler.start_std=1.5",
    ]
    .map(|text| text.as_bytes().to_vec())
    .to_vec()
}

/// The manifest of a training state with its own checksum put right, as far as it still has the form of one.
pub fn with_own_checksum(manifest: Vec<u8>) -> Vec<u8> {
    let text = String::from_utf8_lossy(&manifest);
    let parts = text
        .split_once("\n\"state\":")
        .and_then(|(head, rest)| Some((head, rest.strip_suffix("}\n")?)));
    let (Some((head, state)), Some(at)) = (parts, text.find("\"crc32\":\"")) else {
        return manifest;
    };
    let sum = format!("{:08x}", crc32fast::hash(state.as_bytes()));
    let from = at + "\"crc32\":\"".len();
    match head.get(..from).zip(head.get(from + sum.len()..)) {
        Some((before, after)) => {
            format!("{before}{sum}{after}\n\"state\":{state}}}\n").into_bytes()
        }
        None => manifest,
    }
}

/// Of an image model and of a planar one; `path` is overwritten.
pub fn checkpoints(path: &Path) -> Vec<Vec<u8>> {
    let saved = |preset: &str, layers: &str| {
        untrained(preset, layers).save(path).unwrap();
        fs::read(path).unwrap()
    };
    vec![saved("digits", IMAGE_LAYERS), saved("moons", POINT_LAYERS)]
}
