//! What values are checked by, and the words in which they are refused.

use crate::config::Config;
use crate::config::check::not_allowed;
use crate::config::error::Violation;
use crate::config::keys::Setting;
use std::fmt::Display;

/// A key, the key that decides whether it is read, whether it is, and why not or where else. Each section's file lists its
/// own, a line each.
pub(super) type Conditional = (
    &'static str,
    &'static str,
    fn(&Config) -> bool,
    &'static str,
);

/// A key and its value.
pub(super) type Given<'a, T> = (&'static str, &'a T);

/// The key `section.key`, with its value in the variable called `section`.
macro_rules! key {
    ($section:ident.$key:ident) => {
        (
            concat!(stringify!($section), ".", stringify!($key)),
            &$section.$key,
        )
    };
}
pub(super) use key;

/// What is wrong, and the assignments each of which would mend it, the best first.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::config) struct Finding {
    pub violation: Violation,
    pub fixes: Vec<Fix>,
}

/// An assignment to a key; an empty value is its default.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::config) struct Fix {
    pub key: &'static str,
    pub value: String,
    /// Whether this value follows from the others. One that only could be meant is named and no more.
    pub follows: bool,
}

/// Everything that is wrong with a configuration.
#[derive(Default)]
pub(super) struct Findings(Vec<Finding>);

/// What a check has found, if anything.
pub(super) struct Found<'a>(Option<&'a mut Finding>);

impl Found<'_> {
    /// Says that another value of `key` would mend it; one that is absent is the default.
    pub(super) fn mended_by(self, key: &'static str, value: impl Setting) -> Self {
        self.or(key, &value.literal().unwrap_or_default(), true)
    }

    /// Says that the default of `key` would mend it, which is `plain` as TOML.
    pub(super) fn mended_by_default(self, key: &'static str, plain: &str) -> Self {
        self.or(key, plain, true)
    }

    /// Says that another value of `key` may have been meant.
    pub(super) fn meant(self, key: &'static str, value: impl Setting) -> Self {
        self.or(key, &value.literal().unwrap_or_default(), false)
    }

    /// The same, of a value as TOML.
    pub(super) fn meant_literally(self, key: &'static str, literal: &str) -> Self {
        self.or(key, literal, false)
    }

    fn or(mut self, key: &'static str, literal: &str, follows: bool) -> Self {
        if let Some(finding) = &mut self.0 {
            finding.fixes.push(Fix {
                key,
                // A word needs no quotes in an assignment, and a shell would drop them.
                value: literal.trim_matches('"').into(),
                follows,
            });
        }
        self
    }

    /// The same where `is_right`: only a fix that breaks nothing else is one.
    pub(super) fn mended_if(self, is_right: bool, key: &'static str, value: impl Setting) -> Self {
        match is_right {
            true => self.mended_by(key, value),
            false => self,
        }
    }
}

impl Findings {
    pub(super) fn all(self) -> Vec<Finding> {
        self.0
    }

    /// Adds what was found by other means than these.
    pub(super) fn refuse(&mut self, violation: Violation) -> Found<'_> {
        // A value that is out of its range on its own needs no further complaint. Nothing else says what it should be.
        let is_out_of_range = |known: &Finding| {
            let follows = known.fixes.iter().any(|fix| fix.follows);
            known.violation.key == violation.key && !follows
        };
        if self.0.iter().any(is_out_of_range) {
            return Found(None);
        }
        let fixes = Vec::new();
        self.0.push(Finding { violation, fixes });
        Found(self.0.last_mut())
    }

    /// Refuses a value unless it is `fine`; `allowed` completes the sentence "it must …".
    pub(super) fn ensure<T: Setting>(
        &mut self,
        (key, given): Given<T>,
        fine: bool,
        allowed: impl Display,
    ) -> Found<'_> {
        if fine {
            return Found(None);
        }
        let given = given.literal().unwrap_or_default();
        self.refuse(not_allowed(key, &given, allowed))
    }

    /// Checks a value that may be absent by `rule`.
    pub(super) fn if_given<T>(
        &mut self,
        (key, given): Given<Option<T>>,
        rule: fn(&mut Self, Given<T>),
    ) {
        if let Some(given) = given {
            rule(self, (key, given));
        }
    }

    pub(super) fn at_least_one(&mut self, given: Given<u64>) {
        self.ensure(given, *given.1 >= 1, "be 1 or above")
            .meant(given.0, 1_u64);
    }

    /// A number of things that must be held or done.
    pub(super) fn count(&mut self, given: Given<usize>, most: usize) {
        let allowed = format_args!("lie between 1 and {most}");
        self.ensure(given, (1..=most).contains(given.1), allowed)
            .meant(given.0, (*given.1).clamp(1, most));
    }

    pub(super) fn at_most(&mut self, given: Given<usize>, most: usize) {
        self.ensure(given, *given.1 <= most, format_args!("be at most {most}"))
            .meant(given.0, most);
    }

    // The comparisons below are written so that NaN fails each of them.

    pub(super) fn finite(&mut self, given: Given<f32>) {
        self.ensure(given, given.1.is_finite(), "be a finite number");
    }

    pub(super) fn positive(&mut self, given: Given<f32>) {
        let fine = *given.1 > 0.0 && given.1.is_finite();
        self.ensure(given, fine, "be a finite number above 0");
    }

    pub(super) fn not_negative(&mut self, given: Given<f32>) {
        let fine = *given.1 >= 0.0 && given.1.is_finite();
        let found = self.ensure(given, fine, "be a finite number, 0 or above");
        if *given.1 < 0.0 {
            found.meant(given.0, 0.0_f32);
        }
    }

    pub(super) fn within(&mut self, given: Given<f32>, low: f32, high: f32) {
        let allowed = format_args!("lie between {low} and {high}");
        let found = self.ensure(given, (low..=high).contains(given.1), allowed);
        // What is not a number is near to neither.
        if !given.1.is_nan() {
            found.meant(given.0, given.1.clamp(low, high));
        }
    }

    /// A share lies in [0, 1].
    pub(super) fn share(&mut self, given: Given<f32>) {
        self.within(given, 0.0, 1.0);
    }

    /// The decay of a moving average lies in [0, 1).
    pub(super) fn decay(&mut self, given: Given<f32>) {
        let fine = (0.0..1.0).contains(given.1);
        self.ensure(given, fine, "be 0 or above and below 1");
    }
}
