//! What a launch is told beside its resources: as immediates where the device has them, as native ones do; else through a uniform
//! buffer, since of browsers not all have them, and wgpu's own way there has not.

use super::kernel::Kernel;

/// Words of immediates that every kernel can count on.
pub(super) const WORDS: usize = 32;
const BYTES: u32 = 4 * WORDS as u32;
/// Launches of a submission that the uniform buffer has room for.
const MOST_LAUNCHES: usize = 1024;

/// How shaders declare immediates, and what takes the place of it.
const AS_IMMEDIATE: &str = "var<immediate>";
const AS_UNIFORM: &str = "@group(1) @binding(0) var<uniform>";

/// By which of the two ways a device's launches are told.
pub(super) enum Immediates {
    Own,
    Uniform(Uniform),
}

/// The buffer whose slots the launches of a submission take in turn.
pub(super) struct Uniform {
    layout: wgpu::BindGroupLayout,
    buffer: wgpu::Buffer,
    bind_group: wgpu::BindGroup,
    /// Bytes from one slot to the next.
    stride: usize,
    /// Of the submission being recorded, slot by slot.
    bytes: Vec<u8>,
}

impl Immediates {
    pub(super) fn new(device: &wgpu::Device) -> Self {
        let has_own = device.features().contains(wgpu::Features::IMMEDIATES)
            && device.limits().max_immediate_size >= BYTES;
        match has_own {
            true => Immediates::Own,
            false => Immediates::Uniform(Uniform::new(device)),
        }
    }

    /// The text of a shader, told as the device can be.
    pub(super) fn declared(&self, text: String) -> String {
        match self {
            Immediates::Own => text,
            Immediates::Uniform(_) => text.replace(AS_IMMEDIATE, AS_UNIFORM),
        }
    }

    /// The layout of a pipeline of `kernel`, whose resources are in `group`.
    pub(super) fn pipeline_layout(
        &self,
        device: &wgpu::Device,
        kernel: &Kernel,
        group: &wgpu::BindGroupLayout,
    ) -> wgpu::PipelineLayout {
        let (groups, size) = match self {
            _ if kernel.immediates == 0 => (vec![Some(group)], 0),
            Immediates::Own => (vec![Some(group)], kernel.immediates * 4),
            Immediates::Uniform(uniform) => (vec![Some(group), Some(&uniform.layout)], 0),
        };
        device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
            label: Some(kernel.name),
            bind_group_layouts: &groups,
            immediate_size: size,
        })
    }

    /// Whether the submission being recorded has room for another launch.
    pub(super) fn has_room(&self) -> bool {
        match self {
            Immediates::Own => true,
            Immediates::Uniform(uniform) => uniform.bytes.len() < MOST_LAUNCHES * uniform.stride,
        }
    }

    /// Tells the next launch of `pass` these words.
    pub(super) fn tell(&mut self, pass: &mut wgpu::ComputePass<'_>, words: &[u32]) {
        let bytes: &[u8] = bytemuck::cast_slice(words);
        match self {
            _ if bytes.is_empty() => {}
            Immediates::Own => pass.set_immediates(0, bytes),
            Immediates::Uniform(uniform) => {
                let start = uniform.bytes.len();
                pass.set_bind_group(1, &uniform.bind_group, &[start as u32]);
                uniform.bytes.extend_from_slice(bytes);
                uniform.bytes.resize(start + uniform.stride, 0);
            }
        }
    }

    /// To be called right before a submission: what its launches are told takes the place of what those before it were told, which
    /// have had their turn then.
    pub(super) fn submit(&mut self, queue: &wgpu::Queue) {
        if let Immediates::Uniform(uniform) = self
            && !uniform.bytes.is_empty()
        {
            queue.write_buffer(&uniform.buffer, 0, &uniform.bytes);
            uniform.bytes.clear();
        }
    }
}

impl Uniform {
    fn new(device: &wgpu::Device) -> Self {
        let alignment = device.limits().min_uniform_buffer_offset_alignment;
        let stride = BYTES.next_multiple_of(alignment) as usize;
        let layout = device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
            label: Some("immediates"),
            entries: &[wgpu::BindGroupLayoutEntry {
                binding: 0,
                visibility: wgpu::ShaderStages::COMPUTE,
                ty: wgpu::BindingType::Buffer {
                    ty: wgpu::BufferBindingType::Uniform,
                    has_dynamic_offset: true,
                    min_binding_size: None,
                },
                count: None,
            }],
        });
        let buffer = device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("immediates"),
            size: (MOST_LAUNCHES * stride) as u64,
            usage: wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        let bind_group = device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some("immediates"),
            layout: &layout,
            entries: &[wgpu::BindGroupEntry {
                binding: 0,
                resource: wgpu::BindingResource::Buffer(wgpu::BufferBinding {
                    buffer: &buffer,
                    offset: 0,
                    size: std::num::NonZero::new(u64::from(BYTES)),
                }),
            }],
        });
        Uniform {
            layout,
            buffer,
            bind_group,
            stride,
            bytes: Vec::new(),
        }
    }
}
