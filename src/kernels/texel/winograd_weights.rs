use super::winograd::Winograd;
use crate::gpu::{Kernel, Program, Recording};
use crate::kernels::layer_pass::LayerPass;
use crate::kernels::parameters::LayerParameters;

pub(super) static KERNEL: Kernel = kernel!("texel/winograd_weights", 1, [Read, ImageWrite]);

/// Transforms a layer's weights for a planned pass: must be recorded whenever the parameters have changed.
pub fn winograd_weights(recording: &mut Recording, plan: &Winograd, parameters: LayerParameters) {
    let g = &plan.geometry;
    let (block, block_count) = plan.blocks();
    let weights = g.in_channels * g.out_channels * g.kernel_height * g.kernel_width;
    g.describe_channels(Program::new(&KERNEL))
        .flag("TRANSPOSED", plan.pass == LayerPass::InputGradient)
        .u32("SUMMED", plan.summed())
        .u32("BLOCK", block)
        .u32("BLOCKS", block_count)
        .bind([parameters.buffer])
        .bind([plan.weights])
        .immediates([parameters.offset as u32])
        .moving(16 * plan.weight_texels() + 4 * weights)
        .over(
            recording,
            plan.position_texels() + g.out_channels.div_ceil(4),
        );
}
