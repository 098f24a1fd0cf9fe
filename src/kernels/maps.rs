use super::activations::Activation;
use super::families::{Maps, Part, each};
use super::pooling::Pooling;
use crate::gpu::{Buffer, Recording};

impl Maps {
    /// Those of one family, which they are of: all maps that meet in a kernel were made for the same variant.
    pub(super) fn part<M: Part<Maps>>(&self) -> &M {
        M::of(self).unwrap_or_else(|| unreachable!("a layer was given another family's maps"))
    }

    /// The same maps for a batch of fewer samples: those of the first ones, in the places they have here.
    pub(crate) fn for_samples(&self, samples: usize) -> Maps {
        each!(Maps, self, maps => maps.for_samples(samples).into())
    }

    /// The maps that layers read or write at an end of the network whose values are in `flat`: that itself where the
    /// family computes on flat (sample, channel, row, column) buffers, and these, to be loaded or unloaded, elsewhere.
    pub(crate) fn at_end(&self, flat: Buffer) -> Maps {
        each!(Maps, self, maps => maps.at_end(flat).into())
    }

    /// A flat buffer for the values: these themselves, or a new one called `label`.
    pub(crate) fn flat(&self, label: &'static str) -> Buffer {
        each!(Maps, self, maps => maps.flat(label))
    }

    /// Fills them with flat `values`, by way of the buffer `through` where that is needed.
    pub(crate) fn upload(&self, recording: &mut Recording, values: &[f32], through: Buffer) {
        each!(Maps, self, maps => maps.upload(recording, values, through));
    }
}

/// Copies a flat (sample, channel, row, column) buffer into maps, unless they are that buffer.
pub fn load(recording: &mut Recording, from: Buffer, maps: &Maps) {
    each!(Maps, maps, maps => maps.load(recording, from));
}

/// Copies maps into a flat (sample, channel, row, column) buffer, unless they are that buffer.
pub fn unload(recording: &mut Recording, maps: &Maps, to: Buffer) {
    each!(Maps, maps, maps => maps.unload(recording, to));
}

/// `output` = act(factor · Σ over each window of `input` (+ `skip`)) and, if asked for, `derivative` = act′, laid out like
/// `output`, which needs a `skip`. `input` and `skip` are of the pooling's input shape.
#[allow(clippy::too_many_arguments)]
pub fn pool_forward(
    recording: &mut Recording,
    pooling: &Pooling,
    activation: Activation,
    samples: usize,
    input: &Maps,
    skip: Option<&Maps>,
    output: &Maps,
    derivative: Option<&Maps>,
) {
    each!(Maps, input, input => input.pool_forward(
        recording,
        pooling,
        activation,
        samples,
        skip.map(Maps::part),
        output.part(),
        derivative.map(Maps::part),
    ));
}

/// `input_gradient` = (factor · the `output_gradient` of each value's window (+ `added`)) (× `input_derivative`, the
/// activation derivative of the layer before): the gradient of the energy in what [`pool_forward`] reads. `added` and
/// `input_derivative` are of the pooling's input shape, and none of the two may be `input_gradient` itself.
#[allow(clippy::too_many_arguments)]
pub fn pool_input_gradient(
    recording: &mut Recording,
    pooling: &Pooling,
    samples: usize,
    output_gradient: &Maps,
    added: Option<&Maps>,
    input_derivative: Option<&Maps>,
    input_gradient: &Maps,
) {
    each!(Maps, output_gradient, output_gradient => output_gradient.pool_input_gradient(
        recording,
        pooling,
        samples,
        added.map(Maps::part),
        input_derivative.map(Maps::part),
        input_gradient.part(),
    ));
}
