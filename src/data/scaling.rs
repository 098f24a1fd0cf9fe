//! From raw values to model values, and from model values to brightness.

use serde::{Deserialize, Serialize};

/// How raw values became model values, and how model values become pictures.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(from = "Stored")]
pub struct Scaling {
    /// model value = raw value · `scale` + `offset`, up to rounding.
    pub scale: f32,
    /// See [`Scaling::scale`].
    pub offset: f32,
    /// The model value drawn black.
    pub low: f32,
    /// The model value drawn white.
    pub high: f32,
    /// The raw values that stand for `low` and `high`; none where values are taken as they are.
    pub raw: Option<[f32; 2]>,
}

/// As checkpoints hold it; older ones lack the raw range.
#[derive(Deserialize)]
struct Stored {
    scale: f32,
    offset: f32,
    low: f32,
    high: f32,
    #[serde(default)]
    raw: Option<[f32; 2]>,
}

impl From<Stored> for Scaling {
    fn from(stored: Stored) -> Self {
        let Stored {
            scale,
            offset,
            low,
            high,
            raw,
        } = stored;
        // Raw ranges were of whole numbers then, which the division misses by its rounding alone.
        let end = |value: f32| ((f64::from(value) - f64::from(offset)) / f64::from(scale)) as f32;
        let divided = || (scale != 1.0 || offset != 0.0).then(|| [low, high].map(end));
        Scaling {
            scale,
            offset,
            low,
            high,
            raw: raw.or_else(|| divided().map(|ends| ends.map(f32::round))),
        }
    }
}

impl Scaling {
    /// Maps raw values in `raw` to `model`.
    pub fn between(raw: [f32; 2], model: [f32; 2]) -> Self {
        let ([first, last], [low, high]) = (raw.map(f64::from), model.map(f64::from));
        let scale = (high - low) / (last - first);
        Scaling {
            scale: scale as f32,
            offset: (low - scale * first) as f32,
            low: model[0],
            high: model[1],
            raw: Some(raw),
        }
    }

    /// Leaves values as they are, and draws `low` black and `high` white.
    pub fn unscaled(low: f32, high: f32) -> Self {
        Scaling {
            scale: 1.0,
            offset: 0.0,
            low,
            high,
            raw: None,
        }
    }

    /// The model value of a raw value.
    pub fn model_value(&self, raw: f32) -> f32 {
        self.value(f64::from(raw))
    }

    /// The same of one that an f32 may not hold.
    pub(super) fn value(&self, raw: f64) -> f32 {
        match self.raw {
            Some(ends) => {
                let ([first, last], low) = (ends.map(f64::from), f64::from(self.low));
                (low + (f64::from(self.high) - low) / (last - first) * (raw - first)) as f32
            }
            None => (raw * f64::from(self.scale) + f64::from(self.offset)) as f32,
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn older_checkpoints_tell_their_raw_range() {
        for (raw, model) in [
            ([0.0, 16.0], [-1.0, 1.0]),
            ([0.0, 255.0], [-1.0, 1.0]),
            ([0.0, 255.0], [0.0, 1.0]),
            ([0.0, 255.0], [-0.3, 0.7]),
        ] {
            let scaling = Scaling::between(raw, model);
            let mut old = serde_json::json!(scaling);
            old.as_object_mut().unwrap().remove("raw");
            assert_eq!(serde_json::from_value::<Scaling>(old).unwrap(), scaling);
        }
        let mut old = serde_json::json!(Scaling::unscaled(-4.0, 3.0));
        old.as_object_mut().unwrap().remove("raw");
        assert_eq!(serde_json::from_value::<Scaling>(old).unwrap().raw, None);
    }
}
