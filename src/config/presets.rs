//! The presets that come with the program.

use std::sync::LazyLock;

/// A ready-made configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Preset {
    /// What the command line calls it.
    pub name: &'static str,
    /// One line that says what it trains.
    pub summary: &'static str,
    /// The TOML text, for [`super::parse`].
    pub toml: &'static str,
}

/// Every preset, the main one first.
pub fn presets() -> &'static [Preset] {
    macro_rules! embedded {
        ($($name:literal),* $(,)?) => {
            vec![$(Preset::new(
                $name,
                include_str!(concat!("../../assets/presets/", $name, ".toml")),
            )),*]
        };
    }
    static PRESETS: LazyLock<Vec<Preset>> = LazyLock::new(|| {
        embedded![
            "digits",
            "digits-afterimage",
            "digits-langevin",
            "digits-density",
            "mnist",
            "mnist-density",
            "mnist-short-run",
            "cifar10",
            "cifar10-residual",
            "8gaussians",
            "8gaussians-mlp",
            "2spirals",
            "checkerboard",
            "rings",
            "moons",
            "pinwheel",
        ]
    });
    &PRESETS
}

/// The preset called `name`.
pub fn preset(name: &str) -> Option<&'static Preset> {
    presets().iter().find(|preset| preset.name == name)
}

impl Preset {
    /// A preset whose summary is the text's first line, a comment.
    fn new(name: &'static str, toml: &'static str) -> Self {
        let first = toml.lines().next().unwrap_or_default();
        Preset {
            name,
            summary: first.trim_start_matches('#').trim(),
            toml,
        }
    }
}
