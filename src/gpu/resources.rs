use super::error::GpuError;
use super::handles::{Buffer, Image, ImageFormat, Mark};
use super::recording::Resource;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

/// What every buffer is used for.
pub(super) const USAGES: wgpu::BufferUsages = wgpu::BufferUsages::STORAGE
    .union(wgpu::BufferUsages::COPY_SRC)
    .union(wgpu::BufferUsages::COPY_DST);

/// The GPU objects behind the handles, each made, filled with zeros, at first use.
pub(super) struct Resources {
    device: wgpu::Device,
    buffers: HashMap<u64, wgpu::Buffer>,
    images: HashMap<u64, wgpu::TextureView>,
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
            released: Vec::new(),
            most: 0,
        }
    }

    /// Bytes of all there are.
    pub(super) fn bytes(&self) -> u64 {
        let image = |view: &wgpu::TextureView| {
            let texture = view.texture();
            let texel = texture.format().block_copy_size(None).unwrap_or(0);
            u64::from(texture.width()) * u64::from(texture.height()) * u64::from(texel)
        };
        self.buffers.values().map(wgpu::Buffer::size).sum::<u64>()
            + self.images.values().map(image).sum::<u64>()
    }

    /// The most bytes there have been at a time.
    pub(super) fn most_bytes(&self) -> u64 {
        self.most
    }

    /// Puts a buffer made elsewhere behind a handle.
    pub(super) fn adopt(&mut self, handle: Buffer, buffer: wgpu::Buffer) {
        self.buffers.insert(handle.id, buffer);
    }

    /// Frees what was named since `mark`.
    pub(super) fn release_since(&mut self, mark: Mark) {
        self.buffers.retain(|&id, _| mark.is_after(id));
        self.images.retain(|&id, _| mark.is_after(id));
        // What was freed since an older mark is freed by it, too.
        self.released.retain(|[first, _]| mark.is_after(*first));
        self.released.push([mark.id(), Mark::now().id()]);
    }

    /// Whether the adapter allows a buffer of this size.
    pub(super) fn check_size(&self, buffer: Buffer) -> Result<(), GpuError> {
        let limits = self.device.limits();
        let allowed = limits
            .max_buffer_size
            .min(limits.max_storage_buffer_binding_size);
        if buffer.bytes() > allowed {
            return Err(GpuError::TooLarge {
                label: buffer.label,
                needed: buffer.bytes(),
                allowed,
            });
        }
        Ok(())
    }

    /// The buffer behind a handle.
    pub(super) fn buffer(&mut self, buffer: Buffer) -> Result<wgpu::Buffer, GpuError> {
        self.make_buffer(buffer)?;
        Ok(self.buffers[&buffer.id].clone())
    }

    /// Sees to it that there is an object behind a handle.
    pub(super) fn make(&mut self, resource: &Resource) -> Result<(), GpuError> {
        match resource {
            Resource::Buffer(buffer) => self.make_buffer(*buffer),
            Resource::Image(image) => self.make_image(*image),
        }
    }

    /// How to bind a resource that [`Self::make`] has made.
    pub(super) fn binding(&self, resource: &Resource) -> wgpu::BindingResource<'_> {
        match resource {
            Resource::Buffer(buffer) => self.buffers[&buffer.id].as_entire_binding(),
            Resource::Image(image) => wgpu::BindingResource::TextureView(&self.images[&image.id]),
        }
    }

    /// Whether the adapter allows something of this size.
    pub(super) fn check(&self, resource: &Resource) -> Result<(), GpuError> {
        match resource {
            Resource::Buffer(buffer) => self.check_size(*buffer),
            Resource::Image(image) => self.check_image(*image),
        }
    }

    fn check_image(&self, image: Image) -> Result<(), GpuError> {
        let allowed = self.device.limits().max_texture_dimension_2d;
        if image.width > allowed || image.height > allowed {
            return Err(GpuError::ImageTooLarge {
                label: image.label,
                width: image.width,
                height: image.height,
                allowed,
            });
        }
        Ok(())
    }

    fn make_buffer(&mut self, buffer: Buffer) -> Result<(), GpuError> {
        self.check_size(buffer)?;
        if let Entry::Vacant(place) = self.buffers.entry(buffer.id) {
            check_not_released(&self.released, buffer.id, buffer.label)?;
            place.insert(allocated(
                &self.device,
                buffer.label,
                buffer.bytes(),
                || {
                    self.device.create_buffer(&wgpu::BufferDescriptor {
                        label: Some(buffer.label),
                        size: buffer.bytes(),
                        usage: USAGES,
                        mapped_at_creation: false,
                    })
                },
            )?);
            self.most = self.most.max(self.bytes());
        }
        Ok(())
    }

    fn make_image(&mut self, image: Image) -> Result<(), GpuError> {
        self.check_image(image)?;
        if let Entry::Vacant(place) = self.images.entry(image.id) {
            check_not_released(&self.released, image.id, image.label)?;
            let texture = allocated(&self.device, image.label, image.bytes(), || {
                self.device.create_texture(&wgpu::TextureDescriptor {
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
            place.insert(texture.create_view(&Default::default()));
            self.most = self.most.max(self.bytes());
        }
        Ok(())
    }
}

pub(super) fn texture_format(format: ImageFormat) -> wgpu::TextureFormat {
    match format {
        ImageFormat::F32 => wgpu::TextureFormat::Rgba32Float,
        ImageFormat::F16 => wgpu::TextureFormat::Rgba16Float,
    }
}

/// Refuses what would otherwise come back to life as zeros.
fn check_not_released(released: &[[u64; 2]], id: u64, label: &'static str) -> Result<(), GpuError> {
    let place = released.partition_point(|[_, last]| *last < id);
    match released.get(place) {
        Some([first, _]) if *first <= id => Err(GpuError::Released { label }),
        _ => Ok(()),
    }
}

/// What `make` makes, unless memory runs out: caught here because a host program's device may have no handler, and
/// wgpu's own would panic.
fn allocated<T>(
    device: &wgpu::Device,
    label: &'static str,
    bytes: u64,
    make: impl FnOnce() -> T,
) -> Result<T, GpuError> {
    let scope = device.push_error_scope(wgpu::ErrorFilter::OutOfMemory);
    let made = make();
    match pollster::block_on(scope.pop()) {
        Some(_) => Err(GpuError::OutOfMemory {
            what: format!("making '{label}' of {bytes} bytes"),
        }),
        None => Ok(made),
    }
}
