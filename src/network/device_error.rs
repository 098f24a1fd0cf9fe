use crate::gpu::GpuError;
use crate::kernels::KernelFamily;
use crate::words::Word;

/// Why a device runs none of the kernels that were asked for.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VariantError {
    #[error("{}", advised(.0))]
    Gpu(#[from] GpuError),
    #[error(
        "'{adapter}' computes wrong results in every variant of the kernels: {}",
        if IN_A_PAGE { "update the browser or the driver, or take another browser" }
        else { "update its driver, or choose another with --adapter" }
    )]
    WrongResults { adapter: String },
    #[error(
        "'{adapter}' computes wrong results with the kernels '{}', which --kernels or run.kernels asks for: choose others \
         with --kernels",
        family.name()
    )]
    WrongFamily {
        adapter: String,
        family: KernelFamily,
    },
    #[error(
        "the kernels '{}' on '{adapter}' cannot store f16: set run.precision = \"full\", leave out --kernels and run.kernels, \
         or choose a software adapter with --adapter",
        family.name()
    )]
    NoMixedPrecision {
        adapter: String,
        family: KernelFamily,
    },
    #[error(
        "'{adapter}' computes wrong results with maps of f16: set run.precision = \"full\", or update its driver"
    )]
    WrongMixedPrecision { adapter: String },
}

/// A page has neither a command line nor a choice of adapters.
const IN_A_PAGE: bool = cfg!(target_arch = "wasm32");

/// What the device says of an error, and what to do about it, which depends on what runs there.
pub(crate) fn advised(error: &GpuError) -> String {
    let advice = if IN_A_PAGE {
        advice_in_a_page(error)
    } else {
        advice(error)
    };
    format!("{error}{advice}")
}

fn advice(error: &GpuError) -> &'static str {
    match error {
        GpuError::NoAdapter => {
            ": install a Vulkan, Metal or DX12 driver (on Linux without a GPU, `sh setup.sh` installs lavapipe)"
        }
        GpuError::UnknownAdapter { .. } => " (see `afterimage devices`)",
        GpuError::Device(_) | GpuError::Reported(_) => {
            "; update the driver or choose another with --adapter"
        }
        GpuError::OutOfMemory { .. } => {
            ": lower run.slice, the samples that pass through the network at a time, \
             and if that is small already, sampler.buffer or the network's size"
        }
        GpuError::Lost(_) => ": start the run again; work up to the last checkpoint is kept",
        GpuError::Timeout { .. } => "; lower run.slice or choose another with --adapter",
        GpuError::TooLarge { .. } => {
            ": lower run.slice, run.batch, sampler.buffer or the network's size"
        }
        GpuError::ImageTooLarge { .. } => ": lower run.slice or the network's size",
        GpuError::TooManyWorkgroups { .. } => ": lower run.slice or the network's strides",
        GpuError::TooManyTurns { .. } => {
            ": lower run.batch, objective.noise_ratio or the network's size, or choose a GPU with --adapter"
        }
        GpuError::WouldWait
        | GpuError::Preprocess { .. }
        | GpuError::Bindings { .. }
        | GpuError::StepWord { .. }
        | GpuError::NotReplayable { .. }
        | GpuError::NotConditional { .. }
        | GpuError::Released { .. }
        | GpuError::ImportUsages { .. }
        | GpuError::ImportSize { .. }
        | GpuError::OutOfRange { .. } => "",
    }
}

fn advice_in_a_page(error: &GpuError) -> &'static str {
    match error {
        GpuError::NoAdapter => {
            ": switch on graphics acceleration in the browser's settings, or take another browser"
        }
        GpuError::Device(_) | GpuError::Reported(_) => {
            "; load the page again, and if that does not help, update the browser or the driver"
        }
        GpuError::OutOfMemory { .. }
        | GpuError::TooLarge { .. }
        | GpuError::ImageTooLarge { .. } => ": close other pages, or take a smaller model",
        GpuError::Lost(_) => ": begin again, on a device that is opened anew",
        GpuError::Timeout { .. } => "; take a smaller model",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kernels_that_cannot_be_had_are_named_with_what_asks_for_them() {
        let error = VariantError::WrongFamily {
            adapter: "A".into(),
            family: KernelFamily::Lanes,
        };
        let text = error.to_string();
        for part in ["'A'", "'lanes'", "--kernels", "run.kernels"] {
            assert!(text.contains(part), "no {part} in {text}");
        }
        assert!(!text.contains('\n'), "{text}");
    }

    #[test]
    fn a_page_is_not_told_of_a_command_line() {
        let errors = [
            GpuError::NoAdapter,
            GpuError::Device("gone".into()),
            GpuError::Lost("gone".into()),
            GpuError::OutOfMemory {
                what: "running".into(),
            },
            GpuError::Timeout { seconds: 1 },
        ];
        for error in errors {
            let (there, here) = (advice_in_a_page(&error), advice(&error));
            assert!(
                !there.is_empty() && !there.contains("--") && !there.contains("run."),
                "{there}"
            );
            assert_ne!(there, here);
        }
    }

    #[test]
    fn out_of_memory_names_the_key_to_lower() {
        let error = GpuError::OutOfMemory {
            what: "running".into(),
        };
        let text = VariantError::from(error).to_string();
        assert!(
            text.contains("memory") && text.contains("run.slice"),
            "{text}"
        );
        assert!(!text.contains('\n'), "{text}");
    }
}
