//! Which raw values stand for `data.low` and `data.high`: decided once for a set, from what its values are and, where a
//! model scores them, from how its training data was scaled.

use super::loaded::Values;
use super::{DataOptions, RawRange, Scaling, Shape};

/// How far values may lie outside a range, as a share of its width.
const ROUNDING: f64 = 1e-3;
/// How far resampled values overshoot their range, as a share of its width.
const OVERSHOOT: f64 = 0.125;
/// How far beyond low and high a model's own values reach, in widths of that range: its samples stay within.
const REACH: f64 = 1.0;
/// How far beyond, in such widths, a model's own values are warned about.
const FAR_OWN: f64 = 3.0;
/// Values in training are warned about that many times beyond low and high.
const FAR: f64 = 10.0;
/// Bytes whose largest value is above this use the range of bytes.
const HALF_OF_BYTES: f64 = 127.0;
const BYTES: [f64; 2] = [0.0, 255.0];
const TRUTH: [f64; 2] = [0.0, 1.0];
/// When a choice of the training data's raw range is right.
const RAW: &str = "if they are raw as the training data was";

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
#[derive(Clone, Copy)]
enum Nature {
    /// Brightness from black, 0, to this white.
    Brightness(f64),
    Truth,
    Whole {
        bytes: bool,
    },
    Real,
}

impl Nature {
    /// As in "its … 0…16".
    fn in_words(self) -> &'static str {
        match self {
            Nature::Truth => "truth values",
            Nature::Whole { .. } => "whole numbers",
            Nature::Brightness(_) | Nature::Real => "values",
        }
    }
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

    /// The least range that holds both.
    fn with(self, other: Range) -> Range {
        Range([self.0[0].min(other.0[0]), self.0[1].max(other.0[1])])
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
        Values::Truth(_) => Nature::Truth,
        Values::Whole(numbers) => Nature::Whole {
            bytes: numbers.are_bytes(),
        },
        Values::Real(_) => Nature::Real,
    };
    let case = Case {
        nature,
        pictures: shape.height * shape.width > 1,
        extent: Range(extent),
        model: Range([options.low, options.high].map(f64::from)),
    };
    match (options.range, options.trained) {
        (RawRange::Given(range), _) => case.given(range, "", "data.range"),
        (RawRange::Auto, None) => case.training(),
        (RawRange::Auto, Some(trained)) => match trained.range {
            RawRange::Given(range) => case.given(range, "the run's ", "data.range of the run"),
            RawRange::Auto => case.scoring(trained.scaling),
        },
    }
}

/// What is decided about: values, their extent, and low and high.
struct Case {
    nature: Nature,
    /// Whether samples have rows or columns.
    pictures: bool,
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

    /// As they are, with a note where somebody should look at them again.
    fn as_is_with(&self, why: &'static str, note: Option<String>) -> Result<Decision, String> {
        Ok(Decision {
            note,
            ..self.as_is(why)?
        })
    }

    /// By a range that was given, by whom is in `whose`.
    fn given(&self, range: [f32; 2], whose: &str, why: &'static str) -> Result<Decision, String> {
        let Case {
            nature,
            extent,
            model,
            ..
        } = *self;
        let range = Range(range.map(f64::from));
        let where_to = match range == model {
            true if self.has_a_scale_of_its_own() => "far outside",
            true => return self.as_is_with(why, self.far_off()),
            false if range.holds(extent, ROUNDING) => return self.scaled(range.0, why),
            false => "outside",
        };
        Err(format!(
            "its {} {extent} lie {where_to} {whose}data.range={}: set {}",
            nature.in_words(),
            range.flag(),
            self.choice(&[])
        ))
    }

    fn training(&self) -> Result<Decision, String> {
        let Case {
            nature,
            pictures,
            extent,
            model,
        } = *self;
        let are_bytes = Range(BYTES).holds(extent, 0.0) && extent.0[1] > HALF_OF_BYTES;
        match nature {
            Nature::Brightness(white) => self.scaled([0.0, white], "black to white"),
            Nature::Whole { bytes: true } if are_bytes => self.scaled(BYTES, "bytes"),
            Nature::Truth => Err(format!(
                "its truth values have no scale of their own: set {}",
                self.choice(&[])
            )),
            Nature::Whole { .. } => Err(format!(
                "its whole numbers {extent} have no scale of their own: set {}",
                self.choice(&[self.bytes()])
            )),
            Nature::Real if !pictures => {
                self.as_is_with("numbers; data.range scales them", self.far_off())
            }
            Nature::Real if model.holds(extent, 0.0) => self.as_is_with(
                "within data.low…data.high",
                (!extent.holds(model, OVERSHOOT)).then(|| {
                    format!(
                        "they use a part of {model}; to scale them: data.range={}",
                        self.guess().flag()
                    )
                }),
            ),
            Nature::Real if are_bytes => self.scaled(BYTES, "as large as bytes"),
            Nature::Real => Err(format!(
                "its values {extent} are neither the model's own {model} nor bytes 0…255: set {}",
                self.choice(&[self.bytes()])
            )),
        }
    }

    /// As the model scores that was trained by `scaling`.
    fn scoring(&self, scaling: Scaling) -> Result<Decision, String> {
        let Case {
            nature,
            pictures,
            extent,
            model,
        } = *self;
        let raw = scaling.raw.map(|raw| Range(raw.map(f64::from)));
        let raw = raw.filter(|raw| *raw != model);
        match (nature, raw) {
            (Nature::Brightness(white), raw) if raw.is_some() || model == Range([0.0, white]) => {
                self.scaled([0.0, white], "black to white")
            }
            (Nature::Brightness(white), _) => Err(format!(
                "the model took its data as it was, so that black and white have no values of their own: \
                 set data.range=[0, {}] for black at {} and white at {}",
                digits(white),
                digits(model.0[0]),
                digits(model.0[1]),
            )),
            (Nature::Truth, raw)
                if (raw.is_some() || pictures) && raw.unwrap_or(model) != Range(TRUTH) =>
            {
                Err(format!(
                    "its truth values have no scale of their own: set {}",
                    self.choice(&[])
                ))
            }
            (Nature::Truth | Nature::Whole { .. }, Some(raw)) if raw.holds(extent, ROUNDING) => {
                self.scaled(raw.0, "whole numbers, as in training")
            }
            (Nature::Truth | Nature::Whole { .. }, Some(raw)) => Err(format!(
                "its whole numbers {extent} lie outside {raw}, the raw values of the training data: set {}",
                self.choice(&[(raw, RAW), self.bytes()])
            )),
            (Nature::Real, Some(raw)) => self.real(raw),
            (_, None) => self.unscaled(Range([scaling.low, scaling.high].map(f64::from))),
        }
    }

    /// By a model that took its training data, which reached over `trained`, as it was.
    fn unscaled(&self, trained: Range) -> Result<Decision, String> {
        let Case {
            nature,
            pictures,
            extent,
            model,
        } = *self;
        let is_own = model.holds(extent, REACH) || trained.holds(extent, ROUNDING);
        let has_signs = matches!(nature, Nature::Real) && extent.0[0] < 0.0;
        let are_bytes =
            matches!(nature, Nature::Whole { bytes: true }) && extent.0[1] > HALF_OF_BYTES;
        if !is_own && !has_signs && (pictures || are_bytes) {
            return Err(format!(
                "the model took its data as it was, {trained}, and these are {} {extent}: set {}",
                nature.in_words(),
                self.choice(&[self.bytes()])
            ));
        }
        self.as_is_with(
            "as the training data was",
            self.far_from(model.with(trained)),
        )
    }

    /// Numbers that may be raw or the model's own values.
    fn real(&self, raw: Range) -> Result<Decision, String> {
        let Case { extent, model, .. } = *self;
        let (is_raw, is_model) = (raw.holds(extent, ROUNDING), model.holds(extent, ROUNDING));
        let wide = raw.0[0] >= 0.0 && raw.0[1] > model.0[1] + REACH * model.width();
        let own = || self.as_is_with("the model's own values", self.far_from(model));
        // Raw values have no signs, but for those that rounding to f32 leaves.
        if raw.0[0] >= 0.0 && extent.0[0] < -f64::from(f32::EPSILON) * raw.0[1] {
            // What was resampled overshoots, and is neither.
            let overshoots = raw.holds(extent, OVERSHOOT) && extent.0[1] > raw.0[1] / 2.0;
            if !overshoots {
                return own();
            }
        } else if is_model && !is_raw {
            return own();
        } else if is_model && model.0[0] >= 0.0 && wide {
            // Raw values would be all but black.
            return own();
        } else if is_raw && !model.holds(extent, REACH) {
            return self.scaled(raw.0, "as in training");
        }
        let (are, or) = match is_raw || is_model {
            true => ("could be", "or"),
            false => ("are neither", "nor"),
        };
        Err(format!(
            "its values {extent} {are} raw, as the training data's {raw}, {or} the model's own {model}: set {}",
            self.choice(&[(raw, RAW)])
        ))
    }

    /// Whether these are counts on a scale, of a byte or a picture, that low and high do not come near.
    fn has_a_scale_of_its_own(&self) -> bool {
        let counts = match self.nature {
            Nature::Brightness(_) | Nature::Truth => true,
            Nature::Whole { bytes } => bytes || self.pictures,
            Nature::Real => false,
        };
        counts && !self.model.holds(self.extent, REACH)
    }

    /// A warning where values that will be learned look unscaled.
    fn far_off(&self) -> Option<String> {
        let largest = |range: Range| range.0[0].abs().max(range.0[1].abs());
        let (reached, own) = (largest(self.extent), largest(self.model));
        (reached > FAR * own).then(|| {
            format!(
                "warning: values reach {}, far from the {} that networks and samplers expect: scale them, or set \
                 data.range={}",
                digits(reached),
                self.model,
                self.guess().flag()
            )
        })
    }

    /// A warning where a model's own values lie far from `near`, where those it knows do.
    fn far_from(&self, near: Range) -> Option<String> {
        (!near.holds(self.extent, FAR_OWN)).then(|| {
            format!(
                "warning: values {} lie far from {near}, what the model knows: scale them as its training data was, or \
                 set data.range={}",
                self.extent,
                self.guess().flag()
            )
        })
    }

    /// The range that these values probably have.
    fn guess(&self) -> Range {
        let [least, greatest] = self.extent.0;
        if let Nature::Brightness(white) = self.nature {
            return Range([0.0, white]);
        }
        match least {
            0.0..=1.0 if greatest <= 1.0 => Range([0.0, 1.0]),
            0.0.. if least < greatest / 2.0 => Range([0.0, greatest]),
            _ if least == greatest => Range([least.min(0.0), greatest.max(0.0)]),
            _ => Range([least, greatest]),
        }
    }

    /// The range of bytes, and when it is the right choice.
    fn bytes(&self) -> (Range, &'static str) {
        let meant = match self.extent.0[1] <= HALF_OF_BYTES {
            true => "if they are bytes that are dark",
            false => "if they are bytes",
        };
        (Range(BYTES), meant)
    }

    /// The ranges that somebody could mean: these values' own, those of `others` that hold them, and the model's.
    fn choice(&self, others: &[(Range, &'static str)]) -> String {
        let Case { extent, model, .. } = *self;
        let mut choices: Vec<(Range, String)> = Vec::new();
        let guess = self.guess();
        if guess.width() > 0.0 && guess != model {
            let meant = match others.iter().find(|(other, _)| *other == guess) {
                Some((_, meant)) => (*meant).to_owned(),
                None => format!("to scale them to {model}"),
            };
            choices.push((guess, meant));
        }
        for &(other, meant) in others {
            let fits = other.holds(extent, 0.0) && other != model;
            if fits && choices.iter().all(|(known, _)| *known != other) {
                choices.push((other, meant.to_owned()));
            }
        }
        if !self.has_a_scale_of_its_own() {
            choices.push((model, "to take them as they are".into()));
        }
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
