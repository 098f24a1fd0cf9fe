use super::load_maps::load_maps;
use super::plane::Plane;
use super::unload_maps::unload_maps;
use crate::gpu::{Buffer, Recording};
use crate::purpose::MAPS;

/// Maps in an image, at the ends of a network, too.
#[derive(Clone, Copy, Debug)]
pub enum Maps {
    Plane(Plane),
    /// Only where a kernel writes the gradient in the samples straight to where it is asked for.
    Flat(Buffer),
}

impl Maps {
    pub(super) fn plane(&self) -> &Plane {
        match self {
            Maps::Plane(plane) => plane,
            Maps::Flat(_) => unreachable!("a kernel of planes was given a flat buffer"),
        }
    }

    pub(super) fn buffer(&self) -> Buffer {
        match self {
            Maps::Flat(buffer) => *buffer,
            Maps::Plane(_) => unreachable!("a sample gradient was given a plane"),
        }
    }

    pub(crate) fn for_samples(&self, samples: usize) -> Self {
        match *self {
            Maps::Plane(plane) => Maps::Plane(Plane { samples, ..plane }),
            flat @ Maps::Flat(_) => flat,
        }
    }

    /// The same maps in a buffer, for activation derivatives alone; very large ones and those of f16 stay in an image.
    pub fn in_buffer(&self) -> Self {
        match *self {
            Maps::Plane(plane) => Maps::Plane(plane.in_buffer()),
            flat @ Maps::Flat(_) => flat,
        }
    }

    pub(crate) fn at_end(&self, _: Buffer) -> Self {
        *self
    }

    pub(crate) fn flat(&self, label: &'static str) -> Buffer {
        let plane = self.plane();
        Buffer::new(label, plane.samples * plane.shape.len()).of(MAPS)
    }

    pub(crate) fn load(&self, recording: &mut Recording, from: Buffer) {
        load_maps(recording, from, self.plane());
    }

    pub(crate) fn unload(&self, recording: &mut Recording, to: Buffer) {
        match self {
            Maps::Plane(plane) => unload_maps(recording, plane, to),
            Maps::Flat(buffer) => debug_assert_eq!(*buffer, to),
        }
    }

    pub(crate) fn upload(&self, recording: &mut Recording, values: &[f32], through: Buffer) {
        recording.upload_f32(through, 0, values);
        self.load(recording, through);
    }
}
