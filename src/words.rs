//! What configurations call things: the names of the members of a closed list, in one place for files, messages and
//! tests.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serializer};

/// A value that is written as a word. The macro `words!` declares an enum of them; the members of a table are words, too.
pub trait Word: Copy + 'static {
    /// Every value, in the order in which messages list them.
    fn all() -> &'static [Self];

    /// What configurations call it.
    fn name(&self) -> &'static str;

    /// The value that configurations call `name`.
    fn named(name: &str) -> Option<Self> {
        Self::all().iter().copied().find(|word| word.name() == name)
    }

    /// What configurations call all of them.
    fn names() -> Vec<&'static str> {
        Self::all().iter().map(Self::name).collect()
    }
}

/// The one of `names` that takes the fewest edits to reach from `given`, whatever its case.
pub(crate) fn nearest<'a>(given: &str, names: &[&'a str]) -> &'a str {
    let given = given.to_lowercase();
    names
        .iter()
        .min_by_key(|name| strsim::damerau_levenshtein(&given, name))
        .copied()
        .unwrap_or_default()
}

/// The members of a list, at least one, as a choice in a sentence.
pub(crate) fn choice(members: &[String]) -> String {
    match members {
        [others @ .., last] if !others.is_empty() => format!("{} or {last}", others.join(", ")),
        _ => members.concat(),
    }
}

/// Declares an enum whose variants are words: each with its doc comment and what configurations call it.
macro_rules! words {
    (
        $(#[$about:meta])*
        pub enum $name:ident {
            $(
                $(#[$doc:meta])*
                $variant:ident = $word:literal,
            )*
        }
    ) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        pub enum $name {
            $(
                $(#[$doc])*
                #[serde(rename = $word)]
                $variant,
            )*
        }

        impl $crate::words::Word for $name {
            fn all() -> &'static [Self] {
                &[$(Self::$variant),*]
            }

            fn name(&self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)*
                }
            }
        }
    };
}
pub(crate) use words;

/// Makes the lines of a table words, by their field `name`, which also tells them apart.
macro_rules! table {
    ($line:ty, $word:ty, $all:expr) => {
        impl $crate::words::Word for $word {
            fn all() -> &'static [Self] {
                $all
            }

            fn name(&self) -> &'static str {
                self.name
            }
        }

        impl PartialEq for $line {
            fn eq(&self, other: &Self) -> bool {
                self.name == other.name
            }
        }

        impl std::fmt::Debug for $line {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.name)
            }
        }
    };
}
pub(crate) use table;

/// For `#[serde(with = "crate::words")]` on a field that holds a member of a table: writes its name.
///
/// # Errors
/// Those of `serializer`.
pub(crate) fn serialize<W: Word, S: Serializer>(
    word: &W,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(word.name())
}

/// And reads it.
///
/// # Errors
/// When no member has this name.
pub(crate) fn deserialize<'de, W: Word, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<W, D::Error> {
    let name = String::deserialize(deserializer)?;
    W::named(&name).ok_or_else(|| D::Error::custom(format!("nothing is called `{name}`")))
}

#[cfg(test)]
mod tests {
    use super::*;

    words! {
        /// For the tests.
        #[derive(Default)]
        pub enum Fruit {
            /// The first one.
            #[default]
            Apple = "apple",
            BlueBerry = "blue-berry",
        }
    }

    #[test]
    fn a_word_is_read_and_written_by_its_name() {
        assert_eq!(Fruit::names(), ["apple", "blue-berry"]);
        for &fruit in Fruit::all() {
            assert_eq!(Fruit::named(fruit.name()), Some(fruit));
            let json = serde_json::json!(fruit);
            assert_eq!(json, fruit.name());
            assert_eq!(Fruit::deserialize(json).unwrap(), fruit);
        }
        assert_eq!(Fruit::named("Apple"), None);
        assert_eq!(Fruit::default(), Fruit::Apple);
    }
}
