//! Which raw values stand for `data.low` and `data.high`: decided once for a set, from what its values are and, where a
//! model scores them, from how its training data was scaled.

use super::loaded::Values;
use super::{DataOptions, RawRange, Shape, TrainedScaling};

/// How far values may lie outside a range, as a share of its width.
const ROUNDING: f64 = 1e-3;
/// How far resampled values overshoot their range, as a share of its width.
const OVERSHOOT: f64 = 0.125;
/// Bytes whose largest value is above this use the range of bytes.
const HALF_OF_BYTES: f64 = 127.0;
const BYTES: [f64; 2] = [0.0, 255.0];
/// A table's values are warned about that many times beyond the model's own.
const FAR: f64 = 10.0;

/// What was decided.
#[derive(Debug, PartialEq)]
pub(super) struct Decision {
    /// The raw values that stand for low and high; none where values are taken as they are.
    pub(super) raw: Option<[f32; 2]>,
    /// Why, in a few words.
    pub(super) why: &'static str,
    /// What a user should know besides.
    pub(super) note: Option<String>,
}

/// What values are, by the way they were stored.
enum Nature {
    /// Brightness from black, 0, to this white.
    Brightness(f64),
    Whole {
        bytes: bool,
    },
    Real,
}

/// A range of values, as it is written after `data.range=` and in sentences.
#[derive(Clone, Copy, PartialEq)]
struct Range([f64; 2]);

impl Range {
    fn width(self) -> f64 {
        self.0[1] - self.0[0]
    }

    /// Whether `extent` lies inside, up to a share of the width.
    fn holds(self, extent: Range, share: f64) -> bool {
        let ([low, high], [least, greatest]) = (self.0, extent.0);
        let margin = share * self.width();
        least >= low - margin && greatest <= high + margin
    }

    /// As in `data.range=[0, 16]`.
    fn flag(self) -> String {
        format!("[{}, {}]", digits(self.0[0]), digits(self.0[1]))
    }
}

/// As in a sentence: 0…16, −1…1.
impl std::fmt::Display for Range {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [low, high] = self.0.map(|end| digits(end).replace('-', "−"));
        write!(f, "{low}…{high}")
    }
}

/// Six digits at most.
fn digits(value: f64) -> String {
    let rounded = format!("{value:.5e}").parse().unwrap_or(value);
    let text = match rounded == 0.0 {
        true => "0".into(),
        false => format!("{rounded:?}"),
    };
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

/// How a range is said: "0…16 → −1…1".
pub(super) fn arrow(raw: [f32; 2], model: [f32; 2]) -> String {
    format!(
        "{} → {}",
        Range(raw.map(f64::from)),
        Range(model.map(f64::from))
    )
}

/// How values that are taken as they are are said: "−1…1 as they are".
pub(super) fn as_they_are(extent: [f32; 2]) -> String {
    format!("{} as they are", Range(extent.map(f64::from)))
}

/// Decides for `values` of samples of `shape`, the least and the greatest of which are `extent`.
///
/// # Errors
/// A sentence that says why it cannot be told, and what to set.
pub(super) fn decide(
    values: &Values,
    extent: [f64; 2],
    shape: Shape,
    options: &DataOptions,
) -> Result<Decision, String> {
    let nature = match values {
        Values::Bytes { max, .. } => Nature::Brightness(f64::from(*max)),
        Values::Words(_) => Nature::Brightness(BYTES[1]),
        Values::Whole(numbers) => Nature::Whole {
            bytes: numbers.are_bytes(),
        },
        Values::Real(_) => Nature::Real,
    };
    let case = Case {
        extent: Range(extent),
        model: Range([options.low, options.high].map(f64::from)),
    };
    match (options.range, options.trained) {
        (RawRange::Given(range), _) => case.given(range, "data.range"),
        (RawRange::Auto, None) => case.training(nature, shape.height * shape.width > 1),
        (RawRange::Auto, Some(trained)) => case.scoring(nature, trained),
    }
}

/// What is decided about: the extent of the values, and low and high.
struct Case {
    extent: Range,
    model: Range,
}

impl Case {
    fn scaled(&self, raw: [f64; 2], why: &'static str) -> Result<Decision, String> {
        Ok(Decision {
            raw: Some(raw.map(|end| end as f32)),
            why,
            note: None,
        })
    }

    fn as_is(&self, why: &'static str) -> Result<Decision, String> {
        Ok(Decision {
            raw: None,
            why,
            note: None,
        })
    }

    /// By a range that somebody gave.
    fn given(&self, range: [f32; 2], why: &'static str) -> Result<Decision, String> {
        let Case { extent, model } = *self;
        let range = Range(range.map(f64::from));
        if range == model {
            return self.as_is(why);
        }
        if range.holds(extent, ROUNDING) {
            return self.scaled(range.0, why);
        }
        Err(format!(
            "its values {extent} lie outside data.range={}: set {}",
            range.flag(),
            self.choice(&[])
        ))
    }

    fn training(&self, nature: Nature, pictures: bool) -> Result<Decision, String> {
        let Case { extent, model } = *self;
        let bytes = Range(BYTES);
        let are_bytes = bytes.holds(extent, 0.0) && extent.0[1] > HALF_OF_BYTES;
        match nature {
            Nature::Brightness(white) => self.scaled([0.0, white], "black to white"),
            Nature::Whole { bytes: true } if are_bytes => self.scaled(BYTES, "bytes"),
            Nature::Whole { .. } => Err(format!(
                "its whole numbers {extent} have no scale of their own: set {}",
                self.choice(&[bytes])
            )),
            Nature::Real if !pictures => Ok(Decision {
                note: self.far_off(),
                ..self.as_is("numbers; data.range scales them")?
            }),
            Nature::Real if model.holds(extent, 0.0) => Ok(Decision {
                note: (!extent.holds(model, OVERSHOOT)).then(|| {
                    format!(
                        "they use a part of {model}; to scale them: data.range={}",
                        self.guess().flag()
                    )
                }),
                ..self.as_is("within data.low…data.high")?
            }),
            Nature::Real if are_bytes => self.scaled(BYTES, "as large as bytes"),
            Nature::Real => Err(format!(
                "its values {extent} are neither the model's own {model} nor bytes 0…255: set {}",
                self.choice(&[bytes])
            )),
        }
    }

    fn scoring(&self, nature: Nature, trained: TrainedScaling) -> Result<Decision, String> {
        let Case { extent, model } = *self;
        let raw = trained.scaling.raw.map(|raw| Range(raw.map(f64::from)));
        let raw = raw.filter(|raw| *raw != model);
        match (nature, raw) {
            (Nature::Brightness(white), _) => match trained.range {
                RawRange::Given(range) => self.given(range, "data.range of the run"),
                RawRange::Auto if raw.is_some() || model == Range([0.0, white]) => {
                    self.scaled([0.0, white], "black to white")
                }
                RawRange::Auto => Err(format!(
                    "the model took its data as it was, so that black and white have no values of their own: \
                     set data.range=[0, {}] for black at {} and white at {}",
                    digits(white),
                    digits(model.0[0]),
                    digits(model.0[1]),
                )),
            },
            (Nature::Whole { bytes: true }, None)
                if extent.0[1] > HALF_OF_BYTES && model != Range(BYTES) =>
            {
                Err(format!(
                    "the model took its data as it was, and these are bytes {extent}: set {}",
                    self.choice(&[Range(BYTES)])
                ))
            }
            (Nature::Whole { .. } | Nature::Real, None) => self.as_is("as the training data was"),
            (Nature::Whole { .. }, Some(raw)) if raw.holds(extent, ROUNDING) => {
                self.scaled(raw.0, "whole numbers, as in training")
            }
            (Nature::Whole { .. }, Some(raw)) => Err(format!(
                "its whole numbers {extent} lie outside {raw}, the raw values of the training data: set {}",
                self.choice(&[raw, Range(BYTES)])
            )),
            (Nature::Real, Some(raw)) => self.real(raw),
        }
    }

    /// Numbers that may be raw or the model's own values.
    fn real(&self, raw: Range) -> Result<Decision, String> {
        let Case { extent, model } = *self;
        let (is_raw, is_model) = (raw.holds(extent, ROUNDING), model.holds(extent, ROUNDING));
        // Beyond what the model's samples reach.
        let reach = Range([model.0[0] - model.width(), model.0[1] + model.width()]);
        let wide = raw.0[0] >= 0.0 && raw.0[1] > reach.0[1];
        let own = "the model's own values";
        if raw.0[0] >= 0.0 && extent.0[0] < -ROUNDING * raw.width() {
            // Raw values have no signs, unless resampling let them overshoot.
            let overshoots = raw.holds(extent, OVERSHOOT) && extent.0[1] > raw.0[1] / 2.0;
            if !overshoots {
                return self.as_is(own);
            }
        } else if is_model && !is_raw {
            return self.as_is(own);
        } else if is_model && model.0[0] >= 0.0 && wide {
            // Raw values would be all but black.
            return self.as_is(own);
        } else if is_raw && !reach.holds(extent, 0.0) {
            return self.scaled(raw.0, "as in training");
        }
        let (are, or) = match is_raw || is_model {
            true => ("could be", "or"),
            false => ("are neither", "nor"),
        };
        Err(format!(
            "its values {extent} {are} raw, as the training data's {raw}, {or} the model's own {model}: set {}",
            self.choice(&[raw])
        ))
    }

    /// A warning where a table's columns look unscaled.
    fn far_off(&self) -> Option<String> {
        let largest = |range: Range| range.0[0].abs().max(range.0[1].abs());
        let (reached, own) = (largest(self.extent), largest(self.model));
        (reached > FAR * own).then(|| {
            format!(
                "warning: values reach {}, far from the {} that networks and samplers expect: scale the columns, or set \
                 data.range={}",
                digits(reached),
                self.model,
                self.guess().flag()
            )
        })
    }

    /// The range that these values probably have.
    fn guess(&self) -> Range {
        let [least, greatest] = self.extent.0;
        match least {
            0.0..=1.0 if greatest <= 1.0 => Range([0.0, 1.0]),
            0.0.. if least < greatest / 2.0 => Range([0.0, greatest]),
            _ => Range([least, greatest]),
        }
    }

    /// The ranges that somebody could mean: these values' own, `others` that hold them, and the model's.
    fn choice(&self, others: &[Range]) -> String {
        let Case { extent, model } = *self;
        let mut choices: Vec<(Range, String)> = Vec::new();
        let guess = self.guess();
        if guess.width() > 0.0 && guess != model {
            choices.push((guess, format!("to scale them to {model}")));
        }
        for &other in others {
            let fits = other.holds(extent, 0.0) && other != model;
            if fits && choices.iter().all(|(known, _)| *known != other) {
                let meant = match other == Range(BYTES) {
                    true if extent.0[1] <= HALF_OF_BYTES => {
                        "if they are bytes that are dark".to_owned()
                    }
                    true => "if they are bytes".to_owned(),
                    false => "if they are raw as the training data was".to_owned(),
                };
                choices.push((other, meant));
            }
        }
        choices.push((model, "to take them as they are".into()));
        let said: Vec<String> = choices
            .iter()
            .enumerate()
            .map(|(index, (range, meant))| {
                let key = if index == 0 { "data.range=" } else { "" };
                format!("{key}{} {meant}", range.flag())
            })
            .collect();
        crate::words::choice(&said)
    }
}
