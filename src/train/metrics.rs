use crate::kernels::metrics;
use crate::method::RatioMetrics;
use serde::{Deserialize, Deserializer, Serialize, de};

/// A metric drawn over the steps.
pub(crate) struct Curve {
    /// What lines of `metrics.jsonl` call it.
    pub(crate) name: &'static str,
    /// Place of its panel among the panels, which those with the same title share.
    pub(crate) place: usize,
    pub(crate) title: &'static str,
    pub(crate) label: &'static str,
    pub(crate) log_scale: bool,
    pub(super) value: fn(&MetricsRow) -> f32,
}

impl Curve {
    /// Its value in a row.
    pub(crate) fn of(&self, row: &MetricsRow) -> f32 {
        (self.value)(row)
    }
}

/// A figure that JSON may have as null, which is what is not finite.
trait Figure: Sized {
    const OF_NULL: Option<Self>;
}

impl Figure for f32 {
    const OF_NULL: Option<Self> = Some(f32::NAN);
}

/// Where there need not be one.
impl Figure for Option<f32> {
    const OF_NULL: Option<Self> = Some(None);
}

impl Figure for u32 {
    const OF_NULL: Option<Self> = None;
}

impl Figure for u64 {
    const OF_NULL: Option<Self> = None;
}

fn figure<'de, D: Deserializer<'de>, F: Deserialize<'de> + Figure>(from: D) -> Result<F, D::Error> {
    let found = Option::deserialize(from)?.or(F::OF_NULL);
    found.ok_or_else(|| de::Error::custom("null where a number is always finite"))
}

macro_rules! row {
    (
        shown { $($(#[doc = $doc:literal])* $name:ident: $type:ty $(=> $curve:tt)?;)* }
        hidden $hidden:tt
    ) => {
        row! {
            before {
                /// Optimiser step, counted from 0.
                step: u64;
                /// Steps since the snapshot, or the newest of a mixture, was taken: 0 right after a refresh. Fixed noise
                /// is as old as the run; a moving average never older than 0.
                snapshot_age: u64;
            }
            gpu { $($(#[doc = $doc])* $name: $type $(=> $curve)?;)* }
            after {
                /// The optimiser's rate in this step.
                learning_rate: f32 => (7, "learning rate", "rate", true);
                /// Energy-gradient evaluations spent on sampling so far.
                gradient_evaluations: u64;
                /// The sampler's step size, adapted or not.
                step_size: f32;
                /// Mean Metropolis acceptance of the step's chains at that step size; 1 for samplers without a test.
                acceptance: f32;
                /// Energy distance of chains from data (`run.figure_every`); null in steps without one.
                data_distance: Option<f32>;
                /// Data samples a second, over the last few steps; 0 until it is known.
                samples_per_second: f32;
            }
        }
    };
    (
        before { $($(#[doc = $before_doc:literal])* $before:ident: $before_type:ty;)* }
        gpu { $($(#[doc = $gpu_doc:literal])* $gpu:ident: $gpu_type:ty $(=> $gpu_curve:tt)?;)* }
        after { $($(#[doc = $after_doc:literal])* $after:ident: $after_type:ty $(=> $after_curve:tt)?;)* }
    ) => {
        /// One line of `metrics.jsonl`.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
        #[serde(default)]
        pub struct MetricsRow {
            $($(#[doc = $before_doc])* #[serde(deserialize_with = "figure")] pub $before: $before_type,)*
            $($(#[doc = $gpu_doc])* #[serde(deserialize_with = "figure")] pub $gpu: $gpu_type,)*
            $($(#[doc = $after_doc])* #[serde(deserialize_with = "figure")] pub $after: $after_type,)*
        }

        impl MetricsRow {
            /// What the GPU says of `step`; the rest is still to come.
            pub(super) fn new(metrics: &RatioMetrics, step: u64) -> Self {
                MetricsRow {
                    step,
                    snapshot_age: metrics.age as u64,
                    $($gpu: metrics.$gpu as $gpu_type,)*
                    ..Default::default()
                }
            }
        }

        /// Every metric that has a curve.
        pub(crate) static CURVES: &[Curve] = &[
            $($(curve!($gpu $gpu_curve),)?)*
            $($(curve!($after $after_curve),)?)*
        ];

        /// Every metric with its description.
        #[cfg(test)]
        const DESCRIBED: &[(&str, &str)] = &[
            $((stringify!($before), concat!($($before_doc),*)),)*
            $((stringify!($gpu), concat!($($gpu_doc),*)),)*
            $((stringify!($after), concat!($($after_doc),*)),)*
        ];
    };
}

macro_rules! curve {
    ($name:ident ($place:literal, $title:literal, $label:literal, $log_scale:literal)) => {
        Curve {
            name: stringify!($name),
            place: $place,
            title: $title,
            label: $label,
            log_scale: $log_scale,
            value: |row| row.$name as f32,
        }
    };
}

metrics!(row);

impl MetricsRow {
    /// The name of the first value that shows the run has diverged.
    pub fn not_finite(&self, lost: f32) -> Option<&'static str> {
        if lost > 0.0 || !self.energy_data.is_finite() || !self.energy_noise.is_finite() {
            return Some("an energy");
        }
        if !self.loss.is_finite() {
            return Some("the loss");
        }
        (!self.gradient_norm.is_finite()).then_some("the gradient")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// After a resume the watch over divergences sees no healthy 0 where there was nothing finite.
    #[test]
    fn figures_that_are_not_finite_come_back_as_such() {
        let row = MetricsRow {
            step: 7,
            loss: 0.1,
            noise_scale: f32::INFINITY,
            ess: f32::NAN,
            ..Default::default()
        };
        let text = serde_json::to_string(&row).expect("is JSON");
        let back: MetricsRow = serde_json::from_str(&text).expect("is a row");
        assert!(back.noise_scale.is_nan() && back.ess.is_nan(), "{back:?}");
        let finite = |row: MetricsRow| MetricsRow {
            noise_scale: 0.0,
            ess: 0.0,
            ..row
        };
        assert_eq!(finite(back), finite(row));
        let without = text.replace("\"step\":7", "\"step\":null");
        serde_json::from_str::<MetricsRow>(&without).expect_err("steps are whole numbers");
        // Lines of earlier versions lack some.
        serde_json::from_str::<MetricsRow>("{\"step\":1}").expect("is a row");
    }

    #[test]
    fn the_documentation_lists_every_metric_in_its_words() {
        let table: String = DESCRIBED
            .iter()
            .map(|(name, text)| format!("| `{name}` | {} |\n", text.trim()))
            .collect();
        let documentation = include_str!("../../docs/training.md");
        let (_, rest) = documentation
            .split_once("| metric | |\n|---|---|\n")
            .expect("has the table");
        let (listed, _) = rest.split_once("\n\n").expect("ends");
        assert_eq!(
            format!("{listed}\n"),
            table,
            "the table in docs/training.md"
        );
    }
}
