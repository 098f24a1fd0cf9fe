//! Kernels that measure the machine rather than work for a model.

mod copy;
mod multiply_add;

pub use copy::copy;
pub use multiply_add::{MultiplyAdd, multiply_add};
