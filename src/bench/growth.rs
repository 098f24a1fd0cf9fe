//! How the cost grows with the size of the work: per unit it should stay flat or fall.

use super::error::BenchError;
use super::networks::{conv, reference_networks};
use super::timing::{measure, unit_for};
use super::work::Chain;
use crate::gpu::Executor;
use crate::kernels::Activation;
use crate::network::{Architecture, trusted_variant};
use crate::report::GrowthPanel;
use crate::shape::Shape;
use serde::Serialize;

/// Steps of the chains of all curves but that of the chain's length.
const STEPS: usize = 4;
/// Chains of the curves of image side and channels.
const BATCH: usize = 16;

/// The cost at one size, by the clock on the wall.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct GrowthPoint {
    /// `growth`, where figures have their kind.
    pub kind: &'static str,
    /// What grows.
    pub curve: &'static str,
    pub size: usize,
    /// What the cost is divided by.
    pub unit: &'static str,
    /// Median time of a chain, and the least.
    pub ms: f64,
    pub ms_min: f64,
    pub runs: usize,
    /// Langevin steps of the chain.
    pub steps: usize,
    pub ns_per_unit: f64,
    pub device: String,
    pub mode: String,
}

/// A curve: what grows, over which sizes, and what one size is.
struct Family {
    curve: &'static str,
    unit: &'static str,
    sizes: &'static [usize],
    case: fn(usize) -> Result<Case, BenchError>,
}

struct Case {
    architecture: Architecture,
    batch: usize,
    steps: usize,
    /// How many units the whole chain is.
    units: f64,
}

const FAMILIES: [Family; 4] = [
    Family {
        curve: "samples in a batch",
        unit: "sample and step",
        sizes: &[16, 32, 64, 128, 256],
        case: |batch| Ok(chain(small_digits()?, batch, STEPS, (batch * STEPS) as f64)),
    },
    Family {
        curve: "image side",
        unit: "pixel and step",
        sizes: &[8, 16, 32, 64],
        case: |side| {
            let layers = [
                conv(32, 3, 1, 1),
                conv(64, 3, 2, 1),
                conv(64, 3, 2, 1),
                conv(1, 3, 1, 1),
            ];
            let input = Shape::new(1, side, side);
            let architecture = Architecture::new(input, &layers, Activation::SILU, None)?;
            let units = (BATCH * input.len() * STEPS) as f64;
            Ok(chain(architecture, BATCH, STEPS, units))
        },
    },
    Family {
        curve: "channels",
        unit: "multiply-add",
        sizes: &[8, 16, 32, 64, 128],
        case: |channels| {
            let layers = [
                conv(channels, 3, 1, 1),
                conv(channels, 3, 1, 1),
                conv(channels, 3, 2, 1),
                conv(1, 3, 1, 1),
            ];
            let input = Shape::new(1, 16, 16);
            let architecture = Architecture::new(input, &layers, Activation::SILU, None)?;
            let multiply_adds = architecture.flops_per_gradient() as f64 / 2.0;
            let units = multiply_adds * (BATCH * STEPS) as f64;
            Ok(chain(architecture, BATCH, STEPS, units))
        },
    },
    Family {
        curve: "steps in a chain",
        unit: "step",
        sizes: &[1, 2, 4, 8, 16, 32, 64],
        case: |steps| Ok(chain(small_digits()?, 32, steps, steps as f64)),
    },
];

fn chain(architecture: Architecture, batch: usize, steps: usize, units: f64) -> Case {
    Case {
        architecture,
        batch,
        steps,
        units,
    }
}

fn small_digits() -> Result<Architecture, BenchError> {
    let mut networks = reference_networks("D")?;
    Ok(networks.swap_remove(0).architecture)
}

/// Measures chains of Langevin steps while the batch, the side of the images, the channels and the chain's length
/// double, each for at least `seconds`. `tell` is given each point as soon as it is there, curve after curve.
///
/// # Errors
/// When the GPU fails or a network does not fit it.
pub(crate) fn growth(
    executor: &mut Executor,
    seconds: f64,
    tell: &mut dyn FnMut(GrowthPoint),
) -> Result<(), BenchError> {
    let variant = trusted_variant(executor)?;
    for family in FAMILIES {
        for &size in family.sizes {
            let case = (family.case)(size)?;
            let mark = executor.mark();
            let chain = Chain::new(executor, variant, &case.architecture, case.batch)?;
            let spread = measure(executor, &chain.steps(case.steps), seconds)?.wall;
            executor.release_since(mark);
            tell(GrowthPoint {
                kind: "growth",
                curve: family.curve,
                size,
                unit: family.unit,
                ms: spread.median * 1e3,
                ms_min: spread.smallest * 1e3,
                runs: spread.runs,
                steps: case.steps,
                ns_per_unit: spread.median * 1e9 / case.units,
                device: executor.adapter().name.clone(),
                mode: variant.name(),
            });
        }
    }
    Ok(())
}

/// The points, curve after curve, as panels to draw.
pub(crate) fn growth_panels(points: &[GrowthPoint]) -> Vec<GrowthPanel> {
    points
        .chunk_by(|a, b| a.curve == b.curve)
        .map(|curve| {
            let largest = curve.iter().map(|point| point.ns_per_unit);
            let (factor, unit) = unit_for(largest.fold(0.0, f64::max));
            GrowthPanel {
                title: format!("{unit} per {}", curve[0].unit),
                size: curve[0].curve.into(),
                points: curve
                    .iter()
                    .map(|point| (point.size as f64, point.ns_per_unit * factor))
                    .collect(),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_curve_is_a_panel_in_a_unit_that_suits_it() {
        let point = |curve, size, ns_per_unit| GrowthPoint {
            kind: "growth",
            curve,
            size,
            unit: "step",
            ms: 1.0,
            ms_min: 1.0,
            runs: 3,
            steps: 4,
            ns_per_unit,
            device: String::new(),
            mode: String::new(),
        };
        let points = [
            point("channels", 8, 800.0),
            point("channels", 16, 2000.0),
            point("image side", 8, 0.5),
        ];
        let panels = growth_panels(&points);
        let titles: Vec<&str> = panels.iter().map(|panel| panel.title.as_str()).collect();
        assert_eq!(titles, ["µs per step", "ps per step"]);
        assert_eq!(panels[0].points, [(8.0, 0.8), (16.0, 2.0)]);
        assert_eq!(panels[1].points, [(8.0, 500.0)]);
    }

    #[test]
    fn every_size_is_a_network_that_fits() {
        for family in FAMILIES {
            for &size in family.sizes {
                let case = (family.case)(size).expect("fits");
                assert!(
                    case.units > 0.0 && case.batch > 0,
                    "{} {size}",
                    family.curve
                );
            }
        }
    }
}
