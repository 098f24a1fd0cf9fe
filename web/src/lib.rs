//! Afterimage in a page: the engine, with its own WGSL kernels, through the browser's WebGPU. `web/page/` is the page that uses it.
//!
//! Nothing in a page may wait. What takes a while is asynchronous here, and is awaited by the page before it calls anything else of the
//! same [`Engine`]; what only hands work to the GPU returns at once.

#![cfg(target_arch = "wasm32")]

mod device;
mod engine;
mod rows;

pub use engine::Engine;

use wasm_bindgen::JsError;
use wasm_bindgen::prelude::wasm_bindgen;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = console)]
    fn error(text: &str);
}

/// Runs when the page loads the engine: what would go wrong without a word is told to the browser's console.
#[wasm_bindgen(start)]
fn begin() {
    std::panic::set_hook(Box::new(|panic| error(&panic.to_string())));
}

/// What the page is told of an error: one line that says what to do.
fn told(error: impl std::error::Error) -> JsError {
    JsError::new(&error.to_string())
}
