//! Wide vectors on lavapipe, the driver that runs where there is no GPU.
//!
//! On processors with AVX-512, lavapipe computes with half of what they have unless LP_NATIVE_VECTOR_WIDTH asks for 512
//! bits. Mesa 25.0 takes two to three times as long then, and was seen to compute wrong results: what is known of a driver
//! and the self-test decide, and the program starts again with narrow ones.

use super::program;
#[cfg(unix)]
use super::watch;
use crate::cache;
use crate::gpu::{AdapterSummary, Executor};
use crate::network::{ChosenBy, chosen_kernels, is_faster_by_8_lanes};
use std::ffi::OsString;
use std::path::PathBuf;
#[cfg(unix)]
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::{env, fs};

const WIDTH: &str = "LP_NATIVE_VECTOR_WIDTH";
const SHADER_CACHE: &str = "MESA_SHADER_CACHE_DIR";
/// Lanes of 32 bits in 512.
const LANES: usize = 16;

/// Whether this process asked for them.
static WIDENED: AtomicBool = AtomicBool::new(false);

/// What the environment should say for lavapipe to take vectors of 512 bits; nothing where the user has asked for something or the
/// processor has none. Whoever asks sets all of it.
pub(super) fn wanted() -> Vec<(&'static str, OsString)> {
    if env::var_os(WIDTH).is_some() || !has_wide_vectors() {
        return Vec::new();
    }
    // Mesa's shader cache does not know for which width a shader was compiled, so this one has a folder of its own.
    // Mesa makes no parents, and complains on standard error about a folder that it cannot use.
    let folder = env::var_os(SHADER_CACHE)
        .map(PathBuf::from)
        .or_else(cache::folder)
        .map(|folder| folder.join("mesa-512"))
        .filter(|folder| !unwanted() && fs::create_dir_all(folder).is_ok());
    WIDENED.store(true, Ordering::Relaxed);
    let place = match folder {
        Some(folder) => (SHADER_CACHE, folder.into_os_string()),
        None => ("MESA_SHADER_CACHE_DISABLE", "true".into()),
    };
    vec![(WIDTH, "512".into()), place]
}

/// Whether caches are switched off. The command line has not been parsed yet.
fn unwanted() -> bool {
    program::arguments()
        .iter()
        .any(|argument| argument == "--no-cache")
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
    let by = chosen_kernels(executor).map(|chosen| chosen.by);
    are_wrong(are_widened(), profile.is_cpu, profile.subgroup_size, by)
}

/// [`disappoint`] of vectors on which kernels were chosen `by`, or none could be.
fn are_wrong(is_widened: bool, is_cpu: bool, lanes: Option<u32>, by: Option<ChosenBy>) -> bool {
    let are_in_use = is_widened && is_cpu && lanes == Some(LANES as u32);
    are_in_use && by.is_none_or(|by| by == ChosenBy::WrongResults)
}

/// Whether this process asked for wide vectors, and may have to start again.
pub(super) fn are_widened() -> bool {
    WIDENED.load(Ordering::Relaxed)
}

/// Whether this process widened the vectors of a driver that is known to be slower for it.
pub(super) fn is_in_vain(adapter: &AdapterSummary) -> bool {
    are_widened() && is_faster_by_8_lanes(adapter)
}

/// Starts this program again with the driver's own width, on a terminal that is as it was. Comes back only if that is not possible;
/// the slower kernels that were found to be right will do then.
pub(super) fn restart_without() {
    #[cfg(unix)]
    {
        use std::os::unix::process::CommandExt;
        if let Ok(words) = program::words() {
            let mut again = narrower(
                words.into_iter().chain(program::arguments()).collect(),
                env::var_os(SHADER_CACHE).map(PathBuf::from),
            );
            watch::restore();
            let error = again.exec();
            tracing::warn!("that failed: {error}");
        }
    }
}

/// A program, by the words that start it, with narrow vectors, in place of a process that keeps what the driver compiled in
/// `shader_cache`, if anywhere.
#[cfg(unix)]
fn narrower(words: Vec<OsString>, shader_cache: Option<PathBuf>) -> Command {
    let mut words = words.into_iter();
    let mut again = Command::new(words.next().unwrap_or_default());
    again.args(words).env(WIDTH, "256");
    // Nor may the narrow shaders get among the wide ones.
    if let Some(folder) = shader_cache {
        again.env(SHADER_CACHE, folder.with_file_name("mesa-256"));
    }
    again
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(unix)]
    use std::ffi::OsStr;

    #[test]
    fn only_wide_vectors_that_were_asked_for_here_and_fail_are_given_up() {
        let wrong = Some(ChosenBy::WrongResults);
        for (is_widened, is_cpu, lanes, by, expected) in [
            (true, true, Some(16), wrong, true),
            // No kernels computed right.
            (true, true, Some(16), None, true),
            (true, true, Some(16), Some(ChosenBy::Table), false),
            (true, true, Some(16), Some(ChosenBy::Asked), false),
            // The driver did not take them, or nothing but the user asked for them, or a GPU computes.
            (true, true, Some(8), wrong, false),
            (true, true, None, wrong, false),
            (false, true, Some(16), wrong, false),
            (false, true, Some(16), None, false),
            (true, false, Some(16), wrong, false),
        ] {
            let found = are_wrong(is_widened, is_cpu, lanes, by);
            assert_eq!(found, expected, "{is_widened} {is_cpu} {lanes:?} {by:?}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn the_narrower_program_does_the_same_and_keeps_its_shaders_apart() {
        for (cache, kept_in) in [
            (Some("/home/cache/mesa-512"), Some("/home/cache/mesa-256")),
            (None, None),
        ] {
            let words = ["train", "moons", "--set", "run.steps=3"].map(OsString::from);
            let program = OsString::from("/bin/afterimage");
            let whole = [std::slice::from_ref(&program), &words[..]].concat();
            let again = narrower(whole, cache.map(PathBuf::from));
            assert_eq!(again.get_program(), program);
            assert!(again.get_args().eq(&words));
            let set = |name: &str| again.get_envs().find(|(set, _)| *set == name)?.1;
            assert_eq!(set(WIDTH), Some("256".as_ref()));
            assert_eq!(set(SHADER_CACHE), kept_in.map(OsStr::new));
        }
    }
}
