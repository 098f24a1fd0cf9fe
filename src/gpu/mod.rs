//! The device: the only place that names wgpu. It knows nothing of what is computed there.
//!
//! What to compute is written down as a [`Recording`], a plain list of commands over typed handles that
//! needs no device; the [`Executor`] carries it out. A program opens an executor with [`Executor::open`], or has one on its own
//! wgpu device by [`Executor::on_device`], whose buffers it then lends with [`Executor::import`].

mod adapter;
mod at_once;
mod budget;
mod conditions;
mod disk_cache;
mod error;
mod executor;
mod handles;
mod immediates;
mod kernel;
mod launch;
mod news;
mod options;
mod pipelines;
mod preprocess;
mod readback;
mod recording;
mod resources;
mod scope;
mod statistics;
mod uploads;

pub use adapter::{AdapterChoice, AdapterKind, AdapterSummary, list_adapters};
pub use error::GpuError;
pub use executor::Executor;
pub use handles::{Buffer, Mark};
pub use options::{ExecutorOptions, Fault, Requirements};
pub use recording::Recording;
pub use statistics::ExecutorStatistics;

/// What only [`crate::low_level`] shows.
pub(crate) mod low_level {
    pub use crate::gpu::conditions::ONLY_IF;
    pub use crate::gpu::executor::Timing;
    pub use crate::gpu::handles::{Image, ImageFormat, Purpose};
    pub use crate::gpu::kernel::{Access, Constant, Kernel, MOST_TURNS, Program};
    pub use crate::gpu::options::Profile;
    pub use crate::gpu::preprocess::{PreprocessError, expand};
    pub use crate::gpu::recording::{Command, Dispatch, Frozen, Resource, grid};
}
pub(crate) use at_once::at_once;
pub(crate) use kernel::steps_a_turn;
pub(crate) use low_level::*;

/// The version of wgpu, as in Cargo.lock.
pub(crate) const WGPU_VERSION: &str = "30.0.2";

/// wgpu itself, for a host program that brings its own device.
pub use wgpu;

#[cfg(test)]
mod tests {
    #[test]
    fn the_version_of_wgpu_is_the_one_in_use() {
        let lock = include_str!("../../Cargo.lock");
        let package = format!("name = \"wgpu\"\nversion = \"{}\"", super::WGPU_VERSION);
        assert!(lock.contains(&package), "{package}");
    }
}
