//! What the configuration's keys are called, what they hold and what they mean, read off the structs themselves.
//!
//! The structs of [`super`] are written inside [`documented!`], which keeps each field's name and doc comment at hand,
//! so that the checks of a file, the suggestions in messages and the comments of a printed configuration cannot drift
//! from the structs.

use super::{Config, Interval};
use crate::data::{Channels, Colour, RawRange};
use crate::network::LayerSpec;
use crate::words::Word;
use toml::Value;

/// Declares a struct of fields with a default each, and implements [`Default`] and [`Describe`] for it from them and their
/// doc comments.
macro_rules! documented {
    (
        $(#[doc = $about:literal])*
        #[derive $derive:tt]
        #[serde $serde:tt]
        pub struct $name:ident {
            $(
                $(#[doc = $doc:literal])*
                $(#[serde $field_serde:tt])?
                pub $field:ident: $type:ty = $default:expr,
            )*
        }
    ) => {
        $(#[doc = $about])*
        #[derive $derive]
        #[serde $serde]
        pub struct $name {
            $(
                $(#[doc = $doc])*
                $(#[serde $field_serde])?
                pub $field: $type,
            )*
        }

        impl Default for $name {
            fn default() -> Self {
                $name {
                    $($field: $default,)*
                }
            }
        }

        impl $crate::config::keys::Describe for $name {
            const ABOUT: &'static [&'static str] = &[$($about),*];

            fn keys(&self) -> Vec<$crate::config::keys::Key> {
                vec![$($crate::config::keys::Key {
                    name: stringify!($field),
                    doc: &[$($doc),*],
                    kind: <$type as $crate::config::keys::Setting>::KIND,
                    literal: $crate::config::keys::Setting::literal(&self.$field),
                }),*]
            }
        }
    };
}
pub(super) use documented;

/// A struct that is one section of the configuration.
pub(super) trait Describe {
    /// The lines of the struct's doc comment, as the compiler keeps them (with a leading space).
    const ABOUT: &'static [&'static str];

    /// The struct's fields, in the order of their declaration.
    fn keys(&self) -> Vec<Key>;
}

/// One key of a section.
pub(super) struct Key {
    pub name: &'static str,
    /// The lines of the field's doc comment.
    pub doc: &'static [&'static str],
    pub kind: ValueKind,
    /// The value as TOML text; `None` for an optional key that is absent.
    pub literal: Option<String>,
}

/// One section of the configuration.
pub(super) struct Section {
    pub name: &'static str,
    /// The lines of the section's doc comment.
    pub about: &'static [&'static str],
    pub keys: Vec<Key>,
}

impl Section {
    fn new<S: Describe>(name: &'static str, values: &S) -> Self {
        Section {
            name,
            about: S::ABOUT,
            keys: values.keys(),
        }
    }

    /// The key called `name`, if there is one.
    pub(crate) fn key(&self, name: &str) -> Option<&Key> {
        self.keys.iter().find(|key| key.name == name)
    }
}

/// Every section of `config`, in the order of its fields.
pub(super) fn sections(config: &Config) -> Vec<Section> {
    macro_rules! all {
        ($($section:ident),*) => {{
            // No `..`: a section added to the struct and forgotten here does not compile.
            let Config { $($section),* } = config;
            vec![$(Section::new(stringify!($section), $section)),*]
        }};
    }
    all!(data, network, objective, snapshot, sampler, optimiser, run)
}

/// The value of the key called `path`, `section.key`, as TOML text; none where it is absent.
pub(super) fn literal(sections: &[Section], path: &str) -> Option<String> {
    let (section, key) = path.split_once('.')?;
    let section = sections.iter().find(|known| known.name == section)?;
    section.key(key)?.literal.clone()
}

/// The word for a value that nobody chooses.
pub(super) const AUTO: &str = "auto";

/// The keys that follow from others, unless they are chosen: they may be [`AUTO`]. What others follow from is not among
/// them, such as the objective, the kinds of snapshot, sampler and chains, the temperature and the length of the run.
#[rustfmt::skip]
const FOLLOW: &[&str] = &[
    "data.noise_start",
    "network.base_mean", "network.zero_head", "network.first_weight_scale", "network.first_bias_scale",
    "objective.power", "objective.clamp", "objective.normaliser", "objective.normaliser_rate", "objective.normaliser_decay",
    "snapshot.interval", "snapshot.ess_threshold", "snapshot.max_interval", "snapshot.decay", "snapshot.components",
    "sampler.steps", "sampler.anneal", "sampler.leapfrog", "sampler.integrator", "sampler.friction", "sampler.adapt",
    "sampler.target_acceptance", "sampler.noise", "sampler.clip", "sampler.bounds", "sampler.start", "sampler.data_share",
    "sampler.buffer", "sampler.jumps", "sampler.jump_to", "sampler.gaussians", "sampler.reuse",
    "optimiser.final_rate", "optimiser.warmup",
];

/// Whether the key called `path`, `section.key`, may be [`AUTO`], which its comment then says.
pub(super) fn may_be_auto(path: &str) -> bool {
    FOLLOW.contains(&path)
}

/// What a key holds.
#[derive(Clone, Copy)]
pub(super) enum ValueKind {
    Text,
    /// A text out of a list.
    Word(fn() -> Vec<&'static str>),
    Number,
    Whole,
    Flag,
    Layers,
    /// A whole number or [`ADAPTIVE`].
    Interval,
    /// Two numbers or "auto".
    Range,
    /// 1, 3 or "auto".
    Channels,
    /// A text such as #ffffff.
    Colour,
}

/// The word for an interval that is no number.
pub(super) const ADAPTIVE: &str = "adaptive";

impl ValueKind {
    /// Whether `value` is of this kind. The elements of a list of layers are not looked at.
    pub(crate) fn admits(self, value: &Value) -> bool {
        match self {
            ValueKind::Text | ValueKind::Word(_) => value.is_str(),
            ValueKind::Number => value.is_float() || value.is_integer(),
            ValueKind::Whole => value.as_integer().is_some_and(|n| n >= 0),
            ValueKind::Flag => value.is_bool(),
            ValueKind::Layers => value.is_array(),
            ValueKind::Interval => {
                ValueKind::Whole.admits(value) || value.as_str() == Some(ADAPTIVE)
            }
            ValueKind::Range => RawRange::try_from(value.clone()).is_ok(),
            ValueKind::Channels => Channels::try_from(value.clone()).is_ok(),
            ValueKind::Colour => value
                .as_str()
                .is_some_and(|text| Colour::try_from(text.to_owned()).is_ok()),
        }
    }

    /// What a message asks for.
    pub(crate) fn wanted(self) -> &'static str {
        match self {
            ValueKind::Text | ValueKind::Word(_) => "a text in quotes",
            ValueKind::Number => "a number",
            ValueKind::Whole => "a whole number, 0 or above",
            ValueKind::Flag => "true or false",
            ValueKind::Interval => "a whole number, 0 or above, or \"adaptive\"",
            ValueKind::Range => "two numbers such as [0, 255], or \"auto\"",
            ValueKind::Channels => "1, 3 or \"auto\"",
            ValueKind::Colour => "a colour such as \"#ffffff\"",
            ValueKind::Layers => {
                "a list of layers such as [{ conv = 32, kernel = 3 }, { dense = 1 }]"
            }
        }
    }
}

/// A type that a key can have.
pub(super) trait Setting {
    const KIND: ValueKind;

    /// The value as TOML text, or `None` where it is absent.
    fn literal(&self) -> Option<String>;
}

impl Setting for String {
    const KIND: ValueKind = ValueKind::Text;

    fn literal(&self) -> Option<String> {
        Some(Value::String(self.clone()).to_string())
    }
}

impl<W: Word> Setting for W {
    const KIND: ValueKind = ValueKind::Word(W::names);

    fn literal(&self) -> Option<String> {
        Some(Value::from(self.name()).to_string())
    }
}

impl<T: Setting> Setting for Option<T> {
    const KIND: ValueKind = T::KIND;

    fn literal(&self) -> Option<String> {
        self.as_ref().and_then(T::literal)
    }
}

/// Types whose debug text is TOML. That of an f32 has the shortest digits that read back to the same one; TOML's own floats
/// are f64, in which 0.005 would come out as 0.004999999888241291.
macro_rules! settings {
    ($($type:ty: $kind:ident),*) => {$(
        impl Setting for $type {
            const KIND: ValueKind = ValueKind::$kind;

            fn literal(&self) -> Option<String> {
                Some(format!("{self:?}"))
            }
        }
    )*};
}
settings!(f32: Number, u64: Whole, usize: Whole, bool: Flag, Interval: Interval);

impl Setting for RawRange {
    const KIND: ValueKind = ValueKind::Range;

    fn literal(&self) -> Option<String> {
        Some(self.to_string())
    }
}

impl Setting for Channels {
    const KIND: ValueKind = ValueKind::Channels;

    fn literal(&self) -> Option<String> {
        Some(Value::from(*self).to_string())
    }
}

impl Setting for Colour {
    const KIND: ValueKind = ValueKind::Colour;

    fn literal(&self) -> Option<String> {
        Some(Value::from(self.to_string()).to_string())
    }
}

impl Setting for Vec<LayerSpec> {
    const KIND: ValueKind = ValueKind::Layers;

    fn literal(&self) -> Option<String> {
        let lines: String = self
            .iter()
            .map(|layer| format!("    {layer:?},\n"))
            .collect();
        Some(if lines.is_empty() {
            "[]".into()
        } else {
            format!("[\n{lines}]")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_auto_exists() {
        let sections = sections(&Config::default());
        for path in FOLLOW {
            let (section, key) = path.split_once('.').expect("has a section");
            let section = sections.iter().find(|known| known.name == section);
            assert!(
                section.is_some_and(|section| section.key(key).is_some()),
                "{path}"
            );
        }
    }
}
