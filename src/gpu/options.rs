use std::path::PathBuf;
use std::time::Duration;

/// What a device needs for [`Executor::timed`](super::Executor::timed) to read the GPU's own clock.
pub(super) const TIMESTAMPS: wgpu::Features =
    wgpu::Features::TIMESTAMP_QUERY.union(wgpu::Features::TIMESTAMP_QUERY_INSIDE_ENCODERS);

/// How an executor runs.
#[derive(Clone, Debug)]
pub struct ExecutorOptions {
    /// Compile shaders with bounds checks, loop bounds and zeroed workgroup memory: slower, for tests.
    pub runtime_checks: bool,
    /// The most work in one submission, as time on the GPU.
    pub submission: Duration,
    /// The most submissions in flight.
    pub in_flight: usize,
    /// How long to wait for the GPU before giving it up. What is given up is never closed, since closing it would wait for it.
    pub patience: Duration,
    /// The folder where compiled pipelines, and which kernels were measured to suit the driver, are kept for later runs; none
    /// by default, since a library writes nothing unasked.
    pub cache: Option<PathBuf>,
    /// Fail after so many submissions, as a driver may at any time: for tests of what follows.
    pub fault: Option<(Fault, u64)>,
}

/// How a device fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// It is lost.
    Lost,
    /// It does not finish what it was given.
    Hung,
    /// The driver, or wgpu in its place, reports an error.
    Invalid,
    /// It runs out of memory.
    OutOfMemory,
}

impl Default for ExecutorOptions {
    fn default() -> Self {
        ExecutorOptions {
            runtime_checks: false,
            submission: Duration::from_millis(100),
            in_flight: 3,
            patience: Duration::from_secs(120),
            cache: None,
            fault: None,
        }
    }
}

/// What a host program must ask of its adapter when it brings its own device.
#[derive(Clone, Debug)]
pub struct Requirements {
    pub features: wgpu::Features,
    pub limits: wgpu::Limits,
}

impl Requirements {
    /// The features and limits Afterimage uses of `adapter`: immediates, subgroups, timestamps and pipeline caches where there
    /// are any.
    pub fn of(adapter: &wgpu::Adapter) -> Self {
        let used = wgpu::Features::IMMEDIATES
            | wgpu::Features::SUBGROUP
            | wgpu::Features::PIPELINE_CACHE
            | TIMESTAMPS;
        Requirements {
            features: adapter.features() & used,
            limits: adapter.limits(),
        }
    }
}

/// What the choice of kernels depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Profile {
    /// Whether the adapter is a software driver on the CPU.
    pub is_cpu: bool,
    /// Bytes of memory that a workgroup may use.
    pub workgroup_bytes: usize,
    /// The longest side an image may have, in texels.
    pub longest_image_side: u32,
    /// The subgroup size, when the device has subgroups and only one size of them.
    pub subgroup_size: Option<u32>,
}
