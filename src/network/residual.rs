use super::block::ResidualBlock;
use super::passage::{Passage, Target, WeightPass};
use crate::gpu::GpuError;
use crate::kernels::{
    Activation, Layer, MapReader, Maps, Pooling, pool_forward, pool_input_gradient,
};
use crate::shape::Shape;

/// A residual block with the maps inside it. As between blocks, going back a map becomes the gradient in it.
#[derive(Clone, Copy)]
pub(super) struct Residual {
    block: ResidualBlock,
    input: Shape,
    activation: Activation,
    /// Between the two convolutions, with its activation derivative.
    hidden: Maps,
    hidden_derivative: Maps,
    /// What the second convolution makes; going back, and with a pooling, the gradient in the sum of both branches.
    branch: Maps,
    /// What the first convolution adds to the gradient in the input.
    first_gradient: Maps,
    projection: Option<Projection>,
}

/// The maps of a skip with weights.
#[derive(Clone, Copy)]
struct Projection {
    output: Maps,
    /// What the skip adds to the gradient in the input.
    gradient: Maps,
}

impl Residual {
    /// Lays out the maps of `block` over `input`, with `activation` after its sum. `layers` are those of the network.
    ///
    /// # Errors
    /// When they exceed the adapter's image size.
    pub(super) fn new(
        block: &ResidualBlock,
        input: Shape,
        activation: Activation,
        layers: &[Layer],
    ) -> Result<Self, GpuError> {
        let (conv1, conv2) = (&layers[block.conv1], &layers[block.conv2]);
        let plain = |label, shape| conv1.new_maps(label, shape, &[]);
        let projection = match block.skip {
            None => None,
            Some(_) => Some(Projection {
                output: plain("skip", block.join.input)?,
                gradient: plain("gradient through a skip", input)?,
            }),
        };
        Ok(Residual {
            block: *block,
            input,
            activation,
            hidden: conv1.new_between(conv2, "maps in a residual block")?,
            hidden_derivative: conv1.for_derivatives(
                &conv1.new_between(conv2, "activation derivative in a residual block")?,
            ),
            branch: conv1.new_maps(
                "residual branch",
                block.join.input,
                &sum_readers(block, layers),
            )?,
            first_gradient: plain("gradient through a residual branch", input)?,
            projection,
        })
    }

    /// Who reads the block's input, and the gradient in its output.
    pub(super) fn readers<'a>(
        block: &ResidualBlock,
        layers: &'a [Layer],
    ) -> (Vec<MapReader<'a, Layer>>, Vec<MapReader<'a, Layer>>) {
        let input = std::iter::once(block.conv1).chain(block.skip);
        // Without a pooling the gradient in the output is that in the sum.
        let output = if block.join.is_identity() {
            sum_readers(block, layers)
        } else {
            Vec::new()
        };
        let input = input.map(|layer| MapReader::Input(&layers[layer]));
        (input.collect(), output)
    }

    /// The same maps for a batch of fewer samples.
    pub(super) fn for_samples(&self, samples: usize) -> Residual {
        let fewer = |maps: &Maps| maps.for_samples(samples);
        Residual {
            hidden: fewer(&self.hidden),
            hidden_derivative: fewer(&self.hidden_derivative),
            branch: fewer(&self.branch),
            first_gradient: fewer(&self.first_gradient),
            projection: self.projection.map(|projection| Projection {
                output: fewer(&projection.output),
                gradient: fewer(&projection.gradient),
            }),
            ..*self
        }
    }

    /// `output` from `input`; with `keep` the derivative inside is kept, too.
    pub(super) fn forward(
        &self,
        passage: &mut Passage,
        input: &Maps,
        output: &Maps,
        derivative: Option<&Maps>,
        keep: bool,
    ) {
        let block = &self.block;
        let kept = keep.then_some(&self.hidden_derivative);
        passage.forward(block.conv1, input, &self.hidden, kept);
        passage.forward(block.conv2, &self.hidden, &self.branch, None);
        let skipped = match (block.skip, &self.projection) {
            (Some(skip), Some(projection)) => {
                passage.forward(skip, input, &projection.output, None);
                &projection.output
            }
            _ => input,
        };
        pool_forward(
            passage.recording,
            &block.join,
            self.activation,
            passage.samples,
            &self.branch,
            Some(skipped),
            output,
            derivative,
        );
    }

    /// From the gradient in the output, before its activation, to the gradients that are asked for: those of the weights,
    /// and that in the input.
    pub(super) fn backward(
        &self,
        passage: &mut Passage,
        input: &Maps,
        output_gradient: &Maps,
        weights: Option<&WeightPass>,
        target: Option<&Target>,
    ) {
        let block = &self.block;
        let samples = passage.samples;
        let in_sum = if block.join.is_identity() {
            output_gradient
        } else {
            let to = &self.branch;
            pool_input_gradient(
                passage.recording,
                &block.join,
                samples,
                output_gradient,
                None,
                None,
                to,
            );
            to
        };
        if let Some(weights) = weights {
            passage.weight_gradient(block.conv2, &self.hidden, in_sum, weights);
            if let Some(skip) = block.skip {
                passage.weight_gradient(skip, input, in_sum, weights);
            }
        }
        let derivative = Some(&self.hidden_derivative);
        passage.input_gradient(block.conv2, in_sum, derivative, &self.hidden);
        if let Some(weights) = weights {
            passage.weight_gradient(block.conv1, input, &self.hidden, weights);
        }
        let Some(target) = target else { return };
        passage.input_gradient(block.conv1, &self.hidden, None, &self.first_gradient);
        let (pooling, through_skip) = match (block.skip, &self.projection) {
            (Some(skip), Some(projection)) => {
                passage.input_gradient(skip, in_sum, None, &projection.gradient);
                (Pooling::average(self.input, 1), &projection.gradient)
            }
            _ => (block.join, output_gradient),
        };
        pool_input_gradient(
            passage.recording,
            &pooling,
            samples,
            through_skip,
            Some(&self.first_gradient),
            target.derivative.as_ref(),
            &target.maps,
        );
    }
}

/// Who reads the gradient in the sum of both branches.
fn sum_readers<'a>(block: &ResidualBlock, layers: &'a [Layer]) -> Vec<MapReader<'a, Layer>> {
    let readers = std::iter::once(block.conv2).chain(block.skip);
    readers
        .map(|layer| MapReader::OutputGradient(&layers[layer]))
        .collect()
}
