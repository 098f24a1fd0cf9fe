use crate::gpu::AdapterSummary;
use flate2::Crc;
use serde::{Deserialize, Serialize};

/// What a measurement holds for: another driver or another subgroup size makes other kernels fast, and another version of
/// ours has other kernels.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Identity {
    /// Of the file that it stands in.
    pub(super) format: u32,
    pub(super) version: String,
    pub(super) adapter: String,
    pub(super) driver: String,
    pub(super) backend: String,
    pub(super) subgroup_sizes: [u32; 2],
}

impl Identity {
    pub(super) fn of(adapter: &AdapterSummary, format: u32) -> Self {
        Identity {
            format,
            version: env!("CARGO_PKG_VERSION").into(),
            adapter: adapter.name.clone(),
            driver: adapter.driver.clone(),
            backend: adapter.backend.clone(),
            subgroup_sizes: adapter.subgroup_sizes,
        }
    }

    /// The file that holds `what` for it: one for each, told apart by a checksum and for people by the adapter's name.
    pub(super) fn file_name(&self, what: &str) -> String {
        let mut crc = Crc::new();
        crc.update(format!("{self:?}").as_bytes());
        let words: Vec<&str> = self
            .adapter
            .split(|c: char| !c.is_ascii_alphanumeric())
            .filter(|word| !word.is_empty())
            .collect();
        let name: String = words.join("-").chars().take(64).collect();
        format!("{what}-{name}-{:08x}-{}.json", crc.sum(), self.version)
    }
}
