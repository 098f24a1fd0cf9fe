use std::process::ExitCode;

fn main() -> ExitCode {
    // Mesa's device-select layer asks a display server which GPU is its own, and complains on stderr where there is
    // none. Adapters are chosen here, so the layer is not needed.
    // SAFETY: the only thread so far is this one.
    unsafe { std::env::set_var("NODEVICE_SELECT", "1") };
    afterimage::cli::main()
}
