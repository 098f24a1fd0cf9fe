use super::args::{ConfigArgs, ListArgs};
use super::error::CliError;
use super::{layers, output, vector_width};
use crate::cache;
use crate::config;
use crate::gpu::{AdapterKind, AdapterSummary, GpuError, list_adapters};
use crate::network::{ChosenKernels, foreseen_kernels};
use serde::Serialize;

/// An adapter with the layer kernels that it will run; none where they are measured first.
#[derive(Serialize)]
struct Device {
    #[serde(flatten)]
    adapter: AdapterSummary,
    kernels: Option<ChosenKernels>,
}

/// `afterimage devices`
pub(super) fn devices(arguments: &ListArgs) -> Result<(), CliError> {
    let folder = cache::folder();
    let adapters = list_adapters();
    // What is listed is what other commands will compute on.
    if adapters.iter().any(vector_width::is_in_vain) {
        vector_width::restart_without();
    }
    let devices = adapters.into_iter().map(|adapter| Device {
        kernels: foreseen_kernels(&adapter, folder.as_deref()),
        adapter,
    });
    let devices: Vec<Device> = devices.collect();
    if arguments.json {
        output::pretty_json(&devices)?;
    } else {
        for Device { adapter, kernels } in &devices {
            let kernels = kernels.as_ref().map_or_else(
                || "measured by the first command that computes".to_owned(),
                ChosenKernels::to_string,
            );
            let kind = match adapter.kind {
                AdapterKind::Gpu => "GPU",
                AdapterKind::Cpu => "software",
            };
            output::line(&format!(
                "{}  {}  [{}, {kind}]  {}  buffers up to {} MiB  kernels: {kernels}",
                adapter.index,
                adapter.name,
                adapter.backend,
                adapter.driver,
                adapter.largest_binding >> 20
            ))?;
        }
    }
    if devices.is_empty() {
        Err(GpuError::NoAdapter.into())
    } else {
        Ok(())
    }
}

/// `afterimage presets`
pub(super) fn presets(arguments: &ListArgs) -> Result<(), CliError> {
    if arguments.json {
        let list: Vec<_> = config::presets()
            .iter()
            .map(|preset| serde_json::json!({ "name": preset.name, "summary": preset.summary }))
            .collect();
        return output::pretty_json(&list);
    }
    for preset in config::presets() {
        output::line(&format!("{:18}{}", preset.name, preset.summary))?;
    }
    Ok(())
}

/// `afterimage config`
pub(super) fn config(arguments: &ConfigArgs) -> Result<(), CliError> {
    let resolved = config::resolve(&arguments.source.source, &arguments.source.sets)?;
    output::line(resolved.to_toml().trim_end())?;
    output::note(layers::table(&resolved.config)?);
    for warning in resolved.config.warnings().iter().chain(&resolved.ignored) {
        output::note(format_args!("warning: {warning}"));
    }
    Ok(())
}
