//! The quality of samples, as a table.

use crate::cli::output;
use crate::evaluation::{
    BufferFigures, DistanceFigures, FeatureName, Judged, OutsideFigures, QualityFigures,
    StabilityFigures,
};

/// Prints `figures` of fresh samples and, where there are any, those of the replay buffer's chains.
pub(super) fn table(figures: &QualityFigures, buffer: Option<&Judged<BufferFigures>>) {
    let features = match (figures.features, &figures.feature_network) {
        (FeatureName::DigitsClassifier, _) => "features of the digits' classifier".to_owned(),
        (FeatureName::MnistClassifier, _) => "features of the MNIST classifier".to_owned(),
        (FeatureName::Onnx, Some(network)) => format!(
            "features of {} (CRC-32 {}, values from {} to {})",
            network.file, network.crc32, network.range[0], network.range[1]
        ),
        (FeatureName::Onnx, None) => "features of a network".to_owned(),
        (FeatureName::Pixels, _) => "pixels".to_owned(),
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
    let buffer = buffer.and_then(|buffer| valid("buffer", buffer));
    if let Some(buffer) = buffer {
        output::note(format_args!(
            "  buffer: {} of the {} chains of the replay buffer as training left them, denoised",
            buffer.count, buffer.of
        ));
    }
    if let Some(fresh) = valid("distances", &figures.distances) {
        let kept = buffer.and_then(|buffer| valid("distances, buffer", &buffer.distances));
        distances(fresh, kept);
    }
    if let Some(classes) = &figures.classes {
        let of_buffer = buffer.and_then(|buffer| buffer.classes.as_ref());
        for (what, shares) in [
            ("samples", Some(&classes.samples)),
            ("the buffer", of_buffer.map(|classes| &classes.samples)),
            ("data", Some(&classes.data)),
        ] {
            let Some(shares) = shares else { continue };
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
        let of_buffer = buffer.and_then(|buffer| valid("Stein, buffer", &buffer.stein));
        for (what, those, found) in [
            ("states", "states", Some(stein.states)),
            ("buffer", "chains", of_buffer.map(|stein| stein.states)),
            ("noisy data", "noisy data", Some(stein.data)),
        ] {
            let Some(found) = found else { continue };
            output::note(format_args!(
                "  {:26} {:>10} {:>9}   p = {:.3} that {} {those} are the model's",
                format!("Stein disc.² of {what}"),
                short(found.squared),
                short(found.standard_error),
                found.p_value,
                found.samples
            ));
        }
    }
    let found = valid("copying", &figures.nearest);
    let of_buffer = buffer.and_then(|buffer| buffer.nearest.valid());
    for (what, found) in [("copying", found), ("copying, buffer", of_buffer)] {
        let Some(found) = found else { continue };
        let error = found
            .copying
            .standard_error
            .map_or(String::new(), |error| format!("{error:9.4}"));
        output::note(format_args!(
            "  {what:26} {:10.4} {error}   floor 0.5; median distance {:.3} to training data, of {} {:.3}",
            found.copying.value,
            found.median,
            figures.nearest_is.unwrap_or("held-out data"),
            found.floor
        ));
    }
}

/// Prints distances of fresh samples and, where there are any, of the replay buffer's chains, each beside its floor.
fn distances(fresh: &DistanceFigures, buffer: Option<&DistanceFigures>) {
    let named = |figures: &DistanceFigures| {
        [
            ("Fréchet distance", figures.frechet_distance),
            ("kernel distance", figures.kernel_distance),
            ("sliced Wasserstein-2", figures.sliced_wasserstein),
            ("precision", figures.precision),
            ("recall", figures.recall),
            ("density", figures.density),
            ("coverage", figures.coverage),
        ]
    };
    let counts = |figures: &DistanceFigures| format!("{} of {}", figures.compared, figures.samples);
    // The floor is at the counts that were compared: of equal counts it is one.
    let floors = buffer.filter(|buffer| buffer.compared != fresh.compared);
    let kept = |cells: [&str; 2]| match buffer {
        Some(_) => format!("   {:>10} {:>9}", cells[0], cells[1]),
        None => String::new(),
    };
    let other = |cells: [&str; 2]| match floors {
        Some(_) => format!("   {:>10} {:>9}", cells[0], cells[1]),
        None => String::new(),
    };
    output::note(format_args!(
        "  compared: {} samples{}, as many data",
        counts(fresh),
        buffer.map_or(String::new(), |buffer| format!(
            ", {} chains",
            counts(buffer)
        ))
    ));
    output::note(format_args!(
        "  {:26} {:>10} {:>9}{}   {:>10} {:>9}{}",
        "",
        "fresh",
        "±",
        kept(["buffer", "±"]),
        "floor",
        "±",
        other(["its floor", "±"])
    ));
    let of_buffer = buffer.map(named);
    for (place, (what, figure)) in named(fresh).into_iter().enumerate() {
        let second = of_buffer.map_or(figure, |all| all[place].1);
        let cells = [second.value, second.standard_error].map(short);
        let floor = [second.floor, second.floor_standard_error].map(short);
        output::note(format_args!(
            "  {what:26} {:>10} {:>9}{}   {:>10} {:>9}{}",
            short(figure.value),
            short(figure.standard_error),
            kept([&cells[0], &cells[1]]),
            short(figure.floor),
            short(figure.floor_standard_error),
            other([&floor[0], &floor[1]])
        ));
    }
    for (what, found) in [
        ("told from data", Some(fresh.two_sample.samples)),
        ("buffer from data", buffer.map(|b| b.two_sample.samples)),
        ("data from data", Some(fresh.two_sample.floor)),
    ] {
        let Some(found) = found else { continue };
        let [low, high] = found.interval;
        output::note(format_args!(
            "  {what:26} {:10.4}   {low:.4} to {high:.4}: by a linear classifier, {} of {}",
            found.accuracy, found.right, found.count
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
