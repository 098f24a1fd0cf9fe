//! Pooling, residual blocks and spectral normalisation: kernels against their f64 twins, whole networks against finite
//! differences, checkpoints, and the command line.

#[path = "../common/mod.rs"]
mod common;

mod architecture;
mod command_line;
mod examples;
mod gradients;
mod initialisation;
mod pooling;
mod spectral;
mod training;
