use super::error::GpuError;
use super::news::News;
use std::sync::mpsc;

/// Brings results back without waiting: each fetch copies into a mappable buffer of its own from a pool, which is
/// mapped once the submission is on its way and read when the driver says so.
pub(super) struct Readback {
    free: Vec<wgpu::Buffer>,
    recorded: Vec<Pending>,
    waiting: usize,
    sender: mpsc::Sender<(Pending, Result<(), wgpu::BufferAsyncError>)>,
    receiver: mpsc::Receiver<(Pending, Result<(), wgpu::BufferAsyncError>)>,
    news: News,
}

struct Pending {
    ticket: u64,
    words: usize,
    staging: wgpu::Buffer,
}

impl Readback {
    pub(super) fn new(news: News) -> Self {
        let (sender, receiver) = mpsc::channel();
        Readback {
            free: Vec::new(),
            recorded: Vec::new(),
            waiting: 0,
            sender,
            receiver,
            news,
        }
    }

    /// A staging buffer for `words` words, to be filled by a copy in the submission being recorded.
    pub(super) fn stage(
        &mut self,
        device: &wgpu::Device,
        words: usize,
        ticket: u64,
    ) -> wgpu::Buffer {
        let bytes = words as u64 * 4;
        let position = self.free.iter().position(|buffer| buffer.size() == bytes);
        let staging = match position {
            Some(position) => self.free.swap_remove(position),
            None => device.create_buffer(&wgpu::BufferDescriptor {
                label: Some("readback"),
                size: bytes,
                usage: wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST,
                mapped_at_creation: false,
            }),
        };
        self.recorded.push(Pending {
            ticket,
            words,
            staging: staging.clone(),
        });
        staging
    }

    /// Asks for the mapping of what the submission just made will fill.
    pub(super) fn submitted(&mut self) {
        for pending in self.recorded.drain(..) {
            self.waiting += 1;
            let (sender, news) = (self.sender.clone(), self.news.clone());
            let staging = pending.staging.clone();
            staging.map_async(wgpu::MapMode::Read, .., move |result| {
                drop(sender.send((pending, result)));
                news.wake();
            });
        }
    }

    /// Whether anything is still on its way.
    pub(super) fn is_waiting(&self) -> bool {
        self.waiting > 0
    }

    /// What has arrived since the last call, in order.
    pub(super) fn arrived(&mut self) -> Result<Vec<(u64, Vec<u32>)>, GpuError> {
        let mut results = Vec::new();
        while let Ok((pending, outcome)) = self.receiver.try_recv() {
            self.waiting -= 1;
            outcome.map_err(GpuError::reported)?;
            let words = {
                let view = pending
                    .staging
                    .get_mapped_range(..)
                    .map_err(GpuError::reported)?;
                bytemuck::pod_collect_to_vec::<u8, u32>(&view[..pending.words * 4])
            };
            pending.staging.unmap();
            // Large one-off transfers would only take up memory in the pool.
            if pending.words <= 1024 {
                self.free.push(pending.staging);
            } else {
                pending.staging.destroy();
            }
            results.push((pending.ticket, words));
        }
        Ok(results)
    }
}
