//! `[network]`

use super::rules::{at_least_one, ensure, finite, not_negative, positive, share};
use super::unread::Conditional;
use crate::config::error::ConfigError;
use crate::config::{BaseKind, LayerConfig, NetworkConfig};
use std::fmt::Debug;

#[rustfmt::skip]
pub(super) const CONDITIONAL: &[Conditional] = &[
    ("network.base_mean", "network.base", |c| c.network.base != BaseKind::None, "there is no base to have a mean"),
];

pub(super) fn validate(network: &NetworkConfig) -> Result<(), ConfigError> {
    ensure(
        !network.layers.is_empty(),
        "network.layers",
        &network.layers,
        || "have at least one layer, for instance [{ dense = 1 }]".into(),
    )?;
    let mut dense_before = false;
    for (index, layer) in network.layers.iter().enumerate() {
        let key = |name: &str| format!("network.layers[{index}].{name}");
        match *layer {
            LayerConfig::Conv {
                conv,
                kernel,
                stride,
                padding,
            } => {
                at_least_one(&key("conv"), conv as u64)?;
                at_least_one(&key("kernel"), kernel as u64)?;
                at_least_one(&key("stride"), stride as u64)?;
                ensure(padding < kernel, &key("padding"), &padding, || {
                    format!(
                        "be less than the kernel's size {kernel}, or outputs would see only padding"
                    )
                })?;
                before_dense(dense_before, &key("conv"), &conv)?;
            }
            LayerConfig::Dense { dense } => {
                at_least_one(&key("dense"), dense as u64)?;
                dense_before = true;
            }
            LayerConfig::Residual {
                residual,
                kernel,
                pool,
            } => {
                at_least_one(&key("residual"), residual as u64)?;
                ensure(kernel % 2 == 1, &key("kernel"), &kernel, || {
                    "be odd, so that both branches of the block keep the size of the image".into()
                })?;
                at_least_one(&key("pool"), pool as u64)?;
                before_dense(dense_before, &key("residual"), &residual)?;
            }
            LayerConfig::Pool { pool } => {
                at_least_one(&key("pool"), pool as u64)?;
                before_dense(dense_before, &key("pool"), &pool)?;
            }
            LayerConfig::GlobalSum { global_sum } => {
                ensure(global_sum, &key("global_sum"), &global_sum, || {
                    "be true, or the layer be left out".into()
                })?;
                before_dense(dense_before, &key("global_sum"), &global_sum)?;
            }
        }
    }
    let is_pooling = |layer: &LayerConfig| {
        matches!(
            layer,
            LayerConfig::Pool { .. } | LayerConfig::GlobalSum { .. }
        )
    };
    let first = network.layers.iter().find(|layer| !is_pooling(layer));
    let last = network.layers.iter().rfind(|layer| !is_pooling(layer));
    ensure(last.is_some(), "network.layers", &network.layers, || {
        "have something to learn: a conv, dense or residual layer".into()
    })?;
    let residual_head = matches!(last, Some(LayerConfig::Residual { .. }));
    ensure(
        !(network.zero_head && residual_head),
        "network.zero_head",
        &network.zero_head,
        || {
            "be false where a residual block is the last layer with weights, since its skip is not zero: put { dense = 1 } or a conv behind it"
                .into()
        },
    )?;
    ensure(
        !(network.zero_head && network.spectral_norm),
        "network.zero_head",
        &network.zero_head,
        || "be false with network.spectral_norm, which cannot normalise a weight of zeros".into(),
    )?;
    let scale = network.first_weight_scale;
    ensure(
        scale == 1.0 || !network.spectral_norm,
        "network.first_weight_scale",
        &scale,
        || "be 1 with network.spectral_norm, which divides it out again".into(),
    )?;
    let residual_first = matches!(first, Some(LayerConfig::Residual { .. }));
    for (key, scale) in [
        ("network.first_weight_scale", scale),
        ("network.first_bias_scale", network.first_bias_scale),
    ] {
        ensure(!residual_first || scale == 1.0, key, &scale, || {
            "be 1 where a residual block is the first layer with weights, since what its skip lets pass would stay as it is: \
             put a conv before it"
                .into()
        })?;
    }
    share("network.slope", network.slope)?;
    finite("network.base_mean", network.base_mean)?;
    positive("network.base_std", network.base_std)?;
    positive("network.first_weight_scale", network.first_weight_scale)?;
    not_negative("network.first_bias_scale", network.first_bias_scale)
}

fn before_dense<T: Debug>(dense_before: bool, key: &str, given: &T) -> Result<(), ConfigError> {
    ensure(!dense_before, key, given, || {
        "come before every dense layer, since those flatten the image".into()
    })
}
