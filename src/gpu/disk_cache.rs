use super::scope::caught;
use crate::cache;
use flate2::Crc;
use std::path::{Path, PathBuf};

/// Larger files are left alone and replaced: caches only grow, and one that outgrew this holds mostly pipelines
/// that are not used any more.
const MOST_BYTES: u64 = 64 << 20;

/// Compiled pipelines that are kept on disk for later runs.
pub(super) struct DiskCache {
    pipelines: wgpu::PipelineCache,
    path: PathBuf,
    loaded_bytes: u64,
    /// How many pipelines had been compiled when it was saved last.
    saved: usize,
    /// Checksum of what is on disk.
    checksum: Option<u32>,
}

impl DiskCache {
    /// The cache of the device's adapter in `folder`, empty if there is none that can be used; none where pipelines
    /// cannot be had out of the driver.
    pub(super) fn open(device: &wgpu::Device, folder: &Path) -> Option<Self> {
        if !device.features().contains(wgpu::Features::PIPELINE_CACHE) {
            return None;
        }
        let key = wgpu::util::pipeline_cache_key(&device.adapter_info())?;
        let path = folder.join(format!("{key}-{}", env!("CARGO_PKG_VERSION")));
        let stored = cache::load(&path, MOST_BYTES);
        let data = stored.as_deref().and_then(|bytes| {
            let data = unpack(bytes);
            if data.is_none() {
                tracing::debug!("the cache `{}` is damaged and not used", path.display());
            }
            data
        });
        let pipelines = data.and_then(|data| make(device, Some(data)));
        let used = data.filter(|_| pipelines.is_some());
        let loaded_bytes = used.map_or(0, |data| data.len() as u64);
        let checksum = used.map(checksum);
        Some(DiskCache {
            pipelines: pipelines.or_else(|| make(device, None))?,
            path,
            loaded_bytes,
            saved: 0,
            checksum,
        })
    }

    /// To compile with.
    pub(super) fn pipelines(&self) -> wgpu::PipelineCache {
        self.pipelines.clone()
    }

    /// Bytes that earlier runs left.
    pub(super) fn loaded_bytes(&self) -> u64 {
        self.loaded_bytes
    }

    /// Writes what there is, if any of the `compiled` pipelines is new.
    pub(super) fn save(&mut self, compiled: usize) {
        if compiled == self.saved {
            return;
        }
        self.saved = compiled;
        let Some(data) = self.pipelines.get_data() else {
            return;
        };
        let checksum = Some(checksum(&data));
        if checksum != self.checksum {
            self.checksum = checksum;
            cache::store(&self.path, &pack(&data));
        }
    }
}

fn make(device: &wgpu::Device, data: Option<&[u8]>) -> Option<wgpu::PipelineCache> {
    // SAFETY: the data came from `get_data`: the file is named after the device, its checksum holds, and wgpu compares
    // the driver's version.
    let (cache, error) = caught(device, wgpu::ErrorFilter::Validation, |device| unsafe {
        device.create_pipeline_cache(&wgpu::PipelineCacheDescriptor {
            label: Some("afterimage"),
            data,
            fallback: true,
        })
    });
    match error {
        Some(error) => {
            tracing::debug!("no pipeline cache: {error}");
            None
        }
        None => Some(cache),
    }
}

/// wgpu checks where the data came from, but not whether it is whole; drivers trust it.
fn pack(data: &[u8]) -> Vec<u8> {
    [&checksum(data).to_le_bytes(), data].concat()
}

fn unpack(bytes: &[u8]) -> Option<&[u8]> {
    let (sum, data) = bytes.split_first_chunk()?;
    (u32::from_le_bytes(*sum) == checksum(data)).then_some(data)
}

fn checksum(data: &[u8]) -> u32 {
    let mut crc = Crc::new();
    crc.update(data);
    crc.sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn damage_is_noticed() {
        let packed = pack(b"pipelines");
        assert_eq!(unpack(&packed), Some(&b"pipelines"[..]));
        for byte in 0..packed.len() {
            let mut damaged = packed.clone();
            damaged[byte] ^= 4;
            assert_eq!(unpack(&damaged), None, "byte {byte}");
            assert_eq!(unpack(&packed[..byte]), None, "cut at {byte}");
        }
    }
}
