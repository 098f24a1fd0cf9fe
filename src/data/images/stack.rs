//! Pictures one after the other, with as few bits and channels as hold them all.

use std::path::Path;

use super::picture::{Depth, Picture, brightness};
use crate::data::loaded::{Loaded, STEPS_OF_A_BYTE, Values};
use crate::data::{Channels, DataError, DataOptions};
use crate::shape::Shape;

/// The values of pictures of one size, in the order channels, height, width.
pub(super) struct Stack {
    rule: Rule,
    channels: usize,
    /// Pixels of a picture.
    plane: usize,
    values: Held,
}

/// How the number of channels is decided.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Rule {
    /// One until a coloured picture is met, then three.
    AsNeeded,
    /// One; colours become brightness.
    Brightness,
    /// One; coloured pictures are refused.
    GreyOnly,
    Three,
}

enum Held {
    Bytes(Vec<u8>),
    Words(Vec<u16>),
}

impl Rule {
    fn of(options: &DataOptions) -> Rule {
        let scored_by = options.scored_by.map(|shape| shape.channels);
        match (options.channels, scored_by) {
            (Channels::Grey, _) => Rule::Brightness,
            (Channels::Colour, _) | (Channels::Auto, Some(3)) => Rule::Three,
            (Channels::Auto, Some(1)) => Rule::GreyOnly,
            (Channels::Auto, _) => Rule::AsNeeded,
        }
    }
}

impl Stack {
    pub(super) fn new(options: &DataOptions) -> Self {
        let rule = Rule::of(options);
        Stack {
            rule,
            channels: if rule == Rule::Three { 3 } else { 1 },
            plane: 0,
            values: Held::Bytes(Vec::new()),
        }
    }

    pub(super) fn channels(&self) -> usize {
        self.channels
    }

    /// Appends the picture of the file `path`.
    pub(super) fn push(&mut self, picture: &Picture, path: &Path) -> Result<(), DataError> {
        self.plane = picture.pixels.len();
        match self.rule {
            Rule::GreyOnly if !picture.is_grey => {
                return Err(DataError::Coloured { path: path.into() });
            }
            Rule::AsNeeded if !picture.is_grey && self.channels == 1 => self.triplicate(),
            _ => {}
        }
        if let (Held::Bytes(bytes), Depth::Sixteen) = (&self.values, picture.depth) {
            let words = bytes.iter().map(|&byte| u16::from(byte) * STEPS_OF_A_BYTE);
            self.values = Held::Words(words.collect());
        }
        for channel in 0..self.channels {
            let value = |&pixel: &[u16; 3]| match self.channels {
                1 => brightness(pixel),
                _ => pixel[channel],
            };
            let values = picture.pixels.iter().map(value);
            match (&mut self.values, picture.depth) {
                (Held::Bytes(bytes), _) => bytes.extend(values.map(|value| value as u8)),
                (Held::Words(words), Depth::Eight) => {
                    words.extend(values.map(|value| value * STEPS_OF_A_BYTE));
                }
                (Held::Words(words), Depth::Sixteen) => words.extend(values),
            }
        }
        Ok(())
    }

    /// Gives the pictures so far three channels.
    fn triplicate(&mut self) {
        fn thrice<T: Copy>(grey: &[T], plane: usize) -> Vec<T> {
            let pictures = grey.chunks(plane);
            pictures.flat_map(|picture| picture.repeat(3)).collect()
        }
        self.channels = 3;
        match &mut self.values {
            Held::Bytes(bytes) => *bytes = thrice(bytes, self.plane),
            Held::Words(words) => *words = thrice(words, self.plane),
        }
    }

    /// The pictures, `width` and `height` of each.
    pub(super) fn finish(self, (width, height): (u32, u32)) -> Loaded {
        let shape = Shape::new(self.channels, height as usize, width as usize);
        match self.values {
            Held::Bytes(bytes) => Loaded::bytes(shape, bytes, u8::MAX),
            Held::Words(words) => Loaded::new(shape, Values::Words(words)),
        }
    }
}
