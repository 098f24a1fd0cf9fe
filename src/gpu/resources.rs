use super::error::GpuError;
use super::handles::{Buffer, ImageFormat, Mark};
use super::recording::Resource;
use super::scope::caught;
use std::collections::{HashMap, HashSet};

/// What every buffer is used for.
pub(super) const USAGES: wgpu::BufferUsages = wgpu::BufferUsages::STORAGE
    .union(wgpu::BufferUsages::COPY_SRC)
    .union(wgpu::BufferUsages::COPY_DST);

/// Whether what is freed has to be destroyed by hand: a browser keeps what is merely dropped until its garbage is collected, which what lies
/// on a GPU does not hasten.
pub(super) const FREES_AT_ONCE: bool = cfg!(target_arch = "wasm32");

/// The GPU objects behind the handles, each made, filled with zeros, at first use.
pub(super) struct Resources {
    device: wgpu::Device,
    buffers: HashMap<u64, wgpu::Buffer>,
    images: HashMap<u64, wgpu::TextureView>,
    /// The buffers that the host program has made.
    imported: HashSet<u64>,
    /// First and last of the ids that were freed together, in order.
    released: Vec<[u64; 2]>,
    most: u64,
}

impl Resources {
    pub(super) fn new(device: wgpu::Device) -> Self {
        Resources {
            device,
            buffers: HashMap::new(),
            images: HashMap::new(),
            imported: HashSet::new(),
            released: Vec::new(),
            most: 0,
        }
    }

    /// Bytes of all there are, but for the few by which an executor knows the sizes of conditional launches.
    pub(super) fn bytes(&self) -> u64 {
        let image = |view: &wgpu::TextureView| {
            let texture = view.texture();
            let texel = texture.format().block_copy_size(None).unwrap_or(0);
            u64::from(texture.width()) * u64::from(texture.height()) * u64::from(texel)
        };
        let is_counted =
            |buffer: &&wgpu::Buffer| !buffer.usage().contains(wgpu::BufferUsages::INDIRECT);
        self.buffers
            .values()
            .filter(is_counted)
            .map(wgpu::Buffer::size)
            .sum::<u64>()
            + self.images.values().map(image).sum::<u64>()
    }

    /// The most bytes there have been at a time.
    pub(super) fn most_bytes(&self) -> u64 {
        self.most
    }

    /// Puts a buffer made elsewhere behind a handle.
    pub(super) fn adopt(&mut self, handle: Buffer, buffer: wgpu::Buffer) {
        self.buffers.insert(handle.id, buffer);
        self.imported.insert(handle.id);
    }

    /// Frees what was named since `mark`.
    pub(super) fn release_since(&mut self, mark: Mark) {
        let (imported, is_kept) = (&mut self.imported, |id: u64| mark.is_after(id));
        self.buffers.retain(|&id, buffer| {
            if FREES_AT_ONCE && !is_kept(id) && !imported.contains(&id) {
                buffer.destroy();
            }
            is_kept(id)
        });
        self.images.retain(|&id, view| {
            if FREES_AT_ONCE && !is_kept(id) {
                view.texture().destroy();
            }
            is_kept(id)
        });
        imported.retain(|&id| is_kept(id));
        // What was freed since an older mark is freed by it, too.
        self.released.retain(|[first, _]| mark.is_after(*first));
        self.released.push([mark.id(), Mark::now().id()]);
    }

    /// Whether the adapter allows something of this size.
    pub(super) fn check(&self, resource: Resource) -> Result<(), GpuError> {
        let limits = self.device.limits();
        match resource {
            Resource::Buffer(buffer) => {
                let allowed = limits
                    .max_buffer_size
                    .min(limits.max_storage_buffer_binding_size);
                match buffer.bytes() <= allowed {
                    true => Ok(()),
                    false => Err(GpuError::TooLarge {
                        label: buffer.label,
                        needed: buffer.bytes(),
                        allowed,
                    }),
                }
            }
            Resource::Image(image) => {
                let allowed = limits.max_texture_dimension_2d;
                match image.width.max(image.height) <= allowed {
                    true => Ok(()),
                    false => Err(GpuError::ImageTooLarge {
                        label: image.label,
                        width: image.width,
                        height: image.height,
                        allowed,
                    }),
                }
            }
        }
    }

    /// The buffer behind a handle.
    pub(super) fn buffer(&mut self, buffer: Buffer) -> Result<wgpu::Buffer, GpuError> {
        self.make(buffer.into())?;
        Ok(self.buffers[&buffer.id].clone())
    }

    /// How to bind a resource that [`Self::make`] has made.
    pub(super) fn binding(&self, resource: &Resource) -> wgpu::BindingResource<'_> {
        match resource {
            Resource::Buffer(buffer) => self.buffers[&buffer.id].as_entire_binding(),
            Resource::Image(image) => wgpu::BindingResource::TextureView(&self.images[&image.id]),
        }
    }

    /// Sees to it that there is an object behind a handle.
    pub(super) fn make(&mut self, resource: Resource) -> Result<(), GpuError> {
        self.check(resource)?;
        let id = resource.id();
        if self.buffers.contains_key(&id) || self.images.contains_key(&id) {
            return Ok(());
        }
        self.check_not_released(resource)?;
        match resource {
            Resource::Buffer(buffer) => {
                let made = self.allocated(resource, |device| {
                    device.create_buffer(&wgpu::BufferDescriptor {
                        label: Some(buffer.label),
                        size: buffer.bytes(),
                        usage: match buffer.holds_workgroups {
                            true => USAGES | wgpu::BufferUsages::INDIRECT,
                            false => USAGES,
                        },
                        mapped_at_creation: false,
                    })
                })?;
                self.buffers.insert(id, made);
            }
            Resource::Image(image) => {
                let made = self.allocated(resource, |device| {
                    device.create_texture(&wgpu::TextureDescriptor {
                        label: Some(image.label),
                        size: wgpu::Extent3d {
                            width: image.width,
                            height: image.height,
                            depth_or_array_layers: 1,
                        },
                        mip_level_count: 1,
                        sample_count: 1,
                        dimension: wgpu::TextureDimension::D2,
                        format: texture_format(image.format),
                        usage: wgpu::TextureUsages::STORAGE_BINDING,
                        view_formats: &[],
                    })
                })?;
                let view = made.create_view(&Default::default());
                self.images.insert(id, view);
            }
        }
        self.most = self.most.max(self.bytes());
        Ok(())
    }

    /// Refuses what would otherwise come back to life as zeros.
    fn check_not_released(&self, resource: Resource) -> Result<(), GpuError> {
        let (id, label) = (resource.id(), resource.label());
        let place = self.released.partition_point(|[_, last]| *last < id);
        match self.released.get(place) {
            Some([first, _]) if *first <= id => Err(GpuError::Released { label }),
            _ => Ok(()),
        }
    }

    /// What `make` makes, unless memory runs out: caught here because a host program's device may have no handler, and
    /// wgpu's own would panic.
    fn allocated<T>(
        &self,
        resource: Resource,
        make: impl FnOnce(&wgpu::Device) -> T,
    ) -> Result<T, GpuError> {
        let (label, bytes) = (resource.label(), resource.bytes());
        let (made, error) = caught(&self.device, wgpu::ErrorFilter::OutOfMemory, make);
        match error {
            Some(_) => Err(GpuError::OutOfMemory {
                what: format!("making '{label}' of {bytes} bytes"),
            }),
            None => Ok(made),
        }
    }
}

pub(super) fn texture_format(format: ImageFormat) -> wgpu::TextureFormat {
    match format {
        ImageFormat::F32 => wgpu::TextureFormat::Rgba32Float,
        ImageFormat::F16 => wgpu::TextureFormat::Rgba16Float,
    }
}
