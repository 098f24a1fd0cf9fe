//! The quality of samples, as a table.

use crate::cli::output;
use crate::evaluation::{
    FeatureName, Judged, Measured, OutsideFigures, QualityFigures, StabilityFigures,
};

/// Prints `figures`.
pub(super) fn table(figures: &QualityFigures) {
    let features = match figures.features {
        FeatureName::DigitsClassifier => "features of the digits' classifier",
        FeatureName::MnistClassifier => "features of the MNIST classifier",
        FeatureName::Pixels => "pixels",
    };
    output::note(format_args!(
        "{} samples of {} chains after {} steps each, in {features}, against {}\n",
        figures.count, figures.chains, figures.steps, figures.data_is
    ));
    if figures.lost > 0 {
        output::note(format_args!(
            "warning: {} of {} chains ran away to values that are not finite and are left out",
            figures.lost, figures.count
        ));
    }
    if let Some(distances) = valid("distances", &figures.distances) {
        output::note(format_args!(
            "  {:26} {:>10} {:>9}   {:>10} {:>9}   ({} of {} samples, as many data)",
            "", "samples", "±", "floor", "±", distances.compared, distances.samples
        ));
        for (what, figure) in [
            ("Fréchet distance", distances.frechet_distance),
            ("kernel distance", distances.kernel_distance),
            ("sliced Wasserstein-2", distances.sliced_wasserstein),
            ("precision", distances.precision),
            ("recall", distances.recall),
            ("density", distances.density),
            ("coverage", distances.coverage),
        ] {
            row(what, figure);
        }
        for (what, found) in [
            ("told from data", distances.two_sample.samples),
            ("data from data", distances.two_sample.floor),
        ] {
            let [low, high] = found.interval;
            output::note(format_args!(
                "  {what:26} {:10.4}   {low:.4} to {high:.4}: by a linear classifier, {} of {}",
                found.accuracy, found.right, found.count
            ));
        }
    }
    if let Some(classes) = &figures.classes {
        for (what, shares) in [("samples", &classes.samples), ("data", &classes.data)] {
            let shares: Vec<String> = shares
                .iter()
                .map(|share| format!("{:.0}", 100.0 * share))
                .collect();
            output::note(format_args!(
                "  {:26} {} %",
                format!("digits among {what}"),
                shares.join(" ")
            ));
        }
    }
    if let Some(stein) = valid("Stein discrepancy", &figures.stein) {
        for (what, found) in [("states", stein.states), ("noisy data", stein.data)] {
            output::note(format_args!(
                "  {:26} {:>10} {:>9}   p = {:.3} that {} {what} are the model's",
                format!("Stein disc.² of {what}"),
                short(found.squared),
                short(found.standard_error),
                found.p_value,
                found.samples
            ));
        }
    }
    if let Some(found) = valid("copying", &figures.nearest) {
        let error = found
            .copying
            .standard_error
            .map_or(String::new(), |error| format!("{error:9.4}"));
        output::note(format_args!(
            "  {:26} {:10.4} {error}   floor 0.5; median distance {:.3} to training data, of {} {:.3}",
            "copying",
            found.copying.value,
            found.median,
            figures.nearest_is.unwrap_or("held-out data"),
            found.floor
        ));
    }
}

/// Prints whether chains stay at the data.
pub(super) fn stability_table(figures: &StabilityFigures, data_is: &str) {
    let energy = |pass: usize| match figures.energies.get(pass).copied().flatten() {
        Some(mean) => format!("{mean:.2}"),
        None => "not finite".to_owned(),
    };
    output::note(format_args!(
        "  {} chains from {data_is}, mean energy {} ± {:.2}; after pass 1 {}, 10 {}, {} {}: {}",
        figures.chains,
        energy(0),
        figures.deviation,
        energy(1),
        energy(10),
        figures.passes,
        energy(figures.passes),
        figures.unstable_is.as_deref().unwrap_or("stable")
    ));
    if let Some(test) = valid("fresh against data", &figures.fresh_against_data) {
        let verdict = match figures.told_apart {
            Some(true) => "not one distribution: samples are a generator's, not the density's",
            _ => "not told apart",
        };
        output::note(format_args!(
            "  fresh chains and those from data: {verdict} (p = {:.3}, {} permutations)\n",
            test.p_value, test.permutations
        ));
    }
}

/// Prints how well the energy tells other data apart.
pub(super) fn outside_table(figures: &OutsideFigures, source: &str, inside_is: &str) {
    let error = figures
        .auroc
        .standard_error
        .map_or(String::new(), |error| format!(" ± {error:.4}"));
    output::note(format_args!(
        "  AUROC {:.4}{error} of {} samples of {source} against {} of the model's {inside_is}\n",
        figures.auroc.value, figures.outside, figures.inside
    ));
}

fn row(what: &str, figure: Measured) {
    output::note(format_args!(
        "  {what:26} {:>10} {:>9}   {:>10} {:>9}",
        short(figure.value),
        short(figure.standard_error),
        short(figure.floor),
        short(figure.floor_standard_error)
    ));
}

/// The figure, or its reason in its place.
fn valid<'a, T>(what: &str, judged: &'a Judged<T>) -> Option<&'a T> {
    if let Judged::NotValid { not_valid } = judged {
        output::note(format_args!("  {what:26} not valid: {not_valid}"));
    }
    judged.valid()
}

/// Four decimals, or the leading digit of what these would show as next to nothing.
fn short(value: f64) -> String {
    match value.abs() < 1e-3 && value != 0.0 {
        true => format!("{value:.1e}"),
        false => format!("{value:.4}"),
    }
}
