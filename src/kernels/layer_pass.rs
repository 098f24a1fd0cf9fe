/// The passes of a layer whose kernels can be chosen. Every choice gives the same bits, since each output is summed by
/// one invocation, over channels and taps in one order; the sums of weight gradients are not put to choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LayerPass {
    Forward,
    InputGradient,
}

impl LayerPass {
    /// All of them.
    pub(crate) const ALL: [LayerPass; 2] = [LayerPass::Forward, LayerPass::InputGradient];
}
