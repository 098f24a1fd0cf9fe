//! Brings words to the device in their turn among the commands, through chunks of memory that both sides see and that are used again.

use super::error::GpuError;
use super::scope::caught;
use std::sync::mpsc;

/// Bytes of a chunk. What is larger has one of its own, which is freed when it has been copied.
const CHUNK: u64 = 1 << 20;

/// In place of `wgpu::util::StagingBelt`, which panics where the device is lost.
pub(super) struct Uploads {
    device: wgpu::Device,
    /// What the host writes into for the submission being recorded, with the bytes that are taken of each.
    open: Vec<(wgpu::Buffer, u64)>,
    /// What that submission, which is about to be made, copies from, as far as it is used again.
    closed: Vec<wgpu::Buffer>,
    sender: mpsc::Sender<wgpu::Buffer>,
    /// What the host can write into again.
    free: mpsc::Receiver<wgpu::Buffer>,
}

impl Uploads {
    pub(super) fn new(device: wgpu::Device) -> Self {
        let (sender, free) = mpsc::channel();
        Uploads {
            device,
            open: Vec::new(),
            closed: Vec::new(),
            sender,
            free,
        }
    }

    /// Records that `bytes`, a whole number of words, go to the byte `offset` of `target`.
    ///
    /// # Errors
    /// When there is no memory for them, or the device is lost.
    pub(super) fn write(
        &mut self,
        encoder: &mut wgpu::CommandEncoder,
        target: &wgpu::Buffer,
        offset: u64,
        bytes: &[u8],
    ) -> Result<(), GpuError> {
        let size = bytes.len() as u64;
        let has_room = |(buffer, taken): &(wgpu::Buffer, u64)| taken + size <= buffer.size();
        let place = match self.open.iter().position(has_room) {
            Some(place) => place,
            None => {
                let again = (size <= CHUNK).then(|| self.free.try_recv().ok());
                let buffer = match again.flatten() {
                    Some(buffer) => buffer,
                    None => self.chunk(size)?,
                };
                self.open.push((buffer, 0));
                self.open.len() - 1
            }
        };
        let (buffer, taken) = &mut self.open[place];
        let from = *taken;
        buffer
            .get_mapped_range_mut(from..from + size)
            .map_err(GpuError::reported)?
            .copy_from_slice(bytes);
        encoder.copy_buffer_to_buffer(buffer, from, target, offset, size);
        *taken = (from + size).next_multiple_of(wgpu::MAP_ALIGNMENT);
        Ok(())
    }

    fn chunk(&self, size: u64) -> Result<wgpu::Buffer, GpuError> {
        let (made, error) = caught(&self.device, wgpu::ErrorFilter::OutOfMemory, |device| {
            device.create_buffer(&wgpu::BufferDescriptor {
                label: Some("upload"),
                size: size.max(CHUNK),
                usage: wgpu::BufferUsages::MAP_WRITE | wgpu::BufferUsages::COPY_SRC,
                mapped_at_creation: true,
            })
        });
        match error {
            Some(_) => Err(GpuError::OutOfMemory {
                what: format!("making room for an upload of {size} bytes"),
            }),
            None => Ok(made),
        }
    }

    /// The submission is about to be made: what it copies from is the device's.
    pub(super) fn close(&mut self) {
        for (buffer, _) in self.open.drain(..) {
            buffer.unmap();
            if buffer.size() == CHUNK {
                self.closed.push(buffer);
            }
        }
    }

    /// Asks for what the submission just made has copied from, to be written into again.
    pub(super) fn submitted(&mut self) {
        for buffer in self.closed.drain(..) {
            let sender = self.sender.clone();
            let again = buffer.clone();
            buffer.map_async(wgpu::MapMode::Write, .., move |outcome| {
                if outcome.is_ok() {
                    // The receiver lives as long as the executor; after that nobody uploads.
                    let _ = sender.send(again);
                }
            });
        }
    }
}
