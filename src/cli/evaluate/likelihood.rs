//! log Z and the likelihood of data, as a table.

use crate::cli::output;
use crate::evaluation::{ComparisonFigures, IntervalFigures, LikelihoodFigures};

/// Prints `figures`.
pub(super) fn table(figures: &LikelihoodFigures) {
    let method = &figures.method;
    let errors = match figures.valid {
        true => "intervals of 95 %",
        false => "not valid, so no intervals",
    };
    output::note(format_args!(
        "log Z from the model's Gaussian base, by {} chains each way over {} temperatures; {errors}\n",
        method.chains, method.temperatures
    ));
    let estimates = &figures.estimates;
    let along = estimates.telescoped.as_ref();
    let counting = |effective: f64| format!("{effective:.1} of {} chains count", method.chains);
    let mut rows = vec![
        (
            "annealed from the base",
            estimates.from_base.value,
            estimates.from_base.log_z,
            counting(estimates.from_base.effective_chains),
        ),
        (
            "annealed from the model",
            estimates.from_model.value,
            estimates.from_model.log_z,
            counting(estimates.from_model.effective_chains),
        ),
        (
            "Bennett's ratio of both",
            estimates.bennett.value,
            estimates.bennett.log_z,
            format!("overlap {:.2}", estimates.bennett.overlap),
        ),
    ];
    if let Some((along, value)) = along.and_then(|along| Some((along, along.value?))) {
        let counts = [along.laws, along.snapshots_used].map(Option::unwrap_or_default);
        let [laws, used] = counts;
        rows.push((
            "along kept snapshots",
            value,
            along.log_z,
            format!(
                "{laws} laws past {used} of {} snapshots, least overlap {:.2}",
                along.snapshots,
                along.least_overlap.unwrap_or_default()
            ),
        ));
        for (what, part) in [
            ("  from the base alone", along.upward),
            ("  from the model alone", along.downward),
        ] {
            rows.extend(part.map(|part| (what, part.value, Some(part), String::new())));
        }
    }
    for (what, value, log_z, support) in rows {
        match log_z {
            Some(_) => row(what, log_z, &support),
            None => output::note(format_args!(
                "  {what:26} {value:10.3}   {:24}   {support}",
                "without an interval"
            )),
        }
    }
    row("log Z", figures.log_z, "");
    output::note(format_args!(
        "  {:26} {:10.3}   with 95 %, valid or not",
        "log Z is above", figures.log_z_at_least
    ));
    let data = &figures.data;
    let noise = match data.noise {
        0.0 => "no noise".to_owned(),
        noise => format!("noise {noise}"),
    };
    output::note(format_args!(
        "\n  {} samples of {} ({}) with {noise}:",
        data.count, data.source, data.which
    ));
    row("log-likelihood", data.log_likelihood, "nats a sample");
    for other in &data.comparison {
        compared(other);
    }
    if let Some(gaussian) = data.gaussian_fitted_to_scored_data {
        let terms = match data.which {
            "training data" => "fitted to these very data, as the model was",
            _ => "fitted to these very data, an advantage over the model",
        };
        output::note(format_args!(
            "  {:26} {gaussian:10.3}   {terms}",
            "that of a Gaussian"
        ));
    }
    if let (Some(reason), true) = (&data.gaussian_not_valid, data.comparison.is_empty()) {
        output::note(format_args!(
            "  {:26} {:>10}   {reason}",
            "that of a Gaussian", "not valid"
        ));
    }
    if let (None, Some(most)) = (data.log_likelihood, data.log_likelihood_at_most) {
        output::note(format_args!(
            "  {:26} {most:10.3}   with 95 %, of these very data, by the bound on log Z",
            "log-likelihood is below"
        ));
    }
    row(
        "bits per dimension",
        data.bits_per_dimension,
        "of the noisy values, in raw units",
    );
    if let Some(dequantised) = &data.dequantised {
        row(
            "bits per dimension",
            dequantised.bits_per_dimension,
            "of whole values with uniform noise",
        );
    }
    let evaluations: u64 = figures.cost.iter().map(|part| part.evaluations).sum();
    let seconds: f64 = figures.cost.iter().map(|part| part.seconds).sum();
    let parts = figures
        .cost
        .iter()
        .map(|part| format!("{} {} ({:.1} s)", part.part, part.evaluations, part.seconds));
    output::note(format_args!(
        "\n  {evaluations} energy-gradient evaluations in {seconds:.1} s: {}\n",
        parts.collect::<Vec<_>>().join(", ")
    ));
    for reason in figures.not_valid.iter().chain(&data.not_valid) {
        output::note(format_args!("not valid: {reason}"));
    }
    if let Some(reason) = &data.comparison_not_valid {
        output::note(format_args!("compared with no other density: {reason}"));
    }
    for reason in along.iter().flat_map(|along| &along.not_valid) {
        output::note(format_args!(
            "along kept snapshots it is not valid: {reason}"
        ));
    }
}

/// A density that was fitted to the training data, and how much the model is better.
fn compared(other: &ComparisonFigures) {
    let name = match other.bandwidth {
        Some(bandwidth) => format!("{}, {bandwidth:.3} wide", other.name),
        None => other.name.to_owned(),
    };
    if let Some(reason) = &other.not_valid {
        output::note(format_args!("  {name:26} {:>10}   {reason}", "not valid"));
        return;
    }
    let fitted = format!("fitted to {} training samples", other.training);
    row(&name, other.log_likelihood, &fitted);
    row("  in bits per dimension", other.bits_per_dimension, "");
    row(
        "  the model less it",
        other.difference,
        "nats, above 0 where the model is better",
    );
}

/// A figure with its interval, or that it is not valid.
fn row(what: &str, figure: Option<IntervalFigures>, more: &str) {
    match figure {
        Some(IntervalFigures {
            value,
            interval: [low, high],
            ..
        }) => output::note(format_args!(
            "  {what:26} {value:10.3}   {low:10.3} to {high:10.3}   {more}"
        )),
        None => output::note(format_args!(
            "  {what:26} {:>10}   {:24}   {more}",
            "not valid", ""
        )),
    }
}
