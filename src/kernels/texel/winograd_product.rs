use super::winograd::{PER_LANE, POSITIONS, Winograd};
use crate::gpu::{Kernel, Program, Recording};

pub(super) static KERNEL: Kernel = kernel!(
    "texel/winograd_product",
    4,
    [ImageRead, ImageRead, ImageWrite]
);

/// Multiplies the transformed maps of a slice of `samples` by the transformed weights. It is credited with the
/// operations of the direct convolution, so that figures of either algorithm can be compared.
pub(super) fn winograd_product(recording: &mut Recording, plan: &Winograd, samples: usize) {
    let (block, block_count) = plan.blocks();
    let program = Program::new(&KERNEL)
        .u32("BLOCK", block)
        .u32("PER_LANE", PER_LANE)
        .u32("CHUNK", plan.chunk());
    let sizes = [plan.summed(), plan.made(), block_count, plan.slice_chunks()];
    let workgroups = [block_count, plan.chunks(samples), POSITIONS];
    let flops = plan.geometry.flops() * samples as u64;
    plan.describe_lanes(program)
        .bind([
            plan.scratch.transformed,
            plan.weights,
            plan.scratch.products,
        ])
        .immediates(sizes.map(|n| n as u32))
        .launch(recording, workgroups.map(|n| n as u32), flops);
}
