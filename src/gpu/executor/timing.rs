//! How long a recording takes, by the clock on the wall and by the GPU's own.

use super::Executor;
use crate::gpu::error::GpuError;
use crate::gpu::handles::Buffer;
use crate::gpu::options::TIMESTAMPS;
use crate::gpu::recording::Recording;
use web_time::{Duration, Instant};

/// How long a recording took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// From the start of encoding until the host knew that the GPU had finished.
    pub wall: Duration,
    /// From when the GPU was ready for the first command until it had finished the last, idle gaps included; none
    /// where the device has no timestamps.
    pub gpu: Option<Duration>,
}

impl Executor {
    /// Whether the device has a clock of its own.
    pub fn has_timestamps(&self) -> bool {
        self.device.features().contains(TIMESTAMPS)
    }

    /// Runs `recording` alone and waits for it. Outstanding fetches are kept for [`Self::arrived`].
    ///
    /// # Errors
    /// As for [`Self::run`] and [`Self::finish`].
    pub fn timed(&mut self, recording: &Recording) -> Result<Timing, GpuError> {
        self.stash = self.finish()?;
        let queries = self.has_timestamps().then(|| {
            self.device.create_query_set(&wgpu::QuerySetDescriptor {
                label: Some("start, end and spare"),
                ty: wgpu::QueryType::Timestamp,
                count: 3,
            })
        });
        let stamp = |executor: &mut Executor, index| {
            if let Some(queries) = &queries {
                executor.encoder().write_timestamp(queries, index);
            }
        };
        let start = Instant::now();
        stamp(self, 0);
        // lavapipe (Mesa 22.3) puts a timestamp off until something flushes, which the work itself need not do: without
        // the spare one, the first was often taken after the first launch.
        stamp(self, 2);
        self.run(recording)?;
        stamp(self, 1);
        self.stash = self.finish()?;
        let wall = start.elapsed();
        let gpu = match &queries {
            Some(queries) => Some(self.between(queries)?),
            None => None,
        };
        Ok(Timing { wall, gpu })
    }

    /// The time between the two stamps of `queries`.
    fn between(&mut self, queries: &wgpu::QuerySet) -> Result<Duration, GpuError> {
        let mark = self.mark();
        let stamps = Buffer::new("timestamps", 4);
        let resolved = self.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some(stamps.label()),
            size: stamps.bytes(),
            usage: wgpu::BufferUsages::QUERY_RESOLVE | wgpu::BufferUsages::COPY_SRC,
            mapped_at_creation: false,
        });
        self.resources.adopt(stamps, resolved.clone());
        self.encoder()
            .resolve_query_set(queries, 0..2, &resolved, 0);
        let words = self.read_words(stamps, 0, 4)?;
        self.release_since(mark);
        let stamp = |index: usize| u64::from(words[index]) | u64::from(words[index + 1]) << 32;
        // The counters of some GPUs have fewer than 64 bits and start over.
        let ticks = stamp(2).saturating_sub(stamp(0));
        let nanoseconds = ticks as f64 * f64::from(self.queue.get_timestamp_period());
        Ok(Duration::from_nanos(nanoseconds.round() as u64))
    }
}
