use super::disk_cache::DiskCache;
use super::error::GpuError;
use super::handles::{ImageFormat, Mark};
use super::immediates::Immediates;
use super::kernel::{Access, Program};
use super::options::ExecutorOptions;
use super::preprocess::expand;
use super::resources::texture_format;
use super::scope::caught;
use std::collections::HashMap;
#[cfg(not(target_arch = "wasm32"))]
use std::{num::NonZero, panic::resume_unwind, thread};

/// Compiled pipelines by program, and the bind groups made for them.
pub(super) struct Pipelines {
    compiler: Compiler,
    disk: Option<DiskCache>,
    by_program: HashMap<Program, usize>,
    compiled: Vec<Compiled>,
    bind_groups: HashMap<(usize, Vec<u64>), wgpu::BindGroup>,
    bind_groups_made: u64,
}

struct Compiled {
    pipeline: wgpu::ComputePipeline,
    layout: wgpu::BindGroupLayout,
}

/// What every program is compiled with.
struct Compiler {
    device: wgpu::Device,
    runtime_checks: bool,
    cache: Option<wgpu::PipelineCache>,
}

impl Pipelines {
    /// None yet; with the cache folder of `options`, what earlier runs left there makes compiling fast.
    pub(super) fn new(device: wgpu::Device, options: &ExecutorOptions) -> Self {
        let folder = options.cache.as_deref();
        let disk = folder.and_then(|folder| DiskCache::open(&device, folder));
        Pipelines {
            compiler: Compiler {
                device,
                runtime_checks: options.runtime_checks,
                cache: disk.as_ref().map(DiskCache::pipelines),
            },
            disk,
            by_program: HashMap::new(),
            compiled: Vec::new(),
            bind_groups: HashMap::new(),
            bind_groups_made: 0,
        }
    }

    /// How many were compiled.
    pub(super) fn len(&self) -> u64 {
        self.compiled.len() as u64
    }

    /// How many bind groups were made.
    pub(super) fn bind_groups_made(&self) -> u64 {
        self.bind_groups_made
    }

    /// Bytes that earlier runs left in the cache folder.
    pub(super) fn cached_bytes(&self) -> u64 {
        self.disk.as_ref().map_or(0, DiskCache::loaded_bytes)
    }

    /// Leaves what was compiled since the last call to later runs.
    pub(super) fn save(&mut self) {
        if let Some(disk) = &mut self.disk {
            disk.save(self.compiled.len());
        }
    }

    /// The indices of these programs, after compiling those that are new.
    pub(super) fn compile(
        &mut self,
        programs: &[&Program],
        immediates: &Immediates,
    ) -> Result<Vec<usize>, GpuError> {
        if let Some(indices) = self.indices(programs) {
            return Ok(indices);
        }
        let mut missing = Vec::new();
        for &program in programs {
            if !self.by_program.contains_key(program) && !missing.contains(&program) {
                missing.push(program);
            }
        }
        for (program, compiled) in missing
            .iter()
            .zip(self.compiler.compile_all(&missing, immediates))
        {
            self.compiled.push(compiled?);
            let index = self.compiled.len() - 1;
            self.by_program.insert((*program).clone(), index);
        }
        Ok(self.indices(programs).unwrap_or_default())
    }

    /// The indices of these programs, if all are compiled.
    fn indices(&self, programs: &[&Program]) -> Option<Vec<usize>> {
        let index = |program: &&Program| self.by_program.get(*program).copied();
        programs.iter().map(index).collect()
    }

    /// Pipeline `index`.
    pub(super) fn pipeline(&self, index: usize) -> &wgpu::ComputePipeline {
        &self.compiled[index].pipeline
    }

    /// The bind group of pipeline `index` over the resources with these ids, whose entries `entries` makes if need be.
    pub(super) fn bind_group<'a>(
        &mut self,
        index: usize,
        ids: Vec<u64>,
        entries: impl FnOnce() -> Vec<wgpu::BindGroupEntry<'a>>,
    ) -> &wgpu::BindGroup {
        let layout = &self.compiled[index].layout;
        self.bind_groups.entry((index, ids)).or_insert_with(|| {
            self.bind_groups_made += 1;
            let device = &self.compiler.device;
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

impl Compiler {
    /// Compiles on all processors, since drivers take long.
    #[cfg(not(target_arch = "wasm32"))]
    fn compile_all(
        &self,
        programs: &[&Program],
        immediates: &Immediates,
    ) -> Vec<Result<Compiled, GpuError>> {
        let threads = thread::available_parallelism().map_or(1, NonZero::get);
        let share = programs.len().div_ceil(threads).max(1);
        thread::scope(|scope| {
            let compile = |programs: &[&Program]| -> Vec<_> {
                programs
                    .iter()
                    .map(|program| self.compile(program, immediates))
                    .collect()
            };
            let workers: Vec<_> = programs
                .chunks(share)
                .map(|programs| scope.spawn(move || compile(programs)))
                .collect();
            let results = workers.into_iter().map(|worker| worker.join());
            results
                .flat_map(|result| result.unwrap_or_else(|panic| resume_unwind(panic)))
                .collect()
        })
    }

    /// Hands them to the browser one after the other, which compiles them as it likes.
    #[cfg(target_arch = "wasm32")]
    fn compile_all(
        &self,
        programs: &[&Program],
        immediates: &Immediates,
    ) -> Vec<Result<Compiled, GpuError>> {
        programs
            .iter()
            .map(|program| self.compile(program, immediates))
            .collect()
    }

    fn compile(&self, program: &Program, immediates: &Immediates) -> Result<Compiled, GpuError> {
        let (device, kernel) = (&self.device, program.kernel);
        let text = expand(kernel.source, kernel.shared, &program.constants);
        let text = text.map_err(|source| GpuError::Preprocess {
            kernel: kernel.name,
            source,
        })?;
        let descriptor = wgpu::ShaderModuleDescriptor {
            label: Some(kernel.name),
            source: wgpu::ShaderSource::Wgsl(immediates.declared(text).into()),
        };
        let layout_entries: Vec<_> = kernel
            .bindings
            .iter()
            .enumerate()
            .map(|(binding, access)| wgpu::BindGroupLayoutEntry {
                binding: binding as u32,
                visibility: wgpu::ShaderStages::COMPUTE,
                ty: binding_type(*access, program.image_format(*access)),
                count: None,
            })
            .collect();
        let (compiled, error) = caught(device, wgpu::ErrorFilter::Validation, |device| {
            let module = if self.runtime_checks {
                device.create_shader_module(descriptor)
            } else {
                // SAFETY: the shaders are this crate's own. Each bounds its loops and its indices, and the tests run all of
                // them with the checks on, against poisoned buffers.
                unsafe {
                    device.create_shader_module_trusted(
                        descriptor,
                        wgpu::ShaderRuntimeChecks::unchecked(),
                    )
                }
            };
            let layout = device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
                label: Some(kernel.name),
                entries: &layout_entries,
            });
            let pipeline_layout = immediates.pipeline_layout(device, kernel, &layout);
            let pipeline = device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
                label: Some(kernel.name),
                layout: Some(&pipeline_layout),
                module: &module,
                entry_point: Some("main"),
                compilation_options: wgpu::PipelineCompilationOptions {
                    zero_initialize_workgroup_memory: self.runtime_checks,
                    ..Default::default()
                },
                cache: self.cache.as_ref(),
            });
            Compiled { pipeline, layout }
        });
        match error {
            Some(error) => Err(GpuError::Reported(format!(
                "shader '{}': {error}",
                kernel.name
            ))),
            None => Ok(compiled),
        }
    }
}

fn binding_type(access: Access, format: Option<ImageFormat>) -> wgpu::BindingType {
    match format {
        None => wgpu::BindingType::Buffer {
            ty: wgpu::BufferBindingType::Storage {
                read_only: access == Access::Read,
            },
            has_dynamic_offset: false,
            min_binding_size: None,
        },
        Some(format) => wgpu::BindingType::StorageTexture {
            access: match access {
                Access::ImageRead | Access::FormatRead(_) => wgpu::StorageTextureAccess::ReadOnly,
                _ => wgpu::StorageTextureAccess::WriteOnly,
            },
            format: texture_format(format),
            view_dimension: wgpu::TextureViewDimension::D2,
        },
    }
}
