//! The pointwise activation functions, one file each here and one of the same name in `shaders/activations/`.
//! [`ACTIVATIONS`] is the only list of them: configuration, kernels, twins and tests read it.

mod identity;
mod leaky_relu;
mod silu;
mod softplus;
mod tanh;

use crate::gpu::Program;
use crate::words::table;

/// Every activation function, the default first.
pub static ACTIVATIONS: [&ActivationKind; 5] = [
    &silu::SILU,
    &leaky_relu::LEAKY_RELU,
    &softplus::SOFTPLUS,
    &tanh::TANH,
    &identity::IDENTITY,
];

/// An activation function: a line of [`ACTIVATIONS`]. Its functions take the slope, which only `leaky_relu` looks at.
pub struct ActivationKind {
    /// What configurations call it.
    pub name: &'static str,
    /// WGSL functions `activation_value` and `activation_derivative` of four channels, which may use `sigmoid` of
    /// `shaders/shared/activation.wgsl` and the constant `SLOPE`.
    pub source: &'static str,
    /// The function of (z, slope), in f64: the twin of the one in `source`.
    pub value: fn(f64, f64) -> f64,
    /// Its derivative, likewise.
    pub derivative: fn(f64, f64) -> f64,
}

impl ActivationKind {
    /// Whether its functions look at the slope.
    pub fn has_slope(&self) -> bool {
        self.source.contains("SLOPE")
    }
}

table!(ActivationKind, &'static ActivationKind, &ACTIVATIONS);

/// An activation function with the number that it needs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Activation {
    pub kind: &'static ActivationKind,
    /// 0 for functions that have none.
    slope: f32,
}

impl Activation {
    /// None.
    pub const IDENTITY: Activation = Activation::plain(&identity::IDENTITY);
    /// z · σ(z), also called Swish.
    pub const SILU: Activation = Activation::plain(&silu::SILU);
    /// ln(1 + eᶻ).
    pub const SOFTPLUS: Activation = Activation::plain(&softplus::SOFTPLUS);
    /// The hyperbolic tangent.
    pub const TANH: Activation = Activation::plain(&tanh::TANH);

    /// `kind` with `slope`, if it has one.
    pub fn new(kind: &'static ActivationKind, slope: f32) -> Self {
        let slope = if kind.has_slope() { slope } else { 0.0 };
        Activation { kind, slope }
    }

    const fn plain(kind: &'static ActivationKind) -> Self {
        Activation { kind, slope: 0.0 }
    }

    /// z above zero, slope · z below.
    pub fn leaky_relu(slope: f32) -> Self {
        Activation::new(&leaky_relu::LEAKY_RELU, slope)
    }

    /// The function's value, in f64.
    pub fn value(self, z: f64) -> f64 {
        (self.kind.value)(z, self.slope.into())
    }

    /// The function's derivative, in f64.
    pub fn derivative(self, z: f64) -> f64 {
        (self.kind.derivative)(z, self.slope.into())
    }

    /// Adds what `shaders/shared/activation.wgsl` asks for.
    pub(super) fn describe(self, program: Program) -> Program {
        program
            .text("ACTIVATION", self.kind.source)
            .f32("SLOPE", self.slope)
    }
}

/// The logistic function 1 / (1 + e⁻ᶻ), without overflow.
pub(crate) fn sigmoid(z: f64) -> f64 {
    if z >= 0.0 {
        1.0 / (1.0 + (-z).exp())
    } else {
        z.exp() / (1.0 + z.exp())
    }
}
