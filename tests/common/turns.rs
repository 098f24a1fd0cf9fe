//! Cases that take turns. Most of what a test takes is the driver compiling shaders, so where a case meets several options
//! that have nothing to do with each other, every option is met by some case, but not by all.

/// Whether every case is to meet every option, as `.ci/extended` asks.
pub fn extended() -> bool {
    std::env::var_os("AFTERIMAGE_EXTENDED").is_some_and(|value| !value.is_empty())
}

/// The option whose turn it is; all of them in the extended tests.
#[allow(dead_code)]
pub fn one_of<T>(options: Vec<T>, turn: usize) -> Vec<T> {
    if extended() || options.is_empty() {
        return options;
    }
    let index = turn % options.len();
    options.into_iter().skip(index).take(1).collect()
}
