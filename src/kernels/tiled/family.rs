use super::conv_forward::forward_tiles;
use super::conv_input_gradient::input_gradient_tiles;
use super::layer::Layer;
use super::tile::Tile;
use crate::gpu::Profile;
use crate::kernels::family::Family;
use crate::kernels::geometry::Activation;
use crate::kernels::layer_kind::LayerKind;
use crate::kernels::layer_pass::LayerPass;
use crate::kernels::precision::Precision;

/// The one variant, which runs anywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tiled;

impl Family for Tiled {
    type Choice = Tile;
    type Layer = Layer;

    fn best(_profile: &Profile) -> Self {
        Tiled
    }

    fn plain(_profile: &Profile) -> Option<Self> {
        None
    }

    fn suits(&self, _profile: &Profile) -> bool {
        true
    }

    fn name(&self) -> String {
        "tiled".into()
    }

    fn precision(&self) -> Precision {
        Precision::Full
    }

    /// There is no f16: an invocation stores values a quarter of a tile apart, so that no invocation holds both halves of
    /// a 32-bit word.
    fn in_precision(self, precision: Precision) -> Option<Self> {
        (precision == Precision::Full).then_some(self)
    }

    fn candidates(&self, kind: LayerKind, samples: usize, pass: LayerPass) -> Vec<Tile> {
        let geometry = kind.flattened();
        match pass {
            LayerPass::Forward => forward_tiles(&geometry, samples),
            LayerPass::InputGradient => input_gradient_tiles(&geometry, samples),
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
        Layer {
            kind,
            activation,
            samples,
            forward,
            input_gradient,
        }
    }
}
