use super::texel;
use serde::{Deserialize, Serialize};

/// The passes of a layer whose kernels can be chosen. Every choice gives the same bits, since each output is summed by
/// one invocation, over channels and taps in one order; the sums of weight gradients are not put to choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LayerPass {
    Forward,
    InputGradient,
}

impl LayerPass {
    /// All of them.
    pub const ALL: [LayerPass; 2] = [LayerPass::Forward, LayerPass::InputGradient];
}

/// One way of computing a pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Choice {
    /// A kernel of the texel variant, by this tile.
    Texel(texel::Tile),
    /// A kernel of the tiled variant, by the tile with this place in its table.
    Tiled(usize),
}

/// How a layer computes its passes: by the cost model's choice where there is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Choices {
    pub forward: Option<Choice>,
    pub input_gradient: Option<Choice>,
}

impl Choices {
    /// The choice for one pass.
    pub fn of(&self, pass: LayerPass) -> Option<Choice> {
        match pass {
            LayerPass::Forward => self.forward,
            LayerPass::InputGradient => self.input_gradient,
        }
    }
}
