use super::layer::{Layer, Texel, cheaper};
use super::tile::{Tile, tiles};
use super::winograd::Algorithm;
use crate::gpu::Profile;
use crate::kernels::family::Family;
use crate::kernels::geometry::Activation;
use crate::kernels::layer_kind::LayerKind;
use crate::kernels::layer_pass::LayerPass;
use crate::kernels::precision::Precision;

impl Family for Texel {
    type Choice = Tile;
    type Layer = Layer;

    fn best(profile: &Profile) -> Self {
        let lanes = match profile.subgroup_size {
            // The kernels' workgroups of 64 must be made of whole subgroups.
            Some(size) if size <= 64 => size as usize,
            _ => 1,
        };
        Texel {
            lanes,
            longest_side: profile.longest_image_side as usize,
            precision: Precision::Full,
        }
    }

    fn plain(profile: &Profile) -> Option<Self> {
        Some(Texel {
            lanes: 1,
            ..Self::best(profile)
        })
    }

    fn suits(&self, profile: &Profile) -> bool {
        profile.is_cpu
    }

    fn name(&self) -> String {
        format!("texel-{}", self.lanes)
    }

    fn precision(&self) -> Precision {
        self.precision
    }

    fn in_precision(self, precision: Precision) -> Option<Self> {
        Some(Texel { precision, ..self })
    }

    fn candidates(&self, kind: LayerKind, samples: usize, pass: LayerPass) -> Vec<Tile> {
        match cheaper(self, kind, samples, pass) {
            Algorithm::Winograd => Vec::new(),
            Algorithm::Direct => tiles(kind, samples, pass, self.lanes),
        }
    }

    fn layer(
        &self,
        kind: LayerKind,
        activation: Activation,
        samples: usize,
        forward: Option<Tile>,
        input_gradient: Option<Tile>,
    ) -> Layer {
        let chosen = |pass| match pass {
            LayerPass::Forward => forward,
            LayerPass::InputGradient => input_gradient,
        };
        let algorithm = |pass| cheaper(self, kind, samples, pass);
        Layer::planned(*self, kind, activation, samples, chosen, algorithm)
    }
}
