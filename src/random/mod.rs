//! Counter-based random numbers: Philox4x32-10.
//!
//! The same function runs in WGSL (`shaders/shared/philox.wgsl`). A number is a pure function of
//! (seed, stream, step, element), so it depends neither on launch geometry nor on how many numbers
//! were drawn before, and a resumed run draws what an uninterrupted one would have drawn.
//!
//! Source: J. Salmon, M. Moraes, R. Dror, D. Shaw, *Parallel random numbers: as easy as 1, 2, 3*, SC 2011.

mod philox;

pub(crate) use philox::box_muller;
pub use philox::{Philox, Stream, philox4x32_10, uniform01};
