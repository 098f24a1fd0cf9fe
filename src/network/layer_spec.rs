//! The kinds of layers: all that is said of one is said here. How configurations write it, and which values are refused
//! ([`LayerSpec::check`]); what it makes of a map is `LayerSpec::infer` in block.rs.

use serde::{Deserialize, Serialize};
use std::fmt;

/// One layer, before shapes are inferred: an entry of `network.layers`, such as `{ conv = 32, kernel = 3 }`.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub enum LayerSpec {
    /// A convolution with a square kernel.
    Conv {
        /// Output channels.
        #[serde(rename = "conv")]
        channels: usize,
        /// Side of the kernel in pixels.
        kernel: usize,
        /// Pixels between two places of the kernel; 1 where it is left out.
        #[serde(default = "one")]
        stride: usize,
        /// Pixels of zeros around the image; 0 where it is left out.
        #[serde(default)]
        padding: usize,
    },
    /// Fully connected over the flattened map.
    Dense {
        /// Outputs.
        #[serde(rename = "dense")]
        features: usize,
    },
    /// A residual block: see [`super::ResidualBlock`].
    Residual {
        /// Output channels.
        #[serde(rename = "residual")]
        channels: usize,
        /// Side of both kernels in pixels, an odd number; 3 where it is left out.
        #[serde(default = "three")]
        kernel: usize,
        /// Side of the windows of the pooling; 1, which is none, where it is left out.
        #[serde(default = "one")]
        pool: usize,
    },
    /// Means over windows of `size` × `size`; rows and columns that fill no window are left out.
    Pool {
        /// Side of the windows, and pixels between two of them.
        #[serde(rename = "pool")]
        size: usize,
    },
    /// The sum over all pixels of a channel.
    #[serde(with = "global_sum")]
    GlobalSum,
}

fn one() -> usize {
    1
}

fn three() -> usize {
    3
}

/// `{ global_sum = true }`
mod global_sum {
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

    #[derive(Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Flag {
        global_sum: bool,
    }

    pub(crate) fn serialize<S: Serializer>(serializer: S) -> Result<S::Ok, S::Error> {
        Flag { global_sum: true }.serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<(), D::Error> {
        let flag = Flag::deserialize(deserializer)?;
        flag.global_sum
            .then_some(())
            .ok_or_else(|| D::Error::custom("a layer that is none"))
    }
}

/// How configurations write a kind of layer.
#[derive(Clone, Copy)]
pub(crate) struct LayerForm {
    /// Its keys, the one that names it first.
    pub keys: &'static [&'static str],
    /// Whether `true` stands behind it, and no number.
    pub is_flag: bool,
    pub example: &'static str,
}

/// Those of all kinds. Where the name of one is a key of another, too, the other comes first.
// A line each.
#[rustfmt::skip]
pub(crate) const LAYER_FORMS: [LayerForm; 5] = [
    LayerForm { keys: &["conv", "kernel", "stride", "padding"], is_flag: false, example: "{ conv = 32, kernel = 3 }" },
    LayerForm { keys: &["dense"], is_flag: false, example: "{ dense = 64 }" },
    LayerForm { keys: &["residual", "kernel", "pool"], is_flag: false, example: "{ residual = 64 }" },
    LayerForm { keys: &["pool"], is_flag: false, example: "{ pool = 2 }" },
    LayerForm { keys: &["global_sum"], is_flag: true, example: "{ global_sum = true }" },
];

/// Why a layer cannot be, whatever it is applied to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LayerFlaw {
    #[error("{key} must be at least 1")]
    Zero { key: &'static str },
    #[error(
        "a padding of {padding} around a {kernel}×{kernel} kernel has outputs that see nothing else: use less"
    )]
    OnlyPadding { kernel: usize, padding: usize },
    #[error(
        "a stride is at most {}, not {stride}: use a smaller one, or several layers",
        LayerSpec::MOST_STRIDE
    )]
    LongStride { stride: usize },
    #[error(
        "a residual block needs an odd kernel, which keeps the size of its map, not {kernel}: use {}", .kernel + 1
    )]
    EvenKernel { kernel: usize },
    #[error(
        "it cannot follow a dense layer, which has no pixels: move it before every dense layer"
    )]
    AfterDense,
}

impl LayerSpec {
    /// Kernels write out all pixels between two outputs.
    pub(crate) const MOST_STRIDE: usize = 16;

    /// Refuses values that no such layer can have, in any place or, with `after_dense`, behind a dense layer.
    pub(crate) fn check(self, after_dense: bool) -> Result<(), LayerFlaw> {
        let positive = |key, value| match value {
            0 => Err(LayerFlaw::Zero { key }),
            _ => Ok(()),
        };
        match self {
            LayerSpec::Conv {
                channels,
                kernel,
                stride,
                padding,
            } => {
                positive("conv", channels)?;
                positive("kernel", kernel)?;
                positive("stride", stride)?;
                if stride > Self::MOST_STRIDE {
                    return Err(LayerFlaw::LongStride { stride });
                }
                if padding >= kernel {
                    return Err(LayerFlaw::OnlyPadding { kernel, padding });
                }
            }
            LayerSpec::Dense { features } => return positive("dense", features),
            LayerSpec::Residual {
                channels,
                kernel,
                pool,
            } => {
                positive("residual", channels)?;
                if kernel.is_multiple_of(2) {
                    return Err(LayerFlaw::EvenKernel { kernel });
                }
                positive("pool", pool)?;
            }
            LayerSpec::Pool { size } => positive("pool", size)?,
            LayerSpec::GlobalSum => {}
        }
        match after_dense {
            true => Err(LayerFlaw::AfterDense),
            false => Ok(()),
        }
    }

    /// Whether it leaves no pixels, so that only others like it can follow.
    pub(crate) fn is_flat(self) -> bool {
        matches!(self, LayerSpec::Dense { .. })
    }

    /// Whether there is something to learn.
    pub(crate) fn has_weights(self) -> bool {
        match self {
            LayerSpec::Conv { .. } | LayerSpec::Dense { .. } | LayerSpec::Residual { .. } => true,
            LayerSpec::Pool { .. } | LayerSpec::GlobalSum => false,
        }
    }
}

/// As in a configuration, which is how messages show it.
impl fmt::Debug for LayerSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        match self.serialize(toml::ser::ValueSerializer::new(&mut text)) {
            Ok(_) => f.write_str(&text),
            // TOML has no number as large as one of its own.
            Err(_) => write!(f, "{self}"),
        }
    }
}

/// What a message calls it.
impl fmt::Display for LayerSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LayerSpec::Conv { channels, .. } => write!(f, "conv {channels}"),
            LayerSpec::Dense { features } => write!(f, "dense {features}"),
            LayerSpec::Pool { size } => write!(f, "pool {size}"),
            LayerSpec::GlobalSum => write!(f, "global_sum"),
            LayerSpec::Residual { channels, .. } => write!(f, "residual {channels}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_forms_is_that_of_serde() {
        for form in LAYER_FORMS {
            let example: toml::Value = form.example.parse().expect("is TOML");
            let layer = LayerSpec::deserialize(example).expect("is a layer");
            let written = format!("{layer:?}");
            let entries = written.trim_matches(['{', ' ', '}']).split(", ");
            let keys: Vec<&str> = entries
                .filter_map(|e| Some(e.split_once(" = ")?.0))
                .collect();
            assert_eq!(keys, form.keys);
        }
    }
}
