use super::args::{ConfigArgs, ListArgs};
use super::error::CliError;
use super::{layers, output};
use crate::config;
use crate::gpu::{AdapterKind, GpuError, list_adapters};

/// `afterimage devices`
pub(super) fn devices(arguments: &ListArgs) -> Result<(), CliError> {
    let adapters = list_adapters();
    if arguments.json {
        output::pretty_json(&adapters)?;
    } else {
        for adapter in &adapters {
            let kind = match adapter.kind {
                AdapterKind::Gpu => "GPU",
                AdapterKind::Cpu => "software",
            };
            output::line(&format!(
                "{}  {}  [{}, {kind}]  {}  buffers up to {} MiB",
                adapter.index,
                adapter.name,
                adapter.backend,
                adapter.driver,
                adapter.largest_binding >> 20
            ))?;
        }
    }
    if adapters.is_empty() {
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
