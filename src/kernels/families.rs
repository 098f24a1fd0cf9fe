//! The table of the families of layer kernels. Each has a line here and a folder, here and in `shaders/`; beside the
//! folder's `mod` line nothing else needs to know which there are. The folder exports the family's variant, called like
//! the family, and its `Layer`, `Maps` and `Choice`. They have the methods, of the same names, that the sums over the
//! families in `variant.rs`, `layer.rs` and `maps.rs` call, which say what these do.

use crate::gpu::Profile;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What one family has of a sum over all of them.
pub(super) trait Part<Sum> {
    fn of(sum: &Sum) -> Option<&Self>;
}

macro_rules! sum {
    ($(#[$meta:meta])* $Sum:ident { $($(#[$doc:meta])* $Family:ident($Part:ty),)* }) => {
        $(#[$meta])*
        pub enum $Sum {
            $($(#[$doc])* $Family($Part),)*
        }

        $(
            impl From<$Part> for $Sum {
                fn from(part: $Part) -> Self {
                    $Sum::$Family(part)
                }
            }

            impl Part<$Sum> for $Part {
                fn of(sum: &$Sum) -> Option<&Self> {
                    match sum {
                        $Sum::$Family(part) => Some(part),
                        _ => None,
                    }
                }
            }
        )*
    };
}

/// Makes a row of the table the same arm of every `match`. `$d` is a dollar sign.
macro_rules! families {
    ($d:tt: $($(#[$doc:meta])* $Family:ident in $folder:ident,)*) => {
        sum! {
            /// Which shape of the layer kernels to run.
            #[derive(Clone, Copy, PartialEq, Eq)]
            Variant { $($(#[$doc])* $Family(super::$folder::$Family),)* }
        }

        sum! {
            /// One layer for batches of up to a fixed number of samples, by the kernels that suit the adapter. Forward
            /// pass, input gradient and weight gradient are siblings; what they compute is said by the twins of the same
            /// names.
            // A network has a handful of these, so their size does not matter.
            #[allow(clippy::large_enum_variant)]
            #[derive(Clone, Debug)]
            Layer { $($(#[$doc])* $Family(super::$folder::Layer),)* }
        }

        sum! {
            /// A batch of feature maps on the GPU. All that meet in a kernel are of one family.
            #[derive(Clone, Copy, Debug)]
            Maps { $($(#[$doc])* $Family(super::$folder::Maps),)* }
        }

        sum! {
            /// One way of computing a pass.
            #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
            #[serde(rename_all = "snake_case")]
            Choice { $($(#[$doc])* $Family(super::$folder::Choice),)* }
        }

        /// The same on whichever family's part of a sum there is.
        macro_rules! each {
            ($d Sum:ident, $d sum:expr, $d part:ident => $d result:expr) => {
                match $d sum {
                    $($d Sum::$Family($d part) => $d result,)*
                }
            };
        }

        /// What the families are called.
        pub const FAMILIES: &[&str] = &[$(stringify!($folder)),*];

        impl Variant {
            /// Of every family the variant that suits an adapter best, and where there is more than one, that which asks
            /// least of its driver.
            pub fn of_each_family(profile: &Profile) -> Vec<(Variant, Option<Variant>)> {
                vec![$((
                    Variant::$Family(super::$folder::$Family::best(profile)),
                    super::$folder::$Family::plain(profile).map(Variant::$Family),
                ),)*]
            }
        }

        impl Layer {
            /// Makes `layers`, of which one pass is computed at a time, use the same scratch.
            pub fn share_scratch(layers: &mut [Layer]) {
                $(
                    let own = layers.iter_mut().filter_map(|layer| match layer {
                        Layer::$Family(own) => Some(own),
                        _ => None,
                    });
                    super::$folder::Layer::share_scratch(own);
                )*
            }
        }
    };
}

// From the one that runs anywhere to the most special ones: an adapter gets the last that suits it.
families! { $:
    /// For GPUs: flat buffers, tiles in workgroup memory.
    Tiled in tiled,
    /// For software drivers that load the same word for all lanes at once, as Mesa 26.2: lanes over samples. Runs only where
    /// it is asked for, so far, and where `Texel` computes wrong.
    Lanes in lanes,
    /// For software drivers such as lavapipe: planes in storage images, weights spread over lanes by shuffles.
    Texel in texel,
}

// The macro's name, which other files import.
#[allow(clippy::single_component_path_imports)]
pub(super) use each;

impl fmt::Debug for Variant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        each!(Variant, self, variant => variant.fmt(f))
    }
}
