//! Checkpoints: named tensors and text metadata in one safetensors file.
//!
//! The format is described at <https://github.com/huggingface/safetensors#format>: an 8-byte
//! little-endian header length, a JSON header, and the values.

mod floats;
mod tensors;
mod words;

pub(crate) use tensors::read_metadata;
pub use tensors::{CheckpointError, NamedTensor, OtherTypes, TensorFile};
pub(crate) use words::{read_words_file, words_file};
