//! What a family of layer kernels offers. Each has a folder here and one in `shaders/`, and a line in the table in
//! `families.rs`; nothing else knows which there are.

use super::geometry::Activation;
use super::layer_kind::LayerKind;
use super::layer_pass::LayerPass;
use super::parameters::LayerParameters;
use super::pooling::Pooling;
use super::precision::Precision;
use crate::gpu::{Buffer, GpuError, Profile, Recording};
use crate::shape::Shape;
use std::fmt;

/// One of a family's variants: what its kernels have to know of an adapter, and how they store maps.
pub trait Family: Copy + fmt::Debug + PartialEq {
    /// One way of computing a pass, as the tuning table keeps it.
    type Choice: Copy;
    type Layer: FamilyLayer;

    /// The variant that suits an adapter best.
    fn best(profile: &Profile) -> Self;

    /// The one that asks least of its driver, where there is more than one.
    fn plain(profile: &Profile) -> Option<Self>;

    /// Whether the family was made for such adapters.
    fn suits(&self, profile: &Profile) -> bool;

    /// In a word, without the precision.
    fn name(&self) -> String;

    fn precision(&self) -> Precision;

    /// The same variant with maps stored in `precision`, if it has that.
    fn in_precision(self, precision: Precision) -> Option<Self>;

    /// See [`Layer::candidates`](super::Layer::candidates).
    fn candidates(&self, kind: LayerKind, samples: usize, pass: LayerPass) -> Vec<Self::Choice>;

    /// See [`Layer::with_choices`](super::Layer::with_choices); a choice is one of the candidates.
    fn layer(
        &self,
        kind: LayerKind,
        activation: Activation,
        samples: usize,
        forward: Option<Self::Choice>,
        input_gradient: Option<Self::Choice>,
    ) -> Self::Layer;
}

/// Who reads maps, and may need something around them.
#[derive(Clone, Copy, Debug)]
pub enum MapReader<'a, L> {
    /// A layer whose input they are.
    Input(&'a L),
    /// A layer in whose output they are the gradient.
    OutputGradient(&'a L),
}

/// A family's [`Layer`](super::Layer), whose methods these are where nothing else is said.
pub trait FamilyLayer: Clone {
    type Maps: FamilyMaps;

    fn kind(&self) -> LayerKind;

    fn samples(&self) -> usize;

    /// How maps inside the network are stored.
    fn precision(&self) -> Precision {
        Precision::Full
    }

    fn for_samples(&self, samples: usize) -> Self;

    fn reading_samples(self) -> Self {
        self
    }

    fn sample_gradient(&self, maps: &Self::Maps, gradient: Buffer) -> Self::Maps {
        maps.at_end(gradient)
    }

    fn share_scratch(_layers: &mut [&mut Self]) -> u64 {
        0
    }

    fn packed_bytes(&self) -> u64 {
        0
    }

    /// Names maps of any `shape` for all `readers`.
    ///
    /// # Errors
    /// When they exceed the adapter's image size.
    fn new_maps(
        &self,
        label: &'static str,
        shape: Shape,
        readers: &[MapReader<'_, Self>],
        precision: Precision,
    ) -> Result<Self::Maps, GpuError>;

    fn prepare(&self, _recording: &mut Recording, _parameters: LayerParameters) {}

    fn forward(
        &self,
        recording: &mut Recording,
        parameters: LayerParameters,
        input: &Self::Maps,
        output: &Self::Maps,
        derivative: Option<&Self::Maps>,
    );

    fn input_gradient(
        &self,
        recording: &mut Recording,
        parameters: LayerParameters,
        output_gradient: &Self::Maps,
        input_derivative: Option<&Self::Maps>,
        input_gradient: &Self::Maps,
    );

    /// How many partial sums [`Self::weight_partials`] makes.
    fn shares(&self) -> usize;

    /// Sums, to be summed up, of the weight gradient: [`Self::shares`] × (weight, bias).
    fn weight_partials(
        &self,
        recording: &mut Recording,
        input: &Self::Maps,
        output_gradient: &Self::Maps,
        factor: Buffer,
        partials: Buffer,
    );
}

/// A family's [`Maps`](super::Maps), whose methods and functions these are.
pub trait FamilyMaps: Copy {
    fn for_samples(&self, samples: usize) -> Self;

    fn at_end(&self, flat: Buffer) -> Self;

    fn flat(&self, label: &'static str) -> Buffer;

    fn bytes(&self) -> u64;

    fn end_bytes(&self) -> u64;

    fn load(&self, recording: &mut Recording, from: Buffer);

    fn unload(&self, recording: &mut Recording, to: Buffer);

    fn upload(&self, recording: &mut Recording, values: &[f32], through: Buffer);

    /// Of these maps as the input.
    #[allow(clippy::too_many_arguments)]
    fn pool_forward(
        &self,
        recording: &mut Recording,
        pooling: &Pooling,
        activation: Activation,
        samples: usize,
        skip: Option<&Self>,
        output: &Self,
        derivative: Option<&Self>,
    );

    /// Of these maps as the gradient in the output.
    fn pool_input_gradient(
        &self,
        recording: &mut Recording,
        pooling: &Pooling,
        samples: usize,
        added: Option<&Self>,
        input_derivative: Option<&Self>,
        input_gradient: &Self,
    );
}
