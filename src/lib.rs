//! Afterimage trains energy-based models against frozen snapshots of themselves, on any GPU that wgpu reaches.
//!
//! What a program that embeds it needs:
//!
//! - [`gpu`]: open a device, or take over the program's own; buffers, and recordings of what to compute on them.
//! - [`model`]: a trained model with its checkpoint, its energies and its samples. `examples/embed.rs` shows it.
//! - [`config`] and [`data`]: what a training run is asked to do, and what it learns from.
//! - [`train`]: train step by step, or fill a run folder as the command line does.
//! - [`evaluation`]: a model of planar data against the exact density of that data; log Z and likelihoods of any model with
//!   a Gaussian base.
//! - [`shape`]: the shape of a sample.
//!
//! What these are made of lies in [`low_level`], for experiments. The layers, each of which depends only on those
//! before it: `gpu`, `kernels` (one function per WGSL file, typed arguments in, commands out; `twins` are the same in
//! f64), `network` (what an energy network is made of, and how its passes are recorded), `method` (snapshot, sampler,
//! objective, optimiser), `config`, `model`, `evaluation`, `train`, `page` (what a run folder holds, as HTML), `sweep` (one
//! preset with settings varied, compared), `cli`. Beside them, `data`, `checkpoint`, `report`,
//! `files` and `cache` are as named and know nothing of GPUs; `random`, `shape` and `words` lie below all; `bench` times
//! the kernels.

// A page has no command line, and of what only that uses the linker leaves nothing.
#![cfg_attr(target_arch = "wasm32", allow(dead_code, unused_imports))]
// What is `pub` is open to programs, here or in `low_level`.
#![cfg_attr(not(test), warn(unreachable_pub))]

mod bench;
mod cache;
mod checkpoint;
#[cfg(not(target_arch = "wasm32"))]
#[doc(hidden)]
pub mod cli;
pub mod config;
pub mod data;
pub mod evaluation;
mod files;
pub mod gpu;
mod kernels;
mod method;
pub mod model;
mod network;
mod page;
mod purpose;
mod random;
mod report;
pub mod shape;
mod sweep;
pub mod train;
mod twins;
mod words;

/// What the other modules are made of, for experiments, for benches and for this crate's own tests. Anything here may
/// change with any version.
pub mod low_level {
    /// The user's cache folder.
    pub mod cache {
        pub use crate::cache::*;
    }
    /// Named tensors and text in one safetensors file.
    pub mod checkpoint {
        pub use crate::checkpoint::*;
    }
    /// ln Z along a path from a known law, of whatever can be annealed.
    pub mod evaluation {
        pub use crate::evaluation::low_level::*;
    }
    /// Writing files so that a failure loses nothing.
    pub mod files {
        pub use crate::files::*;
    }
    /// What [`crate::gpu`] is told in: programs, what they are launched on, and the commands of a recording.
    pub mod gpu {
        pub use crate::gpu::low_level::*;
    }
    /// The kernels: typed arguments in, commands out, without a device.
    pub mod kernels {
        pub use crate::kernels::*;
    }
    /// Snapshot, sampler, objective and optimiser.
    pub mod method {
        pub use crate::method::*;
    }
    /// From a configuration to what [`network`] and [`method`] are asked for.
    pub mod model {
        pub use crate::model::low_level::*;
    }
    /// The energy network: its parameters, its passes, and the kernels that they run on.
    pub mod network {
        pub use crate::network::*;
    }
    /// The page of a run folder.
    pub mod page {
        pub use crate::page::*;
    }
    /// How good samples are: every distance by itself.
    pub mod quality {
        pub use crate::evaluation::quality::*;
    }
    /// Random numbers that depend on nothing but their place.
    pub mod random {
        pub use crate::random::*;
    }
    /// Pictures.
    pub mod report {
        pub use crate::report::*;
    }
    /// The recording of an optimiser step.
    pub mod train {
        pub use crate::train::low_level::*;
    }
    /// The kernels in f64 on the host.
    pub mod twins {
        pub use crate::twins::*;
    }
}
