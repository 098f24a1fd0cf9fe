//! How data is asked for: the options of [`open`](super::open), and the values of those that are no plain numbers.

use super::{DataError, Scaling};
use crate::shape::Shape;
use crate::words::words;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The word for what is decided by looking at the data.
const AUTO: &str = "auto";

/// Which data to open, and how to read and scale it.
#[derive(Clone, Debug, PartialEq)]
pub struct DataOptions {
    /// The name of a [`Source`](super::Source).
    pub source: String,
    /// File or folder, for the sources that are read from one; empty for the others.
    pub path: String,
    /// Which raw values stand for `low` and `high`.
    pub range: RawRange,
    /// The order of the axes of arrays.
    pub layout: Layout,
    /// How many channels pictures are read with.
    pub channels: Channels,
    /// What transparent pictures are seen over.
    pub background: Colour,
    /// The model value of the lowest raw value.
    pub low: f32,
    /// The model value of the highest raw value.
    pub high: f32,
    /// Keep only the first `limit` samples; 0 for all. Makes a finite set of a generated one.
    pub limit: usize,
    /// The share of a finite set, after `limit`, that is kept from training, 0 or above and below 1; 0 keeps nothing back. Generated
    /// sets do not read it.
    pub held_out: f32,
    /// The shape of the samples of the model that will score them; none in training.
    pub scored_by: Option<Shape>,
    /// How that model's training data was scaled; none in training.
    pub trained: Option<TrainedScaling>,
}

/// How the training data of a model was scaled.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TrainedScaling {
    pub scaling: Scaling,
    /// `data.range` of its run, where that says how this data is to be read.
    pub range: RawRange,
}

impl DataOptions {
    /// Refuses samples of `found` where a model that takes others will score them.
    pub(super) fn takes(&self, found: Shape) -> Result<(), DataError> {
        match self.scored_by {
            Some(wanted) if wanted != found => Err(DataError::OtherShape { found, wanted }),
            _ => Ok(()),
        }
    }

    /// How many samples a loader has to read at most.
    pub(super) fn most(&self) -> usize {
        match self.limit {
            0 => usize::MAX,
            limit => limit,
        }
    }
}

/// `data.range`: which raw values stand for `data.low` and `data.high`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "toml::Value", into = "toml::Value")]
pub enum RawRange {
    /// What the data itself or the model that scores it says.
    #[default]
    Auto,
    /// The lowest and the highest raw value.
    Given([f32; 2]),
}

impl TryFrom<toml::Value> for RawRange {
    type Error = &'static str;

    fn try_from(value: toml::Value) -> Result<Self, Self::Error> {
        let number = |value: &toml::Value| match value {
            toml::Value::Integer(whole) => Some(*whole as f32),
            toml::Value::Float(number) => Some(*number as f32),
            _ => None,
        };
        let numbers = match &value {
            toml::Value::String(word) if word == AUTO => return Ok(RawRange::Auto),
            toml::Value::Array(items) => items.iter().map(number).collect::<Option<Vec<f32>>>(),
            _ => None,
        };
        match numbers.as_deref() {
            Some(&[low, high]) => Ok(RawRange::Given([low, high])),
            _ => Err("a range that is neither two numbers nor auto"),
        }
    }
}

impl From<RawRange> for toml::Value {
    fn from(range: RawRange) -> Self {
        match range {
            RawRange::Auto => AUTO.into(),
            RawRange::Given(ends) => ends.map(f64::from).to_vec().into(),
        }
    }
}

/// As in a configuration, with the fewest digits that read back to the same numbers.
impl fmt::Display for RawRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RawRange::Auto => write!(f, "{AUTO:?}"),
            RawRange::Given(ends) => write!(f, "{ends:?}"),
        }
    }
}

words! {
    /// `data.layout`: the order of the axes of an array of pictures.
    #[derive(Default)]
    pub enum Layout {
        /// Told by the sizes of the axes.
        #[default]
        Auto = "auto",
        /// Samples, channels, height, width.
        Nchw = "nchw",
        /// Samples, height, width, channels.
        Nhwc = "nhwc",
    }
}

/// `data.channels`: how many channels pictures are read with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "toml::Value", into = "toml::Value")]
pub enum Channels {
    /// As many as the model that scores them has; in training one where all pictures are grey, else three.
    #[default]
    Auto,
    /// One: the brightness.
    Grey,
    /// Three: red, green and blue.
    Colour,
}

impl TryFrom<toml::Value> for Channels {
    type Error = &'static str;

    fn try_from(value: toml::Value) -> Result<Self, Self::Error> {
        match value {
            toml::Value::Integer(1) => Ok(Channels::Grey),
            toml::Value::Integer(3) => Ok(Channels::Colour),
            toml::Value::String(word) if word == AUTO => Ok(Channels::Auto),
            _ => Err("a number of channels that is neither 1 nor 3 nor auto"),
        }
    }
}

impl From<Channels> for toml::Value {
    fn from(channels: Channels) -> Self {
        match channels {
            Channels::Auto => AUTO.into(),
            Channels::Grey => 1.into(),
            Channels::Colour => 3.into(),
        }
    }
}

/// `data.background`: a colour of eight bits a channel, written `#rrggbb` in hexadecimal digits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Colour(pub [u8; 3]);

impl TryFrom<String> for Colour {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let digits = text
            .strip_prefix('#')
            .filter(|digits| digits.len() == 6 && digits.bytes().all(|b| b.is_ascii_hexdigit()));
        let value = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
        let [_, rgb @ ..] = value
            .ok_or("a colour that is not written #rrggbb")?
            .to_be_bytes();
        Ok(Colour(rgb))
    }
}

impl From<Colour> for String {
    fn from(colour: Colour) -> Self {
        colour.to_string()
    }
}

impl fmt::Display for Colour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Colour([red, green, blue]) = self;
        write!(f, "#{red:02x}{green:02x}{blue:02x}")
    }
}
