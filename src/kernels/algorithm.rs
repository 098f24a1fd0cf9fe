/// How a convolution is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// Tap by tap.
    Direct,
    /// By Winograd's F(4×4, 2×2) on the four phases of the input: 25 multiplications for 64.
    Winograd,
}
