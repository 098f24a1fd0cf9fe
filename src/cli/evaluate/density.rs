//! The exact figures of a model of a planar set, as a table.

use crate::cli::output;
use crate::evaluation::Figures;
use crate::model::Weights;

/// Prints `figures`.
pub(super) fn table(figures: &Figures) {
    let weights = match figures.weights {
        Weights::Averaged => "averaged",
        Weights::Live => "live",
    };
    let grid = &figures.grid;
    output::note(format_args!(
        "{} with data noise {}, {weights} weights after {} steps; in nats, ± {:.0e}\n",
        figures.source, figures.data_noise, figures.step, grid.error
    ));
    let infinite = f64::INFINITY;
    for (what, value) in [
        ("KL(data‖model)", figures.kl_data_model),
        ("KL(model‖data)", figures.kl_model_data.unwrap_or(infinite)),
        ("total variation (0 to 1)", figures.total_variation),
        ("NLL of the data", figures.nll),
        ("entropy of the data", figures.data_entropy),
        ("entropy of the model", figures.model_entropy),
        ("log Z", figures.log_z),
    ] {
        output::note(format_args!("  {what:24} {value:9.4}"));
    }
    output::note(format_args!(
        "  (KL(model‖data) ± {:.0e}, total variation ± {:.0e})",
        grid.kl_model_data_error, grid.total_variation_error
    ));
    if let Some(what) = figures.kl_model_data_is {
        output::note(format_args!(
            "  KL(model‖data) is {what}: a share of {:.4}",
            figures.mass_off_data
        ));
    }
    let sample = &figures.data_sample;
    output::note(format_args!(
        "  NLL of {} fresh data samples {:.4} ± {:.4}",
        sample.count, sample.nll, sample.standard_error
    ));
    output::note(format_args!(
        "\n  {:18} {:>7} {:>7} {:>8}",
        "weight of", "data", "model", "samples"
    ));
    for mode in &figures.modes {
        let samples = mode
            .samples
            .map_or("-".to_owned(), |share| format!("{share:.4}"));
        output::note(format_args!(
            "  {:18} {:7.4} {:7.4} {samples:>8}",
            mode.name, mode.data, mode.model
        ));
    }
    let covered = figures.samples.as_ref().map_or("-".to_owned(), |samples| {
        format!("{:.2}", samples.mode_coverage)
    });
    output::note(format_args!(
        "  {:18} {:>7} {:7.2} {covered:>8}\n",
        "modes covered", "", figures.model_mode_coverage
    ));
    if let Some(samples) = figures.samples.as_ref().filter(|samples| samples.lost > 0) {
        output::note(format_args!(
            "warning: {} of {} chains ran away to values that are not finite and count for no mode",
            samples.lost, samples.count
        ));
    }
}
