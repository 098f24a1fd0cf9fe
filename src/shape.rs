//! The shape of one sample.

use std::fmt;

/// Channels × height × width of one sample. A point in the plane is 2×1×1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Shape {
    pub channels: usize,
    pub height: usize,
    pub width: usize,
}

impl Shape {
    /// A shape of `channels` × `height` × `width`.
    pub const fn new(channels: usize, height: usize, width: usize) -> Self {
        Shape {
            channels,
            height,
            width,
        }
    }

    /// The number of values in one sample.
    pub const fn len(&self) -> usize {
        self.channels * self.height * self.width
    }

    /// Whether the sample holds no value at all.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether a sample is a point in the plane.
    pub fn is_planar(&self) -> bool {
        *self == Shape::new(2, 1, 1)
    }
}

/// With its axes named, to follow "the samples are".
impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let &Shape {
            channels,
            height,
            width,
        } = self;
        let plural = if channels == 1 { "" } else { "s" };
        match (height, width) {
            _ if self.is_planar() => f.pad("points in the plane"),
            (1, 1) => f.pad(&format!("{channels} value{plural}")),
            _ => f.pad(&format!(
                "{channels} channel{plural} of height {height} × width {width}"
            )),
        }
    }
}
