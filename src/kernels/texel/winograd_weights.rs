use super::winograd::Winograd;
use crate::gpu::{Kernel, Program, Recording};
use crate::kernels::launch::over;
use crate::kernels::layer_pass::LayerPass;
use crate::kernels::parameters::LayerParameters;

pub(super) static KERNEL: Kernel = kernel!("texel/winograd_weights", 1, [Read, ImageWrite]);

/// Transforms a layer's weights for a planned pass: must be recorded whenever the parameters have changed.
pub fn winograd_weights(recording: &mut Recording, plan: &Winograd, parameters: LayerParameters) {
    let g = &plan.geometry;
    let (block, block_count) = plan.blocks();
    let program = g
        .describe_channels(Program::new(&KERNEL))
        .flag("TRANSPOSED", plan.pass == LayerPass::InputGradient)
        .u32("SUMMED", plan.summed())
        .u32("BLOCK", block)
        .u32("BLOCKS", block_count);
    over(
        recording,
        program,
        vec![parameters.buffer.into(), plan.weights.into()],
        vec![parameters.offset as u32],
        plan.position_texels() + g.out_channels.div_ceil(4),
    );
    let weights = g.in_channels * g.out_channels * g.kernel_height * g.kernel_width;
    recording.moves(16 * plan.weight_texels() + 4 * weights);
}
