//! The drivers that the families were measured on beforehand, so that a first run there need not.

use crate::gpu::{AdapterKind, AdapterSummary};
use crate::kernels::KernelFamily;

/// A driver as Mesa's lavapipe tells of itself, and the families that were the fastest on it.
struct Driver {
    mesa: [u32; 2],
    llvm: u32,
    /// With 8 lanes in a subgroup, and with 16.
    by_8: KernelFamily,
    by_16: KernelFamily,
    /// Whether the first is faster than the second, where the processor has vectors for 16.
    is_faster_by_8: bool,
}

// What is cheap is decided by what Mesa hands to LLVM, and by what LLVM makes of it. Neither changes with the last number of
// a version, which is for mended mistakes: a driver is known by the first two of Mesa's and the first of LLVM's.
// docs/kernels.md has the figures.
const DRIVERS: &[Driver] = &[
    // Debian 12: 22.3.6.
    Driver {
        mesa: [22, 3],
        llvm: 15,
        by_8: KernelFamily::Texel,
        by_16: KernelFamily::Texel,
        is_faster_by_8: false,
    },
    // Debian 13: 25.0.7.
    Driver {
        mesa: [25, 0],
        llvm: 19,
        by_8: KernelFamily::Texel,
        by_16: KernelFamily::Texel,
        is_faster_by_8: true,
    },
    // Debian unstable: 26.2.6.
    Driver {
        mesa: [26, 2],
        llvm: 22,
        by_8: KernelFamily::Texel,
        by_16: KernelFamily::Lanes,
        is_faster_by_8: false,
    },
];

/// What wgpu calls the way to adapters that browsers offer. A page cannot wait for a measurement, and the kernels for GPUs are those
/// that are tested in browsers.
const BROWSER: &str = "webgpu";

/// The family that suits the driver of `adapter`, if it is one that was measured beforehand, and what it was known by.
pub fn known_driver(adapter: &AdapterSummary) -> Option<(KernelFamily, String)> {
    if adapter.backend == BROWSER {
        return Some((KernelFamily::Tiled, "the adapters of browsers".into()));
    }
    let found = find(adapter)?;
    let (lanes, family) = match adapter.subgroup_sizes {
        [8, 8] => (8, found.by_8),
        [16, 16] => (16, found.by_16),
        _ => return None,
    };
    let [major, minor] = found.mesa;
    let llvm = found.llvm;
    let name = format!("llvmpipe of Mesa {major}.{minor}, LLVM {llvm}, {lanes} lanes");
    Some((family, name))
}

/// Whether the driver of `adapter`, which has 16 lanes in a subgroup, is known to be the faster one with 8.
pub fn is_faster_by_8_lanes(adapter: &AdapterSummary) -> bool {
    adapter.subgroup_sizes == [16, 16] && find(adapter).is_some_and(|found| found.is_faster_by_8)
}

fn find(adapter: &AdapterSummary) -> Option<&'static Driver> {
    // They were measured on x86-64.
    let may_be = adapter.kind == AdapterKind::Cpu
        && cfg!(target_arch = "x86_64")
        && adapter.driver.starts_with("llvmpipe ");
    let mesa = version(&adapter.driver, "Mesa ");
    let llvm = version(&adapter.driver, "LLVM ");
    let is_it =
        |driver: &&Driver| mesa.starts_with(&driver.mesa) && llvm.first() == Some(&driver.llvm);
    DRIVERS.iter().find(is_it).filter(|_| may_be)
}

/// The numbers between dots that follow `name` in `text`, as far as they are numbers: `Mesa 25.0.7-2` has 25, 0 and 7.
fn version(text: &str, name: &str) -> Vec<u32> {
    let Some((_, rest)) = text.split_once(name) else {
        return Vec::new();
    };
    let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.');
    let numbers = rest[..end.unwrap_or(rest.len())].split('.');
    numbers.map_while(|number| number.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn adapter(driver: &str, lanes: u32) -> AdapterSummary {
        AdapterSummary {
            index: 0,
            name: "llvmpipe".into(),
            backend: "vulkan".into(),
            driver: driver.into(),
            kind: AdapterKind::Cpu,
            largest_binding: 1 << 27,
            subgroup_sizes: [lanes, lanes],
        }
    }

    #[cfg(target_arch = "x86_64")]
    #[test]
    fn drivers_are_known_by_what_decides_what_is_cheap() {
        use KernelFamily::{Lanes, Texel};
        for (driver, family) in [
            ("llvmpipe Mesa 22.3.6 (LLVM 15.0.6)", Some(Texel)),
            ("llvmpipe Mesa 25.0.7-2 (LLVM 19.1.7)", Some(Texel)),
            ("llvmpipe Mesa 26.2.6-1 (LLVM 22.1.1)", Some(Lanes)),
            ("llvmpipe Mesa 26.2.0 (LLVM 22.1.8)", Some(Lanes)),
            ("llvmpipe Mesa 26.20.0 (LLVM 22.1.8)", None),
            ("llvmpipe Mesa 26.3.0 (LLVM 22.1.8)", None),
            ("llvmpipe Mesa 26.2.6 (LLVM 21.1.8)", None),
            ("llvmpipe Mesa 26.2.6", None),
            ("llvmpipe Mesa git (LLVM 22.1.8)", None),
            ("SwiftShader driver 26.2 (LLVM 22.0.0)", None),
            ("", None),
        ] {
            let found = |lanes| known_driver(&adapter(driver, lanes)).map(|(family, _)| family);
            assert_eq!(found(16), family, "{driver}");
            assert_eq!(found(8), family.and(Some(Texel)), "{driver}");
        }
        for (driver, lanes, is_faster) in [
            ("llvmpipe Mesa 25.0.7-2 (LLVM 19.1.7)", 16, true),
            ("llvmpipe Mesa 25.0.7-2 (LLVM 19.1.7)", 8, false),
            ("llvmpipe Mesa 26.2.6-1 (LLVM 22.1.1)", 16, false),
            ("llvmpipe Mesa 25.1.0 (LLVM 19.1.7)", 16, false),
        ] {
            assert_eq!(
                is_faster_by_8_lanes(&adapter(driver, lanes)),
                is_faster,
                "{driver}"
            );
        }
        let (_, name) = known_driver(&adapter("llvmpipe Mesa 26.2.6-1 (LLVM 22.1.8)", 16)).unwrap();
        assert_eq!(name, "llvmpipe of Mesa 26.2, LLVM 22, 16 lanes");
    }

    #[test]
    fn what_was_not_measured_is_not_known() {
        let known = adapter("llvmpipe Mesa 22.3.6 (LLVM 15.0.6)", 8);
        for (kind, subgroup_sizes) in [
            (AdapterKind::Gpu, [8, 8]),
            (AdapterKind::Cpu, [4, 4]),
            (AdapterKind::Cpu, [8, 16]),
        ] {
            let other = AdapterSummary {
                kind,
                subgroup_sizes,
                ..known.clone()
            };
            assert_eq!(known_driver(&other), None, "{other:?}");
        }
    }
}
