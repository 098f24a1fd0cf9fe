//! The choice as a program makes it for a user, who is told of it.

use super::{
    chosen_kernels, foreseen_kernels, kept_trials, measure_families, require_family,
    trusted_variant,
};
use crate::gpu::{AdapterKind, Executor};
use crate::kernels::KernelFamily;
use crate::network::device_error::VariantError;
use crate::words::Word;

/// Has `asked` chosen, or else what suits the adapter, measured `again` where that is a software driver, and says what may change
/// results.
///
/// # Errors
/// When the kernels that were asked for, or all there are, compute wrong results, or the GPU fails.
pub fn settle_kernels(
    executor: &mut Executor,
    asked: Option<KernelFamily>,
    again: bool,
    say: &mut dyn FnMut(&str),
) -> Result<(), VariantError> {
    if let Some(family) = asked {
        require_family(executor, family)?;
        return Ok(());
    }
    let before = foreseen_kernels(executor.adapter(), executor.cache_folder());
    let is_again = again && executor.adapter().kind == AdapterKind::Cpu;
    if before.is_some() && !is_again {
        trusted_variant(executor)?;
        return Ok(());
    }
    if is_again {
        say(
            "note: measuring again which kernels suit this driver; others than before change results by rounding",
        );
        measure_families(executor)?;
    } else {
        say("note: measuring which kernels suit this driver; this takes some seconds");
        trusted_variant(executor)?;
    }
    let Some(chosen) = chosen_kernels(executor) else {
        return Ok(());
    };
    match before {
        Some(before) if before.family != chosen.family => say(&format!(
            "warning: --retune changed the kernels from {before} to {chosen}: what is computed from now on differs by rounding \
             from what was before. Runs that are resumed keep theirs"
        )),
        _ => say(&format!("note: the kernels are {chosen}")),
    }
    let kept = executor
        .cache_folder()
        .and_then(|folder| kept_trials(folder, executor.adapter()));
    if kept.is_none() {
        say(&format!(
            "note: nothing keeps that without a cache: another run may choose otherwise and differ by rounding, unless it is \
             given --kernels {}",
            chosen.family.name()
        ));
    }
    Ok(())
}
