use super::plan::WalkPlan;
use crate::gpu::{Buffer, Kernel, Program, Recording};
use crate::kernels::geometry::ConvGeometry;

static KERNEL: Kernel = kernel!("walk/pack_weights", 2, [Read, ReadWrite]);

/// Writes the network's `parameters` into `packed`, of [`WalkPlan::packed_words`], in the order in which
/// [`walk_chains`](super::walk_chains) reads them.
pub fn pack_walk_weights(
    recording: &mut Recording,
    plan: &WalkPlan,
    parameters: Buffer,
    packed: Buffer,
) {
    debug_assert!(packed.words() >= plan.packed_words());
    let mut parameters_at = 0;
    for layer in &plan.hidden {
        describe(&layer.original, layer.rows())
            .flag("HEAD", false)
            .flag("FLAT", layer.flat)
            .bind([parameters, packed])
            .immediates([parameters_at as u32, layer.weight_at as u32])
            .over(recording, layer.weight_quads() + layer.pitch());
        parameters_at += layer.original.weight_len() + layer.original.out_channels;
    }
    describe(&plan.head, plan.head.in_channels)
        .flag("HEAD", true)
        .flag("FLAT", false)
        .bind([parameters, packed])
        .immediates([parameters_at as u32, plan.head_at as u32])
        .over(recording, plan.head_length() + 1);
}

fn describe(geometry: &ConvGeometry, rows: usize) -> Program {
    geometry.describe(Program::new(&KERNEL)).u32("ROWS", rows)
}
