use crate::gpu::Profile;

/// Which shape of the layer kernels to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variant {
    /// For GPUs: flat buffers, tiles in workgroup memory.
    Tiled,
    /// For software drivers such as lavapipe: planes in storage images, weights spread over `lanes` lanes by shuffles
    /// (1: no shuffles). Images are at most `longest_side` texels a side.
    Texel { lanes: usize, longest_side: usize },
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
        }
    }
}
