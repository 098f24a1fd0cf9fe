//! The networks that are measured everywhere: here, in `benches/peer_torch.py` and, those of images, in `benches/burn`.

use super::error::BenchError;
use crate::kernels::Activation;
use crate::network::{Architecture, LayerSpec};
use crate::shape::Shape;

/// A network with the batch it is measured at.
#[derive(Clone, Debug)]
pub(crate) struct ReferenceNetwork {
    pub(crate) name: &'static str,
    pub(crate) batch: usize,
    pub(crate) architecture: Architecture,
}

/// A convolution of `channels` outputs.
pub(super) fn conv(channels: usize, kernel: usize, stride: usize, padding: usize) -> LayerSpec {
    LayerSpec::Conv {
        channels,
        kernel,
        stride,
        padding,
    }
}

/// The networks with the comma-separated `names`, in that order: D (8×8 digits), M (28×28, as MNIST), C (32×32
/// colour, as CIFAR-10) and P (points of the plane, as the planar presets).
///
/// # Errors
/// When there is no network of a name.
pub(crate) fn reference_networks(names: &str) -> Result<Vec<ReferenceNetwork>, BenchError> {
    let known = all()?;
    names
        .split(',')
        .map(|name| {
            let found = known.iter().find(|network| network.name == name.trim());
            found.cloned().ok_or_else(|| BenchError::UnknownNetwork {
                given: name.trim().to_owned(),
                known: known.iter().map(|n| n.name).collect::<Vec<_>>().join(", "),
            })
        })
        .collect()
}

fn all() -> Result<[ReferenceNetwork; 4], BenchError> {
    let dense = |features| LayerSpec::Dense { features };
    let network = |name, batch, input, layers: &[LayerSpec], activation| {
        let architecture = Architecture::new(input, layers, activation, None)?;
        Ok::<_, BenchError>(ReferenceNetwork {
            name,
            batch,
            architecture,
        })
    };
    let d = [
        conv(32, 3, 1, 1),
        conv(64, 3, 2, 1),
        conv(64, 3, 2, 1),
        dense(1),
    ];
    let m = [
        conv(16, 5, 2, 4),
        conv(32, 3, 2, 1),
        conv(64, 3, 2, 1),
        conv(64, 3, 2, 1),
        dense(64),
        dense(1),
    ];
    let c = [
        conv(64, 3, 1, 1),
        conv(128, 4, 2, 1),
        conv(256, 4, 2, 1),
        conv(512, 4, 2, 1),
        conv(1, 4, 1, 0),
    ];
    let p = [dense(64), dense(64), dense(64), dense(64), dense(1)];
    let (silu, leaky) = (Activation::SILU, Activation::leaky_relu(0.2));
    Ok([
        network("D", 128, Shape::new(1, 8, 8), &d, silu)?,
        network("M", 128, Shape::new(1, 28, 28), &m, silu)?,
        network("C", 64, Shape::new(3, 32, 32), &c, leaky)?,
        network("P", 1024, Shape::new(2, 1, 1), &p, silu)?,
    ])
}
