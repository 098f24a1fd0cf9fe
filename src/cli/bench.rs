use super::args::BenchArgs;
use super::error::CliError;
use super::open::CommandLength;
use super::{open, output};
use crate::bench::{
    self, BenchOptions, Figure, GrowthPoint, Header, growth_panels, reference_networks,
};
use crate::files::write_atomically;
use crate::gpu::Executor;
use crate::report::{growth_curves, png_bytes};
use std::path::Path;

/// `afterimage bench`
pub(super) fn bench(arguments: &BenchArgs) -> Result<(), CliError> {
    let options = BenchOptions {
        networks: reference_networks(&arguments.nets)?,
        seconds: arguments.seconds,
        brief: arguments.brief,
    };
    if let Some(path) = &arguments.growth {
        output::ending(path, &[("png", ())])?;
    }
    let mut executor = open::executor(
        &arguments.adapter,
        CommandLength::Long,
        arguments.adapter.kernels,
    )?;
    let header = Header::of(&executor);
    match arguments.json {
        true => output::json(&header)?,
        false => output::line(&bench::preamble(&header))?,
    }
    match &arguments.growth {
        Some(path) => growth(&mut executor, arguments, path),
        None => figures(&mut executor, arguments, &options),
    }
}

fn figures(
    executor: &mut Executor,
    arguments: &BenchArgs,
    options: &BenchOptions,
) -> Result<(), CliError> {
    if !arguments.json {
        output::line(&bench::columns())?;
    }
    let mut outcome = Ok(());
    let mut above = String::new();
    let mut show = |figure: &Figure| -> Result<(), CliError> {
        if arguments.json {
            return output::json(figure);
        }
        let heading = bench::heading(figure);
        if heading != above {
            output::line(&format!("\n{heading}"))?;
            above = heading;
        }
        output::line(&bench::row(figure))
    };
    bench::measure(executor, options, &mut |figure| {
        if outcome.is_ok() {
            outcome = show(&figure);
        }
    })?;
    outcome
}

fn growth(executor: &mut Executor, arguments: &BenchArgs, path: &Path) -> Result<(), CliError> {
    let mut points: Vec<GrowthPoint> = Vec::new();
    let mut outcome = Ok(());
    let mut show = |point: GrowthPoint| -> Result<(), CliError> {
        points.push(point);
        let Some(curve) = points.chunk_by(|a, b| a.curve == b.curve).last() else {
            return Ok(());
        };
        let (first, point) = (&curve[0], &curve[curve.len() - 1]);
        if arguments.json {
            return output::json(point);
        }
        if curve.len() == 1 {
            output::line(&format!("\n{}", bench::growth_heading(point)))?;
        }
        output::line(&bench::growth_row(point, first))
    };
    bench::growth(executor, arguments.seconds / 2.0, &mut |point| {
        if outcome.is_ok() {
            outcome = show(point);
        }
    })?;
    outcome?;
    let picture = growth_curves(&growth_panels(&points))?;
    write_atomically(path, &png_bytes(&picture)?)?;
    output::note(format_args!("wrote {}", path.display()));
    Ok(())
}
