//! The texts of `shaders/`.

/// A file as a kernel: its name without the ending, words of immediates, and bindings, as a list of
/// [`Access`](crate::gpu::Access) or as an expression.
macro_rules! kernel {
    ($name:literal, $immediates:expr, [$($access:ident $(($format:literal))?),* $(,)?]) => {
        kernel!($name, $immediates, &[$($crate::gpu::Access::$access $(($format))?),*])
    };
    ($name:literal, $immediates:expr, $bindings:expr) => {
        $crate::gpu::Kernel {
            name: $name,
            source: include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/shaders/", $name, ".wgsl")),
            shared: $crate::kernels::shaders::SHARED,
            bindings: $bindings,
            immediates: $immediates,
        }
    };
}

macro_rules! texts {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/shaders/", $name)))),*]
    };
}

/// What every kernel may import.
pub(super) const SHARED: &[(&str, &str)] = texts![
    "shared/activation.wgsl",
    "shared/cell_tap.wgsl",
    "shared/chain_sum.wgsl",
    "shared/dense_product.wgsl",
    "shared/finite.wgsl",
    "shared/head.wgsl",
    "shared/index.wgsl",
    "shared/keep_derivative.wgsl",
    "shared/kept_derivative.wgsl",
    "shared/lanes.wgsl",
    "shared/lanes_convolution.wgsl",
    "shared/lanes_product.wgsl",
    "shared/lanes_reduce.wgsl",
    "shared/lanes_values.wgsl",
    "shared/lanes_winograd.wgsl",
    "shared/langevin_step.wgsl",
    "shared/mixture.wgsl",
    "shared/moment.wgsl",
    "shared/philox.wgsl",
    "shared/plane.wgsl",
    "shared/pool.wgsl",
    "shared/pooling.wgsl",
    "shared/pooling_planes.wgsl",
    "shared/reduce.wgsl",
    "shared/spread.wgsl",
    "shared/tile.wgsl",
    "shared/time_step.wgsl",
    "shared/walk_backward.wgsl",
    "shared/walk_forward.wgsl",
    "shared/winograd.wgsl",
    "shared/winograd_tiles.wgsl",
];
