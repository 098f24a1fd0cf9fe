use crate::gpu::Buffer;

/// Where the parameters of one layer lie in a flat parameter buffer: the weight (out, in, height, width), then the
/// bias (out) right after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LayerParameters {
    pub buffer: Buffer,
    /// The first word of the weight.
    pub offset: usize,
}
