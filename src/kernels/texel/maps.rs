use super::load_maps::load_maps;
use super::plane::Plane;
use super::pool_forward::pool_forward;
use super::pool_input_gradient::pool_input_gradient;
use super::unload_maps::unload_maps;
use crate::gpu::{Buffer, Recording};
use crate::kernels::family::FamilyMaps;
use crate::kernels::geometry::Activation;
use crate::kernels::pooling::Pooling;

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
}

impl FamilyMaps for Maps {
    fn for_samples(&self, samples: usize) -> Self {
        match *self {
            Maps::Plane(plane) => Maps::Plane(Plane { samples, ..plane }),
            flat @ Maps::Flat(_) => flat,
        }
    }

    fn at_end(&self, _flat: Buffer) -> Self {
        *self
    }

    fn flat(&self, label: &'static str) -> Buffer {
        let plane = self.plane();
        Buffer::new(label, plane.samples * plane.shape.len())
    }

    fn bytes(&self) -> u64 {
        match self {
            Maps::Plane(plane) => plane.image.bytes(),
            Maps::Flat(buffer) => buffer.bytes(),
        }
    }

    fn end_bytes(&self) -> u64 {
        self.bytes()
    }

    fn load(&self, recording: &mut Recording, from: Buffer) {
        load_maps(recording, from, self.plane());
    }

    fn unload(&self, recording: &mut Recording, to: Buffer) {
        match self {
            Maps::Plane(plane) => unload_maps(recording, plane, to),
            Maps::Flat(buffer) => debug_assert_eq!(*buffer, to),
        }
    }

    fn upload(&self, recording: &mut Recording, values: &[f32], through: Buffer) {
        recording.upload_f32(through, 0, values);
        self.load(recording, through);
    }

    fn pool_forward(
        &self,
        recording: &mut Recording,
        pooling: &Pooling,
        activation: Activation,
        _samples: usize,
        skip: Option<&Self>,
        output: &Self,
        derivative: Option<&Self>,
    ) {
        pool_forward(
            recording,
            pooling,
            activation,
            self.plane(),
            skip.map(Maps::plane),
            output.plane(),
            derivative.map(Maps::plane),
        );
    }

    fn pool_input_gradient(
        &self,
        recording: &mut Recording,
        pooling: &Pooling,
        _samples: usize,
        added: Option<&Self>,
        input_derivative: Option<&Self>,
        input_gradient: &Self,
    ) {
        pool_input_gradient(
            recording,
            pooling,
            self.plane(),
            added.map(Maps::plane),
            input_derivative.map(Maps::plane),
            input_gradient.plane(),
        );
    }
}
