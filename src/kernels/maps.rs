use super::texel::Plane;
use crate::gpu::{Buffer, Resource};

/// A batch of feature maps on the GPU.
#[derive(Clone, Copy, Debug)]
pub enum Maps {
    /// A flat (sample, channel, row, column) buffer: the tiled variant.
    Flat(Buffer),
    /// A bordered image: the texel variant.
    Plane(Plane),
}

impl Maps {
    /// What to bind.
    pub fn resource(&self) -> Resource {
        match self {
            Maps::Flat(buffer) => (*buffer).into(),
            Maps::Plane(plane) => plane.image.into(),
        }
    }

    /// The same maps for a batch of fewer samples: those of the first ones, in the places they have here.
    pub fn for_samples(&self, samples: usize) -> Maps {
        match *self {
            Maps::Flat(buffer) => Maps::Flat(buffer),
            Maps::Plane(plane) => Maps::Plane(Plane { samples, ..plane }),
        }
    }

    /// The buffer. All maps that meet in a kernel were made for the same variant.
    pub(super) fn flat(&self) -> Buffer {
        match self {
            Maps::Flat(buffer) => *buffer,
            Maps::Plane(_) => unreachable!("a tiled layer was given a plane"),
        }
    }

    /// The image, likewise.
    pub(super) fn plane(&self) -> &Plane {
        match self {
            Maps::Plane(plane) => plane,
            Maps::Flat(_) => unreachable!("a texel layer was given a flat buffer"),
        }
    }
}
