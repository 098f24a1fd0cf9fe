//! Afterimage for programs in C: what `include/afterimage.h` declares.
//!
//! Every function does what it does behind [`status::guarded`], so that no panic leaves it, and checks what it is given by
//! [`arguments`]. Handles are boxes that C holds by their pointers: a device is shared by its models, and locked for as long as a
//! call computes on it.

// Every name that C sees is spelt as it is spelt there.
#![allow(non_camel_case_types)]

mod arguments;
mod compute;
mod device;
mod failure;
mod model;
mod status;
#[cfg(test)]
mod tests;
mod train;
