//! The floats that safetensors files hold, as 32-bit ones.

use half::{bf16, f16};
use safetensors::Dtype;

/// How a float is stored, little-endian.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Floats {
    Bf16,
    F16,
    F32,
    F64,
}

impl Floats {
    /// Those of a type; none where it holds no floats, or such as nobody saves weights in.
    pub(super) fn of(dtype: Dtype) -> Option<Self> {
        let known = [
            (Dtype::BF16, Floats::Bf16),
            (Dtype::F16, Floats::F16),
            (Dtype::F32, Floats::F32),
            (Dtype::F64, Floats::F64),
        ];
        known
            .into_iter()
            .find_map(|(of, floats)| (of == dtype).then_some(floats))
    }

    /// Rounds to the nearest 32-bit float; what is too large for it becomes infinite.
    pub(super) fn decode(self, bytes: &[u8]) -> Vec<f32> {
        match self {
            Floats::Bf16 => each(bytes, |b| bf16::from_le_bytes(b).to_f32()),
            Floats::F16 => each(bytes, |b| f16::from_le_bytes(b).to_f32()),
            Floats::F32 => each(bytes, f32::from_le_bytes),
            Floats::F64 => each(bytes, |b| f64::from_le_bytes(b) as f32),
        }
    }
}

fn each<const N: usize>(bytes: &[u8], value: impl Fn([u8; N]) -> f32) -> Vec<f32> {
    let (items, _) = bytes.as_chunks();
    items.iter().map(|&item| value(item)).collect()
}
