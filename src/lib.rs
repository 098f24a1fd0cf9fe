//! Afterimage trains energy-based models against frozen snapshots of themselves, on any GPU that wgpu reaches.
//!
//! The layers, each of which depends only on those above it in this list:
//!
//! - [`gpu`]: adapters, buffers, pipelines; a [`gpu::Recording`] says what to compute, a [`gpu::Executor`] runs it.
//! - [`kernels`]: one function per WGSL file, typed arguments in, commands out; [`twins`] are the same in f64.
//! - [`network`]: what an energy network is made of, and how its passes are recorded.
//! - [`method`]: snapshot, sampler, objective, optimiser.
//! - [`config`]: what a run is asked to do, in the words of the layers above and of [`data`].
//! - [`model`]: a trained model with its checkpoint, its energies and its samples: what a host program embeds.
//! - [`evaluation`]: a model of planar data against the exact density of that data.
//! - [`train`]: what runs when, and the run folder.
//! - [`cli`]: the command line.
//!
//! [`data`], [`checkpoint`], [`report`], [`files`] and [`cache`] are as named and know nothing of GPUs;
//! [`random`], [`shape`] and [`words`] lie below all; the private `bench` times the kernels.

mod bench;
pub mod cache;
pub mod checkpoint;
pub mod cli;
pub mod config;
pub mod data;
pub mod evaluation;
pub mod files;
pub mod gpu;
pub mod kernels;
pub mod method;
pub mod model;
pub mod network;
mod purpose;
pub mod random;
pub mod report;
pub mod shape;
pub mod train;
pub mod twins;
pub mod words;
