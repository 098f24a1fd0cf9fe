use super::layer_spec::{LayerFlaw, LayerSpec};
use crate::shape::Shape;

/// Why layers do not fit together. Layers are counted from 0, as in `network.layers`.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NetworkError {
    #[error("samples of {shape} cannot be learned: they need between 1 and 2³⁰ values")]
    Input { shape: Shape },
    #[error("the network has no layers: give network.layers at least one")]
    NoLayers,
    #[error(
        "the network has nothing to learn: give network.layers a conv, dense or residual layer"
    )]
    NoWeights,
    #[error(
        "layer {layer} ({spec}): a {kernel}×{kernel} kernel does not fit its {height}×{width} input with padding \
         {padding}: use a smaller kernel, more padding, or fewer strided layers before it"
    )]
    KernelTooLarge {
        layer: usize,
        spec: LayerSpec,
        kernel: usize,
        height: usize,
        width: usize,
        padding: usize,
    },
    #[error(
        "layer {layer} ({spec}): a {size}×{size} window does not fit its {height}×{width} input: pool less, or use \
         fewer strided or pooled layers before it"
    )]
    WindowTooLarge {
        layer: usize,
        spec: LayerSpec,
        size: usize,
        height: usize,
        width: usize,
    },
    #[error("layer {layer} ({spec}): {flaw}")]
    Layer {
        layer: usize,
        spec: LayerSpec,
        flaw: LayerFlaw,
    },
    #[error(
        "layer {layer} ({spec}) is too large: one buffer cannot address more than 2³⁰ parameters or outputs; make \
         network.layers smaller"
    )]
    LayerTooLarge { layer: usize, spec: LayerSpec },
    #[error(
        "the network has {parameters} parameters, more than the 2³⁰ that one buffer can address: make network.layers \
         smaller"
    )]
    TooLarge { parameters: usize },
}
