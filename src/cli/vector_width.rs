//! Wide vectors on lavapipe, the driver that runs where there is no GPU.
//!
//! On processors with AVX-512, lavapipe computes with half of what they have unless LP_NATIVE_VECTOR_WIDTH asks for 512
//! bits. Mesa 25.0 takes two to three times as long then, and was seen to compute wrong results: what is known of a driver
//! and the self-test decide, and the program starts again with narrow ones.

use crate::cache;
use crate::gpu::{AdapterSummary, Executor};
use crate::network::{ChosenBy, chosen_kernels, is_faster_by_8_lanes};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::{env, fs};

const WIDTH: &str = "LP_NATIVE_VECTOR_WIDTH";
const SHADER_CACHE: &str = "MESA_SHADER_CACHE_DIR";
/// Lanes of 32 bits in 512.
const LANES: usize = 16;

/// Whether this process asked for them.
static WIDENED: AtomicBool = AtomicBool::new(false);

/// Asks lavapipe for vectors of 512 bits, unless the user has asked for something or the processor has none.
///
/// # Safety
/// No other thread may run yet: environment variables are set.
pub(super) unsafe fn widen() {
    if env::var_os(WIDTH).is_some() || !has_wide_vectors() {
        return;
    }
    // Mesa's shader cache does not know for which width a shader was compiled, so this one has a folder of its own.
    // Mesa makes no parents, and complains on standard error about a folder that it cannot use.
    let folder = env::var_os(SHADER_CACHE)
        .map(PathBuf::from)
        .or_else(cache::folder)
        .map(|folder| folder.join("mesa-512"))
        .filter(|folder| !unwanted() && fs::create_dir_all(folder).is_ok());
    // SAFETY: promised by the caller.
    unsafe {
        env::set_var(WIDTH, "512");
        match folder {
            Some(folder) => env::set_var(SHADER_CACHE, folder),
            None => env::set_var("MESA_SHADER_CACHE_DISABLE", "true"),
        }
    }
    WIDENED.store(true, Ordering::Relaxed);
}

/// Whether caches are switched off. The command line has not been parsed yet.
fn unwanted() -> bool {
    env::args_os().any(|argument| argument == "--no-cache")
}

#[cfg(target_arch = "x86_64")]
fn has_wide_vectors() -> bool {
    std::is_x86_feature_detected!("avx512f")
}

#[cfg(not(target_arch = "x86_64"))]
fn has_wide_vectors() -> bool {
    false
}

/// Whether this process widened the vectors of the driver in use and the kernels that were to run compute wrong results on
/// them. To be asked when kernels have been chosen, or that has failed.
pub(super) fn disappoint(executor: &Executor) -> bool {
    let profile = executor.profile();
    let wide = profile.is_cpu && profile.subgroup_size == Some(LANES as u32);
    let chosen = chosen_kernels(executor);
    let is_wrong = chosen.is_none_or(|chosen| chosen.by == ChosenBy::WrongResults);
    WIDENED.load(Ordering::Relaxed) && wide && is_wrong
}

/// Whether this process widened the vectors of a driver that is known to be slower for it.
pub(super) fn is_in_vain(adapter: &AdapterSummary) -> bool {
    WIDENED.load(Ordering::Relaxed) && is_faster_by_8_lanes(adapter)
}

/// Starts this program again with the driver's own width. Comes back only if that is not possible; the slower kernels
/// that were found to be right will do then.
pub(super) fn restart_without() {
    #[cfg(unix)]
    {
        use std::os::unix::process::CommandExt;
        if let Ok(program) = env::current_exe() {
            let mut again = std::process::Command::new(program);
            again.args(env::args_os().skip(1)).env(WIDTH, "256");
            // Nor may the narrow shaders get among the wide ones.
            if let Some(folder) = env::var_os(SHADER_CACHE) {
                again.env(
                    SHADER_CACHE,
                    PathBuf::from(folder).with_file_name("mesa-256"),
                );
            }
            let error = again.exec();
            tracing::warn!("that failed: {error}");
        }
    }
}
