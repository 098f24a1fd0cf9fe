//! `[network]`

use super::rules::{Conditional, Findings, key};
use crate::config::check::not_allowed;
use crate::config::error::Violation;
use crate::config::{BaseKind, NetworkConfig};
use crate::network::{LayerFlaw, LayerSpec};

#[rustfmt::skip]
pub(super) const CONDITIONAL: &[Conditional] = &[
    ("network.base_mean", "network.base", |c| c.network.base != BaseKind::None, "there is no base to have a mean"),
];

#[rustfmt::skip]
pub(super) const WARNED: &[Conditional] = &[
    ("network.base_std", "network.base", |c| c.network.base != BaseKind::None, "there is no base to have a width"),
    ("network.slope", "network.activation", |c| c.network.activation.name == "leaky_relu", "only `leaky_relu` has a slope"),
];

pub(super) fn validate(network: &NetworkConfig, found: &mut Findings) {
    found.share(key!(network.slope));
    found.finite(key!(network.base_mean));
    found.positive(key!(network.base_std));
    found.positive(key!(network.first_weight_scale));
    found.not_negative(key!(network.first_bias_scale));
    found
        .ensure(
            key!(network.zero_head),
            !(network.zero_head && network.spectral_norm),
            "be false with network.spectral_norm, which cannot normalise a weight of zeros",
        )
        .mended_by("network.zero_head", false)
        .meant("network.spectral_norm", false);
    found
        .ensure(
            key!(network.first_weight_scale),
            network.first_weight_scale == 1.0 || !network.spectral_norm,
            "be 1 with network.spectral_norm, which divides it out again",
        )
        .mended_by("network.first_weight_scale", 1.0)
        .meant("network.spectral_norm", false);
    validate_layers(network, found);
}

fn validate_layers(network: &NetworkConfig, found: &mut Findings) {
    if network.layers.is_empty() {
        let allowed = "have at least one layer, for instance [{ dense = 1 }]";
        found.ensure(key!(network.layers), false, allowed);
        return;
    }
    let mut after_dense = false;
    for (index, layer) in network.layers.iter().enumerate() {
        if let Err(flaw) = layer.check(after_dense) {
            found.refuse(refused(&format!("network.layers[{index}]"), *layer, flaw));
        }
        after_dense |= layer.is_flat();
    }
    let mut learning = network.layers.iter().filter(|layer| layer.has_weights());
    let Some(first) = learning.next() else {
        let given = format!("{:?}", network.layers);
        let allowed = "have something to learn: a conv, dense or residual layer";
        found.refuse(not_allowed("network.layers", &given, allowed));
        return;
    };
    let last = learning.next_back().unwrap_or(first);
    let is_residual = |layer: &LayerSpec| matches!(layer, LayerSpec::Residual { .. });
    found
        .ensure(
            key!(network.zero_head),
            !(network.zero_head && is_residual(last)),
            "be false where a residual block is the last layer with weights, since its skip is not zero: put { dense = 1 } or a conv behind it",
        )
        .mended_by("network.zero_head", false);
    for scale in [
        key!(network.first_weight_scale),
        key!(network.first_bias_scale),
    ] {
        found
            .ensure(
                scale,
                *scale.1 == 1.0 || !is_residual(first),
                "be 1 where a residual block is the first layer with weights, since what its skip lets pass would stay as it is: \
                 put a conv before it",
            )
            .mended_by(scale.0, 1.0);
    }
}

/// What is wrong with the layer at `path`, in the words of the configuration.
fn refused(path: &str, layer: LayerSpec, flaw: LayerFlaw) -> Violation {
    let name = layer.to_string();
    let (key, given, allowed) = match flaw {
        LayerFlaw::Zero { key } => (key, String::from("0"), "be 1 or above".into()),
        LayerFlaw::OnlyPadding { kernel, padding } => (
            "padding",
            padding.to_string(),
            format!("be less than the kernel's size {kernel}, or outputs would see only padding"),
        ),
        LayerFlaw::LongStride { stride } => (
            "stride",
            stride.to_string(),
            format!("be at most {}: use several layers", LayerSpec::MOST_STRIDE),
        ),
        LayerFlaw::EvenKernel { kernel } => (
            "kernel",
            kernel.to_string(),
            "be odd, so that both branches of the block keep the size of the image".into(),
        ),
        LayerFlaw::AfterDense => {
            let (key, given) = name.split_once(' ').unwrap_or((&name, "true"));
            let allowed = "come before every dense layer, since those flatten the image";
            (key, given.into(), allowed.into())
        }
    };
    not_allowed(&format!("{path}.{key}"), &given, allowed)
}
