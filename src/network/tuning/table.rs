use crate::cache;
use crate::gpu::Executor;
use crate::kernels::{Choice, LayerKind, LayerPass, Precision, Variant};
use crate::network::identity::Identity;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Raised whenever a choice or a key comes to mean something else.
const FORMAT: u32 = 4;
/// Larger files are not ours: an entry takes about 100 bytes.
const MOST_BYTES: u64 = 1 << 20;

/// The fastest choices known for an adapter, by layer, pass, batch and variant.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Tuning(BTreeMap<String, Choice>);

impl Tuning {
    /// Passes whose fastest choice is known.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn get(&self, key: &str) -> Option<Choice> {
        self.0.get(key).copied()
    }

    pub(super) fn insert(&mut self, key: String, choice: Choice) {
        self.0.insert(key, choice);
    }
}

/// A pass of a layer as the table names it. Batches of up to the same power of two share their choices.
pub(super) fn key(kind: LayerKind, samples: usize, variant: Variant, pass: LayerPass) -> String {
    let pass = match pass {
        LayerPass::Forward => "forward",
        LayerPass::InputGradient => "input gradient",
    };
    let layer = match kind {
        LayerKind::Conv(g) => format!(
            "conv {}x{}x{} to {}, kernel {}x{}, stride {}, padding {}",
            g.in_channels,
            g.in_height,
            g.in_width,
            g.out_channels,
            g.kernel_height,
            g.kernel_width,
            g.stride,
            g.padding
        ),
        LayerKind::Dense { input, outputs } => format!("dense {input} to {outputs}"),
    };
    let maps = match variant.precision() {
        Precision::Full => "f32",
        Precision::Mixed => "f16",
    };
    let variant = variant.name();
    let samples = samples.next_power_of_two();
    format!("{variant}, {maps}, {samples} samples, {pass}, {layer}")
}

#[derive(Serialize, Deserialize)]
struct File {
    #[serde(flatten)]
    identity: Identity,
    choices: Tuning,
}

fn path(folder: &Path, identity: &Identity) -> PathBuf {
    folder.join(identity.file_name("tuning"))
}

/// The table that [`store`] left for this adapter, or an empty one.
pub(super) fn load(folder: &Path, executor: &Executor) -> Tuning {
    let identity = Identity::of(executor.adapter(), FORMAT);
    let path = path(folder, &identity);
    let Some(bytes) = cache::load(&path, MOST_BYTES) else {
        return Tuning::default();
    };
    parse(&bytes, &identity).unwrap_or_else(|| {
        tracing::debug!(
            "the table `{}` is not used: damaged or foreign",
            path.display()
        );
        Tuning::default()
    })
}

fn parse(bytes: &[u8], identity: &Identity) -> Option<Tuning> {
    let file: File = serde_json::from_slice(bytes).ok()?;
    (file.identity == *identity).then_some(file.choices)
}

/// Leaves the table for later runs, if that is possible.
pub(super) fn store(folder: &Path, executor: &Executor, tuning: &Tuning) {
    let identity = Identity::of(executor.adapter(), FORMAT);
    let path = path(folder, &identity);
    let file = File {
        identity,
        choices: tuning.clone(),
    };
    match serde_json::to_vec_pretty(&file) {
        Ok(bytes) => drop(cache::store(&path, &bytes)),
        Err(error) => tracing::warn!("the tuning table is not kept: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::texel::{Texel, Tile};
    use crate::kernels::tiled::{self, Tiled};
    use crate::shape::Shape;

    fn identity() -> Identity {
        Identity {
            format: FORMAT,
            version: "1.2.3".into(),
            adapter: "A/B (C™) 256".into(),
            driver: "d 1".into(),
            backend: "vulkan".into(),
            subgroup_sizes: [8, 8],
        }
    }

    #[test]
    fn tables_of_others_and_damaged_ones_are_not_read() {
        let mut choices = Tuning::default();
        let tile = Tile {
            pixels: 3,
            block: 5,
        };
        choices.insert("a".into(), Choice::Texel(tile));
        let tile = tiled::Tile {
            row_threads: 1,
            column_threads: 2,
            row_quads: 3,
            column_quads: 4,
            depth: 5,
        };
        choices.insert("b".into(), Choice::Tiled(tile));
        let identity = identity();
        let file = File {
            identity,
            choices: choices.clone(),
        };
        let bytes = serde_json::to_vec(&file).unwrap();
        let identity = file.identity;
        assert_eq!(parse(&bytes, &identity), Some(choices));
        for length in 0..bytes.len() {
            assert_eq!(parse(&bytes[..length], &identity), None, "cut at {length}");
        }
        let name = identity.file_name("tuning");
        assert!(
            name.starts_with("tuning-A-B-C-256-") && name.ends_with("-1.2.3.json"),
            "{name}"
        );
        let changes: [fn(&mut Identity); 6] = [
            |identity| identity.format += 1,
            |identity| identity.version = "1.2.4".into(),
            |identity| identity.adapter = "B".into(),
            |identity| identity.driver = "d 2".into(),
            |identity| identity.backend = "metal".into(),
            |identity| identity.subgroup_sizes = [16, 16],
        ];
        for change in changes {
            let mut other = self::identity();
            change(&mut other);
            assert_eq!(parse(&bytes, &other), None, "{other:?}");
            assert_ne!(other.file_name("tuning"), name, "{other:?}");
        }
    }

    /// The first format kept a tile's place in a table, which may come to be in another order.
    #[test]
    fn choices_are_kept_as_what_they_are_and_older_tables_are_not_read() {
        let tile = tiled::Tile {
            row_threads: 16,
            column_threads: 4,
            row_quads: 1,
            column_quads: 2,
            depth: 8,
        };
        assert_eq!(
            serde_json::to_string(&Choice::Tiled(tile)).unwrap(),
            r#"{"tiled":{"row_threads":16,"column_threads":4,"row_quads":1,"column_quads":2,"depth":8}}"#
        );
        let old = Identity {
            format: 1,
            ..identity()
        };
        let mut text = serde_json::to_value(&old).unwrap();
        for choices in [
            r#"{"b": {"tiled": 2}}"#,
            r#"{"a": {"texel": {"pixels": 3, "block": 5}}}"#,
        ] {
            text["choices"] = serde_json::from_str(choices).unwrap();
            assert_eq!(parse(text.to_string().as_bytes(), &identity()), None);
        }
        assert_ne!(old.file_name("tuning"), identity().file_name("tuning"));
    }

    #[test]
    fn keys_tell_passes_apart_and_similar_batches_do_not_matter() {
        let dense = |outputs| LayerKind::Dense {
            input: Shape::new(2, 3, 4),
            outputs,
        };
        let texel = |lanes, precision| {
            Variant::Texel(Texel {
                lanes,
                longest_side: 1,
                precision,
            })
        };
        let (full, mixed) = (Precision::Full, Precision::Mixed);
        let one = key(dense(5), 65, texel(8, full), LayerPass::Forward);
        assert_eq!(one, key(dense(5), 128, texel(8, full), LayerPass::Forward));
        for other in [
            key(dense(5), 64, texel(8, full), LayerPass::Forward),
            key(dense(6), 65, texel(8, full), LayerPass::Forward),
            key(dense(5), 65, texel(4, full), LayerPass::Forward),
            key(dense(5), 65, texel(8, mixed), LayerPass::Forward),
            key(dense(5), 65, Variant::Tiled(Tiled), LayerPass::Forward),
            key(dense(5), 65, texel(8, full), LayerPass::InputGradient),
        ] {
            assert_ne!(one, other);
        }
    }
}
