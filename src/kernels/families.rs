//! The table of the families of layer kernels. Each has a line here and a folder, here and in `shaders/`; beside the
//! folder's `mod` line nothing else needs to know which there are. A line says what adapters the family is for. The folder
//! exports the family's variant, called like the family, and its `Layer`, `Maps` and `Choice`. They have the methods, of
//! the same names, that the sums over the families in `variant.rs`, `layer.rs` and `maps.rs` call, which say what these do.

use crate::gpu::Profile;
use crate::words::Word;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What adapters a family is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum For {
    /// All there are, unless another is for them.
    Any,
    /// Software drivers.
    Software,
    /// Software drivers on which it was measured to be faster than the one for all of these.
    MeasuredSoftware,
}

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
    ($d:tt: $($(#[$doc:meta])* $Family:ident in $folder:ident for $adapters:ident,)*) => {
        /// A family of layer kernels.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum KernelFamily { $($(#[$doc])* $Family,)* }

        impl Word for KernelFamily {
            fn all() -> &'static [Self] {
                &[$(KernelFamily::$Family),*]
            }

            fn name(&self) -> &'static str {
                match self {
                    $(KernelFamily::$Family => stringify!($folder),)*
                }
            }
        }

        impl KernelFamily {
            /// What adapters it is for.
            fn adapters(self) -> For {
                match self {
                    $(KernelFamily::$Family => For::$adapters,)*
                }
            }
        }

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

        impl Variant {
            /// The family that it belongs to.
            pub fn family(&self) -> KernelFamily {
                match self {
                    $(Variant::$Family(_) => KernelFamily::$Family,)*
                }
            }

            /// The variant of `family` that suits an adapter best.
            pub fn of_family(profile: &Profile, family: KernelFamily) -> Variant {
                match family {
                    $(KernelFamily::$Family => super::$folder::$Family::best(profile).into(),)*
                }
            }

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

// From the one that runs anywhere to the most special ones: an adapter gets the last that is for it.
families! { $:
    /// For GPUs: flat buffers, tiles in workgroup memory.
    Tiled in tiled for Any,
    /// For software drivers that load the same word for all lanes at once, as Mesa 26.2: lanes over samples.
    Lanes in lanes for MeasuredSoftware,
    /// For software drivers such as lavapipe: planes in storage images, weights spread over lanes by shuffles.
    Texel in texel for Software,
}

impl KernelFamily {
    /// The one that adapters have for which nothing was asked or measured: software drivers, or all others.
    pub fn usual(is_software: bool) -> Self {
        let mut families = Self::all().iter().copied();
        let is_for = |family: &Self| match family.adapters() {
            For::Any => true,
            For::Software => is_software,
            For::MeasuredSoftware => false,
        };
        families.rfind(is_for).unwrap_or(Self::Tiled)
    }

    /// Those that software drivers run in place of the usual one where they were measured to be faster.
    pub fn rivals() -> Vec<Self> {
        let families = Self::all().iter().copied();
        families
            .filter(|family| family.adapters() == For::MeasuredSoftware)
            .collect()
    }
}

// The macro's name, which other files import.
#[allow(clippy::single_component_path_imports)]
pub(super) use each;

impl fmt::Debug for Variant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        each!(Variant, self, variant => variant.fmt(f))
    }
}
