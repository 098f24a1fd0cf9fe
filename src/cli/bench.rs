use super::args::BenchArgs;
use super::error::CliError;
use super::open::Work;
use super::{open, output};
use crate::bench::{Figure, measure};

/// `afterimage bench`
pub(super) fn bench(arguments: &BenchArgs) -> Result<(), CliError> {
    let mut executor = open::executor(&arguments.adapter, Work::Long)?;
    let adapter = open::describe(&executor);
    output::note(format_args!("{adapter}"));
    if !arguments.json {
        output::line(&format!(
            "{:42}{:>10}{:>12}{:>12}",
            "kernel", "ms", "GFLOP/s", "launches"
        ))?;
    }
    let mut outcome = Ok(());
    let mut figures = Vec::new();
    measure(&mut executor, &mut |figure: Figure| {
        if !arguments.json && outcome.is_ok() {
            outcome = output::line(&format!(
                "{:42}{:>10.3}{:>12}{:>12}",
                figure.name,
                figure.milliseconds,
                figure
                    .gflops
                    .map_or("-".into(), |gflops| format!("{gflops:.1}")),
                figure.launches
            ));
        }
        figures.push(figure);
    })?;
    outcome?;
    if arguments.json {
        output::pretty_json(&serde_json::json!({ "adapter": adapter, "figures": figures }))?;
    }
    Ok(())
}
