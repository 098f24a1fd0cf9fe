use super::error::GpuError;
use super::handles::Mark;
use super::kernel::{Access, Program};
use super::preprocess::expand;
use std::collections::HashMap;

/// Compiled pipelines by program, and the bind groups made for them.
#[derive(Default)]
pub(super) struct Pipelines {
    by_program: HashMap<Program, usize>,
    compiled: Vec<Compiled>,
    bind_groups: HashMap<(usize, Vec<u64>), wgpu::BindGroup>,
}

pub(super) struct Compiled {
    pub(super) pipeline: wgpu::ComputePipeline,
    layout: wgpu::BindGroupLayout,
}

impl Pipelines {
    /// The index of the compiled `program`, compiling it at first use.
    pub(super) fn compile(
        &mut self,
        device: &wgpu::Device,
        program: &Program,
        runtime_checks: bool,
    ) -> Result<usize, GpuError> {
        if let Some(&index) = self.by_program.get(program) {
            return Ok(index);
        }
        let compiled = compile(device, program, runtime_checks)?;
        self.compiled.push(compiled);
        self.by_program
            .insert(program.clone(), self.compiled.len() - 1);
        Ok(self.compiled.len() - 1)
    }

    pub(super) fn pipeline(&self, index: usize) -> &wgpu::ComputePipeline {
        &self.compiled[index].pipeline
    }

    /// The bind group of pipeline `index` over the resources with these ids, whose entries `entries` makes if need be.
    pub(super) fn bind_group<'a>(
        &mut self,
        device: &wgpu::Device,
        index: usize,
        ids: Vec<u64>,
        entries: impl FnOnce() -> Vec<wgpu::BindGroupEntry<'a>>,
    ) -> &wgpu::BindGroup {
        let layout = &self.compiled[index].layout;
        self.bind_groups.entry((index, ids)).or_insert_with(|| {
            device.create_bind_group(&wgpu::BindGroupDescriptor {
                label: None,
                layout,
                entries: &entries(),
            })
        })
    }

    /// Drops the bind groups that hold a resource named since `mark`.
    pub(super) fn forget_since(&mut self, mark: Mark) {
        self.bind_groups
            .retain(|(_, ids), _| ids.iter().all(|&id| mark.is_after(id)));
    }
}

fn compile(
    device: &wgpu::Device,
    program: &Program,
    runtime_checks: bool,
) -> Result<Compiled, GpuError> {
    let kernel = program.kernel;
    let expanded =
        expand(kernel.source, &program.constants).map_err(|source| GpuError::Preprocess {
            kernel: kernel.name,
            source,
        })?;
    let descriptor = wgpu::ShaderModuleDescriptor {
        label: Some(kernel.name),
        source: wgpu::ShaderSource::Wgsl(expanded.text.into()),
    };
    let scope = device.push_error_scope(wgpu::ErrorFilter::Validation);
    let module = if runtime_checks {
        device.create_shader_module(descriptor)
    } else {
        // SAFETY: the shaders are this crate's own. Each bounds its loops and its indices, and the tests run all of
        // them with the checks on, against poisoned buffers.
        unsafe {
            device.create_shader_module_trusted(descriptor, wgpu::ShaderRuntimeChecks::unchecked())
        }
    };
    let layout_entries: Vec<_> = kernel
        .bindings
        .iter()
        .enumerate()
        .map(|(binding, access)| wgpu::BindGroupLayoutEntry {
            binding: binding as u32,
            visibility: wgpu::ShaderStages::COMPUTE,
            ty: binding_type(*access),
            count: None,
        })
        .collect();
    let layout = device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
        label: Some(kernel.name),
        entries: &layout_entries,
    });
    let pipeline_layout = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
        label: Some(kernel.name),
        bind_group_layouts: &[Some(&layout)],
        immediate_size: kernel.immediates * 4,
    });
    let pipeline = device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
        label: Some(kernel.name),
        layout: Some(&pipeline_layout),
        module: &module,
        entry_point: Some("main"),
        compilation_options: wgpu::PipelineCompilationOptions {
            zero_initialize_workgroup_memory: runtime_checks,
            ..Default::default()
        },
        cache: None,
    });
    match pollster::block_on(scope.pop()) {
        Some(error) => Err(GpuError::Reported(format!(
            "shader '{}': {error}",
            kernel.name
        ))),
        None => Ok(Compiled { pipeline, layout }),
    }
}

fn binding_type(access: Access) -> wgpu::BindingType {
    match access {
        Access::Read | Access::ReadWrite => wgpu::BindingType::Buffer {
            ty: wgpu::BufferBindingType::Storage {
                read_only: access == Access::Read,
            },
            has_dynamic_offset: false,
            min_binding_size: None,
        },
        Access::ImageRead | Access::ImageWrite => wgpu::BindingType::StorageTexture {
            access: match access {
                Access::ImageRead => wgpu::StorageTextureAccess::ReadOnly,
                _ => wgpu::StorageTextureAccess::WriteOnly,
            },
            format: wgpu::TextureFormat::Rgba32Float,
            view_dimension: wgpu::TextureViewDimension::D2,
        },
    }
}
