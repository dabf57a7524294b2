//! Entry points of the fuzz targets: bytes in, no panic and no broken promise out.
//!
//! A crate's own tests include the file of their crate, so that what is fuzzed is also tried on stable.

pub mod wire;
