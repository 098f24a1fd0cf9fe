use std::mem::offset_of;

/// The list of metrics that the GPU leaves behind after a step, handed to the macro `$then`: what each is, what it is
/// called everywhere, and how a line of `metrics.jsonl` has it. A shader finds each under its name in `metrics`, whose
/// layout is the order here. Where a metric has a curve, (place of its panel, title, label, whether on a logarithmic
/// scale) follow; metrics with one title share a panel.
///
/// `hidden` ones are in no line.
macro_rules! metrics {
    ($then:ident) => {
        $then! {
            shown {
                /// The loss, without the penalty on the squared energies.
                loss: f32 => (0, "loss", "loss", false);
                /// That penalty: `objective.energy_l2` times the sum of both mean squared energies.
                energy_l2: f32;
                /// Mean energy of the data.
                energy_data: f32 => (1, "energy", "data", false);
                /// Mean energy of the noise.
                energy_noise: f32 => (1, "energy", "noise", false);
                /// Share of samples that the log-ratio puts on their side; ties count half. In ranking the share of
                /// pairs of a datum and one of its negatives that are in the right order; ½ in contrastive divergence,
                /// which does not tell them apart.
                nce_accuracy: f32 => (2, "NCE accuracy", "accuracy", false);
                /// Standard deviation of the log-ratio E_φ − E_θ + c.
                log_ratio_spread: f32 => (3, "log-ratio spread", "spread", false);
                /// The log-normaliser difference c that was used.
                normaliser: f32;
                /// Samples whose log-ratio was clamped; 0 for bounded generators.
                clamped: u32 => (5, "clamped samples", "clamped", false);
                /// Effective sample size of the weights ω = exp(E_φ − E_θ) over the noise as a share of their number n:
                /// (Σω)² / (n Σω²), from 1/n to 1 (Kong, Liu & Wong 1994).
                ess: f32 => (4, "effective sample size of the noise, share", "share", false);
                /// Root mean square of the noise's values over that of the data's, of the first 2¹⁸ of each; 0 where all data are 0.
                noise_scale: f32;
                /// Global norm of the parameter gradient, before clipping.
                gradient_norm: f32 => (6, "gradient norm", "norm", true);
            }
            hidden {
                /// ∂loss/∂c.
                normaliser_gradient;
                /// Samples whose energy is not finite.
                lost;
                /// Optimiser steps since the snapshot was taken, where the GPU decides when.
                age;
                /// As `ess`, but after the step's update, where the GPU decides by it whether the noise can be used again.
                ess_after;
                /// Passes of the chains so far, where the GPU decides when: the low and the high 16 bits, which f32 holds exactly.
                passes_low;
                passes_high;
            }
        }
    };
}
pub(crate) use metrics;

macro_rules! buffer {
    (
        shown { $($(#[$doc:meta])* $name:ident: $type:ty $(=> $curve:tt)?;)* }
        hidden { $($(#[$hidden_doc:meta])* $hidden:ident;)* }
    ) => {
        /// What a head and the gradient's norm leave in the metrics buffer, in that order.
        #[derive(Clone, Copy, Debug, Default, PartialEq)]
        #[repr(C)]
        pub struct RatioMetrics {
            $($(#[$doc])* pub $name: f32,)*
            $($(#[$hidden_doc])* pub $hidden: f32,)*
        }

        /// The same to shaders.
        pub(super) const METRICS_STRUCT: &str = concat!(
            "struct Metrics {\n",
            $("    ", stringify!($name), ": f32,\n",)*
            $("    ", stringify!($hidden), ": f32,\n",)*
            "}\n"
        );

        impl RatioMetrics {
            /// Reads the metrics buffer.
            pub fn from_words(words: &[u32]) -> Self {
                let mut words = words.iter();
                let mut next = || words.next().map_or(f32::NAN, |&word| f32::from_bits(word));
                // Fields are evaluated in the order in which they are written.
                RatioMetrics { $($name: next(),)* $($hidden: next(),)* }
            }
        }
    };
}
metrics!(buffer);

/// Words of the metrics buffer.
pub const METRIC_WORDS: usize = size_of::<RatioMetrics>() / size_of::<f32>();

impl RatioMetrics {
    /// Passes of the chains so far, where the GPU decides when.
    pub(crate) fn passes(&self) -> u64 {
        self.passes_high as u64 * 65_536 + self.passes_low as u64
    }

    /// The word of the gradient's norm, which the optimiser writes.
    pub const NORM_PLACE: usize = offset_of!(RatioMetrics, gradient_norm) / size_of::<f32>();
}
