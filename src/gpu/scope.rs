//! What a device reports of a few calls.

/// What `make` makes on `device`, and what of the kind `filter` went wrong on the way.
#[cfg(not(target_arch = "wasm32"))]
pub(super) fn caught<T>(
    device: &wgpu::Device,
    filter: wgpu::ErrorFilter,
    make: impl FnOnce(&wgpu::Device) -> T,
) -> (T, Option<wgpu::Error>) {
    let scope = device.push_error_scope(filter);
    let made = make(device);
    (made, pollster::block_on(scope.pop()))
}

/// In a browser nothing is known before the page has returned to its event loop: what goes wrong reaches the handler of the device,
/// and whoever runs something next is told.
#[cfg(target_arch = "wasm32")]
pub(super) fn caught<T>(
    device: &wgpu::Device,
    _filter: wgpu::ErrorFilter,
    make: impl FnOnce(&wgpu::Device) -> T,
) -> (T, Option<wgpu::Error>) {
    (make(device), None)
}
