use std::process::ExitCode;

fn main() -> ExitCode {
    // SAFETY: the only thread so far is this one.
    unsafe { afterimage::cli::prepare_environment() };
    afterimage::cli::main()
}
