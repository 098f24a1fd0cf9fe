use crate::gpu::Profile;
use crate::words::words;

/// Which shape of the layer kernels to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variant {
    /// For GPUs: flat buffers, tiles in workgroup memory.
    Tiled,
    /// For software drivers such as lavapipe: planes in storage images, weights spread over `lanes` lanes by shuffles
    /// (1: no shuffles). Images are at most `longest_side` texels a side.
    Texel {
        lanes: usize,
        longest_side: usize,
        precision: Precision,
    },
}

words! {
    /// How the maps between layers are stored. All arithmetic is f32, and so are samples, gradients in the samples,
    /// parameters, their gradients, energies and optimiser.
    #[derive(Default, Hash)]
    pub enum Precision {
        /// As f32.
        #[default]
        Full = "full",
        /// As f16: outputs and activation derivatives of all layers but the last, and the gradients in those outputs,
        /// are rounded to 11 bits; beyond 65504 they become infinite, and the energy not finite.
        Mixed = "mixed",
    }
}

impl Variant {
    /// The variant that suits an adapter.
    pub fn for_profile(profile: &Profile) -> Self {
        if profile.is_cpu {
            Self::texel(profile)
        } else {
            Variant::Tiled
        }
    }

    /// The texel variant, whatever the adapter is.
    pub fn texel(profile: &Profile) -> Self {
        let lanes = match profile.subgroup_size {
            // The kernels' workgroups of 64 must be made of whole subgroups.
            Some(size) if size <= 64 => size as usize,
            _ => 1,
        };
        Variant::Texel {
            lanes,
            longest_side: profile.longest_image_side as usize,
            precision: Precision::Full,
        }
    }

    /// The same variant with maps stored in `precision`, if it has that.
    ///
    /// The tiled one has no f16: an invocation stores values a quarter of a tile apart, so that no invocation holds
    /// both halves of a 32-bit word.
    pub fn in_precision(self, precision: Precision) -> Option<Self> {
        match self {
            Variant::Tiled => (precision == Precision::Full).then_some(self),
            Variant::Texel {
                lanes,
                longest_side,
                ..
            } => Some(Variant::Texel {
                lanes,
                longest_side,
                precision,
            }),
        }
    }
}
