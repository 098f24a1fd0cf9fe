use super::architecture::Architecture;
use super::block::BlockKind;
use crate::kernels::{Activation, LayerKind};
use crate::twins::{
    QuadraticBase, TwinBlock, TwinLayer, TwinNetwork, dense_geometry, spectral_weights,
};

/// The f64 twin of `architecture` with these parameters, flat as in [`Architecture::tensors`].
///
/// # Panics
/// When there are fewer parameters than the architecture has.
pub fn twin(architecture: &Architecture, parameters: &[f64]) -> TwinNetwork {
    let layer = |index: usize| {
        let kind = architecture.layers()[index];
        let start = architecture.parameter_offset(index);
        let (weight, rest) = parameters[start..].split_at(kind.weight_len());
        let geometry = match kind {
            LayerKind::Conv(geometry) => geometry,
            LayerKind::Dense { input, outputs } => dense_geometry(input.len(), outputs),
        };
        TwinLayer {
            geometry,
            activation: architecture.activation_after(index),
            weight: if architecture.spectral_norm() {
                let vector = architecture.vector_offset(index);
                spectral_weights(weight, &parameters[vector..vector + kind.outputs()])
            } else {
                weight.to_vec()
            },
            bias: rest[..kind.outputs()].to_vec(),
        }
    };
    let blocks = architecture.blocks().iter().enumerate();
    let layers = blocks
        .map(|(index, block)| match &block.kind {
            BlockKind::Layer(index) => layer(*index).into(),
            BlockKind::Pool(pooling) => TwinBlock::Pool(*pooling),
            BlockKind::Residual(block) => TwinBlock::Residual {
                first: layer(block.conv1),
                second: layer(block.conv2),
                skip: block.skip.map(layer),
                join: block.join,
                activation: architecture
                    .block_activation(index)
                    .unwrap_or(Activation::IDENTITY),
            },
        })
        .collect();
    let base = architecture.base().map(|base| QuadraticBase {
        mean: base.mean.into(),
        std: base.std.into(),
    });
    TwinNetwork { layers, base }
}
