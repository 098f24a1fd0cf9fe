//! Which family of layer kernels a device runs. The families round differently, so that the choice changes results: it is
//! made once for a driver, and kept.

mod chosen;
mod kept;
mod settle;
mod table;
mod trial;

pub(super) use chosen::Trusted;
pub use chosen::{ChosenBy, ChosenKernels};
pub use kept::{keep_trials, kept_trials};
pub use settle::settle_kernels;
pub use table::{is_faster_by_8_lanes, known_driver};
pub use trial::{Trial, TrialOutcome, decide, try_families};

use super::device_error::VariantError;
use super::known::Known;
use super::self_test::{computes_right, computes_right_async};
use crate::gpu::{AdapterKind, AdapterSummary, Executor, GpuError, at_once};
use crate::kernels::{KernelFamily, Precision, Variant};
use crate::words::Word;
use std::path::Path;

/// The variant of the layer kernels that runs on this device, chosen once for each executor: that of the family that suits
/// the adapter, after a self-test. On a software driver this is what was measured there, as `ExecutorOptions::cache` holds
/// it, or what is known of the driver; of one that is not known it is measured now, which takes some seconds.
///
/// # Errors
/// When no variant computes right, or the GPU fails.
pub fn trusted_variant(executor: &mut Executor) -> Result<Variant, VariantError> {
    at_once(trusted_variant_async(executor))
}

/// [`trusted_variant`] for a page, which goes on meanwhile.
///
/// # Errors
/// As above.
pub(in crate::network) async fn trusted_variant_async(
    executor: &mut Executor,
) -> Result<Variant, VariantError> {
    if let Some(trusted) = Known::of(executor).trusted {
        return Ok(trusted.variant);
    }
    let chosen = foreseen_kernels(executor.adapter(), executor.cache_folder());
    let chosen = match chosen {
        Some(chosen) => Some(chosen),
        None => measured(executor, Again::No)?,
    };
    trust(executor, chosen).await
}

/// What [`trusted_variant`] will choose on an adapter that a folder is kept for, if that is known without measuring.
pub fn foreseen_kernels(adapter: &AdapterSummary, folder: Option<&Path>) -> Option<ChosenKernels> {
    if adapter.kind == AdapterKind::Gpu {
        return Some(ChosenKernels {
            family: KernelFamily::usual(false),
            by: ChosenBy::Adapter,
            why: "those for GPUs".into(),
        });
    }
    // First, for whoever has measured wanted to know it better.
    let kept = folder.and_then(|folder| kept_trials(folder, adapter));
    if let Some(chosen) = kept.and_then(|trials| decide(&trials)) {
        return Some(chosen);
    }
    known_driver(adapter).map(|(family, driver)| ChosenKernels {
        family,
        by: ChosenBy::Table,
        why: format!("known to suit {driver}"),
    })
}

/// What has been chosen on this executor, and why; none before [`trusted_variant`], [`require_family`] or
/// [`measure_families`].
pub fn chosen_kernels(executor: &Executor) -> Option<ChosenKernels> {
    Known::of(executor).trusted.map(|trusted| trusted.chosen)
}

/// Measures the families on this device, whatever is known of it, keeps what came out for later executors, and runs the one
/// that it speaks for. On a GPU, which has but one, as [`trusted_variant`].
///
/// # Errors
/// As for [`trusted_variant`].
pub fn measure_families(executor: &mut Executor) -> Result<Variant, VariantError> {
    if executor.adapter().kind == AdapterKind::Gpu {
        return trusted_variant(executor);
    }
    let chosen = measured(executor, Again::Yes)?;
    at_once(trust(executor, chosen))
}

/// Lets all that is computed on `executor` from now on run by the layer kernels of `family`, if they compute right here.
///
/// # Errors
/// When they do not, or the GPU fails.
pub fn require_family(
    executor: &mut Executor,
    family: KernelFamily,
) -> Result<Variant, VariantError> {
    if let Some(trusted) = Known::of(executor).trusted
        && trusted.variant.family() == family
    {
        return Ok(trusted.variant);
    }
    let all = Variant::of_each_family(&executor.profile()).into_iter();
    let own = all.filter(|(best, _)| best.family() == family);
    for variant in own.flat_map(|(best, plain)| [Some(best), plain]).flatten() {
        if computes_right(executor, variant)? {
            let chosen = ChosenKernels {
                family,
                by: ChosenBy::Asked,
                why: "as asked for".into(),
            };
            return Ok(remember(executor, variant, chosen));
        }
    }
    Err(VariantError::WrongFamily {
        adapter: executor.adapter().name.clone(),
        family,
    })
}

/// [`trusted_variant`] with maps stored in `precision`. Where the family that was chosen has no such precision, and was not
/// asked for, the usual one takes its place for all that is computed on the executor from then on.
///
/// # Errors
/// When the variant for this device has no such precision or computes wrong in it; nothing else is run in its place.
/// Otherwise as above.
pub fn trusted_variant_in(
    executor: &mut Executor,
    precision: Precision,
) -> Result<Variant, VariantError> {
    let adapter = |executor: &Executor| executor.adapter().name.clone();
    let mut variant = trusted_variant(executor)?;
    if variant.in_precision(precision).is_none()
        && let Some(usual) = usual_in(executor, precision)
    {
        if !computes_right(executor, usual)? {
            let adapter = adapter(executor);
            return Err(VariantError::WrongMixedPrecision { adapter });
        }
        let chosen = ChosenKernels {
            family: usual.family(),
            by: ChosenBy::Precision,
            why: format!("since {} stores no f16", variant.family().name()),
        };
        variant = remember(executor, usual, chosen);
    }
    let Some(variant) = variant.in_precision(precision) else {
        return Err(VariantError::NoMixedPrecision {
            adapter: adapter(executor),
            family: variant.family(),
        });
    };
    if precision == Precision::Mixed {
        let right = match Known::of(executor).mixed_is_right {
            Some(right) => right,
            None => computes_right(executor, variant)?,
        };
        Known::update(executor, |known| known.mixed_is_right = Some(right));
        if !right {
            let adapter = adapter(executor);
            return Err(VariantError::WrongMixedPrecision { adapter });
        }
    }
    Ok(variant)
}

/// The variant that an adapter has for which nothing was asked or measured, if nothing was asked and it has `precision`.
fn usual_in(executor: &Executor, precision: Precision) -> Option<Variant> {
    let is_asked = chosen_kernels(executor).is_some_and(|chosen| chosen.by == ChosenBy::Asked);
    let usual = Variant::for_profile(&executor.profile());
    (!is_asked && usual.in_precision(precision).is_some()).then_some(usual)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Again {
    Yes,
    No,
}

/// What a measurement on this device speaks for, kept for later; none where the usual family computes wrong, so that there is
/// nothing to measure against.
fn measured(executor: &mut Executor, again: Again) -> Result<Option<ChosenKernels>, GpuError> {
    let profile = executor.profile();
    let usual = KernelFamily::usual(true);
    let variants: Vec<Variant> = std::iter::once(usual)
        .chain(KernelFamily::rivals())
        .map(|family| Variant::of_family(&profile, family))
        .collect();
    let trials = try_families(executor, &variants)?;
    let found = decide(&trials);
    let Some(folder) = executor.cache_folder().filter(|_| found.is_some()) else {
        return Ok(found);
    };
    // What another process has decided meanwhile holds for this one, too.
    let before = match again {
        Again::Yes => None,
        Again::No => kept_trials(folder, executor.adapter()),
    };
    match before {
        Some(trials) => Ok(decide(&trials)),
        None => {
            keep_trials(folder, executor.adapter(), &trials);
            Ok(found)
        }
    }
}

/// Runs what was `chosen`, if it computes right; what does otherwise, the usual family before all others.
async fn trust(
    executor: &mut Executor,
    chosen: Option<ChosenKernels>,
) -> Result<Variant, VariantError> {
    let profile = executor.profile();
    let usual = Variant::for_profile(&profile);
    let first = match chosen {
        Some(chosen) => {
            let variant = Variant::of_family(&profile, chosen.family);
            if computes_right_async(executor, variant).await? {
                return Ok(remember(executor, variant, chosen));
            }
            variant
        }
        None => usual,
    };
    let families = Variant::of_each_family(&profile).into_iter().rev();
    let plain = families.map(|(best, plain)| plain.unwrap_or(best));
    let others = std::iter::once(usual).chain(plain);
    for variant in others.filter(|variant| *variant != first) {
        if computes_right_async(executor, variant).await? {
            tracing::warn!("this driver computes wrong results with {first:?}; using {variant:?}");
            let chosen = ChosenKernels {
                family: variant.family(),
                by: ChosenBy::WrongResults,
                why: format!(
                    "since this driver computes wrong results with {}",
                    first.name()
                ),
            };
            return Ok(remember(executor, variant, chosen));
        }
    }
    Err(VariantError::WrongResults {
        adapter: executor.adapter().name.clone(),
    })
}

fn remember(executor: &mut Executor, variant: Variant, chosen: ChosenKernels) -> Variant {
    Known::update(executor, |known| {
        known.trusted = Some(Trusted { variant, chosen });
        known.mixed_is_right = None;
    });
    variant
}
