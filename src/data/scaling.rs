//! From raw values to model values, and from model values to brightness.

use serde::{Deserialize, Serialize};

/// How raw values became model values, and how model values become pictures.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scaling {
    /// model value = raw value · `scale` + `offset`.
    pub scale: f32,
    /// See [`Scaling::scale`].
    pub offset: f32,
    /// The model value drawn black.
    pub low: f32,
    /// The model value drawn white.
    pub high: f32,
}

impl Scaling {
    /// Maps raw values in [0, `raw_max`] to [`low`, `high`].
    pub fn from_raw_max(raw_max: f32, low: f32, high: f32) -> Self {
        let scale = ((f64::from(high) - f64::from(low)) / f64::from(raw_max)) as f32;
        Scaling {
            scale,
            offset: low,
            low,
            high,
        }
    }

    /// Leaves values as they are, and draws `low` black and `high` white.
    pub fn unscaled(low: f32, high: f32) -> Self {
        Scaling {
            scale: 1.0,
            offset: 0.0,
            low,
            high,
        }
    }

    /// The model value of a raw value.
    pub fn model_value(&self, raw: f32) -> f32 {
        (f64::from(raw) * f64::from(self.scale) + f64::from(self.offset)) as f32
    }

    /// The brightness of a model value: 0 at `low`, 1 at `high`, clamped to [0, 1]; 0 for NaN.
    pub fn brightness(&self, value: f32) -> f32 {
        // In f64, because high − low can exceed the f32 range for sets taken as they are.
        let low = f64::from(self.low);
        let share = (f64::from(value) - low) / (f64::from(self.high) - low);
        // The comparison turns NaN, which a diverged chain gives, into 0.
        if share > 0.0 {
            share.min(1.0) as f32
        } else {
            0.0
        }
    }
}
