use super::architecture::Architecture;
use crate::kernels::LayerKind;
use crate::twins::{QuadraticBase, TwinLayer, TwinNetwork, dense_geometry};

/// The f64 twin of `architecture` with these parameters, flat as in [`Architecture::tensors`].
///
/// # Panics
/// When there are fewer parameters than the architecture has.
pub fn twin(architecture: &Architecture, parameters: &[f64]) -> TwinNetwork {
    let layers = architecture
        .layers()
        .iter()
        .enumerate()
        .map(|(index, layer)| {
            let start = architecture.parameter_offset(index);
            let (weight, rest) = parameters[start..].split_at(layer.weight_len());
            let geometry = match *layer {
                LayerKind::Conv(geometry) => geometry,
                LayerKind::Dense { input, outputs } => dense_geometry(input.len(), outputs),
            };
            TwinLayer {
                geometry,
                activation: architecture.activation_after(index),
                weight: weight.to_vec(),
                bias: rest[..layer.outputs()].to_vec(),
            }
        })
        .collect();
    let base = architecture.base().map(|base| QuadraticBase {
        mean: base.mean.into(),
        std: base.std.into(),
    });
    TwinNetwork { layers, base }
}
