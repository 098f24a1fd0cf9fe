use super::at_once::at_once;
use super::error::GpuError;
use serde::Serialize;
use std::fmt;

/// Which adapter to open.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum AdapterChoice {
    /// The one named by the environment variable `AFTERIMAGE_ADAPTER`, else the most capable.
    #[default]
    Best,
    /// By its index in `afterimage devices`, or by a part of its name.
    Named(String),
}

/// What kind of machine an adapter is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AdapterKind {
    Gpu,
    /// A software driver such as lavapipe.
    Cpu,
}

/// An adapter, as a person would want it described.
#[derive(Clone, Debug, Serialize)]
pub struct AdapterSummary {
    pub index: usize,
    pub name: String,
    pub backend: String,
    pub driver: String,
    pub kind: AdapterKind,
    /// Largest storage buffer that can be bound, in bytes.
    pub largest_binding: u64,
    pub subgroup_sizes: [u32; 2],
}

impl fmt::Display for AdapterSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            AdapterKind::Cpu => "software, on the CPU",
            AdapterKind::Gpu => "GPU",
        };
        write!(f, "{} ({}, {kind})", self.name, self.backend)
    }
}

pub(super) fn instance() -> wgpu::Instance {
    wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle())
}

pub(super) fn summarise(index: usize, adapter: &wgpu::Adapter) -> AdapterSummary {
    let info = adapter.get_info();
    AdapterSummary {
        index,
        name: info.name,
        backend: info.backend.to_string(),
        driver: format!("{} {}", info.driver, info.driver_info)
            .trim()
            .to_owned(),
        kind: match info.device_type {
            wgpu::DeviceType::Cpu => AdapterKind::Cpu,
            _ => AdapterKind::Gpu,
        },
        largest_binding: adapter.limits().max_storage_buffer_binding_size,
        subgroup_sizes: [info.subgroup_min_size, info.subgroup_max_size],
    }
}

/// In a browser the one adapter that it offers.
async fn usable(instance: &wgpu::Instance) -> Vec<wgpu::Adapter> {
    let backends = wgpu::Backends::VULKAN
        | wgpu::Backends::METAL
        | wgpu::Backends::DX12
        | wgpu::Backends::BROWSER_WEBGPU;
    instance.enumerate_adapters(backends).await
}

/// All adapters of this machine; in a page none, whose browser tells of them later (see [`Executor::open_async`](super::Executor::open_async)).
pub fn list_adapters() -> Vec<AdapterSummary> {
    let instance = instance();
    let adapters = at_once(async { Ok::<_, GpuError>(usable(&instance).await) });
    adapters
        .unwrap_or_default()
        .iter()
        .enumerate()
        .map(|(index, adapter)| summarise(index, adapter))
        .collect()
}

pub(super) async fn choose(
    choice: &AdapterChoice,
) -> Result<(wgpu::Adapter, AdapterSummary), GpuError> {
    let instance = instance();
    let mut adapters = usable(&instance).await;
    if adapters.is_empty() {
        return Err(GpuError::NoAdapter);
    }
    let wanted = match choice {
        AdapterChoice::Named(name) => Some(name.clone()),
        AdapterChoice::Best => std::env::var("AFTERIMAGE_ADAPTER")
            .ok()
            .filter(|name| !name.is_empty()),
    };
    let index = match wanted {
        Some(wanted) => named(&adapters, &wanted)?,
        None => best(&adapters),
    };
    let adapter = adapters.swap_remove(index);
    let summary = summarise(index, &adapter);
    Ok((adapter, summary))
}

fn named(adapters: &[wgpu::Adapter], wanted: &str) -> Result<usize, GpuError> {
    if let Ok(index) = wanted.parse::<usize>()
        && index < adapters.len()
    {
        return Ok(index);
    }
    // A number names a place in the list, never a part of a version in a name.
    let by_name = !wanted.is_empty() && wanted.parse::<usize>().is_err();
    let lower = wanted.to_lowercase();
    adapters
        .iter()
        .position(|adapter| by_name && adapter.get_info().name.to_lowercase().contains(&lower))
        .ok_or_else(|| {
            let known: Vec<_> = adapters
                .iter()
                .enumerate()
                .map(|(i, a)| format!("{i} ('{}')", a.get_info().name))
                .collect();
            GpuError::UnknownAdapter {
                wanted: wanted.into(),
                known: known.join(", "),
            }
        })
}

fn best(adapters: &[wgpu::Adapter]) -> usize {
    let rank = |adapter: &wgpu::Adapter| match adapter.get_info().device_type {
        wgpu::DeviceType::DiscreteGpu => 0,
        wgpu::DeviceType::IntegratedGpu => 1,
        wgpu::DeviceType::VirtualGpu => 2,
        wgpu::DeviceType::Other => 3,
        wgpu::DeviceType::Cpu => 4,
    };
    (0..adapters.len())
        .min_by_key(|&index| rank(&adapters[index]))
        .unwrap_or(0)
}
